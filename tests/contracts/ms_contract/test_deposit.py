"""`deposit`: anybody adds to one side of a channel."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.instances import new_nano
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import FOREVER, MOST, Stage


def value_of(asset: bytes, amount: int) -> int:
    """ETH travels with the call, tokens do not."""
    return amount if asset == ETH else 0


@pytest.mark.parametrize(("to_bob", "expected"), [(False, (7, 0)), (True, (0, 7))])
def test_deposit_raises_one_side(
    stage: Stage, asset: bytes, carol: Owner, to_bob: bool, expected: tuple[int, int]
) -> None:
    channel = new_channel(stage, asset=asset)
    gained = stage.gains(asset, carol, stage.ms)

    receipt = stage.ms.send(
        carol, "deposit", asset, channel.id, to_bob, 7, FOREVER, value=value_of(asset, 7)
    )

    assert channel.holdings() == Holdings(*expected)
    assert gained() == (-7, 7)
    sides = {"aliceHoldings": expected[0], "bobHoldings": expected[1]}
    assert receipt.events == (("Deposited", {"id": channel.id, "asset": asset, **sides}),)


def test_deposits_add_up_and_leave_the_other_side(channel: BasicChannel, carol: Owner) -> None:
    channel.fund(3, 5).fund(4, 6)
    assert channel.holdings() == Holdings(7, 11)


def test_deposit_of_nothing_changes_nothing(stage: Stage, funded: BasicChannel) -> None:
    stage.ms.send(stage.carol, "deposit", ETH, funded.id, True, 0, FOREVER)
    assert funded.holdings() == Holdings(10, 10)


def test_deposit_is_taken_in_the_last_second(stage: Stage, channel: BasicChannel) -> None:
    limit = stage.now + 100
    for moment in (limit - 1, limit):
        stage.at(moment)
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 1, limit, value=1)
    assert channel.holdings() == Holdings(2, 0)


def test_deposit_is_refused_one_second_late(stage: Stage, channel: BasicChannel) -> None:
    limit = stage.now + 100
    stage.at(limit + 1)
    with reverts("TooLate", limit, limit + 1):
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 1, limit, value=1)


@pytest.mark.parametrize("sent", [0, 6, 8])
def test_deposit_of_eth_wants_exactly_the_amount(
    stage: Stage, channel: BasicChannel, sent: int
) -> None:
    with reverts("WrongValue", 7, sent):
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 7, FOREVER, value=sent)


def test_deposit_of_a_token_wants_no_eth(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    with reverts("WrongValue", 0, 1):
        stage.ms.send(stage.alice, "deposit", channel.asset, channel.id, False, 7, FOREVER, value=1)


def test_deposit_is_refused_during_a_dispute(stage: Stage, funded: BasicChannel) -> None:
    funded.register(stage.alice, 0)
    with reverts("InDispute", funded.id):
        stage.ms.send(stage.alice, "deposit", ETH, funded.id, False, 1, FOREVER, value=1)


def test_deposit_is_refused_while_settling(stage: Stage) -> None:
    channel = new_channel(stage).fund(10, 10)
    nanos = (new_nano(stage.deploy("LiarNanocontract"), 1, 4, 4, expiry=FOREVER),)
    channel.register(stage.alice, 1, nanos=nanos)
    channel.wait_until_settleable()
    channel.settle(stage.carol, nanos=nanos)
    with reverts("InDispute", channel.id):
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 1, FOREVER, value=1)


def test_deposit_above_the_greatest_amount_is_refused(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    with reverts("AmountTooLarge", 0, 2**111):
        deposit_of_minted(stage, channel, 2**111)


def test_side_holds_the_greatest_amount_but_no_more(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    deposit_of_minted(stage, channel, MOST)
    assert channel.holdings() == Holdings(MOST, 0)
    with reverts("AmountTooLarge", MOST, 1):
        deposit_of_minted(stage, channel, 1)


def test_amount_wider_than_its_type_is_refused(stage: Stage, channel: BasicChannel) -> None:
    data = bytearray(stage.ms.call_data("deposit", ETH, channel.id, False, 1, FOREVER))
    data[4 + 3 * 32 + 17] = 1  # bit 112 of the amount
    with reverts_without_data():
        stage.ms.send_raw(stage.alice, bytes(data), value=1)


def test_token_without_allowance_is_not_deposited(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    stage.token.send(stage.alice, "approve", stage.ms.address, 6)
    with reverts("NotEnough", 6, 7):
        stage.ms.send(stage.alice, "deposit", channel.asset, channel.id, False, 7, FOREVER)


def test_asset_without_code_is_refused(stage: Stage, carol: Owner) -> None:
    channel = new_channel(stage, asset=b"\x77" * 20)
    with reverts_without_data():
        stage.ms.send(carol, "deposit", channel.asset, channel.id, False, 7, FOREVER)


# ---------------------------------------------------------------------- strange tokens


def test_token_that_returns_nothing_is_deposited(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.deploy_token("NoReturnToken")).fund(7, 5)
    assert channel.holdings() == Holdings(7, 5)


def test_what_arrives_of_a_token_with_a_fee_counts(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.deploy_token("FeeToken")).fund(100, 50)
    assert channel.holdings() == Holdings(90, 45)
    assert stage.balance(channel.asset, stage.ms) == 135


def test_what_a_lying_token_moves_counts(stage: Stage) -> None:
    token = stage.deploy_token("LyingToken")
    token.send(stage.carol, "setBroken", True)
    channel = new_channel(stage, asset=token).fund(100)
    assert channel.holdings() == Holdings(0, 0)


def test_token_that_answers_false_is_refused(stage: Stage) -> None:
    token = stage.deploy_token("FalseToken")
    token.send(stage.carol, "setBroken", True)
    with reverts("SafeERC20FailedOperation", token.address):
        new_channel(stage, asset=token).fund(100)


def test_deposit_from_a_blocked_account_is_refused(stage: Stage) -> None:
    token = stage.deploy_token("BlockingToken")
    token.send(stage.carol, "setBlocked", stage.treasury.account, True)
    with reverts("Blocked", stage.treasury.account):
        new_channel(stage, asset=token).fund(100)


def test_token_that_burns_all_gas_harms_its_depositor_only(stage: Stage) -> None:
    token = stage.deploy_token("GasBurningToken")
    channel = new_channel(stage, asset=token).fund(100)
    token.send(stage.carol, "setBurning", True)
    with reverts_without_data():
        channel.fund(100)
    assert channel.holdings() == Holdings(100, 0)


def deposit_of_minted(stage: Stage, channel: BasicChannel, amount: int) -> None:
    """Deposit tokens that are made for it."""
    stage.token.send(stage.carol, "mint", stage.carol.account, amount)
    stage.ms.send(stage.carol, "deposit", channel.asset, channel.id, False, amount, FOREVER)
