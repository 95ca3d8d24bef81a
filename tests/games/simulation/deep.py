"""Drawing games, counting what they saw, and making failures small."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from tests.games.simulation.disk import Disk
from tests.games.simulation.game import CASTS, WEIGHTS, Game, Move, Play, play
from tests.games.simulation.theatre import Disks

FAILURES = Path(__file__).parents[3] / "build" / "simulation"

_NAMES = tuple(WEIGHTS)
_NUMBER = 2**16

NEEDED = (
    "P1: conservation",
    "P2: honest purses counted",
    "P3: registered states were signed",
    "P4: instances that crossed an honest hub",
    "P5: exits in time",
    "K3: payments in both books",
    "blocks with crooks first",
    "channels closed by agreement",
    "dust deposits",
    "bets on chain",
    "bets void on chain",
    "deals on chain, rank 0",
    "deals on chain, rank 1",
    "deals on chain, rank 2",
    "flips and hands on chain",
    "streams on chain",
    "honest: bets removed by both",
    "honest: bets won",
    "honest: deals removed by both",
    "honest: deals won",
    "honest: flips and hands removed by both",
    "honest: flip won",
    "honest: hands won",
    "honest: streams removed by both",
    "honest: signed Chain",
    "honest: told TicksDelivered",
    "honest: told TicksReceived",
    "honest: games ended by both",
    "honest: games removed by both",
    "honest: replaced over the hub",
    "honest: signed Close",
    "honest: signed Move",
    "honest: signed Open",
    "honest: signed Position",
    "honest: signed Ready",
    "honest: signed Statement",
    "honest: signed Withdraw",
    "honest: told ChannelDisputed",
    "honest: told GameBegan",
    "honest: told InstanceRemoved",
    "honest: told PaymentReceived",
    "honest: told PaymentRefused",
    "honest: told PreimageLearnt",
    "honest: told ProposalHeld",
    "honest: told ProposalRefused",
    "honest: told Stuck",
    "honest: told TransferDone",
    "honest: told VirtualReady",
    "jumps in time",
    "moves on chain",
    "positions submitted",
    "power cuts",
    "registrations",
    "reorganisations",
    "restarts",
    "rounds cut off from the chain",
    "secrets revealed on chain",
    "settlements",
    "submissions",
    "stale copies with a mark",
    "stale copies without",
    "transactions left out of a block",
    "wire: ended GARBAGE",
    "wire: ended LEAVING",
    "wire: ended LOST",
    "wire: ended SILENT",
    "wire: malformed packets",
    "wire: sessions",
    "wish: pay done",
    "wish: refund done",
    "wish: request answered",
    "withdrawals",
)
"""What a deep run must have seen, besides every move."""

_USUAL = 1_000
"""Steps between two of what is not rare, at most …"""
RARE = {
    "honest: told ProposalHeld": 70_000,
    "bets void on chain": 30_000,
    "deals on chain, rank 2": 20_000,
    "honest: bets won": 10_000,
    "honest: deals won": 10_000,
    "bets on chain": 4_000,
    "deals on chain, rank 1": 3_000,
    "honest: flip won": 2_000,
    "honest: hands won": 2_000,
    "streams on chain": 2_000,
    "move let go": 2_000,
    "honest: told PreimageLearnt": 17_000,
    "move lie: reveal": 17_000,
    "move answer": 14_000,
    "flips and hands on chain": 10_000,
    "move close": 7_000,
    "stale copies without": 7_000,
    "secrets revealed on chain": 6_000,
    "honest: games ended by both": 6_000,
    "move give up": 4_000,
    "move clock": 3_000,
    "move reveal": 2_000,
    "wire: malformed packets": 2_000,
    "honest: replaced over the hub": 1_500,
    "honest: signed Move": 1_500,
    "stale copies with a mark": 1_500,
    "move put back": 1_500,
}
"""… and of what is, as counted in runs of 68,400 and, for the newest kinds, 30,000 steps."""
_SURELY = 20
"""So many times that distance without one is no luck: e to the minus 20th."""


@dataclass(slots=True)
class Tally:
    """What many games have seen."""

    steps: int = 0
    games: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, playing: Play) -> None:
        """Counts one game."""
        self.steps += playing.steps
        self.games += 1
        self.seen.update(playing.world.seen)
        for actor in playing.world.honest:
            assert actor.witness is not None
            self.seen.update({f"honest: {k}": v for k, v in actor.witness.seen.items()})


def never(tally: Tally) -> list[str]:
    """What has not happened once, and should have."""
    wanted = [*(f"move {name}" for name in _NAMES), *NEEDED]
    return [name for name in wanted if not tally.seen[name]]


def missed(tally: Tally) -> list[str]:
    """… and is no luck any more, after so many steps."""
    return [name for name in never(tally) if tally.steps >= _SURELY * RARE.get(name, _USUAL)]


def drawn(seed: int, length: int) -> Game:
    """A game by number: the cast goes round, the moves are drawn."""
    rng = Random(seed)
    names = rng.choices(_NAMES, tuple(WEIGHTS.values()), k=length)
    moves = tuple((name, *(rng.randrange(_NUMBER) for _ in range(4))) for name in names)
    round = seed // len(CASTS)
    return Game(CASTS[seed % len(CASTS)], moves, round % 2 == 0, seed % 3 != 0)


def games(most: int) -> st.SearchStrategy[Game]:
    """Games for hypothesis; leaving a move out is always possible, and numbers shrink to 0."""
    names = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
    number = st.integers(0, _NUMBER - 1)
    move: st.SearchStrategy[Move] = st.tuples(
        st.sampled_from(names), number, number, number, number
    )
    moves = st.lists(move, min_size=most // 2, max_size=most).map(tuple)
    return st.builds(Game, st.sampled_from(CASTS), moves, st.booleans(), st.booleans())


def failure(game: Game, disks: Disks = Disk) -> BaseException | None:
    """What goes wrong in a game, if anything does."""
    try:
        play(game, disks)
    except Exception as error:
        return error
    return None


def smaller(game: Game, examples: int = 400, disks: Disks = Disk) -> Game:
    """A game with as few and as simple moves as hypothesis finds that fails in the same way."""
    found = failure(game, disks)
    assert found is not None, "this game does not fail"
    wanted = kind_of(found)

    def thinned(choices: list[int]) -> Game:
        moves = tuple(
            move if choice == 2 else (move[0], *(number % 12 for number in move[1:]))
            for move, choice in zip(game.moves, choices, strict=True)
            if choice
        )
        return replace(game, moves=moves)

    def fails(choices: list[int]) -> bool:
        error = failure(thinned(choices), disks)
        return error is not None and kind_of(error) == wanted

    game = _halved(game, wanted, disks)
    # Whether each move stays, and with its numbers or small ones: hypothesis prefers 0, then 1.
    keep = st.lists(st.integers(0, 2), min_size=len(game.moves), max_size=len(game.moves))
    quick = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        return thinned(find(keep, fails, settings=quick, random=Random(0)))
    except NoSuchExample:
        return game


def _halved(game: Game, wanted: str, disks: Disks) -> Game:
    """Leaves out halves, quarters, … and single moves, which hypothesis would take long for."""
    moves = list(game.moves)
    size = len(moves) // 2
    while size:
        at = 0
        while at < len(moves):
            fewer = moves[:at] + moves[at + size :]
            error = failure(replace(game, moves=tuple(fewer)), disks)
            if error is not None and kind_of(error) == wanted:
                moves = fewer
            else:
                at += size
        size //= 2
    return replace(game, moves=tuple(moves))


def kind_of(error: BaseException) -> str:
    """By which two failures are the same: the rule, not its values."""
    return f"{type(error).__name__}: {str(error).split(':')[0]}"


def keep(game: Game, error: BaseException, folder: Path = FAILURES) -> Path:
    """Writes a failing game down, to be replayed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(repr(game).encode()).hexdigest()[:8]}.json"
    game.write(path)
    path.with_suffix(".txt").write_text(f"{error}\n{getattr(error, '__notes__', '')}\n")
    return path
