"""The deep run: `python -m tests.games.stateful --minutes 10 [--seed N]`.

Plays games until the time is over and prints what they saw. Ends with an error if a game failed,
or if a function never succeeded or an error was never raised. A failure is made smaller, written
to `build/stateful/failure.json` and replayed on eth-tester, and on anvil if it is installed:
`python -m tests.games.stateful --replay build/stateful/failure.json` does that again.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random, SystemRandom

from tests.games.stateful.codec import ROOT
from tests.games.stateful.games import STEPS, GameFailed, Tally, play_moves, run, shrink
from tests.games.stateful.nodes import anvil
from tests.games.stateful.play import Play
from tests.games.stateful.replay import Anvil, PyEvm, differences, read, replay, write

FAILURE = ROOT / "build" / "stateful" / "failure.json"
NEEDED_MOVES = 80_000
"""A shorter run is not asked to have seen everything; the rarest comes once in 4,000 moves."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.games.stateful")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="first game's number; random if not given")
    parser.add_argument("--replay", type=Path, help="a written trace, to be played on other chains")
    arguments = parser.parse_args()
    if arguments.replay:
        return _replay(arguments.replay)
    seed = arguments.seed if arguments.seed is not None else SystemRandom().getrandbits(32)
    return _search(seed, arguments.minutes * 60)


def _search(seed: int, seconds: float) -> int:
    print(f"games from seed {seed}, {STEPS} moves each")
    tally, started, shown = Tally(), time.monotonic(), 0.0
    while (spent := time.monotonic() - started) < seconds:
        try:
            run(seed, tally)
        except GameFailed as failed:
            print(f"game {seed} failed {failed}")
            _report(failed)
            return 1
        seed += 1
        if spent - shown > 30:
            shown = spent
            print(f"{spent:6.0f} s: {tally.steps} moves, {tally.steps / spent * 60:.0f} a minute")
    _print(tally, time.monotonic() - started)
    never = tally.never()
    if never:
        print("never seen:", ", ".join(never))
    return 1 if never and tally.steps >= NEEDED_MOVES else 0


def _print(tally: Tally, seconds: float) -> None:
    per_minute = tally.steps / seconds * 60
    print(f"\n{tally.steps} moves in {tally.games} games, {per_minute:.0f} moves a minute")
    for title, counter in (
        ("calls that succeeded", tally.succeeded),
        ("errors raised", tally.raised),
        ("checks", tally.checked),
    ):
        print(f"\n{title}")
        for name, count in sorted(counter.items()):
            print(f"  {count:8} {name}")
    print(f"\ncalls tried from inside a payment, all refused: {tally.hooks}")


def _report(failed: GameFailed) -> None:
    """Make the failing game smaller, write it down, play it elsewhere."""
    seeds = shrink(failed.seeds, seconds=60)
    play = Play(Random(0))
    with suppress(AssertionError):
        for seed in seeds:
            play.reseed(seed)
            play.step()
    try:
        play_moves(seeds)
    except GameFailed as smaller:
        print(f"\n{len(seeds)} moves are enough: {smaller}")
    write(FAILURE, play.arena.trace)
    print(f"written to {FAILURE}")
    _replay(FAILURE)


def _replay(path: Path) -> int:
    steps = read(path)
    found = differences(steps, replay(steps, PyEvm()))
    print("eth-tester:", "; ".join(found) or f"{len(steps)} transactions as on revm")
    with anvil() as url:
        if url:
            more = differences(steps, replay(steps, Anvil(url)))
            print("anvil:", "; ".join(more) or f"{len(steps)} transactions as on revm")
            found += more
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
