"""What a batch of inputs will have checked and signed, so that it can be done side by side.

Which signature a message will have checked is a guess, made before the batch is taken: one that is
not foreseen is checked in its turn, and one that comes to nothing was checked in vain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from perun.core.books import Books
from perun.core.inputs import ChainInstance, CommandPay, CommandTransfer, Received
from perun.core.nanocontracts.instances import signer
from perun.core.rules.keys import peer_key
from perun.core.signing import Expected
from perun.core.state import InstanceView, PeerId
from perun.encoding.messages import (
    AnswerState,
    GrantInstance,
    Invite,
    Invited,
    Leave,
    OfInstance,
    Paid,
    Pay,
    Propose,
    ReadySigned,
    RequestInstance,
)
from perun.types import Address, ChannelId, InstanceId, MachineId, Ready, Statement

__all__ = ["channels_of", "expected_of"]


_SIGNED: Final[frozenset[type]] = frozenset({Pay, ReadySigned, Propose, AnswerState})


def expected_of(books: Books, received: Received) -> tuple[Expected, ...]:
    """The signatures that the step will check, if the sender may say this at all."""
    message = received.message
    if type(message) is RequestInstance:
        return tuple(_expected_of_halves(books, received.sender, message))
    found = _expected_of(books, received)
    return () if found is None else (found,)


def _expected_of_halves(
    books: Books, sender: PeerId, message: RequestInstance
) -> Iterator[Expected]:
    own = books.channels.get(message.channel)
    if own is None or own.peer != sender:
        return
    for half in (message.own_half, message.other_half):
        view = books.channels.get(half.state.channel) if half is not None else None
        if half is not None and view is not None and half.state.version > view.signed:
            yield Expected(half.state, half.signature, peer_key(view), True)


def _expected_of(books: Books, received: Received) -> Expected | None:
    message = received.message
    if type(message) not in _SIGNED:
        return None
    if isinstance(message, Pay):
        instance = books.instances.get(message.machine)
        if instance is None or instance.end != received.sender:
            return None
        totals = books.totals.get(message.machine)
        key = _other_key(instance)
        if key is None or (totals is not None and message.paid <= totals.received):
            return None
        return Expected(Statement(message.machine, message.paid), message.signature, key, False)
    if isinstance(message, ReadySigned):
        instance = books.instances.get(message.machine)
        key = _other_key(instance) if instance is not None else None
        if instance is None or key is None or instance.end != received.sender:
            return None
        return Expected(Ready(MachineId(message.machine)), message.signature, key, False)
    if isinstance(message, Propose):
        view = books.channels.get(message.state.channel)
        if view is None or view.peer != received.sender or view.signed >= message.state.version:
            return None
        return Expected(message.state, message.signature, peer_key(view), True)
    if isinstance(message, AnswerState):
        view = books.channels.get(message.channel)
        if view is None or view.peer != received.sender:
            return None
        for proposal in view.proposals:
            if proposal.state.version == message.version:
                return Expected(proposal.state, message.signature, peer_key(view), True)
    return None


_OF_MACHINE: Final = frozenset({Pay, Paid, ReadySigned, Leave})
_OF_CHANNEL: Final = frozenset({AnswerState, GrantInstance})
_OF_INSTANCE: Final = frozenset(get_args(OfInstance))


def channels_of(books: Books, input: object) -> tuple[ChannelId, ...]:
    """The channels an input is about; empty: more than those named, or none that are known.

    Inputs about different channels may be taken while our signer works on each other's signatures:
    what it was asked for counts as signed already (protocol, section 5, What it signs).
    """
    # By the very type, which is ten times as fast as a class: every input of a batch comes here.
    if type(input) is CommandPay:
        return _legs(books, input.machine)
    if type(input) is CommandTransfer:
        return (input.channel,)
    if type(input) is ChainInstance:
        return _legs(books, input.id)
    if type(input) is not Received:
        return ()
    message: Any = input.message
    kind = type(message)
    if kind in _OF_MACHINE:
        return _legs(books, message.machine)
    if kind in _OF_CHANNEL:
        return (ChannelId(message.channel),)
    if kind is RequestInstance:
        other = message.other_half
        return (message.channel,) if other is None else (message.channel, other.state.channel)
    if kind is Invite:
        # Of several in one asset the least busy is chosen when its turn comes.
        places = books.indexes.with_peer(input.via, message.asset)
        return tuple(places) if len(places) == 1 else ()
    if kind is Invited:
        invitation = books.invitations.get(message.theirs)
        return () if invitation is None else (invitation.channel,)
    if kind in _OF_INSTANCE:
        return _legs(books, message.instance)
    if kind is Propose:
        named = [ChannelId(message.state.channel)]
        for id in (message.adds, message.removes):
            if id is not None:
                named += _legs(books, id)
        return tuple(named)
    return ()


def _legs(books: Books, id: InstanceId) -> tuple[ChannelId, ...]:
    instance = books.instances.get(id)
    return () if instance is None else tuple([leg.channel for leg in instance.legs])


def _other_key(instance: InstanceView) -> Address | None:
    if instance.role is None:
        return None
    return signer(instance.terms, instance.role.other)
