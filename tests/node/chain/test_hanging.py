"""A node that hangs, for an hour and longer; nobody here waits, the clocks are the test's own."""

from __future__ import annotations

from typing import Any, Final

import pytest

from perun.bindings import ms_contract_calls
from perun.bindings.failures import NodeUnreachable
from perun.chain.reports import Blind, SeesAgain
from perun.chain.rpc import REQUEST_SECONDS
from perun.core.effects import Watch
from perun.core.inputs import ChainChannel
from perun.errors import ChainFault
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH
from tests.node.chain.conftest import ALICE, BOB, Site, Watcher

HOUR: Final = 3_600
BLOCK: Final = 12

METHODS: Final = (
    *("block", "finalized", "logs", "logs_of", "ask", "chain_now", "next_nonce", "balance"),
    *("tip", "estimate", "touched", "send", "mined"),
)
URGENT: Final = {"block", "next_nonce", "send"}
"""Who gets no answer to these sees nothing, or is heard by nobody."""


class Hour:
    """Bob's port, twenty channels of which he has one, and seconds that pass as questions hang."""

    def __init__(self, site: Site) -> None:
        self.site, self.now, self.asked = site, 0.0, 0
        site.open(ALICE, 100)
        self.watcher: Watcher = site.watcher(BOB)
        sight = self.watcher.port.sight
        sight._clock = lambda: self.now
        sight._arrived = sight._started = 0.0
        self.watcher.port.watch(site.watch)
        for number in range(19):
            self.watcher.port.watch(Watch(channel=bytes([number]) * 32, asset=ETH))  # type: ignore[arg-type]
        self.mined_at = 0.0
        self.longest = 0.0
        self.failures = 0

    def hang(self, *methods: str) -> None:
        """From now on these wait in vain, each for as long as a request may."""
        for method in methods:
            setattr(self.watcher.endpoint, method, self._hanging)

    def answer(self) -> None:
        """It answers again."""
        self.watcher.endpoint.__dict__ = {
            name: value
            for name, value in vars(self.watcher.endpoint).items()
            if name not in METHODS
        }

    def _hanging(self, *_: Any, **__: Any) -> Any:
        self.now += REQUEST_SECONDS
        self.asked += 1
        raise NodeUnreachable("ReadTimeout")

    def look(self) -> None:
        """A round, and the pause after it, as the port's own thread makes it."""
        self.blocks()
        began = self.now
        try:
            self.watcher.poll()
            self.failures = 0
        except ChainFault:
            self.failures += 1
        self.longest = max(self.longest, self.now - began)
        for it in self.watcher.inputs:
            if isinstance(it, ChainChannel) and it.id == self.site.id and it.head.dispute:
                self.watcher.port.submit(self.site.register(2))
        seen = self.watcher.port._sees
        self.now += 1.0 if seen or not self.failures else min(2.0**self.failures, 10.0)

    def blocks(self) -> None:
        """Those that have come meanwhile."""
        while self.mined_at + BLOCK <= self.now:
            self.site.chain.mine()
            self.mined_at += BLOCK

    @property
    def answered(self) -> bool:
        query = ms_contract_calls.dispute(self.site.deployment.contract.contract, ETH, self.site.id)
        node = ScriptedEndpoint(self.site.chain)
        return node.ask(query, self.site.chain.head.number).version == 2


def test_silence_of_an_hour_is_told_once_in_seconds_and_ends_with_it(site: Site) -> None:
    hour = Hour(site)
    for _ in range(5):
        hour.look()
    hour.hang(*METHODS)
    began = hour.now
    while not hour.watcher.of(Blind):
        hour.look()
    assert hour.now - began <= 3 * (REQUEST_SECONDS + 10)
    while hour.now < began + HOUR:
        hour.look()
    assert len(hour.watcher.of(Blind)) == 1
    assert hour.asked <= HOUR / REQUEST_SECONDS
    health = hour.watcher.port.health
    assert health.age is not None
    assert health.age >= HOUR
    assert health.blind_since is not None

    site.act(ALICE, site.call(site.register(1)))
    hour.answer()
    for _ in range(4):
        hour.look()
        site.chain.mine()
    assert hour.answered
    assert len(hour.watcher.of(SeesAgain)) == 1


@pytest.mark.parametrize("method", METHODS)
def test_one_question_that_hangs_for_an_hour_keeps_nothing_back(site: Site, method: str) -> None:
    hour = Hour(site)
    for _ in range(5):
        hour.look()
    hour.hang(method)
    while hour.now < HOUR / 2:
        hour.look()
    began = hour.now
    site.act(ALICE, site.call(site.register(1)))
    while hour.now < HOUR and not hour.answered:
        hour.look()
    if method in URGENT:
        assert hour.watcher.of(Blind)
        hour.answer()
        for _ in range(6):
            hour.look()
            site.chain.mine()
    else:
        assert hour.now - began <= 10 * BLOCK
    assert hour.longest <= 3 * REQUEST_SECONDS
    assert hour.answered
