"""What the contracts announce, as records; meaning and order as in `contracts/interfaces`.

Amounts are in the asset's smallest unit, times in Unix seconds.
"""

from __future__ import annotations

from typing import Any

from perun.bindings import abi
from perun.bindings.logs import Event, Table, kind
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    DealId,
    FlipId,
    GameId,
    LockId,
    MachineId,
    Nano,
    Preimage,
    Seconds,
    UnixTime,
    Version,
    Wei,
)

# ---------------------------------------------------------------------------------- MSContract


class Opened(Event, frozen=True, gc=False):
    """An account has announced a channel: an advertisement by anybody (protocol, section 5)."""

    id: ChannelId
    alice: Address
    bob: Address
    channel: Channel


class Deposited(Event, frozen=True, gc=False):
    """A side of a channel has grown; both sides' holdings after it."""

    id: ChannelId
    asset: Asset
    alice_holdings: Wei
    bob_holdings: Wei


class Withdrawn(Event, frozen=True, gc=False):
    """A co-signed withdrawal was paid from an open channel."""

    id: ChannelId
    index: int
    alice_amount: Wei
    bob_amount: Wei


class Closed(Event, frozen=True, gc=False):
    """A channel has ended by agreement."""

    id: ChannelId
    alice_paid: Wei
    bob_paid: Wei


class Registered(Event, frozen=True, gc=False):
    """A state was registered in a dispute; a newer one may follow until `deadline`, included."""

    id: ChannelId
    version: Version
    net: Wei
    nanos: tuple[Nano, ...]
    deadline: UnixTime


class EvidenceFailed(Event, frozen=True, gc=False):
    """The nanocontract at `index` of the list rejected its evidence."""

    id: ChannelId
    index: int


class Settled(Event, frozen=True, gc=False):
    """A dispute was decided, wholly or but for the `remaining` nanos."""

    id: ChannelId
    alice_paid: Wei
    bob_paid: Wei
    remaining: tuple[Nano, ...]


class SettleSkipped(Event, frozen=True, gc=False):
    """An item of a batch was left out: its channel is not, or no longer, in the state it names."""

    id: ChannelId


class Credited(Event, frozen=True, gc=False):
    """An account's credit has grown by `amount`."""

    asset: Asset
    account: Address
    amount: Wei


class Claimed(Event, frozen=True, gc=False):
    """An account has taken `amount` of its credit out, to `to`."""

    asset: Asset
    account: Address
    amount: Wei
    to: Address


MSContractEvent = (
    Opened
    | Deposited
    | Withdrawn
    | Closed
    | Registered
    | EvidenceFailed
    | Settled
    | SettleSkipped
    | Credited
    | Claimed
)

# ------------------------------------------------------------------- nanocontracts and tokens


class Submitted(Event, frozen=True, gc=False):
    """A total of a machine has risen; both after it, and the last second at which they may."""

    id: MachineId
    paid_by_alice: Wei
    paid_by_bob: Wei
    deadline: UnixTime


class Revealed(Event, frozen=True, gc=False):
    """The preimage of a hash time lock is public from now on."""

    id: LockId
    preimage: Preimage


class FlipRevealed(Event, frozen=True, gc=False):
    """A side's secret of a coin flip is public. Solidity's name is `Revealed`, too."""

    id: FlipId
    bob: bool
    """Whether it is Bob's, else Alice's."""
    secret: Preimage
    deadline: UnixTime
    """Last second at which the other side may follow."""


class PositionSubmitted(Event, frozen=True, gc=False):
    """A position of a game that both have signed stands."""

    id: GameId
    version: Version
    turn: int
    """1 Alice, 2 Bob, 0 finished."""
    shift: Wei
    """If finished, what moves from Alice to Bob."""
    position: bytes
    """keccak256 of its bytes."""
    deadline: UnixTime
    """Last second for a newer one; then the clock of the side to move runs."""


class Moved(Event, frozen=True, gc=False):
    """A move was made on chain."""

    id: GameId
    version: Version
    turn: int
    shift: Wei
    position: bytes
    """Its bytes, in full."""
    clock_from: UnixTime
    alice_left: Seconds
    bob_left: Seconds


class Decided(Event, frozen=True, gc=False):
    """Evidence about a deal in escrow stands; better may come by its deadline."""

    id: DealId
    rank: int
    """0 the late rule, 1 an award, 2 two awards that differ, 3 an agreement."""
    shift: Wei
    """What moves from Alice to Bob."""
    deadline: UnixTime


class Transfer(Event, frozen=True, gc=False):
    """A token has moved (ERC-20)."""

    sender: Address
    to: Address
    amount: Wei


class Approval(Event, frozen=True, gc=False):
    """An owner has allowed a spender to move its tokens (ERC-20)."""

    owner: Address
    spender: Address
    amount: Wei


def _nanos(items: Any) -> tuple[Nano, ...]:
    return tuple(Nano(*item) for item in items)


MS_CONTRACT: Table[MSContractEvent] = Table(
    kind(
        "Opened",
        ("bytes32", "address", "address"),
        (abi.CHANNEL,),
        lambda i, alice, bob, channel: Opened(i, alice, bob, Channel(*channel)),
    ),
    kind("Deposited", ("bytes32",), ("address", "int112", "int112"), Deposited),
    kind("Withdrawn", ("bytes32",), ("uint32", "uint112", "uint112"), Withdrawn),
    kind("Closed", ("bytes32",), ("uint256", "uint256"), Closed),
    kind(
        "Registered",
        ("bytes32",),
        ("uint48", "int112", f"{abi.NANO}[]", "uint40"),
        lambda i, version, net, nanos, deadline: Registered(
            i, version, net, _nanos(nanos), deadline
        ),
    ),
    kind("EvidenceFailed", ("bytes32",), ("uint256",), EvidenceFailed),
    kind(
        "Settled",
        ("bytes32",),
        ("uint256", "uint256", f"{abi.NANO}[]"),
        lambda i, alice, bob, nanos: Settled(i, alice, bob, _nanos(nanos)),
    ),
    kind("SettleSkipped", ("bytes32",), (), SettleSkipped),
    kind("Credited", ("address", "address"), ("uint256",), Credited),
    kind("Claimed", ("address", "address"), ("uint256", "address"), Claimed),
)

VPM: Table[Submitted] = Table(
    kind("Submitted", ("bytes32",), ("uint112", "uint112", "uint40"), Submitted)
)

HASH_TIME_LOCK: Table[Revealed] = Table(kind("Revealed", ("bytes32",), ("bytes32",), Revealed))

COIN_FLIP: Table[FlipRevealed] = Table(
    kind("Revealed", ("bytes32",), ("bool", "bytes32", "uint40"), FlipRevealed)
)

TURN_GAME: Table[PositionSubmitted | Moved] = Table(
    kind(
        "PositionSubmitted",
        ("bytes32",),
        ("uint32", "uint8", "int112", "bytes32", "uint40"),
        PositionSubmitted,
    ),
    kind(
        "Moved",
        ("bytes32",),
        ("uint32", "uint8", "int112", "bytes", "uint40", "uint32", "uint32"),
        Moved,
    ),
)

ESCROW: Table[Decided] = Table(
    kind("Decided", ("bytes32",), ("uint8", "int112", "uint40"), Decided)
)

ERC20: Table[Transfer | Approval] = Table(
    kind("Transfer", ("address", "address"), ("uint256",), Transfer),
    kind("Approval", ("address", "address"), ("uint256",), Approval),
)
