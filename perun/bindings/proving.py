"""An address is a claim: a contract counts if its code is ours, and signs in its own domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from perun.bindings.artifacts import artifact
from perun.errors import ChainFault
from perun.types import Address

__all__ = ["WrongCode", "require_code", "require_domain"]


@dataclass(eq=False)
class WrongCode(ChainFault):
    """The contract at an address is not the one this package ships, or signs in another domain."""

    name: str
    address: bytes
    found: str

    template: ClassVar[str] = "{name} expected at {address}, found {found}"
    hint: ClassVar[str] = (
        "never send money there; deploy again, or install the version that deployed it"
    )


def require_code(name: str, where: Address, code: bytes) -> None:
    """Raises `WrongCode` unless `code`, found at `where`, is the contract of that name."""
    if not artifact(name).matches(code):
        raise WrongCode(name, where, "other code" if code else "no code")


def require_domain(name: str, where: Address, separator: bytes, wanted: bytes) -> None:
    """Raises `WrongCode` unless the contract signs in the domain that we sign in."""
    if separator != wanted:
        raise WrongCode(name, where, f"the domain 0x{separator.hex()}")
