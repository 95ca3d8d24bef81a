"""A channel as a block has it, from what MSContract has announced until then.

Events carry everything that the contracts hash, so a snapshot is a fold over one id's events. The
only thing they do not say is which account called `open` and whether it was `openBoth`; the first
is read off the side that grew, the second is the `drawn` bit, which the follower asks for.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from perun.bindings import events
from perun.bindings.logs import Event
from perun.chain.endpoint import Inconsistent
from perun.core.chain_view import Dispute, OnChain
from perun.types import Asset, Wei

__all__ = ["fold_channel"]


def fold_channel(on: OnChain, asset: Asset, happened: Iterable[Event]) -> OnChain:
    """`on` after these events of the channel's id, oldest first."""
    opened = False
    for event in happened:
        if isinstance(event, events.Deposited):
            # Anybody may deposit under our id and another asset; that is not our channel's money.
            if event.asset != asset:
                continue
            on = _deposited(on, event, announced=opened)
        on = _after(on, event)
        # `open` and `openBoth` announce the channel right before they announce its holdings.
        opened = isinstance(event, events.Opened)
    return on


def _deposited(on: OnChain, event: events.Deposited, *, announced: bool) -> OnChain:
    by = on.announced_by
    if announced:
        # Only an account itself can raise its side by `open`; in `openBoth` both have agreed: one
        # by calling, the other by its signature.
        by = (
            by[0] or event.alice_holdings > on.alice,
            by[1] or event.bob_holdings > on.bob,
        )
    return replace(on, alice=event.alice_holdings, bob=event.bob_holdings, announced_by=by)


def _after(on: OnChain, event: Event) -> OnChain:
    match event:
        case events.Withdrawn(_, index, alice, bob):
            return replace(
                on,
                alice=Wei(on.alice - alice),
                bob=Wei(on.bob - bob),
                withdrawals=index + 1,
            )
        case events.Registered(_, version, net, nanos, deadline):
            return replace(on, dispute=Dispute(version, net, nanos, deadline))
        case events.Settled(_, _, _, remaining) if remaining:
            if on.dispute is None:
                raise Inconsistent("a channel was settled that nobody has registered")
            return replace(
                on,
                alice=Wei(sum(nano.alice_lock for nano in remaining)),
                bob=Wei(sum(nano.bob_lock for nano in remaining)),
                dispute=replace(on.dispute, net=Wei(0), nanos=remaining, settling=True),
            )
        case events.Settled() | events.Closed():
            # A later deposit begins a new life of an id that is spent all the same.
            return OnChain(announced_by=on.announced_by, ended=True)
        case _:
            return on
