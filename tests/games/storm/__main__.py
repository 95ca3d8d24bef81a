"""The soak: `python -m tests.games.storm --minutes 10 [--seed N] [--only NAME …]`.

Plays games until the time is over and prints which quirks were met and how often, what was
answered, who told that he was blind, and how many wei are missing. At the first game that goes
wrong it prints its seed and its script, and ends with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import SystemRandom

from perun.testing.bent.catalogue import CATALOGUE
from perun.testing.bent.double import Kind, Server
from tests.games.storm.voyage import Tally, Violated, Voyage


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.games.storm")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="first game's number; random if not given")
    parser.add_argument("--games", type=int, help="end after so many")
    parser.add_argument("--only", nargs="+", default=[], help="quirks by name, and no others")
    arguments = parser.parse_args()
    kinds = tuple(kind for kind in CATALOGUE if kind.name in arguments.only)
    if len(kinds) < len(arguments.only):
        parser.error("the quirks are: " + ", ".join(kind.name for kind in CATALOGUE))
    seed = arguments.seed if arguments.seed is not None else SystemRandom().getrandbits(32)
    server, tally, started = Server(), Tally(), time.monotonic()
    until = started + arguments.minutes * 60
    print(f"games from number {seed}")
    try:
        while time.monotonic() < until and tally.games != arguments.games:
            voyage = play(seed, server, kinds)
            if voyage is None:
                return 1
            tally.add(voyage)
            seed += 1
    finally:
        server.close()
    _show(tally, time.monotonic() - started)
    never, missed = tally.never(kinds or CATALOGUE), tally.missed(kinds or CATALOGUE)
    if never and arguments.games is None:
        print("not met yet:", ", ".join(never))
    if missed:
        print("never met, in enough games:", ", ".join(missed))
    return 1 if tally.missing or missed else 0


def play(seed: int, server: Server, only: tuple[Kind, ...] = ()) -> Voyage | None:
    """One game; None if it went wrong, which has been printed."""
    with tempfile.TemporaryDirectory() as folder:
        voyage = Voyage(seed, Path(folder), server, only=only or None)
        try:
            voyage.play()
        except Exception as error:
            print(f"\ngame {seed} failed: {type(error).__name__}: {error}")
            if not isinstance(error, Violated):
                traceback.print_exc()
            tagged = ", finality by the node's tag" if voyage.tag else ""
            print(f"Bob's money is watched by: {voyage.mode}{tagged}")
            for line in voyage.script:
                print("  ", line)
            print(f"again: python -m tests.games.storm --games 1 --seed {seed}")
            return None
        finally:
            voyage.close()
        return voyage


def _show(tally: Tally, seconds: float) -> None:
    print(f"\n{tally.games} games in {seconds:.0f} s")
    for title, counts in (("answers bent by", tally.met), ("what happened", tally.seen)):
        print(f"\n{title}")
        for name, count in sorted(counts.items()):
            of = f", in {tally.had[name]} games" if counts is tally.met else ""
            print(f"  {count:8} {name}{of}")
    print(f"\n{tally.missing} wei are missing")


if __name__ == "__main__":
    sys.exit(main())
