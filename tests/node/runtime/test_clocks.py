"""What a clock shows and what it has counted are two things."""

from __future__ import annotations

import time

import pytest

from perun.core.inputs import Tick
from perun.node.clocks import SystemClock, Ticker
from perun.types import UnixTime


class Shown:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.time = 1_000

    def now(self) -> UnixTime:
        return UnixTime(self.time)


class Counted(Shown):
    """… and that counts by itself."""

    count = 77.5

    def counted(self) -> float:
        return self.count


def tick(ticker: Ticker) -> tuple[int, int]:
    made = ticker.tick()
    assert made is not None
    return made.clock, made.wall


def test_time_that_a_clock_is_set_back_has_not_passed() -> None:
    clock = Shown()
    ticker = Ticker(clock)
    assert tick(ticker) == (1_000, 1_000)
    clock.time = 1_010
    assert tick(ticker) == (1_010, 1_010)
    clock.time = 500
    assert tick(ticker) == (1_010, 500)
    clock.time = 507
    assert tick(ticker) == (1_017, 507)


def test_counting_clock_goes_on_whatever_it_is_set_to() -> None:
    clock = Counted()
    ticker = Ticker(clock)
    assert tick(ticker) == (1_000, 1_000)
    clock.count += 10.9
    assert tick(ticker) == (1_010, 1_000)  # a clock that stands still
    clock.time = 9_000
    assert tick(ticker) == (1_010, 9_000)
    clock.count -= 5
    clock.time = 1
    assert tick(ticker) == (1_010, 1)


def test_no_tick_without_another_second() -> None:
    ticker = Ticker(Counted())
    assert ticker.tick() == Tick(UnixTime(1_000), UnixTime(1_000))
    assert ticker.tick() is None


def test_system_clock_shows_what_it_is_set_to(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    ticker = Ticker(clock)
    first = tick(ticker)
    monkeypatch.setattr(time, "time", lambda: first[1] - 36_000.0)
    second = tick(ticker)
    assert second[1] == first[1] - 36_000
    assert first[0] <= second[0] < first[0] + 600
