"""What happens by itself: blocks, what they show, and ticks.

A tick or block looks at every channel and instance once; each look is a few comparisons.
"""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.chain_view import ChainView
from perun.core.channel import disputes, funding, gathering, joining, offers
from perun.core.hub import pairs, paths
from perun.core.hub.letting_go import forget
from perun.core.hub.patience import overdue, sees_again
from perun.core.hub.queue import start_next
from perun.core.inputs import (
    ChainAnnounced,
    ChainBlock,
    ChainChannel,
    ChainCredit,
    ChainInstance,
    Tick,
)
from perun.core.nanocontracts import evidence
from perun.core.nanocontracts.gate import look_inside
from perun.core.nanocontracts.instances import end_time, finally_decided, last_time
from perun.core.nanocontracts.kinds import kind_of
from perun.core.notices import Stuck
from perun.core.rules.phases import Phase, blocked, fresh, phase
from perun.core.state import (
    ChannelView,
    Credit,
    HubStage,
    Leg,
    LegStatus,
    Role,
    Stage,
)
from perun.core.states.proposing import propose_next, refuse, resend, show
from perun.core.virtual import doing, leaving
from perun.types import ChannelId, Gated, InstanceId, UnixTime

__all__ = [
    "on_announced",
    "on_block",
    "on_channel",
    "on_credit",
    "on_instance",
    "on_tick",
]


# -------------------------------------------------------------------------------------- the chain


def on_block(draft: Draft, block: ChainBlock) -> None:
    """The chain has moved on: everything that time decides is looked at."""
    before, was_fresh = draft.chain, fresh(draft)
    head = block.head_time, block.head_number
    latest = before.wall + draft.config.limits.freshness
    # What came by a clock that was wrong, ours or a node's, must not outshine all that is to come.
    reached = before.reached if before.reached[0] <= latest else (UnixTime(0), 0)
    newer = head > reached
    chain = ChainView(
        head_time=block.head_time,
        final_time=min(block.final_time, block.head_time),  # no block is later than one behind it
        head_number=block.head_number,
        final_number=block.final_number,
        clock=before.clock,
        told=before.told + 1,
        # Lower after a reorganisation of what was final.
        earlier_final=min(before.final_time, block.final_time),
        wall=before.wall,
        heard=before.clock if newer else before.heard,
        reached=max(head, reached),
        gas_price=block.gas_price,
    )
    draft.chain = chain
    draft.put(chain)
    for view in draft.books.channels.values():
        if not view.final.ended:
            if view.stage is Stage.INVITED and not view.offered_at:
                draft.attempt(partial(joining.consider, draft, view))
            draft.attempt(partial(_look_at_channel, draft, view.id))
    for instance in draft.books.instances.values():
        draft.attempt(partial(_look_at_instance, draft, instance.id))
    sees_anew = not was_fresh and fresh(draft)
    for id in draft.books.hub_instances:
        if sees_anew:
            sees_again(draft, id)
        draft.attempt(partial(pairs.look_again, draft, id))
    if fresh(draft):
        # By a time that may be false nothing is forgotten: it could not be taken back.
        _forget_what_is_over(draft)


def _forget_what_is_over(draft: Draft) -> None:
    for instance in draft.books.instances.values():
        draft.attempt(partial(_forget, draft, instance.id))
    for invitation in draft.books.invitations.values():
        if draft.chain.final_time > last_time(invitation.terms):
            draft.drop(invitation)


def on_channel(draft: Draft, snapshot: ChainChannel) -> None:
    """A channel as the newest and the newest final block have it.

    Its instances are looked at with their own snapshots, or the next block: what a register has
    brought along is not to be submitted again because the one is told before the other.
    """
    id = snapshot.id
    known = draft.books.channels.get(id)
    if known is None or (known.stage is not Stage.JOINED and known.final.ended):
        return  # Followed no more: refused, or nobody has put money into it.
    disputes.on_snapshot(draft, draft.channel(id), snapshot.head, snapshot.final)
    draft.attempt(lambda: joining.consider(draft, draft.channel(id)))
    draft.attempt(lambda: funding.fund_in_turn(draft, draft.channel(id)))
    draft.attempt(lambda: _look_at_channel(draft, id))


def _look_at_channel(draft: Draft, id: ChannelId) -> None:
    view = draft.channel(id)
    if view.final.ended:
        return
    if fresh(draft):
        view = offers.expire(draft, view)
        if joining.is_given_up(draft, view):
            joining.give_up(draft, view)
            return
    offers.ask_again(draft, view)
    offers.submit(draft, view)
    disputes.duties(draft, view)
    if view.intents and not view.met:
        show(draft, view, asks=True)
    if view.intents and not view.proposals and view.held is None:
        propose_next(draft, view.id)
    if view.waiting and view.inflight is None:
        start_next(draft, view.id)


