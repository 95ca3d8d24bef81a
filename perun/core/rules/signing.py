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
from perun.crypto.keys import PublicKey
from perun.crypto.side_by_side import Job
from perun.crypto.signatures import (
    recover_key,
    verify,
    verify_job,
    verify_loosely,
    verify_loosely_job,
    verify_with,
)
from perun.encoding import typed_data
from perun.encoding.quotes import Quote, quote_digest
from perun.encoding.requests import PaymentRequest, Receipt, receipt_digest, request_digest
from perun.errors import BadSignature
from perun.types import (
    Address,
    Close,
    Digest,
    MachineId,
    Open,
    Ready,
    Record,
    Signature,
    State,
    Statement,
    Wei,
    Withdraw,
)

__all__ = [
    "Claim",
    "check_loosely",
    "check_signature",
    "check_statement",
    "digest",
    "exact",
    "prepare",
    "remember",
]

_MOST_KEYS = 65_536
# Parsed keys by address, each put here by its first good signature. A memo: forgetting it all costs
# 5 µs per key and changes no answer.
_known_keys: dict[Address, PublicKey] = {}


class Claim(Record, frozen=True, gc=False):
    """A signature that is to be checked: by the contracts' rules, or whatever its `v` says."""

    message: Signable
    signature: Signature
    key: Address
    exactly: bool


_MOST_PROVEN = 4_096
# Claims found good before their step asks, each forgotten as soon as it has. A memo too. That nodes
# of several deployments share it is safe: channel and machine ids are hashes of their deployment.
_proven: dict[Claim, bool] = {}


def prepare(deployment: Deployment, claim: Claim) -> Job[bool] | None:
    """What checks a claim beforehand; None if its key has signed nothing good yet.

    Such a first signature is checked where it matters.
    """
    known = _known_keys.get(claim.key)
    if known is None:
        return None
    check = verify_job if claim.exactly else verify_loosely_job
    return check(digest(deployment, claim.message), claim.signature, known)


def remember(claims: Iterable[Claim]) -> None:
    """Takes claims as checked and good; each counts once."""
    if len(_proven) >= _MOST_PROVEN:
        _proven.clear()
    _proven.update(dict.fromkeys(claims, True))


_MOST_DIGESTS = 1_024
# Of states, which each party signs and checks, one after the other. A memo like the others.
_digests: dict[tuple[bytes, State], Digest] = {}


def digest(deployment: Deployment, message: Signable) -> Digest:
    """What is signed for `message`, in the domain of the contract that checks it."""
    return _DIGESTS[type(message)](deployment, message)


def _state_digest(deployment: Deployment, state: State) -> Digest:
    place = (deployment.contract.separator, state)
    found = _digests.pop(place, None)
    if found is None:
        found = typed_data.state_digest(deployment.contract, state)
        if len(_digests) >= _MOST_DIGESTS:
            _digests.clear()
        _digests[place] = found
    return found


_DIGESTS: Final[dict[type, Callable[[Deployment, Any], Digest]]] = {
    Statement: lambda to, message: typed_data.statement_digest(to.vpm, message),
    State: _state_digest,
    Ready: lambda to, message: typed_data.ready_digest(to.vpm, message),
    Close: lambda to, message: typed_data.close_digest(to.contract, message),
    Withdraw: lambda to, message: typed_data.withdraw_digest(to.contract, message),
    Open: lambda to, message: typed_data.open_digest(to.contract, message),
    Quote: lambda to, message: quote_digest(to.contract, message),
    PaymentRequest: lambda to, message: request_digest(to.contract, message),
    Receipt: lambda to, message: receipt_digest(to.contract, message),
}


def check_signature(
    deployment: Deployment, message: Signable, signature: Signature, key: Address
) -> None:
    """Raises `BadSignature` unless the contracts would take it as one of `key`."""
    if _proven and _proven.pop(Claim(message, signature, key, True), False):
        return
    hashed = digest(deployment, message)
    known = _known_keys.get(key)
    if known is not None and verify_with(hashed, signature, known):
        return
    _keep_key(_recover(hashed, signature, key))


def check_statement(
    deployment: Deployment, machine: MachineId, paid: Wei, signature: Signature, key: Address
) -> None:
    """Raises `BadSignature` unless `key` signed; `v` may still need `exact`."""
    check_loosely(deployment, Statement(machine, paid), signature, key)


def check_loosely(
    deployment: Deployment, message: Signable, signature: Signature, key: Address
) -> None:
    """Raises `BadSignature` unless `key` signed: for what never goes to the chain."""
    if _proven and _proven.pop(Claim(message, signature, key, False), False):
        return
    hashed = digest(deployment, message)
    known = _known_keys.get(key)
    if known is not None:
        if verify_loosely(hashed, signature, known):
            return
        raise BadSignature(key, None)
    _keep_key(_recover(hashed, signature, key))


def _recover(hashed: Digest, signature: Signature, key: Address) -> PublicKey:
    found = recover_key(hashed, signature)
    if found is None or found.address != key:
        raise BadSignature(key, found.address if found else None)
    return found


def _keep_key(key: PublicKey) -> None:
    if len(_known_keys) >= _MOST_KEYS:
        _known_keys.clear()
    _known_keys[key.address] = key


def exact(
    deployment: Deployment, machine: MachineId, paid: Wei, signature: Signature, key: Address
) -> Signature:
    """The 65 bytes that the contracts take, of a statement that `check_statement` let through."""
    if not signature:
        return signature
    hashed = typed_data.statement_digest(deployment.vpm, Statement(machine, paid))
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
