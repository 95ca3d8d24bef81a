"""A state becomes fully signed: what it resolves, and who wants to know (protocol, section 5)."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.channel import gathering
from perun.core.hub import pairs
from perun.core.hub.queue import start_next
from perun.core.nanocontracts.gate import follow
from perun.core.nanocontracts.instances import leg_in
from perun.core.nanocontracts.payments import ask_again, show_paid
from perun.core.notices import (
    InstanceAdded,
    InstanceRemoved,
    TransferDone,
)
from perun.core.rules.accounting import gain, swap
from perun.core.state import (
    ChannelView,
    InstanceView,
    Intent,
    LegStatus,
    OwnProposal,
    Purpose,
    SignedState,
)
from perun.core.states import legs
from perun.core.states.content import agreed_content, counts
from perun.core.states.proposing import given_up, propose_next
from perun.core.virtual import doing, ends
from perun.types import InstanceId, Nano, Wei

__all__ = ["complete"]


# Rule answer-5.
def complete(draft: Draft, view: ChannelView, full: SignedState) -> None:
    """A state is fully signed: everything up to its version is resolved."""
    version = full.state.version
    before = agreed_content(view)
    same = (full.state.net, full.state.nanos) == before
    ours = _ours(view, full)
    held, above = view.held, []
    reason = held.intent.reason if held is not None else ""
    again: list[Intent] = []
    for proposal in view.proposals:
        if proposal.state.version > version:
            above.append(proposal)
        elif proposal is ours or proposal.intent.purpose is Purpose.REFUSE:
            continue
        elif same and ours is None:
            given_up(draft, view, proposal.state.version, proposal.intent, reason, view.peer)
        else:
            again.append(proposal.intent)
    if held is not None and (held.state.version <= version or not (same or held.answering)):
        # What was judged by another state falls too: said again, it is judged by this one.
        held = None
    after = replace(
        view,
        agreed=full,
        proposals=tuple(above),
        held=held,
        seen=max(view.seen, version),
        intents=(*again, *view.intents),
    )
    leaving = [nano.id for nano in full.state.nanos if _is_leaving(draft, nano.id)]
    legs.put_states(draft, (view, after))
    for id in leaving:
        _stays(draft, id)
    _announce(draft, view, after, before)
    if ours is not None and ours.intent.shows is not None:
        _show_statement(draft, ours.intent.shows)
    propose_next(draft, view.id)
    if after.waiting:
        start_next(draft, view.id)


def _ours(view: ChannelView, full: SignedState) -> OwnProposal | None:
    """Our proposal of this state; None: the peer has proposed it."""
    for proposal in view.proposals:
        if proposal.state == full.state:
            return proposal
    return None


def _beside(view: ChannelView, full: SignedState) -> Wei:
    """What our intent, or our judgement, says it moves besides an instance's shift: a fee."""
    ours, held = _ours(view, full), view.held
    if ours is not None:
        return ours.intent.amount
    return held.intent.amount if held is not None and held.state == full.state else Wei(0)


def _is_leaving(draft: Draft, id: InstanceId) -> bool:
    instance = draft.find_instance(id)
    return instance is not None and instance.legs[0].status is LegStatus.REMOVING


def _stays(draft: Draft, id: InstanceId) -> None:
    """A removal that we had signed has come to nothing: what our signer signed meanwhile for the
    machine was left aside."""
    instance = draft.instance(id)
    if instance.legs[0].status is LegStatus.LISTED and not draft.exit_only:
        ask_again(draft, instance)


def _show_statement(draft: Draft, id: InstanceId) -> None:
    """The machine is good for payments again: our newest statement, which the peer had left out."""
    instance = draft.find_instance(id)
    if instance is None or instance.role is None:
        return
    show_paid(draft, instance)


def _announce(
    draft: Draft, before: ChannelView, view: ChannelView, content: tuple[Wei, tuple[Nano, ...]]
) -> None:
    """Tells our user and the protocols above what has changed from what was agreed `before`, whose
    `content` that is."""
    assert view.agreed is not None
    state = view.agreed.state
    net, old = content
    added = [nano for nano in state.nanos if nano not in old]
    removed = [nano for nano in old if nano not in state.nanos]
    moved = state.net - net
    if not added and not removed:
        amount = Wei(gain(view.role, moved))
        # A slow signer may complete a state when it is too late to count on it [A6].
        if amount < 0 or (amount > 0 and counts(view)):
            draft.notify(TransferDone(view.id, state.version, amount))
        return
    if added and removed:
        moved -= _beside(before, view.agreed)
    for nano in removed:
        instance = draft.find_instance(nano.id)
        if instance is not None:
            shift = Wei(swap(moved, nano.swapped))
            _removed(draft, view, instance, shift)
    for nano in added:
        draft.notify(InstanceAdded(view.id, nano.id))
        instance = draft.find_instance(nano.id)
        if instance is not None and instance.role is not None:
            ends.on_added(draft, instance)
            doing.act(draft, draft.instance(nano.id))
    for nano in (*removed, *added):
        if draft.hub_instance(nano.id) is not None:
            pairs.on_agreed(draft, nano.id)
    for nano in added:
        gathering.go_on(draft, nano.id)


def _removed(draft: Draft, view: ChannelView, instance: InstanceView, shift: Wei) -> None:
    leg = leg_in(instance, view)
    if leg is not None:
        instance = legs.with_leg(instance, replace(leg, removed_shift=shift))
        draft.put(instance)
        follow(draft, instance)
    draft.notify(InstanceRemoved(view.id, instance.id, shift))
