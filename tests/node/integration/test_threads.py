"""Nodes and chain ports on threads of their own, as a program would run them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from perun.chain.anvil import Anvil
from perun.chain.reports import Unreachable
from perun.core.inputs import CommandOffer
from perun.demo.character import Character
from perun.demo.stage import ETHER, Stage
from perun.node import NodeThread
from perun.types import ETH, Nonce, Seconds, Wei

pytestmark = pytest.mark.chain

PATIENCE = 30.0


class Bell:
    """Rings when something has happened; waiting for it is bounded."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self, *_: object) -> None:
        self._rung.set()

    def wait_and_reset(self) -> None:
        assert self._rung.wait(PATIENCE), "nothing happened"
        self._rung.clear()


def ring_after_inputs(party: Character, bell: Bell) -> None:
    """Whenever the chain port has handed its node something."""
    inbox = party.chain._inbox
    party.chain._inbox = lambda inputs: (inbox(inputs), bell.ring())


def test_channel_is_opened_by_nodes_on_threads(anvil: Anvil, tmp_path: Path) -> None:
    anvil.set_automine(True)
    stage = Stage(anvil, tmp_path, seed=9)
    alice, bob = stage.enter("Alice"), stage.enter("Bob")
    anvil.set_automine(False)
    anvil.mine()
    stage.sync()
    bell = Bell()
    threads = []
    for party in (alice, bob):
        ring_after_inputs(party, bell)
        threads.append(NodeThread(party.node))
        threads[-1].start()
        party.chain.start(interval=0.01)
    try:
        amounts = (Wei(ETHER), Wei(ETHER))
        alice.do(CommandOffer(bob.peer, bob.address, ETH, Seconds(600), Nonce(1), *amounts))
        for _ in range(400):
            finals = [
                (view.final.alice, view.final.bob)
                for party in (alice, bob)
                for view in party.books.channels.values()
            ]
            if finals == [amounts, amounts]:
                break
            anvil.mine()
            stage.sync()
            bell.wait_and_reset()
        assert finals == [amounts, amounts]
    finally:
        for party in (alice, bob):
            party.chain.stop()
        for thread in threads:
            thread.stop()
        for party in (alice, bob):
            party.cut_power()


def test_port_goes_on_when_the_node_comes_back(anvil: Anvil, tmp_path: Path) -> None:
    anvil.set_automine(True)
    stage = Stage(anvil, tmp_path, seed=10)
    alice = stage.enter("Alice")
    anvil.set_automine(False)
    reports: list[object] = []
    bell = Bell()
    alice.chain._report = lambda report: (reports.append(report), bell.ring())
    url, provider = anvil.url, alice.chain.follower._reading.web3.provider
    provider.endpoint_uri = "http://127.0.0.1:9"
    alice.chain.start(interval=0.01)
    try:
        bell.wait_and_reset()
        bell.wait_and_reset()
        assert [report.failures for report in reports[:2]] == [1, 2]
        assert all(isinstance(report, Unreachable) for report in reports[:2])
        provider.endpoint_uri = url
        arrived = Bell()
        ring_after_inputs(alice, arrived)
        anvil.mine()
        arrived.wait_and_reset()
        head = anvil.endpoint().block()
        assert alice.chain.follower.head == head
    finally:
        alice.chain.stop()
        alice.cut_power()
