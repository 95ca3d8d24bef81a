"""`python -m benchmarks.gas`: `--write` or `--check` the gas table."""

from __future__ import annotations

import argparse
import sys

from benchmarks.gas import files
from benchmarks.gas.goals import GOALS
from benchmarks.gas.measure import SEEDS, measure_all, measure_spread
from benchmarks.gas.nodes import anvil_node, project_with_token, tester_node


def main() -> int:
    """Exit code 1 if anything differs from what is committed, or a budget is overrun."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gas", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write JSON files, page and picture")
    mode.add_argument("--check", action="store_true", help="compare with what is committed")
    parser.add_argument("--node", choices=("tester", "anvil"), default="tester")
    options = parser.parse_args()

    start = tester_node if options.node == "tester" else anvil_node
    with start(project_with_token(str(files.ROOT))) as node:
        measured = measure_all(node)
        by_seed = [measure_spread(node, seed) for seed in SEEDS]
    spread = {goal.name: [gas[goal.name] for gas in by_seed] for goal in GOALS}

    old = files.read(files.GAS) if files.GAS.exists() else {}
    changed = list(files.differences(old, measured))
    if options.write:
        files.write(measured, spread)
    else:
        changed += files.differences(files.read(files.SPREAD), spread)
        for path, text in files.pages(measured, spread).items():
            if path.read_text(encoding="utf-8") != text:
                changed.append(f"{path.name} is not what the numbers make of it")
    overrun = [goal for goal in GOALS if goal.of(measured["rows"]) > goal.must]
    print(*changed, *(f"{goal.name} is over its budget" for goal in overrun), sep="\n")
    return 1 if overrun or (changed and options.check) else 0


if __name__ == "__main__":
    sys.exit(main())
