"""Agreeing on an instance's parameters before anything is signed (protocol, sections 4 and 5).

The inviter is the instance's Alice. The salt is the hash of both ends' random halves, so that
nobody can prepare an instance or submit to it beforehand [A4]; both watch it from the offer on.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import Watch
from perun.core.faults import InstanceRejected, NotAllowedNow, PeerNotAllowed, UnexpectedMessage
from perun.core.inputs import CommandConsent, CommandInviteAgain, CommandReplace
from perun.core.nanocontracts.instances import (
    app_of,
    check_terms,
    check_worth,
    instance_id,
    locks,
    nano_of,
    one_way,
    untouched,
)
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.kinds import KINDS, kind_of
from perun.core.nanocontracts.machine import machine_of
from perun.core.notices import InstanceRefused, InvitationHeld
from perun.core.rules.accounting import own_lock
from perun.core.rules.keys import own_key, peer_key
from perun.core.rules.phases import fresh, may_sign
from perun.core.rules.worth import greatest_fee_of, most_of
from perun.core.state import (
    ChannelView,
    InstanceView,
    Intent,
    Invitation,
    Leg,
    LegStatus,
    PeerId,
    Purpose,
    Role,
    Stage,
)
from perun.core.states.content import agreed_content
from perun.core.states.proposing import want
from perun.core.virtual import ends, leaving
from perun.crypto.keys import address_of
from perun.encoding.messages import DeclineInvite, Invite, Invited, SignedHalf
from perun.errors import BadKey, Misuse
from perun.types import (
    Address,
    Asset,
    ChannelId,
    InstanceId,
    Machine,
    Salt,
    Terms,
    Wei,
)

# Any: of a command only its kind knows what is in it.
_INVITING: Final[dict[type, Kind[Any, Any]]] = {
    command: kind for kind in KINDS.values() for command in kind.invites
}

_HELD_PER_PEER: Final = 8
_HELD: Final = 256
"""Invitations that wait for our user: they cost their sender nothing."""

__all__ = [
    "consent",
    "invite",
    "on_decline",
    "on_invite",
    "on_invited",
    "replace_machine",
]


def invite(draft: Draft, view: ChannelView, command: Any) -> None:
    """Our user invites the other end to what its kind makes of the command."""
    kind = _INVITING[type(command)]
    make, end = kind.invites[type(command)], command.end
    terms = make(draft, command, own_key(view), _end_key(view, end))
    _invite(draft, view, terms, end, secret=kind.secret(command), route=kind.route(command))


# Rules remove-5, replace-1.
def replace_machine(draft: Draft, view: ChannelView, command: CommandReplace) -> None:
    """Invites the other end to a machine in place of one that both have listed."""
    old = draft.instance(command.machine)
    why = _why_stays(old)
    if why is not None:
        raise NotAllowedNow("replace it", why)
    machine = machine_of(draft, command, own_key(view), _end_key(view, old.end))
    _invite(draft, view, machine, old.end, replaces=old.id)


def _end_key(view: ChannelView, end: PeerId) -> Address:
    """The key by which an end signs: the channel's peer by the one that stands in its terms."""
    return _address(end) if end and end != view.peer else peer_key(view)


def _why_stays(old: InstanceView) -> str | None:
    """Why nothing can take an instance's place now; None: a machine can."""
    if old.machine is None or old.role is None:
        return "only an end replaces a machine"
    if old.route or old.far:
        return "it crosses several hubs: open another beside it"
    if old.legs[0].status is not LegStatus.LISTED:
        return "it is not listed, or its removal is signed"
    if old.leave_sent:
        return "it is being closed, or replaced"
    if not untouched(old):
        return "it was submitted: the chain decides it"
    return None


