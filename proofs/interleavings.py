"""Every order of events of a few nodes, for small bounds: the core itself is explored, no model.

A point is what all nodes have on disk, what is under way between them, and what they have ever
signed. From each point everything that can happen next is tried: any letter under way arrives,
in any order; one is repeated; a node ends and starts again from its disk; a user's next command is
given. A letter that never arrives is one that is lost, and so is what a node had not sent yet when
it ended: what must hold is asked at every point, not only at the end of a way. A turn is as in
`perun.node.runtime`: step, sign, store, and only then send.

One node may be crooked: then it may send, a few times, what no rule allows (`lies`), and nothing is
asked of what it has. No time passes, and the chain stays as it is: what would be submitted is not.
Each node's adversary is everybody else: of whatever it has ever signed, the others may bring to the
chain what they like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from perun.core.books import Books, Row, row_key
from perun.core.chain_view import EMPTY, OnChain
from perun.core.config import Config
from perun.core.effects import Send, Sign, Signable, SignItem, Watch
from perun.core.inputs import (
    ChainBlock,
    ChainChannel,
    ChainInstance,
    Command,
    CommandPay,
    CommandTransfer,
    Connected,
    Input,
    Received,
    Restarted,
    Signed,
    Tick,
)
from perun.core.nanocontracts.hash_chain import CommandTick
from perun.core.signing import digest
from perun.core.state import InstanceView
from perun.core.step import step
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.messages import Over, Paid, Ticked, decode, encode
from perun.errors import Misuse, PeerFault
from perun.node.recovery import just_read
from perun.testing.network import meant
from perun.testing.parties import DEPLOYMENT
from perun.testing.rules import RULEBOOK
from perun.types import ChannelId, Signature, Stream, UnixTime
from proofs.lies import lies

__all__ = ["Found", "Game", "Letter", "Player", "Point", "Rule", "disk_of", "explore"]

_STEP, _LONG = 30, 2_000
"""Seconds, when time passes."""

Letter = tuple[int, int, bytes]
"""To whom, from whom, and a frame; an empty one: the wire has reached the sender (again)."""


@dataclass(frozen=True)
class Player:
    """What stays the same of a node."""

    config: Config
    keys: dict[bytes, SecretKey]
    links: tuple[int, ...]
    """Players whom it reaches without a hub."""
    began: int
    """What it could get out of its channels at the beginning, in wei."""


@dataclass(frozen=True)
class Point:
    """All that matters for what can happen from here on."""

    disks: tuple[tuple[Row, ...], ...]
    flying: tuple[Letter, ...]
    commands: tuple[tuple[Command, ...], ...]
    """What each user will still say, in this order."""
    crashes: int
    repeats: int
    signed: frozenset[tuple[int, Signable]] = frozenset()
    spent: tuple[int, ...] = ()
    """What each user has asked to be paid to others, in wei."""
    owned_up: tuple[int, ...] = ()
    """The greatest total of a machine or stream of which each has said that it has it."""
    tricks: int = 0
    """How often the crooked one may still send what no rule allows."""
    known: frozenset[Letter] = frozenset()
    """Letters that the crooked one has ever sent or got."""


@dataclass
class Found:
    """What an exploration has seen."""

    points: int = 0
    events: int = 0
    complete: bool = False
    """Whether every point within the bounds was seen."""
    kinds: set[str] = field(default_factory=set)
    """Messages that were sent."""
    wrong: list[str] = field(default_factory=list)
    """The first point at which something does not hold: what, and how it came to it."""


class Game:
    """Players, and how the world goes on from a point."""

    def __init__(
        self,
        players: Sequence[Player],
        block: ChainBlock,
        chain: dict[ChannelId, OnChain],
        crooked: int | None = None,
    ) -> None:
        self.players = tuple(players)
        self.crooked = crooked
        """The one that keeps no rule; nothing is asked of what it has."""
        self._numbers = {player.config.identity.peer: n for n, player in enumerate(players)}
        self._block, self._chain = block, chain
        self.kinds: set[str] = set()

    def books(self, who: int, disk: Sequence[Row], *, started: bool = False) -> Books:
        """As a node has them in memory; `started`: just read from its disk."""
        books = Books(self.players[who].config, rules=RULEBOOK)
        for row in disk:
            books.load(just_read(row) if started else row)
        return books

    def turn(self, point: Point, who: int, inputs: Sequence[Input], *, started: bool) -> Point:
        """One turn of a node, and what it then sends."""
        books = self.books(who, point.disks[who], started=started)
        queue, sends, signed = deque(inputs), list[Send](), set(point.signed)
        while queue:
            try:
                result = step(books, queue.popleft())
            except (Misuse, PeerFault):
                continue
            books.apply(result)
            for effect in result.effects:
                if type(effect) is Sign:
                    queue.appendleft(self._sign(who, effect))
                    signed |= {(who, item.message) for item in effect.items}
                elif type(effect) is Send:
                    sends.append(effect)
                elif type(effect) is Watch and not effect.over:
                    queue.append(self._shown(effect))
        letters = [self._letter(who, send) for send in sends]
        if who == self.crooked and point.tricks:
            point = replace(point, known=point.known.union(letters))
        said = [send.message for send in sends]
        totals = [message.paid for message in said if isinstance(message, Paid)]
        totals += [message.total for message in said if isinstance(message, Ticked)]
        owned_up = _with(point.owned_up, who, max(point.owned_up[who], *totals, 0))
        return replace(
            point,
            disks=_with(point.disks, who, disk_of(books)),
            flying=tuple(sorted([*point.flying, *letters])),
            signed=frozenset(signed),
            owned_up=owned_up,
        )

    def _sign(self, who: int, wish: Sign) -> Signed:
        return Signed(wish, tuple(self._signature(who, item) for item in wish.items))

    def _signature(self, who: int, item: SignItem) -> Signature:
        return sign(digest(DEPLOYMENT, item.message), self.players[who].keys[item.key])

    def _shown(self, watch: Watch) -> Input:
        if watch.instance is not None:
            return ChainInstance(watch.instance, None, None)
        assert watch.channel is not None
        on_chain = self._chain.get(watch.channel, EMPTY)
        return ChainChannel(watch.channel, on_chain, on_chain)

    def _letter(self, who: int, send: Send) -> Letter:
        self.kinds.add(type(send.message).__name__)
        frame = encode(send.message)
        if send.via:
            frame = encode(Over(send.via, frame))
        return self._numbers[send.to], who, frame

    def arrive(self, point: Point, letter: Letter) -> Point:
        """A letter, wherever it comes from."""
        to, sender, frame = letter
        if to == self.crooked and point.tricks and frame:
            point = replace(point, known=point.known | {letter})
        peer, via = self.players[sender].config.identity.peer, b""
        if not frame:
            return self.turn(point, to, (Connected(peer),), started=False)
        message = decode(frame)
        if isinstance(message, Over):
            via, message = message.hub, decode(message.message)
        return self.turn(point, to, (Received(peer, message, via),), started=False)

    def command(self, point: Point, who: int) -> Point:
        """The next thing that a user says; refused or not, it is said."""
        command, *rest = point.commands[who]
        point = replace(point, commands=_with(point.commands, who, tuple(rest)))
        spent = point.spent[who] + _asked(command, point.disks[who])
        point = replace(point, spent=_with(point.spent, who, spent))
        return self.turn(point, who, (command,), started=False)

    def crash(self, point: Point, who: int) -> Point:
        """A node ends and starts from its disk; its links, too, are made again."""
        point = self.turn(point, who, (self._block, Restarted()), started=True)
        links = self.players[who].links
        met = [(who, other, b"") for other in links] + [(other, who, b"") for other in links]
        return replace(point, flying=tuple(sorted([*point.flying, *met])))

    def next(self, point: Point) -> Iterator[tuple[str, Point]]:
        """All that can happen at a point, with what it is."""
        for index, letter in enumerate(point.flying):
            if index and letter == point.flying[index - 1]:
                continue
            rest = (*point.flying[:index], *point.flying[index + 1 :])
            yield self.name(letter), self.arrive(replace(point, flying=rest), letter)
            if point.repeats and letter[2]:
                again = replace(point, repeats=point.repeats - 1)
                yield f"{self.name(letter)}, and is repeated", self.arrive(again, letter)
        for who, commands in enumerate(point.commands):
            if commands:
                yield f"{who}: {type(commands[0]).__name__}", self.command(point, who)
        if point.crashes:
            fewer = replace(point, crashes=point.crashes - 1)
            for who in range(len(self.players)):
                yield f"{who} ends and starts again", self.crash(fewer, who)

        yield from self._tricks(point)

    def _tricks(self, point: Point) -> Iterator[tuple[str, Point]]:
        """What the crooked one may send now: anything old again, or of its own making."""
        who = self.crooked
        if who is None or not point.tricks:
            return
        fewer = replace(point, tricks=point.tricks - 1)
        heard = sorted(frame for to, _, frame in point.known if to == who)
        made = lies(self.players[who].keys, point.disks[who], heard, int(self._block.head_time))
        letters = {(self._numbers[peer], who, frame) for peer, frame in made}
        letters |= {letter for letter in point.known if letter[1] == who}
        for letter in sorted(letters):
            yield f"{self.name(letter)}, a trick", self.arrive(fewer, letter)

    def name(self, letter: Letter) -> str:
        """For people."""
        to, sender, frame = letter
        return f"{sender} → {to}: {type(meant(frame)).__name__ if frame else 'met'}"

    def healed(self, point: Point, is_well: Callable[[Point], bool]) -> Point:
        """All that is under way is lost, everybody meets, everything arrives in order, and time
        passes: until all is well, or for so long that nothing else will come."""
        pairs = [(a, b, b"") for a, player in enumerate(self.players) for b in player.links]
        point = self._quiet(replace(point, flying=()), pairs)
        for seconds in range(_STEP, _LONG, _STEP):
            if is_well(point):
                break
            for who in range(len(self.players)):
                point = self.turn(point, who, self._time(seconds), started=False)
            letters, point = point.flying, replace(point, flying=())
            point = self._quiet(point, letters)
        return point

    def _time(self, seconds: int) -> Sequence[Input]:
        number, time = self._block.head_number + seconds, UnixTime(self._block.head_time + seconds)
        return ChainBlock(number, time, number, time), Tick(time, time)

    def _quiet(self, point: Point, letters: Sequence[Letter]) -> Point:
        queue = deque(letters)
        while queue:
            point = self.arrive(point, queue.popleft())
            queue.extend(point.flying)
            point = replace(point, flying=())
        return point


def _asked(command: Command, disk: Sequence[Row]) -> int:
    """What a user asks to be paid to others, in wei."""
    if isinstance(command, CommandTransfer | CommandPay):
        return command.amount
    if isinstance(command, CommandTick):
        streams = [
            row.terms
            for row in disk
            if isinstance(row, InstanceView) and row.id == command.instance
        ]
        return sum(command.ticks * terms.tick for terms in streams if isinstance(terms, Stream))
    return 0


def _with(values: tuple[Any, ...], index: int, value: object) -> tuple[Any, ...]:
    return (*values[:index], value, *values[index + 1 :])


def disk_of(books: Books) -> tuple[Row, ...]:
    """All that a node keeps, in one order."""
    kinds: tuple[dict[Any, Any], ...] = (
        books.channels,
        books.instances,
        books.totals,
        books.hub_instances,
        books.invitations,
        books.credits,
    )
    rows: list[Row] = [books.chain]
    for kind in kinds:
        rows += sorted(kind.values(), key=row_key)
    return tuple(rows)


Rule = Callable[[Game, Point], Iterator[str]]
"""What is wrong at a point, in words."""


def explore(game: Game, start: Point, rules: Sequence[Rule], most: int = 10**9) -> Found:
    """Sees every point that can be reached from `start`, breadth first, so that the way to the
    first wrong one is a shortest; stops there, or after `most` points."""
    found, ways = Found(), {start: ("", start)}
    queue = deque([start])
    while queue and found.points < most:
        point = queue.popleft()
        found.points += 1
        wrong = next((text for rule in rules for text in rule(game, point)), None)
        if wrong is not None:
            found.wrong = [*_way(ways, start, point), wrong]
            break
        for what, after in game.next(point):
            found.events += 1
            if after not in ways:
                ways[after] = (what, point)
                queue.append(after)
    found.complete, found.kinds = not queue and not found.wrong, game.kinds
    return found


def _way(ways: dict[Point, tuple[str, Point]], start: Point, end: Point) -> list[str]:
    steps: list[str] = []
    while end != start:
        what, end = ways[end]
        steps.append(what)
    return steps[::-1]
