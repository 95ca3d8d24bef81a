"""`python -m mutants [NAME …] [--jobs 2] [--fresh]`: break the contracts, see who notices."""

from __future__ import annotations

import argparse
import sys

from mutants.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mutants")
    parser.add_argument("names", nargs="*", help="mutants to judge; all if none is named")
    parser.add_argument("--jobs", type=int, default=2, help="tests that run at the same time")
    parser.add_argument("--fresh", action="store_true", help="forget earlier verdicts")
    arguments = parser.parse_args()
    return run(arguments.names, arguments.jobs, arguments.fresh)


if __name__ == "__main__":
    sys.exit(main())
