"""Blindness is told in seconds, once, with since when; by clocks of the test's own."""

from __future__ import annotations

import threading

import pytest

from perun.chain.endpoint import Block
from perun.chain.reports import Blind, Report, SeesAgain, Stopped
from perun.chain.sight import Sight
from perun.types import Seconds, UnixTime, Wei
from tests.node.chain.conftest import Site

TODAY = 1_800_000_000


class Watch:
    """Both clocks; the second may be set."""

    def __init__(self) -> None:
        self.now = 100.0
        self.set_by = 0.0
        self.reports: list[Report] = []
        self.sight = Sight(
            Seconds(300),
            self.reports.append,
            clock=lambda: self.now,
            today=lambda: TODAY + self.now - 100 + self.set_by,
        )

    def block(self, number: int) -> None:
        self.sight.arrived(Block(number, bytes((number,)) * 32, UnixTime(5), Wei(0)))


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_one_failure_is_not_blindness(watch: Watch) -> None:
    watch.block(1)
    watch.sight.rounded("cut off")
    assert watch.sight.blind is None
    watch.sight.rounded(None)
    assert watch.reports == []


def test_some_failures_in_a_row_are(watch: Watch) -> None:
    watch.block(1)
    for _ in range(3):
        watch.sight.rounded("cut off")
        watch.now += 1
    assert watch.reports == [Blind(UnixTime(TODAY), "cut off")]


def test_seconds_of_failure_are_and_any_thread_learns_it(watch: Watch) -> None:
    watch.sight.rounded("cut off")
    watch.now += 6  # the next question hangs
    assert watch.sight.blind == (TODAY, "cut off")


def test_it_is_told_once_and_its_end_too(watch: Watch) -> None:
    for _ in range(9):
        watch.sight.rounded("cut off")
    watch.sight.rounded(None)
    watch.sight.rounded(None)
    assert watch.reports == [Blind(UnixTime(TODAY), "cut off"), SeesAgain(UnixTime(TODAY))]


def test_node_that_shows_the_same_block_for_ever_is_not_seeing(watch: Watch) -> None:
    watch.block(1)
    for _ in range(20):
        watch.now += 20
        watch.block(1)
        watch.sight.rounded(None)
    assert [type(said) for said in watch.reports] == [Blind]
    assert watch.sight.blind is not None
    assert watch.sight.blind[0] == TODAY
    watch.block(2)
    watch.sight.rounded(None)
    assert [type(said) for said in watch.reports] == [Blind, SeesAgain]


@pytest.mark.parametrize("hours", [-24, 24])
def test_setting_the_clock_makes_nothing_older_or_newer(watch: Watch, hours: int) -> None:
    watch.block(1)
    watch.now += 10
    watch.set_by = hours * 3_600.0
    assert watch.sight.age == 10
    assert watch.sight.blind is None
    watch.now += 400
    assert watch.sight.age == 410
    assert watch.sight.blind is not None


def test_port_that_a_bug_ends_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: ended.set())
    watcher = site.watcher()

    def bug() -> None:
        raise KeyError("a bug")

    watcher.port.follower.poll = bug  # type: ignore[method-assign,assignment]
    watcher.port.start(0.001)
    assert ended.wait(60)
    watcher.port.stop()
    assert isinstance(watcher.port.failed, KeyError)
    assert watcher.of(Stopped)
    assert "a bug" in watcher.port.health.failed
    assert watcher.port.blind_since is not None


def test_health_of_a_port_that_sees(site: Site) -> None:
    watcher = site.watcher()
    watcher.poll()
    health = watcher.port.health
    assert health.head == site.chain.head
    assert health.age is not None
    assert (health.blind_since, health.reason, health.doubts, health.failed) == (None, "", 0, "")


def test_old_blocks_that_replicas_show_in_turn_are_no_sign_of_life(watch: Watch) -> None:
    for _ in range(302):
        watch.now += 1
        for number in (3, 1, 2):
            watch.block(number)
        watch.sight.rounded(None)
    assert watch.reports == [Blind(UnixTime(TODAY + 1), "no new block for 300 seconds")]
    watch.block(4)
    watch.sight.rounded(None)
    assert isinstance(watch.reports[-1], SeesAgain)