def on_instance(draft: Draft, snapshot: ChainInstance) -> None:
    """An instance as the newest and the newest final block have it."""
    instance = draft.find_instance(snapshot.id)
    if instance is None:
        return  # Forgotten since: nothing of it was ever signed, or it is long over.
    told = draft.chain.told
    instance = replace(instance, head=snapshot.head, final=snapshot.final, watched=True, told=told)
    draft.put(instance)
    kind_of(instance.terms).learn(draft, instance)
    if instance.gate is not None:
        look_inside(draft, draft.instance(instance.id), instance.gate)
        draft.attempt(partial(gathering.go_on, draft, instance.gate))
    crossing = draft.hub_instance(instance.id)
    if crossing is not None and crossing.onward:
        draft.attempt(partial(paths.on_watched, draft, crossing))
    elif crossing is not None and crossing.stage is HubStage.OPENING:
        draft.attempt(partial(pairs.on_watched, draft, crossing))
    draft.attempt(lambda: _look_at_instance(draft, snapshot.id))


def _forget(draft: Draft, id: InstanceId) -> None:
    """An instance that is over, and in no state of ours, can never be locked again: its terms have
    ended. Until then its row says that it was."""
    instance = draft.instance(id)
    if draft.chain.final_time <= end_time(instance.terms) + draft.config.limits.margin:
        return
    if not all(_is_past(draft, leg) for leg in instance.legs):
        return
    draft.drop(instance)
    draft.drop(draft.totals(id))
    crossing = draft.hub_instance(id)
    if crossing is not None:
        draft.drop(crossing)
        forget(draft, crossing)


def _is_past(draft: Draft, leg: Leg) -> bool:
    """Whether the instance can move nothing in this channel any more."""
    view = draft.channel(leg.channel)
    if view.final.ended:
        return True
    return leg.status in (LegStatus.NEW, LegStatus.REMOVED) and not _disputing(view)


def _disputing(view: ChannelView) -> bool:
    return view.head.dispute is not None or view.final.dispute is not None


def _look_at_instance(draft: Draft, id: InstanceId) -> None:
    instance = draft.instance(id)
    if isinstance(instance.terms, Gated):
        gathering.go_on(draft, instance.id)
        instance = draft.instance(id)
    evidence.duties(draft, instance)
    leaving.remind(draft, instance)
    doing.act(draft, draft.instance(id))
    if not any(leg.status is LegStatus.LISTED for leg in instance.legs):
        return
    if finally_decided(instance, draft.chain) is None:
        return
    if instance.role is None:
        pairs.follow(draft, instance.id)
    elif (
        instance.role is Role.ALICE
        and not instance.via
        and blocked(draft, draft.channel(instance.legs[0].channel)) is None
    ):
        # In a channel of two, one side is enough to propose what the chain has decided.
        leaving.propose_removal(draft, instance.id)


def on_credit(draft: Draft, told: ChainCredit) -> None:
    """An account's credit, in a final block."""
    draft.put(Credit(told.asset, told.account, told.amount))


def on_announced(draft: Draft, told: ChainAnnounced) -> None:
    """An advertisement by anybody: a wallet may show it, the protocol needs the peer's offer."""


# --------------------------------------------------------------------------------------- our clock


def on_tick(draft: Draft, tick: Tick) -> None:
    """Patience: what has waited too long is sent again, refused, or reported."""
    limits = draft.config.limits
    draft.chain = replace(draft.chain, clock=max(tick.clock, draft.chain.clock), wall=tick.wall)
    draft.put(draft.chain)
    waited = draft.chain.waited
    for known in draft.books.channels.values():
        if not known.proposals and known.held is None and known.stage is not Stage.OFFERED:
            continue
        view = draft.channel(known.id)
        now = phase(view, draft.chain)
        if now is Phase.OFFERED and waited(view.offered_at) > limits.patience:
            joining.send_again(draft, view)
        if now not in (Phase.PROPOSED, Phase.HOLDING):
            continue
        if any(waited(proposal.sent_at) > limits.patience for proposal in view.proposals):
            newest = view.proposals[-1]
            draft.notify(Stuck(view.id, newest.state.version, newest.sent_at))
            resend(draft, view)
        held = view.held
        if held is not None and not held.answering and not _of_crossing(draft, view):
            late = waited(held.since) > limits.hold
            if late and blocked(draft, view) is None:
                reason = "not answered by our user in time"
                draft.attempt(partial(refuse, draft, view.id, reason))
    for id in draft.books.hub_instances:
        crossing = draft.hub_instance(id)
        if crossing is not None:
            draft.attempt(partial(overdue, draft, crossing))


def _of_crossing(draft: Draft, view: ChannelView) -> bool:
    assert view.held is not None
    id = view.held.intent.adds or view.held.intent.removes
    return id is not None and draft.hub_instance(id) is not None
