"""Breaks the contracts, one way at a time, and runs the committed tests against each.

First every mutant plays the games of `tests/games/stateful/test_machine.py` in process, with only
the changed contract compiled anew: that catches most within seconds. Those that are left meet the
contract tests. Verdicts are kept below `build/mutants`, by the content of the contracts and tests
that led to them.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from pathlib import Path

from mutants.catalogue import CATALOGUE, NEAR, Mutant
from mutants.quick import NotApplicable, broken, compiled, play_games

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutants"
VERDICTS = BUILD / "verdicts.json"

GAMES = ("tests/games/stateful", "perun/spec")
SUITES = (
    "tests/contracts/lib_signatures",
    "tests/contracts/hash_time_lock",
    "tests/contracts/coin_flip",
    "tests/contracts/rock_paper_scissors",
    "tests/contracts/turn_game",
    "tests/contracts/escrow",
    "tests/contracts/hash_chain",
    "tests/contracts/price_bet",
    "tests/contracts/gate",
    "tests/contracts/vpm",
    "tests/contracts/libraries",
    "tests/contracts/interface",
    "tests/contracts/ms_contract",
    "tests/attacks/contracts",
    "tests/attacks/regression",
    "tests/attacks/redteam",
)
"""What may catch a mutant that the games let live."""

SECONDS = 1800
"""A mutant that makes the tests run for longer than this has been noticed, too."""

Verdicts = dict[str, str | None]
"""What caught a mutant (None: nothing), by name and content."""


# ------------------------------------------------------------------------------- the contract tests


def judge(mutant: Mutant | None) -> str | None:
    """The first contract test that fails against the mutant (None: the contracts as they are).

    The tests nearest to its sentence, then those of its own contract go first.
    """
    stem = Path(mutant.file).stem if mutant else ""
    near = {
        "VPM": "tests/contracts/vpm",
        "MachineTerms": "tests/contracts/vpm",
        "HashTimeLock": "tests/contracts/hash_time_lock",
        "CoinFlip": "tests/contracts/coin_flip",
        "RockPaperScissors": "tests/contracts/rock_paper_scissors",
        "TurnGame": "tests/contracts/turn_game",
        "Escrow": "tests/contracts/escrow",
        "HashChain": "tests/contracts/hash_chain",
        "PriceBet": "tests/contracts/price_bet",
        "Gate": "tests/contracts/gate",
        "GameRecord": "tests/contracts/turn_game",
        "LibSignatures": "tests/contracts/lib_signatures",
    }
    first = near.get(stem, "tests/contracts/ms_contract")
    paths = NEAR.get(mutant.sentence, []) if mutant else []
    paths = [*paths, *sorted(SUITES, key=lambda suite: suite != first)]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    environment = dict(os.environ)
    if mutant:
        command += ["-p", "mutants.plugin"]
        environment["PERUN_MUTANT"] = str(compiled(mutant))
    try:
        done = subprocess.run(
            [*command, *paths],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {SECONDS} s"
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-2000:])
    return _failed(done.stdout) if done.returncode == 1 else None


def _failed(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" - ")[0].split(" ", 1)[1]
    return "a test"


# ------------------------------------------------------------------------------------ many of them


def run(names: Sequence[str], jobs: int, fresh: bool) -> int:
    """Judge the mutants of these names (all if none is named). 0 if no unexplained one lives."""
    BUILD.mkdir(parents=True, exist_ok=True)
    chosen = [mutant for mutant in CATALOGUE if not names or mutant.name in names]
    known: Verdicts = json.loads(VERDICTS.read_text()) if VERDICTS.exists() and not fresh else {}
    problems: list[str] = []
    caught: Verdicts = {}

    games = _digest(GAMES)
    if failed := play_games(None):
        print(f"the unbroken contracts fail: {failed}")
        return 2
    with ProcessPoolExecutor(jobs) as processes:
        _judge(chosen, games, known, caught, problems, lambda m: processes.submit(play_games, m))
    left = [mutant for mutant in chosen if mutant.name in caught and not caught[mutant.name]]
    print(f"\n{len(left)} are left for the contract tests", flush=True)
    if left and (failed := judge(None)):
        print(f"the unbroken contracts fail: {failed}")
        return 2
    with ThreadPoolExecutor(jobs) as threads:
        suites = _digest((*SUITES, "tests/support"))
        _judge(left, suites, known, caught, problems, lambda m: threads.submit(judge, m))
    return _conclude(chosen, caught, problems)


def _judge(chosen, tests, known, caught, problems, submit) -> None:  # type: ignore[no-untyped-def]
    """Fill `caught` with verdicts, known or new, and keep the new ones."""
    waiting = {}
    for mutant in chosen:
        try:
            key = _key(mutant, tests)
        except NotApplicable as problem:
            problems.append(str(problem))
            continue
        if key in known:
            caught[mutant.name] = known[key]
        else:
            waiting[submit(mutant)] = (mutant, key)
    for done in as_completed(waiting):
        mutant, key = waiting[done]
        try:
            caught[mutant.name] = known[key] = done.result()
        except NotApplicable as problem:
            problems.append(str(problem))
            continue
        VERDICTS.write_text(json.dumps(known, indent=1))
        print(f"{mutant.name:32} {known[key] or 'lives so far'}", flush=True)


def _conclude(chosen: Sequence[Mutant], caught: Verdicts, problems: Sequence[str]) -> int:
    alive = [mutant for mutant in chosen if mutant.name in caught and not caught[mutant.name]]
    unexplained = [mutant.name for mutant in alive if not mutant.equivalent]
    noticed = [m.name for m in chosen if m.equivalent and caught.get(m.name)]
    print(
        f"\n{len(chosen)} mutants: {sum(map(bool, caught.values()))} caught, "
        f"{len(alive) - len(unexplained)} equivalent, {len(unexplained)} live"
    )
    for mutant in alive:
        print(f"  {mutant.name}: {mutant.equivalent or 'LIVES'}")
    for name in noticed:
        print(f"  said to be equivalent, but caught: {name}")
    for problem in problems:
        print(f"  not applicable: {problem}")
    return 1 if unexplained or problems else 0


def _key(mutant: Mutant, tests: str) -> str:
    whole = _digest(("contracts",)) + broken(mutant) + tests
    return mutant.name + "-" + hashlib.sha256(whole.encode()).hexdigest()[:16]


def _digest(folders: Iterable[str]) -> str:
    content = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sol"):
                content.update(path.read_bytes())
    return content.hexdigest()
