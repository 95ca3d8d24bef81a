"""Our invitations: agreeing on an instance's parameters before anything is signed (section 5).

The inviter is the instance's Alice. The salt is the hash of both ends' random halves, so that
nobody can prepare an instance or submit to it beforehand [A4]; both watch it from the offer on.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import InstanceRejected, NotAllowedNow, UnexpectedMessage
from perun.core.inputs import CommandInviteAgain, CommandReplace
from perun.core.nanocontracts.gate import behind
from perun.core.nanocontracts.instances import (
    check_terms,
    check_worth,
)
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.kinds import KINDS, kind_of
from perun.core.nanocontracts.machine import machine_of
from perun.core.notices import InstanceRefused
from perun.core.rules.keys import own_key
from perun.core.rules.phases import may_sign
from perun.core.rules.worth import greatest_fee_of
from perun.core.state import (
    ChannelView,
    InstanceView,
    Intent,
    Invitation,
    PeerId,
    Purpose,
    Role,
)
from perun.core.states.proposing import want
from perun.core.virtual import ends, leaving
from perun.core.virtual.beginning import begin, end_key
from perun.core.virtual.choosing import why_stays
from perun.encoding.messages import DeclineInvite, Invite, Invited, SignedHalf
from perun.types import (
    InstanceId,
    Terms,
)

# Any: of a command only its kind knows what is in it.
_INVITING: Final[dict[type, Kind[Any, Any]]] = {
    command: kind for kind in KINDS.values() for command in kind.invites
}

__all__ = [
    "again",
    "invite",
    "invite_again",
    "on_decline",
    "on_invited",
    "replace_machine",
]


def invite(draft: Draft, view: ChannelView, command: Any) -> None:
    """Our user invites the other end to what its kind makes of the command."""
    kind = _INVITING[type(command)]
    make, end = kind.invites[type(command)], command.end
    terms, route = make(draft, command, own_key(view), end_key(view, end)), kind.route(command)
    if route and not kind.crosses(terms):
        terms = behind(view, terms, route)
    _invite(draft, view, terms, end, secret=kind.secret(command), route=route)


# Rules remove-5, replace-1.
def replace_machine(draft: Draft, view: ChannelView, command: CommandReplace) -> None:
    """Invites the other end to a machine in place of one that both have listed."""
    old = draft.instance(command.machine)
    why = why_stays(old)
    if why is not None:
        raise NotAllowedNow("replace it", why)
    machine = machine_of(draft, command, own_key(view), end_key(view, old.end))
    _invite(draft, view, machine, old.end, replaces=old.id)


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
    if route and end == view.peer:
        raise InstanceRejected("whoever is to be at the other end is our own hub")
    via = b"" if end == view.peer else view.peer
    invitation = Invitation(terms.salt, view.id, terms, end, via, replaces, secret, route=route)
    draft.put(invitation)
    _say(draft, invitation)


def invite_again(draft: Draft, invitation: Invitation) -> None:
    """Says one of ours again to an end that is there again, if a user is asked there, which takes
    its time: whoever answers by itself would decline before it has seen the chain. Heard twice it
    is one."""
    if not invitation.theirs and kind_of(invitation.terms).asks:
        _say(draft, invitation)


def _say(draft: Draft, invitation: Invitation) -> None:
    view = draft.channel(invitation.channel)
    channel = None if invitation.via else view.id
    asset, route = view.channel.asset, invitation.route
    message = Invite(invitation.terms, channel, asset, invitation.replaces, bool(route))
    draft.send(invitation.end, message, route[-1] if route else invitation.via)


def again(draft: Draft, command: CommandInviteAgain) -> None:
    """Our user, or a program for him, does not know whether an invitation was heard.

    Raises:
        NotAllowedNow: there is no such invitation.
    """
    held = draft.books.invitations.get(command.invitation)
    if held is None or held.theirs:
        raise NotAllowedNow("say it again", "no such invitation of ours waits")
    _say(draft, held)


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
        why = "it is over" if old is None else why_stays(old)
    if why is not None:
        draft.notify(InstanceRefused(InstanceId(bytes(message.theirs)), why))
        return
    whole = kind_of(terms).whole(terms, message.ours)
    via, secret = invitation.via, invitation.secret
    half = message.theirs
    instance = begin(draft, view, whole, Role.ALICE, sender, via, replaces, secret, half)
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
