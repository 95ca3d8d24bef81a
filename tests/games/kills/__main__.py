"""The long form: `python -m tests.games.kills [--kills 200] [--seed N] [--postgres]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from perun.node.keeping import Place
from tests.games.kills.hangman import Hangman, SignatureLost
from tests.support.postgres import Servers, servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.games.kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgres", action="store_true", help="stores on PostgreSQL")
    arguments = parser.parse_args()
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running: Servers | None = None
        places: Callable[[str], Place] = lambda name: folder / f"{name}.perun"  # noqa: E731
        if arguments.postgres:
            running = stack.enter_context(servers(durable=True))
            places = running.place_of
        hangman = stack.enter_context(Hangman(places, arguments.seed))
        hangman.add_machine()
        hangman.settle()
        hangman.tick()
        try:
            for number in range(arguments.kills):
                hangman.round(running)
                if number % 50 == 49:
                    hangman.reckon()
                    print(f"{number + 1} kills, {time.monotonic() - started:.0f} s", flush=True)
            hangman.reckon()
        except SignatureLost as lost:
            print(f"after {hangman.kills.total()} kills: {lost}")
            return 1
    print(f"{hangman.kills.total()} kills: {dict(hangman.kills)}; nothing lost or contradicted")
    for name, count in sorted(hangman.seen.items()):
        print(f"  {count:8} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
