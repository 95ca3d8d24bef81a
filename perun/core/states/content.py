"""The content of the next state: what an intent makes of the newest fully signed one.

Only four changes exist (protocol, section 5): move `net`; add one instance (a hub's fee may move
`net` with it); remove one at its shift and nothing else; replace one machine by another. A proposal
of any other shape is refused unseen.
"""

from __future__ import annotations

from itertools import pairwise

from perun.core.books import Draft
from perun.core.faults import BadProposal, InstanceRejected, NotAllowedNow, NotEnoughMoney
from perun.core.nanocontracts.instances import leg_in, nano_of, untouched
from perun.core.rules.accounting import (
    clamp_to_locks,
    free_money,
    locks_fit,
    reliable_holdings,
    solvent,
)
from perun.core.state import ChannelView, Intent, Purpose, Role
from perun.core.states.removal import own_shift
from perun.types import MAX_AMOUNT, Address, InstanceId, Nano, State, Version, Wei

__all__ = [
    "agreed_content",
    "agreed_version",
    "build",
    "counts",
    "difference",
    "next_version",
    "place_of",
]


def agreed_content(view: ChannelView) -> tuple[Wei, tuple[Nano, ...]]:
    """`net` and nanos of the newest fully signed state; version 0 has neither."""
    if view.agreed is None:
        return Wei(0), ()
    return view.agreed.state.net, view.agreed.state.nanos


def agreed_version(view: ChannelView) -> Version:
    """Version of the newest fully signed state; 0 if there is none."""
    return view.agreed.state.version if view.agreed is not None else Version(0)


def counts(view: ChannelView) -> bool:
    """Whether the newest fully signed state can be counted on: no dispute, or one that has it. A
    slow signer may complete a state when it is too late [A6]."""
    assert view.agreed is not None
    dispute = view.head.dispute
    if dispute is None:
        return not view.head.ended
    return dispute.version >= view.agreed.state.version


# Rules sign-1, sign-2.
def next_version(view: ChannelView) -> Version:
    """The least version of our parity above all that either side is known to have signed [C1]."""
    least = max(view.signed, view.seen) + 1
    odd = view.role is Role.BOB
    return Version(least if least % 2 == odd else least + 1)


def place_of(nano: Nano) -> tuple[InstanceId, Address]:
    """By what a state's list ascends, strictly [A9]."""
    return nano.id, nano.app


# Rule state-1.
def build(draft: Draft, view: ChannelView, intent: Intent) -> State:
    """The state that carries out an intent, under the next version.

    Raises:
        InstanceRejected: an honest party does not lock this, or the list is full.
        NotAllowedNow: the shift of what is removed is not known yet.
        NotEnoughMoney: it would not be solvent against final deposits.
    """
    net, nanos = agreed_content(view)
    moved = int(net)
    if intent.purpose is not Purpose.REFUSE:
        moved += intent.amount
        if intent.removes is not None:
            nano = _find(nanos, intent.removes)
            moved += clamp_to_locks(nano, own_shift(draft, view, draft.instance(intent.removes)))
            nanos = tuple(other for other in nanos if other is not nano)
        if intent.adds is not None:
            nanos = _insert(draft, view, nanos, intent.adds)
    if not -MAX_AMOUNT <= moved <= MAX_AMOUNT:
        raise NotEnoughMoney("net", MAX_AMOUNT, abs(moved))
    state = State(view.id, next_version(view), Wei(moved), nanos)
    holdings = reliable_holdings(view)
    if not solvent(holdings, state):
        for role in Role:
            free = free_money(holdings, state.net, state.nanos, role)
            if free < 0:
                had = free_money(holdings, net, agreed_content(view)[1], role)
                raise NotEnoughMoney(f"free money of the channel's {role.name}", had, had - free)
    return state


# Rule state-3.
def difference(view: ChannelView, state: State) -> tuple[tuple[Nano, ...], tuple[Nano, ...], int]:
    """What a proposed state removes, adds, and by how much it moves `net`.

    Raises:
        BadProposal: more than 64 nanos, not strictly ascending, or a nano that was changed.
    """
    net, old = agreed_content(view)
    new = state.nanos
    if len(new) > 64:
        raise BadProposal("more than 64 nanos")
    if any(place_of(one) >= place_of(two) for one, two in pairwise(new)):
        raise BadProposal("nanos not strictly ascending by (id, app)")
    if old == new:
        return (), (), state.net - net
    before, after = set(old), set(new)
    removed = tuple(nano for nano in old if nano not in after)
    added = tuple(nano for nano in new if nano not in before)
    kept = {nano.id for nano in old} & {nano.id for nano in new}
    if any(nano.id in kept for nano in (*removed, *added)):
        raise BadProposal("a nano was changed, not removed and added")
    return removed, added, state.net - net


def _find(nanos: tuple[Nano, ...], id: InstanceId) -> Nano:
    for nano in nanos:
        if nano.id == id:
            return nano
    raise NotAllowedNow("remove it", "the newest fully signed state does not list it")


def _insert(
    draft: Draft, view: ChannelView, nanos: tuple[Nano, ...], id: InstanceId
) -> tuple[Nano, ...]:
    instance = draft.instance(id)
    leg = leg_in(instance, view)
    if leg is None or any(nano.id == id for nano in nanos):
        raise InstanceRejected("it has no place in this channel")
    if not untouched(instance):
        raise InstanceRejected("it was submitted before")
    if len(nanos) >= draft.config.limits.greatest_nanos:
        raise InstanceRejected("the list is full")
    nano = nano_of(draft.config.deployment, id, instance.terms, leg.swapped)
    if not locks_fit((*nanos, nano)):
        raise InstanceRejected("the locks of one side add up to more than register takes")
    return tuple(sorted((*nanos, nano), key=place_of))
