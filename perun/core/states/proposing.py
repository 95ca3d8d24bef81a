"""What we sign in a channel: proposals, answers, refusals (protocol, section 5).

The rules that everything here keeps:
* monotone signing: never a state whose version is not above every one we have signed before;
* a version counts as signed from the moment our signer is asked, whatever becomes of the answer;
* while a proposal of ours is unresolved we sign nothing but an answer, and send it again unchanged.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import SignItem
from perun.core.nanocontracts.kinds import kind_of
from perun.core.notices import InstanceRefused, ProposalRefused
from perun.core.rules.keys import alice_first, own_key
from perun.core.rules.phases import blocked
from perun.core.state import (
    ChannelView,
    InstanceView,
    Intent,
    LegStatus,
    OwnProposal,
    PeerId,
    Purpose,
    Role,
)
from perun.core.states import legs
from perun.core.states.content import build, next_version
from perun.encoding.messages import (
    DeclineInvite,
    Propose,
    RefuseInstance,
    RequestInstance,
    ShowState,
    SignedHalf,
)
from perun.errors import Misuse
from perun.types import ChannelId, InstanceId, Signature, State, Version, Wei

__all__ = [
    "answer",
    "ask_hub",
    "given_up",
    "propose_next",
    "refuse",
    "resend",
    "send_proposal",
    "show",
    "shown",
    "still_asked",
    "want",
    "wanted",
]


def want(draft: Draft, id: ChannelId, intent: Intent) -> None:
    """Queues an intent and proposes it as soon as the channel is idle."""
    view = draft.channel(id)
    draft.put(replace(view, intents=(*view.intents, intent)))
    propose_next(draft, id)


def propose_next(draft: Draft, id: ChannelId) -> None:
    """Asks our signer for the next state that somebody wants, if the channel is idle."""
    view = draft.channel(id)
    while view.intents and not view.proposals and view.held is None:
        if blocked(draft, view) is not None:
            return
        intent = view.intents[0]
        view = replace(view, intents=view.intents[1:])
        draft.put(view)
        added = draft.find_instance(intent.adds) if intent.adds is not None else None
        if intent.asks:
            if added is not None:
                ask_hub(draft, added, intent.half)
                view = draft.channel(id)
            continue
        try:
            state = build(draft, view, intent)
        except Misuse as error:
            given_up(draft, view, next_version(view), intent, str(error))
            if added is not None:
                _say_so(draft, added, intent, str(error))
                view = draft.channel(id)
            continue
        _ask(draft, view, state, intent)
        return


def given_up(
    draft: Draft,
    view: ChannelView,
    version: Version,
    intent: Intent,
    reason: str,
    by: PeerId = b"",
) -> None:
    """Nobody signs what somebody wanted: our user hears, and what it would have removed stays."""
    draft.notify(ProposalRefused(view.id, version, reason))
    if intent.adds is not None:
        draft.notify(InstanceRefused(intent.adds, reason, by))
    legs.stays(draft, intent)


def _say_so(draft: Draft, instance: InstanceView, intent: Intent, reason: str) -> None:
    """We cannot propose what the other end waits for."""
    if intent.invited is not None:
        decline = DeclineInvite(intent.invited.theirs, reason[:200])
        draft.send(instance.end, decline, instance.via)
    elif intent.half is not None:
        # Only the hub can resolve the other end's half, as it will: it knows the same of us.
        ask_hub(draft, instance, intent.half)
    else:
        draft.send(instance.via or instance.end, RefuseInstance(instance.id, reason[:200]))


def ask_hub(
    draft: Draft,
    instance: InstanceView,
    other: SignedHalf | None = None,
    own: SignedHalf | None = None,
) -> None:
    """Asks the hub to let an instance cross it; the halves there are go along."""
    view = draft.channel(instance.legs[0].channel)
    if own is None:
        draft.put(replace(view, asked=(*still_asked(draft, view, instance.id), instance.id)))
    message = RequestInstance(
        view.id,
        instance.terms,
        instance.role is Role.ALICE,
        instance.replaces,
        own,
        other,
        (*instance.route, instance.end) if instance.route else (),
    )
    draft.send(view.peer, message)


def still_asked(
    draft: Draft, view: ChannelView, but: InstanceId | None = None
) -> tuple[InstanceId, ...]:
    """What we have asked the hub for in a channel and may yet be granted."""
    known = [draft.find_instance(id) for id in view.asked if id != but]
    return tuple(
        [one.id for one in known if one is not None and one.legs[0].status is LegStatus.NEW]
    )


def wanted(view: ChannelView) -> list[Intent]:
    """What waits for the channel to be idle, and what we have proposed."""
    return [*view.intents, *(proposal.intent for proposal in view.proposals)]


# Rule sign-3.
def _ask(draft: Draft, view: ChannelView, state: State, intent: Intent) -> None:
    """From here on this version counts as signed, whatever the signer does."""
    proposals = (*view.proposals, OwnProposal(state, intent))
    after = replace(view, proposals=proposals, signed=state.version)
    legs.put_states(draft, (view, after))
    draft.sign(SignItem(own_key(view), state))


# Rules answer-1, pair-2.
def answer(draft: Draft, *views: ChannelView) -> None:
    """Countersigns what we hold: from here on its version counts as signed.

    Of several channels in one request, so that a hub's two signatures come and are stored at once.
    """
    items, changes = [], []
    for view in views:
        assert view.held is not None
        held = replace(view.held, answering=True)
        changes.append((view, replace(view, held=held, signed=held.state.version)))
        items.append(SignItem(own_key(view), held.state))
    legs.put_states(draft, *changes)
    draft.sign(*items)


# Rules answer-2, answer-4.
def refuse(draft: Draft, id: ChannelId, reason: str, shows: InstanceId | None = None) -> None:
    """Answers "no" to what we hold: the last agreed content under the next version of ours."""
    view = draft.channel(id)
    view = replace(view, held=None)
    draft.put(view)
    intent = Intent(Purpose.REFUSE, reason=reason[:200], shows=shows)
    _ask(draft, view, build(draft, view, intent), intent)


def send_proposal(draft: Draft, view: ChannelView, proposal: OwnProposal) -> None:
    intent = proposal.intent
    if intent.adds is not None and intent.half is not None:
        # Its terms may be over; but what we have signed a state with is not forgotten.
        own = SignedHalf(proposal.state, proposal.signature)
        ask_hub(draft, draft.instance(intent.adds), intent.half, own)
        return
    message = Propose(
        proposal.state,
        proposal.signature,
        int(intent.purpose),
        intent.adds,
        intent.removes,
        reason=intent.reason[:200],
    )
    if intent.purpose is Purpose.REFUSE:
        message = replace(message, base=shown(view))
    elif intent.removes is not None:
        instance = draft.instance(intent.removes)
        message = kind_of(instance.terms).show(draft, instance, message)
    draft.send(view.peer, message)


# Rule answer-6.
def resend(draft: Draft, view: ChannelView) -> None:
    """Sends all unresolved proposals again, unchanged; asks again for what was never signed."""
    proposals = []
    for proposal in view.proposals:
        if proposal.signature:
            send_proposal(draft, view, proposal)
        proposals.append(replace(proposal, sent_at=draft.chain.clock))
    draft.put(replace(view, proposals=tuple(proposals)))


def show(draft: Draft, view: ChannelView, *, asks: bool = False) -> None:
    """Shows the peer our newest fully signed state; if there is none, the empty one, unsigned.

    Args:
        asks: for its own in return.
    """
    nothing = Signature(b"")
    message = shown(view)
    if message is None and view.agreed is None:
        message = ShowState(State(view.id, Version(0), Wei(0)), nothing, nothing)
    if message is not None:
        draft.send(view.peer, replace(message, asks=asks) if asks else message)


def shown(view: ChannelView) -> ShowState | None:
    agreed = view.agreed
    if agreed is None or not agreed.peer:
        return None
    alice, bob = alice_first(view, agreed.own, agreed.peer)
    return ShowState(agreed.state, alice, bob)
