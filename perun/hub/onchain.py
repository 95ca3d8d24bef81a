"""What the chain says of a hub's money, from the logs of one contract up to one block.

Read anew each time, without the follower: an audit that asks the follower would repeat its errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from perun.bindings import abi
from perun.bindings.events import (
    MS_CONTRACT,
    Claimed,
    Closed,
    Credited,
    Deposited,
    Opened,
    Settled,
    Withdrawn,
)
from perun.bindings.failures import NodeBusy
from perun.bindings.logs import Event, Log
from perun.chain.endpoint import Endpoint
from perun.core.rules.accounting import own_lock
from perun.core.state import ChannelView, Role
from perun.types import Address, Asset, ChannelId

__all__ = ["AccountOnChain", "ChannelOnChain", "read_account", "read_channels"]

_AT_ONCE: Final = 200
"""Channels in one question; nodes take some thousand topics at most."""
_TRIES: Final = 40


@dataclass(slots=True)
class ChannelOnChain:
    """One channel, as its logs have it; amounts in the asset's smallest unit."""

    holdings: list[int] = field(default_factory=lambda: [0, 0])
    deposited: int = 0
    """Into our side, by transactions …"""
    drawn: int = 0
    """… and out of our credit."""
    paid: int = 0
    """To us, when it was closed, settled, or emptied."""
    ended: bool = False
    disputed: bool = False
    """The chain has decided it, not the parties."""
    payouts: list[tuple[bytes, int]] = field(default_factory=list)
    """Transactions that have paid us, and how much, to the account or to its credit."""
    deposits: list[tuple[bytes, int]] = field(default_factory=list)
    """Transactions that put something into our side."""


@dataclass(slots=True)
class AccountOnChain:
    """Our account's credit in one asset, as logs have it."""

    credited: list[tuple[int, bytes, int]] = field(default_factory=list)
    """Block, transaction, amount."""
    claimed: list[tuple[int, Address, int]] = field(default_factory=list)
    """Block, receiver, amount."""


def read_channels(
    endpoint: Endpoint,
    contract: Address,
    views: Sequence[ChannelView],
    first: int,
    last: int,
) -> dict[ChannelId, ChannelOnChain]:
    """All of them, by id. Raises `ChainFault`."""
    found = {view.id: ChannelOnChain() for view in views}
    by_id = {view.id: view for view in views}
    for start in range(0, len(views), _AT_ONCE):
        ids = [bytes(view.id) for view in views[start : start + _AT_ONCE]]
        for log, event in _events(endpoint, contract, first, last, (None, ids)):
            id = ChannelId(bytes(log.topics[1]))
            _take(found[id], by_id[id], log, event)
    return found


def _take(channel: ChannelOnChain, view: ChannelView, log: Log, event: Event) -> None:
    own = int(view.role)
    match event:
        case Deposited(_, _, alice, bob):
            before, channel.holdings = channel.holdings, [int(alice), int(bob)]
            ours, theirs = (channel.holdings[s] - before[s] for s in (own, 1 - own))
            if view.funding.drawn and view.role is Role.BOB and ours and theirs:
                channel.drawn += ours
            elif ours:
                channel.deposited += ours
                channel.deposits.append((log.transaction, ours))
        case Withdrawn(_, _, alice, bob):
            channel.holdings[0] -= alice
            channel.holdings[1] -= bob
            _paid(channel, log, (alice, bob)[own])
        case Closed(_, alice, bob):
            channel.holdings, channel.ended = [0, 0], True
            _paid(channel, log, (alice, bob)[own])
        case Settled(_, alice, bob, remaining):
            sides = (Role.ALICE, Role.BOB)
            channel.holdings = [sum(own_lock(nano, side) for nano in remaining) for side in sides]
            channel.disputed, channel.ended = True, not remaining
            _paid(channel, log, (alice, bob)[own])
        case _:
            pass


def _paid(channel: ChannelOnChain, log: Log, amount: int) -> None:
    channel.paid += amount
    if amount:
        channel.payouts.append((log.transaction, amount))


def read_account(
    endpoint: Endpoint, contract: Address, account: Address, first: int, last: int
) -> dict[Asset, AccountOnChain]:
    """Our credit's history, by asset. Raises `ChainFault`."""
    found: dict[Asset, AccountOnChain] = {}
    word = bytes(12) + account
    names = [abi.topic(MS_CONTRACT.signatures[name].signature) for name in _CREDIT]
    for log, event in _events(endpoint, contract, first, last, (names, None, [word])):
        if isinstance(event, Credited):
            entry = found.setdefault(Asset(event.asset), AccountOnChain())
            entry.credited.append((log.block, log.transaction, event.amount))
        elif isinstance(event, Claimed):
            entry = found.setdefault(Asset(event.asset), AccountOnChain())
            entry.claimed.append((log.block, event.to, event.amount))
    return found


_CREDIT: Final = tuple(
    signature
    for signature in MS_CONTRACT.signatures
    if signature.startswith(("Credited(", "Claimed("))
)


def _events(
    endpoint: Endpoint,
    contract: Address,
    first: int,
    last: int,
    topics: Sequence[Sequence[bytes] | None],
) -> Iterator[tuple[Log, Event]]:
    logs: list[Log] = []
    tries = 0
    while first <= last:
        until = min(last, first + endpoint.reach - 1)
        try:
            logs += endpoint.logs([contract], first, until, topics)
        except NodeBusy:
            tries += 1
            if tries > _TRIES:
                raise
            continue
        first = until + 1
    yield from _in_order(logs)


def _in_order(logs: Iterable[Log]) -> Iterator[tuple[Log, Event]]:
    for log in sorted(logs, key=lambda log: log.place):
        event = MS_CONTRACT.read(log)
        if event is not None and not isinstance(event, Opened):
            yield log, event
