"""A game: who is a crook, and a list of moves. Playing it is deterministic, so it can be replayed.

A move is a name and four numbers; the numbers choose among what is possible when its turn comes, so
every list of moves is a game and hypothesis can leave any of them out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from perun.core.inputs import CommandOffer
from perun.types import ETH, Seconds, Wei
from tests.games.simulation import checks
from tests.games.simulation.crooks import Crooks
from tests.games.simulation.dealers import Dealers
from tests.games.simulation.disk import Disk
from tests.games.simulation.moves import Moves
from tests.games.simulation.players import Players
from tests.games.simulation.theatre import DEPOSIT, NAMES, Disks, Theatre
from tests.games.simulation.users import Users
from tests.games.simulation.violated import Violated
from tests.games.simulation.wishes import Wishes

Move = tuple[str, int, int, int, int]

CASTS: tuple[tuple[str, ...], ...] = (
    (),
    ("alice",),
    ("ingrid",),
    ("bob",),
    ("alice", "bob"),
    ("alice", "ingrid"),
    ("ingrid", "bob"),
)
"""Who may be crooks: nobody, any one, any two."""

WEIGHTS: dict[str, int] = {
    "talk": 30,
    "deliver": 14,
    "pay": 16,
    "transfer": 6,
    "machine": 7,
    "price": 2,
    "remove": 5,
    "resize": 5,
    "lock": 3,
    "flip": 4,
    "game": 4,
    "consent": 5,
    "play": 16,
    "throw": 3,
    "deal": 3,
    "award": 4,
    "let go": 3,
    "bet": 3,
    "report": 4,
    "stream": 5,
    "tick": 8,
    "settle": 2,
    "give up": 1,
    "clock": 2,
    "reveal": 3,
    "withdraw": 2,
    "close": 1,
    "leave": 1,
    "fund": 1,
    "offer": 1,
    "answer": 2,
    "drop": 4,
    "repeat": 3,
    "reorder": 3,
    "scramble": 2,
    "reconnect": 4,
    "hang up": 2,
    "lose a link": 2,
    "replay": 6,
    "wish": 12,
    "wish again": 5,
    "request": 5,
    "pay a request": 12,
    "refund": 4,
    "lie: note": 2,
    "block": 16,
    "jump": 2,
    "wait": 3,
    "reorganise": 3,
    "cut off": 1,
    "power cut": 3,
    "kill": 2,
    "back up": 4,
    "put back": 3,
    "signer sleeps": 1,
    "signer wakes": 4,
    "lie: propose": 5,
    "lie: alter": 6,
    "lie: replay": 4,
    "lie: register": 4,
    "lie: forge": 2,
    "lie: submit": 3,
    "lie: pay": 3,
    "lie: offer": 3,
    "lie: use offers": 3,
    "lie: reveal": 1,
    "lie: position": 3,
    "lie: evidence": 5,
    "lie: word": 8,
    "lie: dust": 1,
    "lie: show": 1,
}
"""How often each move is tried, relative to the others."""


@dataclass(frozen=True, slots=True)
class Game:
    """Everything that a run depends on."""

    crooks: tuple[str, ...]
    moves: tuple[Move, ...]
    polite: bool = True
    """Whether honest parties try to part by agreement at the end, before they go to the chain."""
    whole: bool = False
    """With sessions on the wire and the program above; else messages are lost one by one."""

    def write(self, path: Path) -> None:
        """As JSON, readable by hand."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = {
            "crooks": self.crooks,
            "polite": self.polite,
            "whole": self.whole,
            "moves": self.moves,
        }
        path.write_text(json.dumps(rows, indent=1).replace("\n   ", " "))

    @classmethod
    def read(cls, path: Path) -> Game:
        """What `write` has written."""
        rows = json.loads(path.read_text())
        moves = tuple((str(m[0]), *map(int, m[1:])) for m in rows["moves"])
        kind = (bool(rows["polite"]), bool(rows.get("whole")))
        return cls(tuple(rows["crooks"]), moves, *kind)  # type: ignore[arg-type]


class Play:
    """One game being played."""

    def __init__(
        self, crooks: tuple[str, ...], *, whole: bool = False, disks: Disks = Disk
    ) -> None:
        self.world = Theatre(crooks, whole=whole, disks=disks)
        self.crooks = Crooks(self.world)
        self.users = Users(self.world)
        self.wishes = Wishes(self.world)
        players = Players(self.world, self.users, self.crooks)
        dealers = Dealers(self.world, self.users, self.crooks, players)
        self.moves = Moves(self.world, self.users, self.crooks, self.wishes, players, dealers)
        self.checker = checks.Checker(self.world)
        self.steps = 0
        self._open()

    def _open(self) -> None:
        """The three channels; the hub's share of Alice's is drawn from its credit."""
        world = self.world
        alice, ingrid, bob = world.actors
        self.world.fund_till(ingrid, 20 * DEPOSIT)
        world.start_wealth["ingrid"] += 20 * DEPOSIT
        for _ in range(4):
            world.step_time()
        pairs = ((alice, ingrid, True), (bob, ingrid, False), (alice, bob, False))
        for one, two, draw in pairs:
            offered = one.do(
                CommandOffer(
                    two.peer,
                    two.account.address,
                    ETH,
                    Seconds(900),
                    one.nonce(),
                    Wei(DEPOSIT),
                    Wei(DEPOSIT),
                    draw,
                )
            )
            assert offered, one.faults
        for _ in range(12):
            world.talk()
            world.step_time()
        for actor in world.actors:
            held = [view.final.alice + view.final.bob for view in actor.channels()]
            assert held == [2 * DEPOSIT] * 2, (actor.name, held)
        # Something to pay in: one machine of two, one over the hub.
        for which, locks in ((1, 0), (0, 1)):
            assert self.users.machine(0, which, locks, 1_200)
            world.talk()
            world.step_time()
            world.talk()
        world.step_time()
        for actor in (alice, bob):
            listed = [instance.legs[0].status.name for instance in actor.instances()]
            assert listed == ["LISTED", "LISTED"], (actor.name, listed)

    def move(self, move: Move) -> None:
        """One move, then everything that must hold."""
        self.steps += 1
        if self.moves.make(move):
            self.world.seen[f"move {move[0]}"] += 1
        self.checker.after_step()
        self.wishes.after_step()

    def finish(self, *, polite: bool) -> None:
        """Everybody honest leaves; then all their money must be out."""
        self.wishes.settle()
        self.users.leave_all(polite=polite)
        self.checker.at_the_end(self.users.started_leaving)


def play(game: Game, disks: Disks = Disk) -> Play:
    """Plays a game to its end.

    Raises:
        Violated: something that must hold did not.
    """
    playing = Play(game.crooks, whole=game.whole, disks=disks)
    try:
        for move in game.moves:
            playing.move(move)
        playing.finish(polite=game.polite)
    except Exception as error:
        crooks, whole = game.crooks or "none", "; a whole game" if game.whole else ""
        error.add_note(f"at move {playing.steps} of {len(game.moves)}; crooks: {crooks}{whole}")
        raise
    finally:
        for actor in playing.world.actors:
            actor.store.close()
    return playing


__all__ = ["CASTS", "NAMES", "WEIGHTS", "Game", "Move", "Play", "Violated", "play"]
