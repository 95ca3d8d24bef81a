"""The chain port against a real node: reorganisations, and processes killed in the middle."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from perun.bindings import ms_contract_calls
from perun.chain import ChainService, SqliteJournal
from perun.chain.anvil import Anvil
from perun.chain.memory import rich_key
from perun.chain.reports import Paid, Report
from perun.core.config import Deployment
from perun.core.effects import DepositMoney, OpenChannel, Submit, Watch
from perun.core.inputs import ChainChannel, Input
from perun.core.limits import limits_for
from perun.encoding import channel_id
from perun.types import ETH, Channel, ChannelId, Nonce, Seconds, UnixTime, Wei
from perun.wallet import KeyAccount

pytestmark = pytest.mark.chain


class Watcher:
    """A port of one rich account, and the last view of a channel it has reported."""

    def __init__(self, anvil: Anvil, deployment: Deployment, index: int) -> None:
        self.account = KeyAccount(rich_key(index))
        self.view: ChainChannel | None = None
        self.reports: list[Report] = []
        self.port = ChainService(
            anvil.endpoint(),
            deployment,
            self.account,
            self._take,
            limits=limits_for(deployment.contract.chain_id),
            report=self.reports.append,
        )

    def _take(self, inputs: tuple[Input, ...]) -> None:
        for item in inputs:
            if isinstance(item, ChainChannel):
                self.view = item

    def holdings(self) -> tuple[int, int]:
        """Alice's side in the newest and in the newest final block."""
        self.port.poll()
        assert self.view is not None
        return self.view.head.alice, self.view.final.alice


def terms(watcher: Watcher, nonce: int) -> Channel:
    bob = rich_key(9).address
    alice = watcher.account.address
    return Channel(alice, bob, alice, bob, ETH, Seconds(600), Nonce(nonce))


def newest(anvil: Anvil) -> int:
    block = anvil.endpoint().block()
    assert block is not None
    return block.time


def test_deposit_survives_a_reorganisation(anvil: Anvil, deployment: Deployment) -> None:
    watcher = Watcher(anvil, deployment, 1)
    channel = terms(watcher, 1)
    id = channel_id(deployment.contract, channel)
    watcher.port.watch(Watch(channel=id, asset=ETH, terms=channel))
    until = UnixTime(newest(anvil) + 300)
    watcher.port.submit(Submit(b"o" + id, OpenChannel(channel, Wei(70), until)))
    assert watcher.holdings() == (0, 0)
    anvil.mine()
    assert watcher.holdings() == (70, 0)
    anvil.request("anvil_reorg", 1, [])  # an empty block takes the place of ours
    assert watcher.holdings() == (0, 0)  # and the transaction is sent again
    anvil.mine()
    assert watcher.holdings() == (70, 0)
    anvil.mine(2)
    assert watcher.holdings() == (70, 70)
    (paid,) = [report for report in watcher.reports if isinstance(report, Paid)]
    assert paid.succeeded


def test_chain_put_back_behind_finality_is_read_again(anvil: Anvil, deployment: Deployment) -> None:
    watcher = Watcher(anvil, deployment, 2)
    channel = terms(watcher, 2)
    id = channel_id(deployment.contract, channel)
    watcher.port.watch(Watch(channel=id, asset=ETH, terms=channel))
    before = anvil.request("evm_snapshot")
    until = UnixTime(newest(anvil) + 300)
    watcher.port.submit(Submit(b"o" + id, OpenChannel(channel, Wei(70), until)))
    watcher.holdings()
    anvil.mine(4)
    assert watcher.holdings() == (70, 70)
    anvil.request("evm_revert", before)
    anvil.mine(4)
    assert watcher.holdings() == (0, 0)


def send_and_hang(
    anvil: Anvil, deployment: Deployment, index: int, file: Path, wish: Submit
) -> int:
    """A process of its own that sends, polls on, and never ends; its id, once it has sent."""
    ready, say = os.pipe()
    child = os.fork()
    if child:
        os.close(say)
        assert os.read(ready, 1) == b"!", "the process died before it had sent"
        os.close(ready)
        return child
    try:
        account = KeyAccount(rich_key(index))
        port = ChainService(
            anvil.endpoint(),
            deployment,
            account,
            lambda _: None,
            limits=limits_for(deployment.contract.chain_id),
            journal=SqliteJournal(file, account.address),
        )
        port.submit(wish)
        port.poll()
        os.write(say, b"!")
        while True:
            port.poll()
            signal.pause()
    finally:
        os._exit(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("mined_meanwhile", [False, True])
def test_killed_process_goes_on_and_pays_once(
    anvil: Anvil, deployment: Deployment, tmp_path: Path, mined_meanwhile: bool
) -> None:
    id = ChannelId(bytes((77 + mined_meanwhile,)) * 32)
    until = UnixTime(newest(anvil) + 300)
    wish = Submit(b"d" + id, DepositMoney(ETH, id, False, Wei(70), until))
    for life in range(2):
        index = 3 + mined_meanwhile
        child = send_and_hang(anvil, deployment, index, tmp_path / "sent", wish)
        if life == 1:
            anvil.mine(3)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if mined_meanwhile:
            anvil.mine()
    anvil.mine()
    query = ms_contract_calls.holdings(deployment.contract.contract, ETH, id)
    endpoint = anvil.endpoint()
    head = endpoint.block()
    assert head is not None
    assert endpoint.ask(query, head.number).alice == 70
