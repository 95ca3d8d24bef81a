"""What the contracts announce, as records; meaning and order as in `contracts/interfaces`.

What nanocontracts announce stands with their calls, and is shown here.

Amounts are in the asset's smallest unit, times in Unix seconds.
"""

from __future__ import annotations

from typing import Any

from perun.bindings import abi
from perun.bindings.coin_flip import FlipRevealed
from perun.bindings.escrow import Decided
from perun.bindings.gate import PathFixed, PathOpened
from perun.bindings.hash_chain import TicksSubmitted
from perun.bindings.hash_time_lock import Revealed
from perun.bindings.logs import Event, Table, kind
from perun.bindings.price_bet import Priced
from perun.bindings.turn_game import Moved, PositionSubmitted
from perun.bindings.vpm import Submitted
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    Nano,
    UnixTime,
    Version,
    Wei,
)

__all__ = [
    "Approval",
    "Claimed",
    "Closed",
    "Credited",
    "Decided",
    "Deposited",
    "ERC20",
    "EvidenceFailed",
    "FlipRevealed",
    "MSContractEvent",
    "MS_CONTRACT",
    "Moved",
    "Opened",
    "PathFixed",
    "PathOpened",
    "PositionSubmitted",
    "Priced",
    "Registered",
    "Revealed",
    "SettleSkipped",
    "Settled",
    "Submitted",
    "TicksSubmitted",
    "Transfer",
    "Withdrawn",
]

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


ERC20: Table[Transfer | Approval] = Table(
    kind("Transfer", ("address", "address"), ("uint256",), Transfer),
    kind("Approval", ("address", "address"), ("uint256",), Approval),
)
