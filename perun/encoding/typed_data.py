"""EIP-712 digests of every signed message: `keccak256(0x1901 ‖ separator ‖ hashStruct)`.

Type strings as in the doc comments of `contracts/interfaces`. About 2 µs each.
"""

from __future__ import annotations

from functools import lru_cache

from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import EscrowDomain, MSContractDomain, TurnGameDomain, VPMDomain
from perun.encoding.ids import nanos_hash
from perun.types import (
    Award,
    Close,
    Digest,
    Move,
    Open,
    Position,
    Ready,
    State,
    Statement,
    Withdraw,
)

STATE_TYPE = "State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)"
CLOSE_TYPE = "Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)"
WITHDRAW_TYPE = (
    "Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
)
OPEN_TYPE = "Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
STATEMENT_TYPE = "Statement(bytes32 machine,uint112 paid)"
READY_TYPE = "Ready(bytes32 machine)"
POSITION_TYPE = "Position(bytes32 game,uint32 version,uint8 turn,int112 shift,bytes32 position)"
MOVE_TYPE = "Move(bytes32 game,uint32 version,bytes32 position,bytes32 move)"
AWARD_TYPE = "Award(bytes32 deal,int112 shift)"

_STATE = keccak(STATE_TYPE.encode())
_CLOSE = keccak(CLOSE_TYPE.encode())
_WITHDRAW = keccak(WITHDRAW_TYPE.encode())
_OPEN = keccak(OPEN_TYPE.encode())
_STATEMENT = keccak(STATEMENT_TYPE.encode())
_READY = keccak(READY_TYPE.encode())
_POSITION = keccak(POSITION_TYPE.encode())
_MOVE = keccak(MOVE_TYPE.encode())
_AWARD = keccak(AWARD_TYPE.encode())


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


def statement_digest(domain: VPMDomain, statement: Statement) -> Digest:
    """What the payer's key signs for `statement` (protocol, section 4)."""
    fields = _STATEMENT + statement.machine + words.unsigned(statement.paid)
    return Digest(keccak(domain.prefix + keccak(fields)))


def ready_digest(domain: VPMDomain, ready: Ready) -> Digest:
    """What the machine key signs for `ready` (protocol, section 5, Paying)."""
    return Digest(keccak(domain.prefix + keccak(_READY + ready.machine)))


def position_digest(domain: TurnGameDomain, position: Position) -> Digest:
    """What both keys of a game sign for `position` (protocol, section 4)."""
    fields = (
        _POSITION
        + position.game
        + words.unsigned(position.version)
        + words.unsigned(position.turn)
        + words.signed(position.shift)
        + position.position
    )
    return Digest(keccak(domain.prefix + keccak(fields)))


def move_digest(domain: TurnGameDomain, move: Move) -> Digest:
    """What the side to move signs for a move on chain (protocol, section 4)."""
    fields = _MOVE + move.game + words.unsigned(move.version) + move.position + move.move
    return Digest(keccak(domain.prefix + keccak(fields)))


def award_digest(domain: EscrowDomain, award: Award) -> Digest:
    """What a deal's arbiter, or both its parties, sign for `award` (protocol, section 4)."""
    fields = _AWARD + award.deal + words.signed(award.shift)
    return Digest(keccak(domain.prefix + keccak(fields)))