def _invite(
    draft: Draft,
    view: ChannelView,
    terms: Terms,
    end: PeerId,
    replaces: InstanceId | None = None,
    secret: bytes = b"",
    route: tuple[PeerId, ...] = (),
) -> None:
    """Invites an end: the channel's peer, which an empty one stands for, or one behind it."""
    may_sign(draft, view, "lock an instance")
    check_terms(draft.config, draft.now, terms)
    check_worth(draft.config, draft.chain, view.channel.asset, terms)
    end = end or view.peer
    if route and (end == view.peer or one_way(terms) is not Role.ALICE):
        raise InstanceRejected("over several hubs only the inviter can pay in it")
    via, channel = (b"", view.id) if end == view.peer else (view.peer, None)
    invitation = Invitation(terms.salt, view.id, terms, end, via, replaces, secret, route=route)
    draft.put(invitation)
    asset = view.channel.asset
    draft.send(
        end, Invite(terms, channel, asset, replaces, bool(route)), route[-1] if route else via
    )


def invite_again(draft: Draft, invitation: Invitation) -> None:
    """Says one of ours again to an end that is there again, if a user is asked there, which takes
    its time: whoever answers by itself would decline before it has seen the chain. Heard twice it
    is one."""
    if not invitation.theirs and kind_of(invitation.terms).asks:
        _say(draft, invitation)


def _say(draft: Draft, invitation: Invitation) -> None:
    view = draft.channel(invitation.channel)
    channel = None if invitation.via else view.id
    message = Invite(invitation.terms, channel, view.channel.asset, invitation.replaces)
    draft.send(invitation.end, message, invitation.via)


def again(draft: Draft, command: CommandInviteAgain) -> None:
    """Our user, or a program for him, does not know whether an invitation was heard.

    Raises:
        NotAllowedNow: there is no such invitation.
    """
    held = draft.books.invitations.get(command.invitation)
    if held is None or held.theirs:
        raise NotAllowedNow("say it again", "no such invitation of ours waits")
    _say(draft, held)


def on_invite(draft: Draft, sender: PeerId, message: Invite, via: PeerId) -> None:
    """Somebody invites us: agree, by our half of the salt, to what our policy allows; what asks for
    our user waits for his word."""
    terms = message.terms
    kind = kind_of(terms)
    try:
        view = _place(draft, sender, via, message)
        if not (view.watched and view.met and fresh(draft)) and not isinstance(terms, Machine):
            # As after a start, when peers are met that have waited for it. A no of ours would be
            # for good, but for machines, which are asked for elsewhere or again.
            if not kind.asks:
                raise PeerNotAllowed("Invite", "our view of the chain, or of this channel, is old")
            _hold(draft, view, sender, message, via)  # judged with our user's yes
            return
        _check_invite(draft, view, sender, message, via)
        ours, secret = kind.half(draft.config.seed, terms)
        whole = kind.whole(terms, ours)
        is_new = draft.find_instance(instance_id(draft.config.deployment, whole)) is None
        if is_new and kind.asks:
            _hold(draft, view, sender, message, via)
            return
        if locks(terms)[Role.BOB] > _greatest_lock(draft, view) and not kind.asks:
            raise InstanceRejected("it locks more of my money than I allow")
        if is_new:
            view = _take_from(draft, view, kind.taken(whole, Role.BOB))
    except Misuse as error:
        draft.send(sender, DeclineInvite(terms.salt, str(error)[:200]), via)
        return
    draft.put(view)
    _agree(draft, view, sender, message, via, whole, ours, secret)


def _check_invite(
    draft: Draft, view: ChannelView, sender: PeerId, message: Invite, via: PeerId
) -> None:
    """Raises `Misuse` for what nobody agrees to lock in this channel."""
    terms = message.terms
    keys = kind_of(terms).signers(terms)
    theirs = _address(sender) if via else peer_key(view)
    named = (theirs, own_key(view))
    if keys is not None and any(
        key not in (None, own) for key, own in zip(keys, named, strict=True)
    ):
        raise InstanceRejected("its keys are not yours and mine")
    if message.far and (not via or message.replaces or not kind_of(terms).rises):
        raise InstanceRejected("this does not cross several hubs")
    if message.far and one_way(terms) is not Role.ALICE:
        raise InstanceRejected("over several hubs only its inviter can pay in it")
    check_terms(draft.config, draft.now, terms)
    check_worth(draft.config, draft.chain, view.channel.asset, terms)
    kind_of(terms).check_invited(draft.books, terms)
    may_sign(draft, view, "lock an instance")
    _check_room(draft, sender)


