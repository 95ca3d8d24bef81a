"""Which core test notices a wrong effect: `python -m tests.games.planted.core [NAME …]`.

Each bug is planted in a process of its own, forked from one in which everything is imported.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from perun.core.effects import Effect
from tests.games.planted.bugs import Bug, planted
from tests.games.planted.effects import BUGS, kinds_of, passed_through

CORE = Path(__file__).parents[2] / "core"


class _First:
    """The first test that failed."""

    def __init__(self) -> None:
        self.id: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.id is None:
            self.id = report.nodeid


class _Reach:
    """Which tests make effects about what."""

    def __init__(self) -> None:
        self.tests: dict[type, list[str]] = {}
        self._now = ""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._now = item.nodeid

    def note(self, effect: Effect) -> Iterable[Effect]:
        for kind in kinds_of(effect):
            tests = self.tests.setdefault(kind, [])
            if tests[-1:] != [self._now]:
                tests.append(self._now)
        yield effect


def reach() -> dict[type, list[str]]:
    """By kind of transaction, message or notice: the core's tests that make one."""
    found = _Reach()
    with planted(passed_through(found.note)), contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-n0", "-p", "no:cacheprovider", str(CORE)], plugins=[found])
    return found.tests


def noticed(bug: Bug, *tests: str) -> str | None:
    """The first of the core's tests that fails with the bug; None: it lives."""
    first = _First()
    words = ["-x", "-q", "-n0", "-p", "no:cacheprovider", *tests]
    with planted(bug), contextlib.redirect_stdout(io.StringIO()):
        pytest.main(words, plugins=[first])
    return first.id


def _in_a_fork(bug: Bug, tests: Iterable[str]) -> str | None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        found = noticed(bug, *tests)
        os.write(writing, (found or "").encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        found = pipe.read()
    os.waitpid(child, 0)
    return found or None


def main() -> int:
    lives = 0
    tests = reach()
    for bug in BUGS:
        if sys.argv[1:] and bug.name not in sys.argv[1:]:
            continue
        about = tests.get(bug.kind, [])
        found = _in_a_fork(bug, about) if about else None
        lives += found is None
        print(f"{bug.name}: {found or 'LIVES'}", flush=True)
    return 1 if lives else 0


if __name__ == "__main__":
    sys.exit(main())
