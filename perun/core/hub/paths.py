"""An instance that crosses several hubs (protocol, section 6, Several hubs); an extension.

Only what one side alone can lose by, and only from that side on: each hub takes it from the one
before it by itself, then proposes it to the one after it. So it is always locked towards the payer
before it is locked towards the payee, and removed the other way round by rules (c) and (d), as
everything that crosses one hub is. Nothing is reserved: a grant says the fee and that it could be.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import BadProposal, UnexpectedMessage
from perun.core.hub.letting_go import forget, let_go, refuse_one
from perun.core.hub.queue import instance_of, keep_terms, make_room, own_fee, why_not_taken
from perun.core.nanocontracts.instances import (
    nano_of,
    untouched,
)
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import free_money, gain, reliable_holdings
from perun.core.rules.keys import own_key
from perun.core.rules.phases import blocked, fresh
from perun.core.state import (
    ChannelView,
    HubInstance,
    HubStage,
    Intent,
    LegStatus,
    PeerId,
    Purpose,
)
from perun.core.states.content import agreed_content, counts
from perun.core.states.proposing import want, wanted
from perun.core.states.verdict import Decision, Half, Verdict
from perun.encoding.messages import GrantInstance, RequestInstance
from perun.types import Asset, Gated, Nano, UnixTime, Wei

__all__ = [
    "go_on",
    "judge_adding",
    "judge_leaving",
    "on_declined",
    "on_grant",
    "on_request",
    "on_watched",
    "overdue",
]


# Rule path-2.
def on_request(draft: Draft, view: ChannelView, message: RequestInstance) -> None:
    """The payer, or the hub before us, asks whether it could go on; we ask the one after us.

    Raises:
        UnexpectedMessage: nothing that a correct payer or hub sends.
    """
    halves = message.own_half is not None or message.other_half is not None
    if halves or message.replaces is not None or not message.from_alice:
        raise UnexpectedMessage("RequestInstance", "over several hubs only its payer asks")
    id = instance_of(draft, message)
    known = draft.hub_instance(id)
    if known is not None:
        if (known.alice_channel, known.onward) == (view.id, message.onward):
            _grant(draft, known)
        else:
            refuse_one(draft, view, id, "it crosses us elsewhere")
        return
    why = _why_not(draft, view, message)
    out = None if why is not None else _way_on(draft, view, message.onward[0])
    if out is not None:
        why = why_not_taken(draft, id, message.terms, (view, out))
    if why is not None or out is None:
        refuse_one(draft, view, id, why or "no channel with the one after us is open for it")
        return
    now = draft.chain.clock
    crossing = HubInstance(id, view.id, out.id, since=now, onward=message.onward)
    draft.put(crossing)
    keep_terms(draft, crossing, message.terms)
    view = draft.channel(view.id)
    draft.put(replace(view, waiting=(*view.waiting, id)))
    rest = message.onward[1:]
    if rest:
        draft.send(out.peer, RequestInstance(out.id, message.terms, True, onward=rest))
    else:
        _passes(draft, draft.hub_instance(id), Wei(0))


def _why_not(draft: Draft, view: ChannelView, message: RequestInstance) -> str | None:
    """Why it is not for us, whatever the channels hold."""
    policy = draft.config.policy.hub
    if policy is None:
        return "no hub here"
    if not kind_of(message.terms).crosses(message.terms):
        return "only what its Alice alone can lose by crosses several hubs"
    if isinstance(message.terms, Gated) and own_key(view) not in message.terms.parties:
        return "my key is not among its parties"
    if draft.find_instance(instance_of(draft, message)) is not None:
        return "it has crossed before"
    if not make_room(draft, view, policy.greatest_queue):
        return "too many requests wait for this channel"
    return None


def _way_on(draft: Draft, view: ChannelView, to: PeerId) -> ChannelView | None:
    """The channel with whoever comes after us: of several the one in which most of ours is free."""
    ids = draft.books.indexes.with_peer(to, Asset(view.channel.asset))
    found = [draft.channel(id) for id in ids if id != view.id]
    found = [one for one in found if one.peer != view.peer and blocked(draft, one) is None]
    return max(found, key=_free, default=None)


def _free(view: ChannelView) -> int:
    net, nanos = agreed_content(view)
    return free_money(reliable_holdings(view), net, nanos, view.role)


# Rule path-3.
def on_grant(
    draft: Draft, crossing: HubInstance, view: ChannelView, message: GrantInstance
) -> None:
    """The one after us would take it, for a fee: with ours it is what the one before us pays."""
    if view.id != crossing.bob_channel or crossing.stage is not HubStage.REQUESTED:
        return
    _passes(draft, crossing, message.fee)


def _passes(draft: Draft, crossing: HubInstance | None, fee: Wei) -> None:
    assert crossing is not None
    draft.put(replace(crossing, passed=fee))
    _grant(draft, draft.hub_instance(crossing.id))


def on_watched(draft: Draft, crossing: HubInstance) -> None:
    """The chain says how it stands: it may be granted from now on."""
    if crossing.stage is HubStage.REQUESTED:
        _grant(draft, crossing)


def _grant(draft: Draft, crossing: HubInstance | None) -> None:
    """Tells the one before us, once the one after us has granted and we see how it stands."""
    assert crossing is not None
    instance, policy = draft.instance(crossing.id), draft.config.policy.hub
    if crossing.passed is None or not instance.watched or policy is None:
        return
    if not untouched(instance):
        let_go(draft, crossing, "an instance that was submitted before")
        return
    if crossing.stage not in (HubStage.REQUESTED, HubStage.OPENING):
        return
    view = draft.channel(crossing.alice_channel)
    fee = crossing.fee
    if crossing.stage is HubStage.REQUESTED:
        fee = Wei(own_fee(draft, view, instance.terms) + crossing.passed)
        now = draft.chain.clock
        draft.put(replace(crossing, stage=HubStage.OPENING, since=now, fee=fee))
    until = UnixTime(draft.now + policy.quote_validity)
    draft.send(view.peer, GrantInstance(view.id, crossing.id, fee, until))


# Rules path-4, gate-2.
def judge_adding(draft: Draft, view: ChannelView, half: Half, nano: Nano, moved: int) -> Verdict:
    """The one before us adds it: signed alone, since it can only bring us money, or comes to
    nothing as long as we do not sign its opening.

    Raises:
        BadProposal: it is not what was granted, or could not go on any more.
    """
    crossing, instance, leg = half.crossing, half.instance, half.leg
    if view.id != crossing.alice_channel:
        raise BadProposal("it is for us to propose it there")
    if crossing.stage is not HubStage.OPENING:
        raise BadProposal("not granted, or no longer: request it, and wait for the grant")
    if nano != nano_of(draft.config.deployment, nano.id, instance.terms, leg.swapped):
        raise BadProposal("a nano with other locks, time or contract than its instance")
    if leg.status is not LegStatus.NEW or not untouched(instance):
        raise BadProposal("an instance that was locked or submitted before")
    if gain(view.role, moved) < crossing.fee:
        raise BadProposal(f"the fee is {crossing.fee}")
    out = draft.channel(crossing.bob_channel)
    why = blocked(draft, out) if fresh(draft) else "our view of the chain is too old"
    why = why or why_not_taken(draft, instance.id, instance.terms, (view, out))
    if why is not None:
        raise BadProposal(why)
    return Verdict(Decision.ACCEPT, Intent(Purpose.ADD, Wei(moved), nano.id))


# Rule path-6.
def judge_leaving(half: Half, intent: Intent, moved: int) -> Verdict:
    """The one before us takes it back before it has gone on: only once it never will.

    Raises:
        BadProposal: it may still go on, or it is not worth nothing.
    """
    if half.crossing.stage is not HubStage.RETURNING:
        raise BadProposal("it is on its way to the payee; wait until that one has it, or its end")
    if moved:
        raise BadProposal("nothing was paid in it")
    return Verdict(Decision.ACCEPT, intent)


# Rule path-5.
def go_on(draft: Draft, crossing: HubInstance) -> bool:
    """After a state that has it, or has it no more: whether this was all that follows."""
    into, out = draft.instance(crossing.id).legs
    if out.status is not LegStatus.NEW:
        return False
    if into.status is LegStatus.REMOVED:
        draft.drop(crossing)
        forget(draft, crossing)
    elif crossing.stage is HubStage.OPENING:
        draft.put(replace(crossing, since=draft.chain.clock))
        forget(draft, crossing)
        view = draft.channel(into.channel)
        if not fresh(draft) or view.leaving or not counts(view):
            return True  # Signed too late to be shown: `overdue` gives it back.
        view = draft.channel(out.channel)
        fee = Wei(-gain(view.role, crossing.passed or Wei(0)))
        want(draft, out.channel, Intent(Purpose.ADD, fee, crossing.id))
    return True


def on_declined(draft: Draft, view: ChannelView, crossing: HubInstance, reason: str) -> None:
    """Somebody before or after us does not want it; what is signed is resolved by states."""
    if all(leg.status is LegStatus.NEW for leg in draft.instance(crossing.id).legs):
        let_go(draft, crossing, reason, (view.id,))
    elif view.id == crossing.bob_channel:
        refuse_one(draft, draft.channel(crossing.alice_channel), crossing.id, reason)


# Rule path-6.
def overdue(draft: Draft, crossing: HubInstance) -> bool:
    """Looks at one of these at every tick. False: it stands as one that crosses us alone does."""
    into, out = draft.instance(crossing.id).legs
    patience = draft.config.limits.patience
    waited = draft.chain.waited(crossing.since)
    if crossing.stage is HubStage.REQUESTED and waited > patience:
        let_go(draft, crossing, "the one after us, or the chain, kept us waiting")
    elif crossing.stage is HubStage.OPENING:
        view = draft.channel(out.channel)
        if into.status is LegStatus.NEW and waited > patience:
            let_go(draft, crossing, "not proposed in time")
        elif (into.status, out.status) == (LegStatus.LISTED, LegStatus.NEW) and not any(
            intent.adds == crossing.id for intent in wanted(view)
        ):
            _give_back(draft, crossing)
    elif crossing.stage is HubStage.RETURNING and waited > patience:
        _give_back(draft, crossing)
    elif crossing.stage in (HubStage.OPEN, HubStage.CLOSING, HubStage.HALF):
        return False
    return True


def _give_back(draft: Draft, crossing: HubInstance) -> None:
    """It did not go on, and we never propose it again: so it is nothing, where it came from too."""
    view, id = draft.channel(crossing.alice_channel), crossing.id
    draft.put(replace(crossing, stage=HubStage.RETURNING, since=draft.chain.clock))
    if draft.instance(id).legs[0].status is not LegStatus.LISTED:
        return
    if any(intent.removes == id for intent in wanted(view)):
        return
    refuse_one(draft, view, id, "the one after us did not take it")
    want(draft, view.id, Intent(Purpose.REMOVE, removes=id))