# Rule game-1.
def _hold(draft: Draft, view: ChannelView, sender: PeerId, message: Invite, via: PeerId) -> None:
    """Keeps an invitation for our user; raises `InstanceRejected` if too many are."""
    id, terms = message.terms.salt, message.terms
    held = Invitation(id, view.id, terms, sender, via, theirs=True)
    known = draft.books.invitations.get(id)
    if known is not None:
        if known != held:
            raise InstanceRejected("another invitation has this half of a salt")
        return
    theirs = [one for one in draft.books.invitations.values() if one.theirs]
    if sum(one.end == sender for one in theirs) >= _HELD_PER_PEER or len(theirs) >= _HELD:
        raise InstanceRejected("too many invitations wait for my user")
    draft.put(held)
    draft.notify(InvitationHeld(id))


def consent(draft: Draft, command: CommandConsent) -> None:
    """Our user agrees to an invitation, or declines it.

    Raises:
        NotAllowedNow: there is no such invitation.
        InstanceRejected: it cannot be agreed to any more.
    """
    held = draft.books.invitations.get(command.invitation)
    if held is None or not held.theirs:
        raise NotAllowedNow("answer it", "no such invitation waits")
    draft.drop(held)
    if not command.accept:
        decline = DeclineInvite(held.id, command.reason[:200])
        draft.send(held.end, decline, held.via)
        return
    view = draft.channel(held.channel)
    message = Invite(held.terms, None if held.via else view.id, view.channel.asset, None)
    view = _place(draft, held.end, held.via, message)
    _check_invite(draft, view, held.end, message, held.via)
    kind = kind_of(held.terms)
    ours, secret = kind.half(draft.config.seed, held.terms, command.word)
    whole = kind.whole(held.terms, ours)
    _agree(draft, view, held.end, message, held.via, whole, ours, secret)


def _agree(
    draft: Draft,
    view: ChannelView,
    sender: PeerId,
    message: Invite,
    via: PeerId,
    whole: Terms,
    ours: Salt,
    secret: bytes,
) -> None:
    """Our half of the terms, and what follows: states, in a channel of two; a hub's word."""
    terms, replaces = message.terms, message.replaces
    instance = _complete(
        draft, view, whole, Role.BOB, sender, via, replaces, secret, message.terms.salt
    )
    invited = Invited(terms.salt, ours)
    if message.far:
        # Our hub adds it once it has come so far; nothing is for us to ask.
        draft.put(replace(instance, far=True))
        draft.send(sender, invited, via)
        return
    unasked = via and replaces is None and _is_first(draft, instance)
    if unasked and ends.may_propose_unasked(draft, instance):
        # Leaves with our half, once that is signed (protocol, section 6 [A12]).
        want(draft, view.id, Intent(Purpose.ADD, adds=instance.id, invited=invited))
        return
    draft.send(sender, invited, via)
    if via and replaces is None and instance.legs[0].status is LegStatus.NEW:
        ends.request(draft, instance)


def _is_first(draft: Draft, instance: InstanceView) -> bool:
    """Whether no invitation of ours over this hub is open, and none of that end's has lapsed.

    Whoever proposes unasked waits for somebody who had invited before; so none wait in a circle.
    Whoever lets a half lapse is given no other one until the end of what it had invited to; and
    where many have, nobody is: whoever it is could have as many names as it likes.
    """
    books, channel = draft.books, instance.legs[0].channel
    invitations = books.invitations.values()
    if any(one.channel == channel and one.via and not one.theirs for one in invitations):
        return False
    if sum(map(len, books.unsigned.values())) >= draft.config.limits.unasked:
        return False
    return not books.unsigned.get(instance.end) and instance.id not in books.instances


def _greatest_lock(draft: Draft, view: ChannelView) -> int:
    policy = draft.config.policy
    most = policy.greatest_deposit if policy.greatest_lock is None else policy.greatest_lock
    return most_of(policy, view.channel.asset, most)


