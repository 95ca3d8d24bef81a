"""What is refused because the chain would cost more than it pays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perun.chain import costs
from perun.core import gas
from perun.core.faults import ChannelRejected
from perun.core.inputs import CommandOffer
from perun.core.limits import limits_for
from perun.core.notices import ChannelRefused
from perun.testing.evm import CHAIN_ID
from perun.types import ETH, Nonce, Seconds, Wei
from tests.support.scene import Scene

MEASURED = Path(__file__).parents[3] / "benchmarks" / "gas" / "gas.json"
GWEI = 10**9


@pytest.mark.parametrize(
    ("ours", "group", "row"),
    [
        (gas.OPEN_GAS, "open-erc20", "first, into a new slot"),
        (gas.OPEN_BOTH_GAS, "open-both-erc20", "from a new slot"),
        (gas.DEPOSIT_GAS, "deposit-erc20", "first, into a new slot"),
        (gas.CLOSE_GAS, "close-credit", "Bob's first credit"),
        (gas.WITHDRAW_GAS, "withdraw-erc20", "by a stranger, two signatures, pays both"),
        (costs.CLAIM_GAS, "claim-erc20", "some of it, to another account"),
        (costs.SUBMIT_GAS, "submit-statements", "first, both totals"),
        (costs.register_gas(0), "register", "first, by a party"),
        (costs.register_gas(1, 1), "payment-carried", "register with both statements"),
        (costs.register_gas(64), "many-open", "register of 64"),
        (costs.register_gas(64, 64), "many-done", "register of 64 with 128 statements"),
        (costs.settle_gas(0), "silent-erc20", "settle"),
        (costs.settle_gas(64), "many-done", "settle, 64 resolved"),
    ],
)
def test_estimates_cover_what_was_measured(ours: int, group: str, row: str) -> None:
    measured = json.loads(MEASURED.read_text())["rows"][group][row]
    assert measured <= ours <= measured * 1.3


def test_price_sets_the_least_channel_and_lock() -> None:
    limits = costs.priced(limits_for(CHAIN_ID), Wei(30 * GWEI))
    assert limits.least_channel == costs.leaving_gas(1, 1) * 30 * GWEI
    assert limits.dust == costs.SUBMIT_GAS * 30 * GWEI


def offer(scene: Scene, amount: int) -> list[Exception]:
    """Alice offers Bob a channel; what her own node says against it."""
    alice, bob = scene.cast
    amounts = (Wei(amount), Wei(0))
    alice.do(CommandOffer(bob.peer, bob.address, ETH, Seconds(600), Nonce(1), *amounts))
    scene.look()
    return [error for _, error in alice.faults]


def test_channel_that_a_dispute_would_eat_is_refused(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.limits = costs.priced(scene.limits, Wei(30 * GWEI))
    scene.enter("alice")
    scene.enter("bob")
    (error,) = offer(scene, scene.limits.least_channel - 1)
    assert isinstance(error, ChannelRejected)
    assert "a dispute cost" in str(error)
    assert len(offer(scene, scene.limits.least_channel)) == 1  # no further objection


def test_peer_refuses_it_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    plain = scene.limits
    scene.enter("alice")  # she does not mind
    scene.limits = costs.priced(plain, Wei(30 * GWEI))
    scene.enter("bob")
    assert offer(scene, scene.limits.least_channel - 1) == []
    assert scene.cast[0].heard(ChannelRefused)
