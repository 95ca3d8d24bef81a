"""What the ends of an instance do by themselves once it is listed, if its kind has anything to do.

Looked at again whenever an end may have learnt something, and at every block, so that nothing that
was lost on the way stays lost.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.faults import UnexpectedMessage
from perun.core.inputs import CommandAward, CommandClock, CommandLetGo, CommandMove, CommandResign
from perun.core.nanocontracts import escrow, evidence, plays
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.phases import blocked
from perun.core.state import ChannelView, InstanceView, LegStatus, PeerId, Ply
from perun.core.virtual import ends
from perun.core.virtual.leaving import propose_removal
from perun.encoding.messages import LetGo, Play, Played, ReadySigned, RevealSecret
from perun.types import InstanceId, Move, Position, Ready, Signature

__all__ = [
    "act",
    "award",
    "call",
    "choose",
    "on_move_signed",
    "on_play",
    "on_played",
    "on_position_signed",
    "on_ready",
    "on_ready_signed",
    "on_secret",
    "on_let_go",
    "resign",
    "let_go",
]


def act(draft: Draft, instance: InstanceView) -> None:
    """Tells the other end what we owe it, and proposes the removal once all is known."""
    leg = instance.legs[0]
    if instance.role is None or leg.status is not LegStatus.LISTED:
        return
    if blocked(draft, draft.channel(leg.channel)) is not None:
        return
    if kind_of(instance.terms).acts(draft, instance):
        propose_removal(draft, instance.id)


def on_ready(draft: Draft, sender: PeerId, message: ReadySigned) -> None:
    """See `ends.on_ready`."""
    ends.on_ready(draft, sender, message)
    act(draft, draft.instance(message.machine))


def on_ready_signed(draft: Draft, ready: Ready, signature: Signature) -> None:
    """See `ends.on_ready_signed`."""
    ends.on_ready_signed(draft, ready, signature)
    act(draft, draft.instance(InstanceId(ready.machine)))


def on_secret(draft: Draft, sender: PeerId, message: RevealSecret) -> None:
    """The other end has revealed; what we know already changes nothing.

    Raises:
        UnexpectedMessage: nothing that a correct peer sends.
    """
    instance = _ours(draft, sender, message)
    if kind_of(instance.terms).hear(draft, instance, message.secret):
        act(draft, draft.instance(instance.id))


def _ours(draft: Draft, sender: PeerId, message: RevealSecret | LetGo) -> InstanceView:
    """The instance that a message is about, if its sender is the other end of it."""
    instance = draft.find_instance(message.instance)
    if instance is None or instance.role is None or instance.end != sender:
        raise UnexpectedMessage(type(message).__name__, "no such instance with this peer")
    return instance


# ------------------------------------------------------------------------------------------- deals


def award(draft: Draft, view: ChannelView, command: CommandAward) -> None:  # noqa: ARG001
    """See `escrow.award`."""
    escrow.award(draft, command)
    _carry_out(draft, command.instance)


def let_go(draft: Draft, view: ChannelView, command: CommandLetGo) -> None:  # noqa: ARG001
    """See `escrow.let_go`."""
    escrow.let_go(draft, command)
    _carry_out(draft, command.instance)


def on_let_go(draft: Draft, sender: PeerId, message: LetGo) -> None:
    """The other end lets a deal go at this shift, or shows an award; known ones change nothing.

    Raises:
        UnexpectedMessage: nothing that a correct peer sends.
    """
    instance = _ours(draft, sender, message)
    if escrow.hear(draft, instance, message.shift, message.signature):
        _carry_out(draft, instance.id)


# ------------------------------------------------------------------------------------------- games


def choose(draft: Draft, view: ChannelView, command: CommandMove) -> None:  # noqa: ARG001
    """See `plays.choose`."""
    plays.choose(draft, command)
    _carry_out(draft, command.instance)


def resign(draft: Draft, view: ChannelView, command: CommandResign) -> None:  # noqa: ARG001
    """See `plays.resign`."""
    plays.resign(draft, command)
    _carry_out(draft, command.instance)


def call(draft: Draft, view: ChannelView, command: CommandClock) -> None:  # noqa: ARG001
    """See `plays.call`."""
    plays.call(draft, command)
    _carry_out(draft, command.instance)


def _carry_out(draft: Draft, id: InstanceId) -> None:
    act(draft, draft.instance(id))
    evidence.duties(draft, draft.instance(id))


def on_play(draft: Draft, sender: PeerId, message: Play) -> None:
    """See `plays.on_play`."""
    before = _agreed(draft, message.instance)
    plays.on_play(draft, sender, message)
    _go_on(draft, message.instance, before)


def on_played(draft: Draft, sender: PeerId, message: Played) -> None:
    """See `plays.on_played`."""
    before = _agreed(draft, message.instance)
    plays.on_played(draft, sender, message)
    _go_on(draft, message.instance, before)


def on_position_signed(draft: Draft, position: Position, signature: Signature) -> None:
    """See `plays.on_position_signed`."""
    id = InstanceId(position.game)
    before = _agreed(draft, id)
    plays.on_position_signed(draft, position, signature)
    _go_on(draft, id, before)


def on_move_signed(draft: Draft, move: Move, signature: Signature) -> None:
    """See `plays.on_move_signed`."""
    plays.on_move_signed(draft, move, signature)
    evidence.duties(draft, draft.instance(InstanceId(move.game)))


def _agreed(draft: Draft, id: InstanceId) -> Ply | None:
    instance = draft.find_instance(id)
    return None if instance is None or instance.game is None else instance.game.agreed


def _go_on(draft: Draft, id: InstanceId, before: Ply | None) -> None:
    """What is said again waits for a block; what follows from a newer position does not."""
    if _agreed(draft, id) != before:
        _carry_out(draft, id)