def _take_from(draft: Draft, view: ChannelView, amount: Wei) -> ChannelView:
    """Locking it takes so much from us, whatever we do afterwards."""
    policy = draft.config.policy
    taken = view.taken + amount
    most = most_of(policy, view.channel.asset, policy.greatest_loss)
    if amount and taken > most:
        raise InstanceRejected(f"it makes me pay for a secret of yours, and I allow {most}")
    return replace(view, taken=Wei(taken))


def _check_room(draft: Draft, sender: PeerId) -> None:
    """Invitations are free: only so many of one peer are kept before anything is signed."""
    if len(draft.books.unsigned.get(sender, ())) >= draft.config.limits.unsigned_per_peer:
        raise InstanceRejected("too many invitations of yours wait for their states")


def _make_room(draft: Draft, via: PeerId) -> None:
    """Before another instance over a hub is kept.

    Ends behind a hub are free too, for the hub: of all of its ends only so many, the newest.
    Nothing is lost with what no state lists, and nobody can fill the room for others. What is to
    take another's place stays: that one waits for it, and its lock was paid for.
    """
    books, most = draft.books, draft.config.limits.unsigned_per_hub
    if sum(map(len, books.unsigned.values())) < most:
        return
    instances = books.instances.values()
    waiting = [one for one in instances if one.via == via and _is_idle(one)]
    for oldest in waiting[: max(0, len(waiting) - most + 1)]:
        draft.drop(oldest)


def _is_idle(instance: InstanceView) -> bool:
    return instance.legs[0].status is LegStatus.NEW and instance.replaces is None


# Rule ends-4.
def _place(draft: Draft, sender: PeerId, via: PeerId, message: Invite) -> ChannelView:
    """The channel of ours that the instance would be locked in."""
    if message.replaces is not None:
        return _place_of(draft, sender, via, message, message.replaces)
    if not via:
        if message.channel is None:
            raise InstanceRejected("which channel?")
        view = draft.channel(ChannelId(message.channel))
        if view.peer != sender:
            raise InstanceRejected("not our channel")
        return view
    if message.channel is not None:
        # Else whoever seals it chooses which of our channels with the hub it lands in.
        raise InstanceRejected("it comes over a hub and names a channel")
    with_hub = map(draft.channel, draft.books.indexes.with_peer(via, Asset(message.asset)))
    candidates = [view for view in with_hub if _lives(view)]
    if not candidates:
        raise InstanceRejected("no channel with that hub in that asset")
    if len(candidates) == 1:
        return candidates[0]
    # The least busy one: whose states list, or will list, the fewest instances.
    coming = Counter(
        leg.channel
        for ids in draft.books.unsigned.values()
        for id in ids
        for leg in draft.books.instances[id].legs
    )
    return min(candidates, key=lambda view: coming[view.id] + _in_use(view))


def _lives(view: ChannelView) -> bool:
    """Whether states are still signed in it: not refused, not left, not about to be closed."""
    return (
        view.stage is Stage.JOINED
        and not view.leaving
        and not view.head.ended
        and view.head.dispute is None
        and view.close is None
    )


def _place_of(
    draft: Draft, sender: PeerId, via: PeerId, message: Invite, replaces: InstanceId
) -> ChannelView:
    """The channel of ours that lists what would be replaced."""
    old = draft.find_instance(replaces)
    if old is None or (old.end, old.via) != (sender, via) or not isinstance(message.terms, Machine):
        raise InstanceRejected("nothing to replace")
    why = _why_stays(old)
    if why is not None:
        raise InstanceRejected(why)
    view = draft.channel(old.legs[0].channel)
    if message.channel != (None if via else view.id) or message.asset != view.channel.asset:
        raise InstanceRejected("it replaces a machine of another channel")
    return view


def _in_use(view: ChannelView) -> int:
    _, nanos = agreed_content(view)
    return len(nanos) + len(view.proposals) + len(view.intents) + (view.held is not None)


