"""What is hashed for whom, and whether a signature counts as received.

A signature counts only if the contracts' rules accept it (protocol, section 5, What it signs). For
states and offers that is checked in full. For statements the hot path checks `r‖s` against the kept
key, a fifth cheaper; `v` follows from the rest, and `exact` puts it right before the statement goes
to the chain, a watchtower or another party.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from perun.core.config import Deployment
from perun.core.effects import Signable
from perun.crypto.jobs import Job
from perun.crypto.keys import PublicKey
from perun.crypto.signatures import (
    recover_key,
    verify,
    verify_job,
    verify_loosely,
    verify_loosely_job,
    verify_with,
)
from perun.encoding.domains import Domain, MSContractDomain
from perun.encoding.kinds import SIGNED
from perun.encoding.machine import statement_digest
from perun.encoding.requests import PaymentRequest, Receipt, receipt_digest, request_digest
from perun.errors import BadSignature, BrokenInvariant
from perun.types import (
    Address,
    Digest,
    MachineId,
    Record,
    Signature,
    Statement,
    Wei,
)

__all__ = [
    "Checker",
    "Expected",
    "digest",
    "exact",
]

_MOST_KEYS: Final = 65_536
_MOST_PROVEN: Final = 4_096


class Expected(Record, frozen=True, gc=False):
    """A signature that is to be checked: by the contracts' rules, or whatever its `v` says."""

    message: Signable
    signature: Signature
    key: Address
    exactly: bool


def digest(deployment: Deployment, message: Signable) -> Digest:
    """What is signed for `message`, in the domain of the contract that checks it."""
    if type(message) is Statement:
        return statement_digest(deployment.vpm, message)
    own = _OF_GUESTS.get(type(message))
    if own is not None:
        return own(deployment.contract, message)
    domain, typed = SIGNED[type(message)]
    return typed.digest(_found(deployment, domain), message)


def _found(deployment: Deployment, kind: type[Domain]) -> Domain:
    """Nothing is signed for instances of a kind that is not there: their terms are refused
    before."""
    for domain in deployment.domains:
        if type(domain) is kind:
            return domain
    raise BrokenInvariant("something is signed for a contract that this chain has not")


# Any: each takes its own.
_OF_GUESTS: Final[dict[type, Callable[[MSContractDomain, Any], Digest]]] = {
    PaymentRequest: request_digest,
    Receipt: receipt_digest,
}
"""What no contract ever sees: requests and receipts of the program above."""


class Checker:
    """Checks signatures for one node, and remembers what makes the next check quicker.

    What it remembers changes no answer, and is in no record: losing it costs 5 µs per key.
    """

    __slots__ = ("_deployment", "_known", "_proven")

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        # Parsed keys by address, each put here by its first good signature.
        self._known: dict[Address, PublicKey] = {}
        # Signatures found good before their step asks, each forgotten as soon as it has.
        self._proven: dict[Expected, None] = {}

    def check(self, message: Signable, signature: Signature, key: Address) -> None:
        """Raises `BadSignature` unless the contracts would take it as one of `key`."""
        if self._proven and self._was_proven(Expected(message, signature, key, True)):
            return
        hashed = digest(self._deployment, message)
        known = self._known.get(key)
        if known is None or not verify_with(hashed, signature, known):
            self._keep(_recover(hashed, signature, key))

    def check_loosely(self, message: Signable, signature: Signature, key: Address) -> None:
        """Raises `BadSignature` unless `key` signed, whatever `v` says: for what never goes to the
        chain, or goes there with the `v` that `exact` finds."""
        if self._proven and self._was_proven(Expected(message, signature, key, False)):
            return
        hashed = digest(self._deployment, message)
        known = self._known.get(key)
        if known is None:
            self._keep(_recover(hashed, signature, key))
        elif not verify_loosely(hashed, signature, known):
            raise BadSignature(key, None)

    def prepare(self, expected: Expected) -> Job[bool] | None:
        """What checks a expected beforehand; None if its key has signed nothing good yet.

        Such a first signature is checked where it matters.
        """
        known = self._known.get(expected.key)
        if known is None:
            return None
        check = verify_job if expected.exactly else verify_loosely_job
        return check(digest(self._deployment, expected.message), expected.signature, known)

    def remember(self, signatures: Iterable[Expected]) -> None:
        """Takes signatures as checked and good; each counts once."""
        if len(self._proven) >= _MOST_PROVEN:
            self._proven.clear()
        self._proven.update(dict.fromkeys(signatures))

    def _was_proven(self, expected: Expected) -> bool:
        return self._proven.pop(expected, expected) is None

    def _keep(self, key: PublicKey) -> None:
        if len(self._known) >= _MOST_KEYS:
            self._known.clear()
        self._known[key.address] = key


def _recover(hashed: Digest, signature: Signature, key: Address) -> PublicKey:
    found = recover_key(hashed, signature)
    if found is None or found.address != key:
        raise BadSignature(key, found.address if found else None)
    return found


def exact(
    deployment: Deployment, machine: MachineId, paid: Wei, signature: Signature, key: Address
) -> Signature:
    """The 65 bytes that the contracts take, of a statement that `check_loosely` let through."""
    if not signature:
        return signature
    hashed = statement_digest(deployment.vpm, Statement(machine, paid))
    if verify(hashed, signature, key):
        return signature
    # The parsed key may be unknown after a restart: try both v, whichever recovers to the key.
    for v in (b"\x1b", b"\x1c"):
        candidate = Signature(compact_rs(signature) + v)
        if verify(hashed, candidate, key):
            return candidate
    raise BadSignature(key, None)


def compact_rs(signature: Signature) -> bytes:
    """`r‖s` of either form (EIP-2098 keeps `v` in the top bit of `s`)."""
    if len(signature) == 64:
        return signature[:32] + bytes((signature[32] & 0x7F,)) + signature[33:]
    return signature[:64]
