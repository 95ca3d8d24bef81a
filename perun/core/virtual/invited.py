"""Somebody invites us to an instance: we agree, by our half of the salt, or our user does."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import InstanceRejected, NotAllowedNow, PeerNotAllowed
from perun.core.inputs import CommandConsent
from perun.core.nanocontracts.instances import (
    check_terms,
    check_worth,
    instance_id,
    locks,
)
from perun.core.nanocontracts.kinds import kind_of
from perun.core.notices import InvitationHeld
from perun.core.rules.keys import own_key, peer_key
from perun.core.rules.phases import fresh, may_sign
from perun.core.rules.worth import most_of
from perun.core.state import (
    ChannelView,
    InstanceView,
    Intent,
    Invitation,
    LegStatus,
    PeerId,
    Purpose,
    Role,
)
from perun.core.states.proposing import want
from perun.core.virtual import ends
from perun.core.virtual.beginning import address_of_end, begin
from perun.core.virtual.choosing import channel_for
from perun.encoding.messages import DeclineInvite, Invite, Invited
from perun.errors import Misuse
from perun.types import (
    Machine,
    Salt,
    Terms,
    Wei,
)

_HELD_PER_PEER: Final = 8
_HELD: Final = 256
"""Invitations that wait for our user: they cost their sender nothing."""

__all__ = ["consent", "on_invite"]


def on_invite(draft: Draft, sender: PeerId, message: Invite, via: PeerId) -> None:
    """Somebody invites us: agree, by our half of the salt, to what our policy allows; what asks for
    our user waits for his word."""
    terms = message.terms
    kind = kind_of(terms)
    try:
        view = channel_for(draft, sender, via, message)
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
    theirs = address_of_end(sender) if via else peer_key(view)
    named = (theirs, own_key(view))
    if keys is not None and any(
        key not in (None, own) for key, own in zip(keys, named, strict=True)
    ):
        raise InstanceRejected("its keys are not yours and mine")
    if message.far and (not via or message.replaces or not kind_of(terms).crosses(terms)):
        raise InstanceRejected("this does not cross several hubs")
    if not message.far and not kind_of(terms).near:
        raise InstanceRejected("it is for paths over several hubs")
    check_terms(draft.config, draft.now, terms)
    check_worth(draft.config, draft.chain, view.channel.asset, terms)
    kind_of(terms).check_invited(draft.books, terms)
    may_sign(draft, view, "lock an instance")
    _check_room(draft, sender)


# Rule game-1.
def _hold(draft: Draft, view: ChannelView, sender: PeerId, message: Invite, via: PeerId) -> None:
    """Keeps an invitation for our user; raises `InstanceRejected` if too many are."""
    id, terms = message.terms.salt, message.terms
    held = Invitation(id, view.id, terms, sender, via, theirs=True, far=message.far)
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
    place = None if held.via else view.id
    message = Invite(held.terms, place, view.channel.asset, None, held.far)
    view = channel_for(draft, held.end, held.via, message)
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
    instance = begin(
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
