"""The deep run: `python -m tests.games.simulation --minutes 10 [--seed N] [--length N]
[--postgres]`.

Plays games until the time is over and prints how many steps were run, how many a minute, and how
often each thing happened; fails if a game failed, or something never happened that surely happens
in so many steps. A failure is made smaller and written to `build/simulation`, from where
`--replay FILE` plays it again.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from random import SystemRandom

from tests.games.simulation.deep import Tally, drawn, failure, keep, missed, never, smaller
from tests.games.simulation.disk import Disk
from tests.games.simulation.game import Game, play
from tests.games.simulation.postgres_disk import postgres_disks
from tests.games.simulation.theatre import Disks
from tests.support.postgres import servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.games.simulation")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="first game's number; random if not given")
    parser.add_argument("--length", type=int, default=150, help="moves in a game")
    parser.add_argument("--replay", type=Path, help="a game that was written down")
    parser.add_argument("--postgres", action="store_true", help="stores on PostgreSQL")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        disks: Disks = Disk
        if arguments.postgres:
            disks = postgres_disks(stack.enter_context(servers()))
        if arguments.replay:
            return _replay(arguments.replay, disks)
        seed = arguments.seed if arguments.seed is not None else SystemRandom().getrandbits(32)
        return _search(seed, arguments.minutes * 60, arguments.length, disks)


def _search(seed: int, seconds: float, length: int, disks: Disks) -> int:
    print(f"games from number {seed}, {length} moves each")
    tally, started, shown = Tally(), time.monotonic(), 0.0
    while (spent := time.monotonic() - started) < seconds:
        game = drawn(seed, length)
        try:
            tally.add(play(game, disks))
        except Exception as error:
            print(f"game {seed} failed: {error} {getattr(error, '__notes__', '')}")
            return _report(game, disks)
        seed += 1
        if spent - shown > 30:
            shown = spent
            print(f"{spent:6.0f} s: {tally.steps} steps, {tally.steps / spent * 60:.0f} a minute")
    spent = time.monotonic() - started
    print(f"\n{tally.steps} steps in {tally.games} games, {tally.steps / spent * 60:.0f} a minute")
    for name, count in sorted(tally.seen.items()):
        print(f"  {count:8} {name}")
    if rest := never(tally):
        print("not yet:", ", ".join(rest))
    if missing := missed(tally):
        print("never happened, in enough steps:", ", ".join(missing))
    return 1 if missing else 0


def _report(game: Game, disks: Disks) -> int:
    small = smaller(game, disks=disks)
    error = failure(small, disks)
    assert error is not None
    print(f"{len(small.moves)} moves are enough: {error}")
    for move in small.moves:
        print("  ", *move)
    print(f"written to {keep(small, error)}")
    return 1


def _replay(path: Path, disks: Disks) -> int:
    error = failure(Game.read(path), disks)
    if error is None:
        print("nothing goes wrong")
        return 0
    traceback.print_exception(error)
    return 1


if __name__ == "__main__":
    sys.exit(main())
