"""What must hold of a few nodes at every point, in whatever order things happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from perun.core.nanocontracts.hash_chain import paid_in
from perun.core.rules.accounting import free_money, own_lock, solvent
from perun.core.state import ChannelView, InstanceView, Role, Totals
from perun.types import (
    Close,
    Machine,
    Nano,
    Position,
    State,
    Statement,
    Stream,
    Version,
    Wei,
    Withdraw,
)
from proofs.interleavings import Game, Point, Rule

__all__ = ["RULES"]


def one_state_a_version(game: Game, point: Point) -> Iterator[str]:
    """Nobody signs two states of a channel, or two positions of a game, with one version."""
    known: dict[tuple[int, bytes, int], State | Position] = {}
    for who, message in point.signed:
        if isinstance(message, State | Position) and who != game.crooked:
            of = message.channel if isinstance(message, State) else message.game
            other = known.setdefault((who, of, message.version), message)
            if other != message:
                yield f"{who} has signed {message} and {other}"


def remembers(game: Game, point: Point) -> Iterator[str]:
    """Whatever a node has signed and can be held to is on its disk."""
    for who, disk in _honest(game, point):
        for view in _views(disk):
            kept = {proposal.state for proposal in view.proposals} | {_newest(view)}
            if view.held is not None and view.held.answering:
                kept.add(view.held.state)
            for state in _exits(point, who, view):
                if state not in kept:
                    yield f"{who} has signed {state} and does not know it"
            for message in _signed_of(point, who, view, Close):
                if view.close is None:
                    yield f"{who} has signed {message} and does not know it"


def nobody_loses(game: Game, point: Point) -> Iterator[str]:
    """At worst a node gets what it began with, less what its user paid, plus what it has said it
    was paid in a machine."""
    for who, disk in _honest(game, point):
        player, views = game.players[who], _views(disk)
        least = player.began - point.spent[who] + point.owned_up[who]
        if len(point.disks) == 3 and len(views) == 2:
            worst = _worst_of_a_hub(point, who, views)
        else:
            worst = sum(min(_values(point, who, view)) for view in views)
        if worst < least:
            yield f"{who} may get out {worst} wei, and was to have {least}"


def no_close_takes(game: Game, point: Point) -> Iterator[str]:
    """A Close that a node has signed gives it no less than the states that it has signed: what it
    was paid since is not taken back by it."""
    for who, disk in _honest(game, point):
        for view in _views(disk):
            least = min(_of_states(point, who, view))
            for close in _signed_of(point, who, view, Close):
                if _free(view, close.net, ()) < least:
                    yield f"{who} has signed {close}, and is to have {least} wei"


def can_be_registered(game: Game, point: Point) -> Iterator[str]:
    """The newest state of each is signed by both, and solvent whatever withdrawal is mined."""
    for who, disk in _honest(game, point):
        for view in _views(disk):
            alice, bob = int(view.final.alice), int(view.final.bob)
            for withdraw in _signed_of(point, who, view, Withdraw):
                alice, bob = alice - withdraw.alice_amount, bob - withdraw.bob_amount
            state = _newest(view)
            if not solvent((alice, bob), state):
                yield f"{who} could not register {state}"
            if state.version and not (view.agreed and view.agreed.own and view.agreed.peer):
                yield f"{who} has not both signatures of {state}"


def heals(game: Game, point: Point) -> Iterator[str]:
    """When all meet again they agree, if not at once then in time, and nothing is left open; with
    a crooked one nobody can expect that."""
    if game.crooked is not None:
        return
    yield from _ills(game.healed(point, lambda end: next(_ills(end), None) is None))


def _ills(point: Point) -> Iterator[str]:
    states: dict[bytes, State] = {}
    for who, disk in enumerate(point.disks):
        for view in _views(disk):
            left = view.proposals or view.held or view.intents
            if left:
                yield f"{who} is left with {left}"
            if states.setdefault(view.id, _newest(view)) != _newest(view):
                yield f"{_newest(view)} is newest for {who}, {states[view.id]} for its peer"


RULES: tuple[Rule, ...] = (
    one_state_a_version,
    remembers,
    nobody_loses,
    no_close_takes,
    can_be_registered,
    heals,
)


M = TypeVar("M", State, Close, Withdraw)


def _honest(game: Game, point: Point) -> Iterator[tuple[int, tuple[object, ...]]]:
    return ((who, disk) for who, disk in enumerate(point.disks) if who != game.crooked)


def _views(disk: tuple[object, ...]) -> list[ChannelView]:
    return [row for row in disk if type(row) is ChannelView]


def _newest(view: ChannelView) -> State:
    return State(view.id, Version(0), Wei(0)) if view.agreed is None else view.agreed.state


def _signed_of(point: Point, who: int, view: ChannelView, kind: type[M]) -> list[M]:
    return [
        message
        for by, message in point.signed
        if by == who and type(message) is kind and message.channel == view.id
    ]


def _exits(point: Point, who: int, view: ChannelView) -> list[State]:
    """States that may stand on chain though this node answers with its newest one."""
    newest = _newest(view)
    signed = _signed_of(point, who, view, State)
    return [newest, *(state for state in signed if state.version > newest.version)]


def _values(point: Point, who: int, view: ChannelView) -> Iterator[int]:
    """What a node gets by each way in which others may end a channel."""
    yield from _of_states(point, who, view)
    for close in _signed_of(point, who, view, Close):
        yield _free(view, close.net, ())


def _of_states(point: Point, who: int, view: ChannelView) -> Iterator[int]:
    for state in _exits(point, who, view):
        worth = sum(_worst(point, who, view, nano) for nano in state.nanos)
        yield _free(view, state.net, state.nanos) + worth


def _free(view: ChannelView, net: int, nanos: tuple[Nano, ...]) -> int:
    return free_money((view.final.alice, view.final.bob), net, nanos, view.role)


def _worst(point: Point, who: int, view: ChannelView, nano: Nano) -> int:
    """What an end gets of an instance: of a machine with the best statement it holds, against the
    most it has signed; of a stream by the newest tick that it has or gave out; of all else
    nothing."""
    known = {row.id: row for row in point.disks[who] if type(row) is InstanceView}
    instance = known.get(nano.id)
    terms = instance.terms if instance else None
    if instance and isinstance(terms, Stream):
        ticked = paid_in(terms, instance)
        return own_lock(nano, view.role) + (-ticked if instance.role is Role.ALICE else ticked)
    if not isinstance(terms, Machine):
        return 0
    paid = max(
        (
            message.paid
            for by, message in point.signed
            if by == who and type(message) is Statement and message.machine == nano.id
        ),
        default=0,
    )
    received = sum(
        row.received for row in point.disks[who] if type(row) is Totals and row.machine == nano.id
    )
    own, peers = own_lock(nano, view.role), own_lock(nano, Role(1 - view.role))
    return own - max(-peers, min(own, paid - received))


def _worst_of_a_hub(point: Point, who: int, views: list[ChannelView]) -> int:
    """Of every two states that may stand, and every outcome of each instance, the worst: it has
    one outcome, in whichever channels list it."""
    instances = [row for row in point.disks[who] if type(row) is InstanceView]
    ways = [0]
    first, second = views
    for one in _exits(point, who, first):
        for two in _exits(point, who, second):
            total = _free(first, one.net, one.nanos) + _free(second, two.net, two.nanos)
            for instance in instances:
                listed = [
                    (view, nano)
                    for view, state in ((first, one), (second, two))
                    for nano in state.nanos
                    if nano.id == instance.id
                ]
                total += min((_gets(listed, shift) for shift in _shifts(listed)), default=0)
            ways.append(total)
    return min(ways[1:])


def _shifts(listed: list[tuple[ChannelView, Nano]]) -> list[int]:
    """The least and the greatest outcome, from the instance's Alice to its Bob."""
    limits = [
        limit
        for _, nano in listed
        for limit in (
            (-nano.alice_lock, nano.bob_lock) if nano.swapped else (nano.alice_lock, -nano.bob_lock)
        )
    ]
    return sorted({*limits})


def _gets(listed: list[tuple[ChannelView, Nano]], shift: int) -> int:
    total = 0
    for view, nano in listed:
        moves = -shift if nano.swapped else shift
        moves = max(-nano.bob_lock, min(nano.alice_lock, moves))
        own = own_lock(nano, view.role)
        total += own + (moves if view.role is Role.BOB else -moves)
    return total
