"""Every exception of the package, as one tree.

    PerunError
    ├── Misuse              our caller broke a rule; nothing happened
    │   ├── WrongType           a value is not of the type the field has
    │   │   └── NotAnAmount         … and the field is money: bool, float, str and NaN are refused
    │   ├── OutOfRange          an integer is outside what the field holds
    │   │   └── AmountOutOfRange    … and the field is money
    │   ├── WrongLength         bytes of another length than the field's
    │   ├── BadKey              bytes that are no private or public key of secp256k1
    │   ├── BadUnits            text that is no decimal amount
    │   ├── WrongChannel        a signed record names another channel
    │   └── UnknownDeployment   no file says where the contracts are on this chain
    ├── PeerFault           the other side broke a rule; `dispute` says whether to go to the chain
    │   └── BadSignature        a signature is malformed or by another key
    ├── ChainFault          the chain or the way to it failed; `retry` says whether to try again
    ├── StoreFault          the disk failed; `retry` says whether to try again
    └── BrokenInvariant     a bug of this package: stop, touch nothing

Other modules hang their own classes below these five: the contracts' custom errors are in
`perun.bindings.reverts`. The values that disagreed are fields; `str()` builds the message from them
and ends with the hint, which says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AmountOutOfRange",
    "BadKey",
    "BadSignature",
    "BadUnits",
    "BrokenInvariant",
    "ChainFault",
    "Misuse",
    "NotAnAmount",
    "OutOfRange",
    "PeerFault",
    "PerunError",
    "StoreFault",
    "UnknownDeployment",
    "WrongChannel",
    "WrongLength",
    "WrongType",
    "show",
]


def show(value: object) -> str:
    """A value as messages and `repr` show it: bytes in hex, a short list item by item."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


@dataclass(eq=False)
class PerunError(Exception):
    """Root of everything this package raises on purpose.

    A subclass is a dataclass whose fields are the values that disagreed; `template` names them in
    braces, `hint` says what to do next.
    """

    template: ClassVar[str] = ""
    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        said = self._said()
        return f"{said}; {self.hint}" if self.hint else said

    def _said(self) -> str:
        """What went wrong, without the hint."""
        if not self.template:
            return ", ".join(f"{name} {show(value)}" for name, value in vars(self).items())
        # Bytes are shown in hex; anything else as the template wishes.
        values = {k: show(v) if isinstance(v, bytes) else v for k, v in vars(self).items()}
        return self.template.format(**values)


class Misuse(PerunError):
    """Our caller broke a rule. Nothing was changed, signed or sent."""


class PeerFault(PerunError):
    """The other side broke a rule.

    `dispute` says whether the channel should be registered on chain because of it.
    """

    dispute: ClassVar[bool] = False


class ChainFault(PerunError):
    """The chain refused or could not be reached; `retry` says whether the same call may succeed."""

    retry: ClassVar[bool] = False


class StoreFault(PerunError):
    """The store failed; `retry` says whether the same call may succeed later."""

    retry: ClassVar[bool] = False


@dataclass(eq=False)
class BrokenInvariant(PerunError):
    """A bug of this package, or of something it stands on. Stop, touch nothing, and report it."""

    what: str

    template: ClassVar[str] = "{what}"


# ---------------------------------------------------------------------------- values from outside


@dataclass(eq=False)
class WrongType(Misuse):
    """A value is not of the type that the field has (a bool is not an integer here)."""

    field: str
    value: object
    expected: str

    template: ClassVar[str] = "{field} must be {expected}, not {value!r}"


@dataclass(eq=False)
class NotAnAmount(WrongType):
    """An amount is not a plain `int` (so `True`, `1.0`, `"5"` and NaN are refused).

    Source: protocol, section 2.
    """

    hint: ClassVar[str] = "give wei as an int; perun.parse_ether reads text such as '0.5'"


@dataclass(eq=False)
class OutOfRange(Misuse):
    """An integer lies outside `least` … `greatest`, both included."""

    field: str
    value: int
    least: int
    greatest: int

    template: ClassVar[str] = "{field} is {value}, outside {least} to {greatest}"


@dataclass(eq=False)
class AmountOutOfRange(OutOfRange):
    """An amount in the asset's smallest unit lies outside what contracts take.

    Source: protocol, section 2: at most `2**111 − 1`.
    """


@dataclass(eq=False)
class WrongLength(Misuse):
    """Bytes of another length than the field's."""

    field: str
    length: int
    expected: int

    template: ClassVar[str] = "{field} has {length} bytes, expected {expected}"


@dataclass(eq=False)
class BadKey(Misuse):
    """Bytes that are no key of secp256k1 (zero, or not below the group's order, or off the curve).

    The bytes are not kept: they may be almost a secret.
    """

    kind: str

    template: ClassVar[str] = "not a {kind} key of secp256k1"


@dataclass(eq=False)
class BadUnits(Misuse):
    """Text that is no plain decimal amount, or has more digits than the unit."""

    text: object
    decimals: int

    template: ClassVar[str] = "{text!r} is not a decimal amount with at most {decimals} decimals"
    hint: ClassVar[str] = "write digits and at most one point, such as '1' or '0.25'"


@dataclass(eq=False)
class WrongChannel(Misuse):
    """A signed record names another channel than the one it is used for."""

    channel: bytes
    named: bytes

    template: ClassVar[str] = "the record is about channel {named}, not {channel}"
    hint: ClassVar[str] = "make records with perun.channel_id(ms_contract.domain, channel)"


@dataclass(eq=False)
class UnknownDeployment(Misuse):
    """No file says where the contracts are on this chain."""

    chain_id: int
    missing: str

    template: ClassVar[str] = "no address of {missing} is known on chain {chain_id}"
    hint: ClassVar[str] = "deploy with perun.deploy, or give the file that has the addresses"


@dataclass(eq=False)
class BadSignature(PeerFault):
    """A signature is malformed (`recovered` is None) or by another key.

    `expected` is None if any key would have done. Source: protocol, section 2.
    """

    expected: bytes | None
    recovered: bytes | None

    template: ClassVar[str] = "signature by {recovered}, expected {expected}"
    hint: ClassVar[str] = "ask the signer again, and compare chain, contract and message first"
