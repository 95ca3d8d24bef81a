"""The chain port on eth-tester: the same code that talks to any node, through `Web3`."""

from __future__ import annotations

import threading

from perun import deploy
from perun.bindings.calls import Fees
from perun.chain.memory import GENESIS_TIME, MemoryChain, rich_key
from perun.chain.reports import Paid, Sent
from perun.chain.service import ChainService
from perun.core.effects import OpenChannel, Submit, Watch
from perun.core.inputs import ChainBlock, ChainChannel, ChainCredit
from perun.core.limits import limits_for
from perun.encoding import channel_id
from perun.node.settings import deployment_of
from perun.types import ETH, Channel, Nonce, Seconds, UnixTime, Wei
from perun.wallet import KeyAccount


def test_deposit_is_sent_seen_and_final_on_eth_tester() -> None:
    chain = MemoryChain()
    alice, bob = KeyAccount(rich_key(0)), KeyAccount(rich_key(1))
    suite = deploy(chain.web3, gas=6_000_000, fees=Fees(Wei(10**10), Wei(10**9)))
    chain.set_automine(False)
    deployment = deployment_of(suite.chain_id, suite.places())
    channel = Channel(
        alice.address, bob.address, alice.address, bob.address, ETH, Seconds(600), Nonce(1)
    )
    id = channel_id(deployment.contract, channel)
    inputs, reports = [], []
    port = ChainService(
        chain.endpoint(),
        deployment,
        alice,
        inputs.extend,
        limits=limits_for(suite.chain_id),
        report=reports.append,
    )
    port.watch(Watch(channel=id, asset=ETH, terms=channel))
    opening = OpenChannel(channel, Wei(10**18), UnixTime(GENESIS_TIME + 500))
    port.submit(Submit(b"o" + id, opening))
    for _ in range(4):
        port.poll()
        chain.mine()
    port.poll()
    views = [item for item in inputs if isinstance(item, ChainChannel)]
    assert [(view.head.alice, view.final.alice) for view in views] == [
        (0, 0),
        (10**18, 0),
        (10**18, 10**18),
    ]
    assert ChainCredit(ETH, alice.address, Wei(0)) in inputs
    times = [item.head_time for item in inputs if isinstance(item, ChainBlock)]
    assert times == sorted(times)
    (paid,) = [report for report in reports if isinstance(report, Paid)]
    assert paid.succeeded
    assert paid.paid > 0


def test_a_new_wish_waits_for_no_round() -> None:
    chain = MemoryChain()
    alice, bob = KeyAccount(rich_key(0)), KeyAccount(rich_key(1))
    suite = deploy(chain.web3, gas=6_000_000, fees=Fees(Wei(10**10), Wei(10**9)))
    deployment = deployment_of(suite.chain_id, suite.places())
    terms = (ETH, Seconds(600), Nonce(1))
    channel = Channel(alice.address, bob.address, alice.address, bob.address, *terms)
    looked, sent = threading.Event(), threading.Event()
    port = ChainService(
        chain.endpoint(),
        deployment,
        alice,
        lambda _: looked.set(),
        limits=limits_for(suite.chain_id),
        report=lambda report: sent.set() if isinstance(report, Sent) else None,
    )
    port.start(interval=86_400.0)
    try:
        assert looked.wait(60)
        opening = OpenChannel(channel, Wei(10**18), UnixTime(GENESIS_TIME + 500))
        port.submit(Submit(b"o" + channel_id(deployment.contract, channel), opening))
        assert sent.wait(60)
    finally:
        port.stop()
