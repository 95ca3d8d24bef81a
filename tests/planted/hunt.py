"""Playing games, then telling stories, with a bug in the node until one fails."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.planted.bugs import Bug, planted
from tests.simulation.deep import drawn, failure

LENGTH = 120
_STORIES = Path(__file__).parents[1] / "scenarios"


def catch(bug: Bug, seeds: Iterable[int], *, stories: bool = True) -> str | None:
    """The first of these games, or the first story, that notices, and what it says."""
    with planted(bug):
        for seed in seeds:
            error = failure(drawn(seed, LENGTH))
            if error is not None:
                return f"game {seed}: {error}"
        return _story() if stories else None


class _First:
    """Remembers the first test that failed."""

    def __init__(self) -> None:
        self.name: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest."""
        if report.failed and self.name is None:
            self.name = report.nodeid.rpartition("::")[2]


def _story() -> str | None:
    first = _First()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-x", "-q", "-p", "no:cacheprovider", str(_STORIES)], plugins=[first])
    return first.name
