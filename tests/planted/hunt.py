"""Playing games with a bug in the node until one fails."""

from __future__ import annotations

from collections.abc import Iterable

from tests.planted.bugs import Bug, planted
from tests.simulation.deep import drawn, failure

LENGTH = 120


def catch(bug: Bug, seeds: Iterable[int]) -> tuple[int, BaseException] | None:
    """The first of these games that notices, and what it says."""
    with planted(bug):
        for seed in seeds:
            error = failure(drawn(seed, LENGTH))
            if error is not None:
                return seed, error
    return None
