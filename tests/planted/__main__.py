"""Plants every bug in turn: `python -m tests.planted [--games 150] [NAME …]`.

Prints which game caught it and by which rule; fails if one was not caught.
"""

from __future__ import annotations

import argparse
import sys

from tests.planted.bugs import BUGS
from tests.planted.hunt import catch


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted")
    parser.add_argument("--games", type=int, default=300, help="most games for one bug")
    parser.add_argument("names", nargs="*", help="only these bugs")
    arguments = parser.parse_args()
    missed = 0
    for bug in BUGS:
        if arguments.names and bug.name not in arguments.names:
            continue
        found = catch(bug, range(arguments.games))
        if found is None:
            missed += 1
            print(f"NOT CAUGHT  {bug.name}", flush=True)
        else:
            seed, error = found
            print(f"game {seed:4}  {bug.name}: {str(error)[:90]}", flush=True)
    print(f"{len(BUGS) - missed} of {len(BUGS)} caught" if not arguments.names else "")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
