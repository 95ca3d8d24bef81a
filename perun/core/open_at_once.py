"""A request that brings signed halves along: an opening at once (protocol, section 6 [A12]).

An end's signature over the state that adds an instance is its request, and needs no grant. So with
both halves at hand a hub reserves, judges and countersigns at once. The other end's half comes by a
stranger to its channel: unless it is that end's own, about this very instance and not resolved yet,
it changes nothing there.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.channel.proposals import on_proposal, take
from perun.core.faults import UnexpectedMessage
from perun.core.hub import pairs, paths, queue
from perun.core.hub.letting_go import let_go, refuse_one
from perun.core.nanocontracts.instances import nano_of, signer
from perun.core.rules.keys import peer_key
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView, HubInstance, HubStage, Purpose, Role
from perun.core.states.content import agreed_version
from perun.core.states.proposing import show
from perun.encoding.messages import Propose, RequestInstance, SignedHalf
from perun.errors import BadSignature
from perun.types import ChannelId, InstanceId

__all__ = ["on_request"]

_LIVE = (Phase.IDLE, Phase.PROPOSED, Phase.HOLDING)


# Rule unasked-4.
def on_request(draft: Draft, view: ChannelView, message: RequestInstance) -> None:
    """One end asks a hub; the halves that are signed already may have come with it.

    Raises:
        BadSignature, BadVersion, UnexpectedMessage: nothing that a correct inviter sends.
        PeerNotAllowed: we may not sign now; the inviter sends it again.
    """
    own, other = message.own_half, message.other_half
    if message.onward:
        paths.on_request(draft, view, message)
        return
    if own is None and other is None:
        queue.on_request(draft, view, message)
        return
    if other is None or not message.from_alice or message.replaces is not None:
        raise UnexpectedMessage("RequestInstance", "only the inviter has both halves")
    if own is not None and own.state.channel != view.id:
        raise UnexpectedMessage("RequestInstance", "a half in another channel")
    if own is not None and not _above_agreed(view, own):
        show(draft, view)
        return
    id = queue.instance_of(draft, message)
    crossing = draft.hub_instance(id)
    if crossing is not None and crossing.stage is not HubStage.REQUESTED:
        if own is not None:
            on_proposal(draft, view, _proposal(own, id))
        return
    owner = _owner(draft, view, message, id, crossing)
    if owner is None:
        why: str | None = "the other end's half is not good, or is resolved"
    else:
        why = queue.register(draft, id, view, message, owner)
    if owner is None or why is not None:
        if own is None:
            refuse_one(draft, view, id, why or "")
        else:
            on_proposal(draft, draft.channel(view.id), _proposal(own, id), why)
        return
    again = crossing is not None and all(crossing.requested)
    halves = {owner.id: other}
    if own is not None:
        halves[view.id] = own
    _begin(draft, id, halves, view, again)


# Rule unasked-5.
def _begin(
    draft: Draft,
    id: InstanceId,
    halves: dict[ChannelId, SignedHalf],
    view: ChannelView,
    again: bool,
) -> None:
    """Reserves and takes the halves, if both channels are idle; else they are dropped unanswered,
    and their turn comes with a grant."""
    crossing = draft.hub_instance(id)
    assert crossing is not None
    own = halves.get(view.id)
    places = queue.idle_pair(draft, crossing)
    if places is None:
        if again and own is not None:
            # Nobody who has signed is kept waiting for longer than its patience.
            why = "its turn has not come in time"
            let_go(draft, crossing, why, (view.id,))
            on_proposal(draft, draft.channel(view.id), _proposal(own, id), why)
        return
    refused = queue.start(draft, crossing, places, tuple(halves))
    for channel, half in halves.items():
        if half is own:
            on_proposal(draft, draft.channel(channel), _proposal(half, id), refused)
        else:
            take(draft, draft.channel(channel), _proposal(half, id), refused)
    answered = [channel for channel in halves if not _is_held(draft, channel, id)]
    if refused is None and answered:
        pairs.give_up(draft, crossing, "the other end's half was refused", answered)


def _proposal(half: SignedHalf, id: InstanceId) -> Propose:
    return Propose(half.state, half.signature, int(Purpose.ADD), adds=id)


def _is_held(draft: Draft, channel: ChannelId, id: InstanceId) -> bool:
    held = draft.channel(channel).held
    return held is not None and held.intent.adds == id


def _above_agreed(view: ChannelView, half: SignedHalf) -> bool:
    return half.state.version > agreed_version(view)


# Rule unasked-3.
def _owner(
    draft: Draft,
    view: ChannelView,
    message: RequestInstance,
    id: InstanceId,
    crossing: HubInstance | None,
) -> ChannelView | None:
    """The channel whose end has signed the other half; None if that is not good, or resolved.

    The signature last, since it costs most: whatever is found here, nothing has changed yet.
    """
    half, terms = message.other_half, message.terms
    assert half is not None
    owner = draft.books.channels.get(half.state.channel)
    if owner is None or owner.id == view.id or phase(owner, draft.chain) not in _LIVE:
        return None
    if crossing is not None and crossing.requested[Role.BOB] and crossing.bob_channel != owner.id:
        return None
    if signer(terms, Role.BOB) not in (None, peer_key(owner)):
        return None
    version, highest = half.state.version, max(owner.signed, owner.seen)
    if version % 2 != (owner.role is Role.ALICE) or version > highest + 2:
        return None
    if not _above_agreed(owner, half) or _is_refused(owner, half):
        return None
    swapped = owner.role is Role.BOB  # The hub stands there for the instance's Alice.
    if nano_of(draft.config.deployment, id, terms, swapped) not in half.state.nanos:
        return None
    try:
        draft.checker.check(half.state, half.signature, peer_key(owner))
    except BadSignature:
        return None
    return owner


def _is_refused(owner: ChannelView, half: SignedHalf) -> bool:
    """Whether we have answered it already, by a refusal that waits for its signature."""
    return any(
        proposal.intent.purpose is Purpose.REFUSE and proposal.state.version > half.state.version
        for proposal in owner.proposals
    )
