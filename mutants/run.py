"""Breaks the contracts, one way at a time, and runs the committed tests against each.

A mutant is compiled in a project folder of its own below `build/mutants`; compiled mutants and
verdicts are kept there, by the content of everything that went in, so a second run is short.
The quick stateful tests go first, since they catch most; the contract tests follow for the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from mutants.catalogue import CATALOGUE, Mutant
from populus.exceptions import CompilerError
from populus.project import Project

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutants"
VERDICTS = BUILD / "verdicts.json"

SUITES: tuple[tuple[str, ...], ...] = (
    ("tests/stateful/test_machine.py",),
    (
        "tests/lib_signatures",
        "tests/hash_time_lock",
        "tests/vpm",
        "tests/ms_contract",
        "tests/redteam",
        "tests/museum",
    ),
)
"""What may catch a mutant, the quickest first."""

SECONDS = 900
"""A mutant that makes the tests run for longer than this has been noticed, too."""


class NotApplicable(Exception):
    """The text that a mutant changes is not there, or the changed contract does not compile."""


@dataclass(frozen=True, slots=True)
class Verdict:
    caught_by: str | None
    """The test that failed; None: the mutant lives."""


def broken(mutant: Mutant) -> str:
    """The mutant's file, changed."""
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    start = text.find(mutant.after) if mutant.after else 0
    head, tail = text[:start], text[start:]
    found = tail.count(mutant.old)
    if start < 0 or found == 0 or (found > 1 and not mutant.after):
        raise NotApplicable(f"{mutant.name}: its text stands {found} times in {mutant.file}")
    return head + tail.replace(mutant.old, mutant.new, 1)


def prepare(mutant: Mutant | None) -> Path:
    """A compiled project with the mutant in it; without one, the control."""
    folder = BUILD / "projects" / (mutant.name if mutant else "control")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "contracts", folder / "contracts")
    shutil.copytree(ROOT / "tests" / "contracts", folder / "tests" / "contracts")
    cache = BUILD / "cache"
    cache.mkdir(exist_ok=True)
    (folder / "build").symlink_to(cache)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    config = json.loads((ROOT / "populus.json").read_text(encoding="utf-8"))
    for key in ("artifacts_dir", "test_artifacts_dir"):
        config["compilation"].pop(key, None)
    (folder / "populus.json").write_text(json.dumps(config), encoding="utf-8")
    if mutant:
        (folder / mutant.file).write_text(broken(mutant), encoding="utf-8")
    project = Project(folder)
    project.use_test_contracts()
    try:
        assert project.compiled_contract_data
    except CompilerError as error:
        raise NotApplicable(f"{mutant.name if mutant else 'control'}: {error}") from error
    return folder


def run_tests(folder: Path) -> Verdict:
    """The first committed test that fails against the contracts in `folder`."""
    environment = os.environ | {"PYTEST_POPULUS_PROJECT": str(folder)}
    for suites in SUITES:
        paths = [path for path in suites if (ROOT / path).exists()]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
        ]
        command += ["-p", "no:randomly", "--populus-project", str(folder), *paths]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return Verdict(f"no end after {SECONDS} s: {', '.join(paths)}")
        if done.returncode == 1:
            return Verdict(_failed(done.stdout))
        if done.returncode != 0:
            raise RuntimeError(done.stdout[-3000:] + done.stderr[-2000:])
    return Verdict(None)


def _failed(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" - ")[0].split(" ", 1)[1]
    return "a test"


def judge(mutant: Mutant) -> Verdict:
    folder = prepare(mutant)
    try:
        return run_tests(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------ many of them


def run(names: Sequence[str], jobs: int, fresh: bool) -> int:
    """Judge the mutants of these names (all if none is named). 0 if no unexplained one lives."""
    BUILD.mkdir(parents=True, exist_ok=True)
    chosen = [mutant for mutant in CATALOGUE if not names or mutant.name in names]
    tests = _digest([*(ROOT / "tests").rglob("*.py"), *(ROOT / "perun").rglob("*.py")])
    known = json.loads(VERDICTS.read_text()) if VERDICTS.exists() and not fresh else {}
    control = prepare(None)
    if (verdict := run_tests(control)).caught_by:
        print(f"the unbroken contracts fail: {verdict.caught_by}")
        return 2
    survivors: list[Mutant] = []
    problems: list[str] = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {}
        for mutant in chosen:
            try:
                key = _key(mutant, tests)
            except NotApplicable as problem:
                problems.append(str(problem))
                continue
            if key in known:
                _show(mutant, known[key], survivors)
            else:
                waiting[pool.submit(judge, mutant)] = (mutant, key)
        for done in as_completed(waiting):
            mutant, key = waiting[done]
            try:
                known[key] = done.result().caught_by
            except NotApplicable as problem:
                problems.append(str(problem))
                continue
            VERDICTS.write_text(json.dumps(known, indent=1))
            _show(mutant, known[key], survivors)
    return _conclude(len(chosen), survivors, problems)


def _show(mutant: Mutant, caught_by: str | None, survivors: list[Mutant]) -> None:
    if caught_by is None:
        survivors.append(mutant)
    fate = f"caught by {caught_by}" if caught_by else "LIVES"
    if not caught_by and mutant.equivalent:
        fate = f"lives: {mutant.equivalent}"
    print(f"{mutant.name:32} {fate}", flush=True)


def _conclude(count: int, survivors: Sequence[Mutant], problems: Sequence[str]) -> int:
    unexplained = [mutant.name for mutant in survivors if not mutant.equivalent]
    explained = len(survivors) - len(unexplained)
    caught = count - len(survivors) - len(problems)
    print(f"\n{count} mutants: {caught} caught, {explained} equivalent, {len(unexplained)} live")
    for name in unexplained:
        print(f"  lives: {name}")
    for problem in problems:
        print(f"  not applicable: {problem}")
    return 1 if unexplained or problems else 0


def _key(mutant: Mutant, tests: str) -> str:
    sources = list((ROOT / "contracts").rglob("*.sol"))
    whole = _digest(sources) + broken(mutant) + tests
    return mutant.name + "-" + hashlib.sha256(whole.encode()).hexdigest()[:16]


def _digest(paths: Iterable[Path]) -> str:
    content = hashlib.sha256()
    for path in sorted(paths):
        if "__pycache__" not in path.parts:
            content.update(path.read_bytes())
    return content.hexdigest()
