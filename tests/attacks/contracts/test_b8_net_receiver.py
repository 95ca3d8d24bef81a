"""B8: who has received more than it deposited takes it out, and no older state pays it again."""

from __future__ import annotations

import pytest

from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.reverts import reverts
from tests.support.stage import Stage


@pytest.fixture
def merchant(stage: Stage) -> BasicChannel:
    """Alice 10, Bob nothing; he was paid 5 and has withdrawn it."""
    channel = new_channel(stage).fund(10, 0)
    gained = stage.gains(channel.asset, stage.alice, stage.bob)
    channel.withdraw(stage.bob, 0, 0, 5)
    assert gained() == (0, 5)
    return channel


def test_net_receiver_withdraws(merchant: BasicChannel) -> None:
    assert merchant.holdings() == Holdings(10, -5, 1)


@pytest.mark.parametrize("net", [4, 3, 0, -5])
def test_older_state_cannot_pay_the_withdrawn_money_again(merchant: BasicChannel, net: int) -> None:
    """With less than 5 paid, Bob stands below zero: such a state is void for both sides."""
    with reverts("Insolvent", merchant.id, 10 - net, -5 + net):
        merchant.register(merchant.alice, 2, net)
    with reverts("Insolvent", merchant.id, 10 - net, -5 + net):
        merchant.close(merchant.alice, net)


@pytest.mark.parametrize(("net", "paid"), [(5, (5, 0)), (7, (3, 2)), (10, (0, 5))])
def test_states_keep_their_meaning(merchant: BasicChannel, net: int, paid: tuple[int, int]) -> None:
    stage = merchant.stage
    merchant.register(stage.alice, 2, net)
    merchant.wait_until_settleable()
    gained = stage.gains(merchant.asset, stage.alice, stage.bob, stage.ms)
    merchant.settle(stage.carol, net)
    assert gained() == (*paid, -5)


def test_version_0_does_not_void_the_withdrawal(merchant: BasicChannel) -> None:
    with reverts("Insolvent", merchant.id, 10, -5):
        merchant.register(merchant.alice, 0)
