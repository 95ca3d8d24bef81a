"""Plants every bug in turn: `python -m tests.games.planted [--games 100] [NAME …]`.

Prints which game or story caught it; fails if one was not caught.
"""

from __future__ import annotations

import argparse
import sys

from tests.games.planted.bugs import BUGS
from tests.games.planted.hunt import catch


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.games.planted")
    parser.add_argument("--games", type=int, default=100, help="most games for one bug")
    parser.add_argument("names", nargs="*", help="only these bugs")
    arguments = parser.parse_args()
    tried = missed = 0
    for bug in BUGS:
        if arguments.names and bug.name not in arguments.names:
            continue
        tried += 1
        found = catch(bug, range(arguments.games))
        missed += found is None
        print(f"{bug.name}: {'NOT CAUGHT' if found is None else found[:100]}", flush=True)
    print(f"{tried - missed} of {tried} planted bugs caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
