"""EIP-712 digests of signed messages: `keccak256(0x1901 ‖ separator ‖ hashStruct)`.

Type strings as in the doc comments of `contracts/interfaces`. About 2 µs each. Here are those of a
channel; what is signed for an instance stands with its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, MSContractDomain
from perun.encoding.ids import nanos_hash
from perun.types import (
    Close,
    Digest,
    Open,
    State,
    Withdraw,
)


@dataclass(frozen=True, slots=True)
class TypedData:
    """A message that is signed."""

    message: type
    type_string: str
    # Any: each takes its own message, in its own domain.
    digest: Callable[[Any, Any], Digest]


@dataclass(frozen=True, slots=True)
class InDomain:
    """The domain of a contract, and all that is signed in it."""

    domain: type[Domain]
    signed: tuple[TypedData, ...] = ()


STATE_TYPE = "State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)"
CLOSE_TYPE = "Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)"
WITHDRAW_TYPE = (
    "Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
)
OPEN_TYPE = "Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"

_STATE = keccak(STATE_TYPE.encode())
_CLOSE = keccak(CLOSE_TYPE.encode())
_WITHDRAW = keccak(WITHDRAW_TYPE.encode())
_OPEN = keccak(OPEN_TYPE.encode())


def state_digest(domain: MSContractDomain, state: State) -> Digest:
    """What both keys sign for `state` (protocol, section 3)."""
    return _state_digest(domain.prefix, state)


@lru_cache(1_024)
def _state_digest(prefix: bytes, state: State) -> Digest:
    """Kept: each party signs a state and checks the other's signature over it."""
    fields = (
        _STATE
        + state.channel
        + words.unsigned(state.version)
        + words.signed(state.net)
        + nanos_hash(state.nanos)
    )
    return Digest(keccak(prefix + keccak(fields)))


def close_digest(domain: MSContractDomain, close: Close) -> Digest:
    """What both keys sign for `close` (protocol, section 3)."""
    fields = (
        _CLOSE
        + close.channel
        + words.signed(close.net)
        + words.unsigned(close.valid_until)
        + words.unsigned(close.to_credit)
    )
    return Digest(keccak(domain.prefix + keccak(fields)))


def withdraw_digest(domain: MSContractDomain, withdraw: Withdraw) -> Digest:
    """What both keys sign for `withdraw` (protocol, section 3)."""
    fields = (
        _WITHDRAW
        + withdraw.channel
        + words.unsigned(withdraw.index)
        + words.unsigned(withdraw.alice_amount)
        + words.unsigned(withdraw.bob_amount)
        + words.unsigned(withdraw.valid_until)
    )
    return Digest(keccak(domain.prefix + keccak(fields)))


def open_digest(domain: MSContractDomain, offer: Open) -> Digest:
    """What the account that is drawn on signs for `offer` (protocol, section 3)."""
    fields = (
        _OPEN
        + offer.channel
        + words.unsigned(offer.alice_amount)
        + words.unsigned(offer.bob_amount)
        + words.unsigned(offer.valid_until)
    )
    return Digest(keccak(domain.prefix + keccak(fields)))


CHANNEL: Final = InDomain(
    MSContractDomain,
    (
        TypedData(State, STATE_TYPE, state_digest),
        TypedData(Close, CLOSE_TYPE, close_digest),
        TypedData(Withdraw, WITHDRAW_TYPE, withdraw_digest),
        TypedData(Open, OPEN_TYPE, open_digest),
    ),
)