# Rules unasked-1, unasked-2.
def on_invited(draft: Draft, sender: PeerId, message: Invited) -> None:
    """The other end agrees: the parameters are complete, the rest is states."""
    invitation = draft.books.invitations.get(message.theirs)
    if invitation is None or invitation.end != sender or invitation.theirs:
        raise UnexpectedMessage("Invited", "we did not invite this peer")
    terms = invitation.terms
    view, replaces = draft.channel(invitation.channel), invitation.replaces
    draft.drop(invitation)
    old = draft.find_instance(replaces) if replaces is not None else None
    why = None
    if replaces is not None:
        why = "it is over" if old is None else _why_stays(old)
    if why is not None:
        draft.notify(InstanceRefused(InstanceId(bytes(message.theirs)), why))
        return
    whole = kind_of(terms).whole(terms, message.ours)
    via, secret = invitation.via, invitation.secret
    half = message.theirs
    instance = _complete(draft, view, whole, Role.ALICE, sender, via, replaces, secret, half)
    if invitation.route:
        instance = replace(instance, route=invitation.route)
        draft.put(instance)
    if old is not None and invitation.via:
        leaving.leave(draft, old, instance.id)
    elif invitation.via:
        _go_on(draft, instance, message.half)
    elif replaces is not None:
        want(draft, view.id, Intent(Purpose.REPLACE, adds=instance.id, removes=replaces))
    else:
        want(draft, view.id, Intent(Purpose.ADD, adds=instance.id))


def _go_on(draft: Draft, instance: InstanceView, half: SignedHalf | None) -> None:
    """Over a hub: with both halves at once, if we would pay no fee anyway; else by a request."""
    if half is not None and len(half.state.nanos) > draft.config.limits.greatest_nanos:
        # With it our own half would not fit into one message, and never be resolved.
        raise UnexpectedMessage("Invited", "no hub takes a state with so many instances")
    asset = draft.channel(instance.legs[0].channel).channel.asset
    greatest_fee = greatest_fee_of(draft.config.policy, asset)
    if half is None or greatest_fee or not ends.may_propose_unasked(draft, instance):
        ends.request(draft, instance, half)
        return
    channel = instance.legs[0].channel
    want(draft, channel, Intent(Purpose.ADD, adds=instance.id, half=half))


def on_decline(draft: Draft, sender: PeerId, message: DeclineInvite) -> None:
    """The other end does not want it."""
    invitation = draft.books.invitations.get(message.theirs)
    if invitation is None or invitation.end != sender or invitation.theirs:
        raise UnexpectedMessage("DeclineInvite", "we did not invite this peer")
    draft.drop(invitation)
    draft.notify(InstanceRefused(InstanceId(bytes(message.theirs)), message.reason, sender))


# Rule ends-2.
def _complete(
    draft: Draft,
    view: ChannelView,
    whole: Terms,
    role: Role,
    end: PeerId,
    via: PeerId,
    replaces: InstanceId | None,
    secret: bytes,
    invitation: Salt,
) -> InstanceView:
    """The instance with its final terms, watched from now on."""
    id = instance_id(draft.config.deployment, whole)
    known = draft.find_instance(id)
    if known is not None:
        return known
    swapped = view.role is not role
    legs = (Leg(view.id, swapped),)
    secrets = (secret, b"") if role is Role.ALICE else (b"", secret)
    instance = InstanceView(
        id,
        whole,
        legs,
        role,
        end,
        via,
        replaces=replaces,
        secrets=secrets,
        invitation=invitation,
    )
    assert (
        own_lock(nano_of(draft.config.deployment, id, whole, swapped), view.role)
        == locks(whole)[role]
    )
    if via:
        _make_room(draft, via)
    draft.put(instance)
    draft.watch(Watch(app=app_of(draft.config.deployment, whole), instance=id))
    return instance


def _address(peer: PeerId) -> Address:
    """The address of a peer's key; raises `InstanceRejected`."""
    try:
        return address_of(peer)
    except BadKey as error:
        raise InstanceRejected(str(error)) from None
