"""`fund`: anybody adds to an account's credit."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support.reverts import reverts
from tests.support.stage import ETHER, Stage


def test_fund_adds_to_the_credit_of_an_account(
    stage: Stage, asset: bytes, carol: Owner, bob: Owner
) -> None:
    gained = stage.gains(asset, carol, bob, stage.ms)
    receipt = stage.ms.send(carol, "fund", asset, bob.account, 7, value=7 if asset == ETH else 0)
    assert gained() == (-7, 0, 7)
    assert stage.credit(asset, bob) == 7
    credited = {"asset": asset, "account": bob.account, "amount": 7}
    assert receipt.events == (("Credited", credited),)


def test_credits_add_up_and_stand_apart_by_asset_and_account(
    stage: Stage, carol: Owner, bob: Owner, alice: Owner
) -> None:
    token = stage.token.address
    for amount in (3, 4):
        stage.ms.send(carol, "fund", ETH, bob.account, amount, value=amount)
    stage.ms.send(carol, "fund", token, bob.account, 9)
    assert stage.credit(ETH, bob) == 7
    assert stage.credit(token, bob) == 9
    assert stage.credit(ETH, alice) == stage.credit(token, alice) == 0


def test_fund_of_nothing_is_allowed(stage: Stage, carol: Owner) -> None:
    stage.ms.send(carol, "fund", ETH, carol.account, 0)
    assert stage.credit(ETH, carol) == 0


def test_credit_of_a_token_may_exceed_what_a_channel_holds(stage: Stage, carol: Owner) -> None:
    amount = 2**200
    stage.token.send(carol, "mint", carol.account, amount)
    stage.ms.send(carol, "fund", stage.token.address, carol.account, amount)
    assert stage.credit(stage.token.address, carol) == amount


def test_credit_counts_what_arrives(stage: Stage, carol: Owner) -> None:
    token = stage.deploy_token("FeeToken", carol)
    stage.ms.send(carol, "fund", token.address, carol.account, 100)
    assert stage.credit(token.address, carol) == 90


def test_fund_of_the_zero_address_is_refused(stage: Stage, carol: Owner) -> None:
    with reverts("ZeroAddress"):
        stage.ms.send(carol, "fund", ETH, bytes(20), 1, value=1)


@pytest.mark.parametrize("sent", [0, 6, 8, ETHER])
def test_fund_in_eth_wants_exactly_the_amount(stage: Stage, carol: Owner, sent: int) -> None:
    with reverts("WrongValue", 7, sent):
        stage.ms.send(carol, "fund", ETH, carol.account, 7, value=sent)


def test_fund_in_a_token_wants_no_eth(stage: Stage, carol: Owner) -> None:
    with reverts("WrongValue", 0, 1):
        stage.ms.send(carol, "fund", stage.token.address, carol.account, 7, value=1)


def test_token_that_answers_false_is_refused(stage: Stage, carol: Owner) -> None:
    token = stage.deploy_token("FalseToken", carol)
    token.send(carol, "setBroken", True)
    with reverts("SafeERC20FailedOperation", token.address):
        stage.ms.send(carol, "fund", token.address, carol.account, 7)
