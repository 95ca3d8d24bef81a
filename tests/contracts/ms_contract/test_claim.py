"""`claim`: the owner takes credit out, wherever it likes, with all the gas it likes."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support.contracts import Deployed
from tests.support.reverts import reverts
from tests.support.stage import Stage


def give_credit(stage: Stage, asset: bytes, account: bytes, amount: int) -> None:
    value = amount if asset == ETH else 0
    stage.ms.send(stage.treasury, "fund", asset, account, amount, value=value)


@pytest.mark.parametrize("amount", [0, 1, 6, 7])
def test_claim_pays_credit_out(
    stage: Stage, asset: bytes, alice: Owner, carol: Owner, amount: int
) -> None:
    give_credit(stage, asset, alice.account, 7)
    gained = stage.gains(asset, alice, carol, stage.ms)

    receipt = stage.ms.send(alice, "claim", asset, amount, carol.account)

    assert gained() == (0, amount, -amount)
    assert stage.credit(asset, alice) == 7 - amount
    claimed = {"asset": asset, "account": alice.account, "amount": amount, "to": carol.account}
    assert receipt.events == (("Claimed", claimed),)


def test_claim_to_oneself(stage: Stage, asset: bytes, alice: Owner) -> None:
    give_credit(stage, asset, alice.account, 7)
    gained = stage.gains(asset, alice)
    stage.ms.send(alice, "claim", asset, 7, alice.account)
    assert gained() == (7,)


def test_claim_of_more_than_the_credit_is_refused(stage: Stage, asset: bytes, alice: Owner) -> None:
    give_credit(stage, asset, alice.account, 7)
    with reverts("InsufficientCredit", asset, alice.account, 7, 8):
        stage.ms.send(alice, "claim", asset, 8, alice.account)


def test_claim_of_the_greatest_number_is_refused(stage: Stage, alice: Owner) -> None:
    with reverts("InsufficientCredit", ETH, alice.account, 0, 2**256 - 1):
        stage.ms.send(alice, "claim", ETH, 2**256 - 1, alice.account)


def test_key_does_not_own_the_credit_of_its_account(stage: Stage, alice: Owner) -> None:
    give_credit(stage, ETH, alice.account, 7)
    with reverts("InsufficientCredit", ETH, alice.key.address, 0, 7):
        stage.ms.send(alice.key, "claim", ETH, 7, alice.key.address)


def test_claim_to_the_zero_address_is_refused(stage: Stage, alice: Owner) -> None:
    give_credit(stage, ETH, alice.account, 7)
    with reverts("ZeroAddress"):
        stage.ms.send(alice, "claim", ETH, 7, bytes(20))


def test_claim_to_the_contract_itself_is_refused(stage: Stage, asset: bytes, alice: Owner) -> None:
    """What it holds of its own would be nobody's."""
    give_credit(stage, asset, alice.account, 7)
    with reverts("ClaimFailed", stage.ms.address):
        stage.ms.send(alice, "claim", asset, 7, stage.ms.address)
    assert stage.credit(asset, alice) == 7


def test_payee_that_refuses_fails_the_claim_and_keeps_the_credit(
    stage: Stage, alice: Owner
) -> None:
    give_credit(stage, ETH, alice.account, 7)
    payee = stage.deploy("RefusingPayee")
    with reverts("ClaimFailed", payee.address):
        stage.ms.send(alice, "claim", ETH, 7, payee.address)
    assert stage.credit(ETH, alice) == 7


def test_token_that_answers_false_fails_the_claim(stage: Stage, alice: Owner) -> None:
    token = stage.deploy_token("FalseToken")
    give_credit(stage, token.address, alice.account, 7)
    token.send(alice, "setBroken", True)
    with reverts("SafeERC20FailedOperation", token.address):
        stage.ms.send(alice, "claim", token.address, 7, alice.account)
    assert stage.credit(token.address, alice) == 7


def test_token_that_refuses_the_payee_says_why(stage: Stage, alice: Owner) -> None:
    token = stage.deploy_token("BlockingToken")
    give_credit(stage, token.address, alice.account, 7)
    token.send(alice, "setBlocked", alice.account, True)
    with reverts("Blocked", alice.account):
        stage.ms.send(alice, "claim", token.address, 7, alice.account)


def test_token_that_returns_nothing_is_claimed(stage: Stage, alice: Owner) -> None:
    token = stage.deploy_token("NoReturnToken")
    give_credit(stage, token.address, alice.account, 7)
    gained = stage.gains(token.address, alice)
    stage.ms.send(alice, "claim", token.address, 7, alice.account)
    assert gained() == (7,)


def test_claim_is_not_limited_in_gas(stage: Stage, alice: Owner) -> None:
    """A wallet too dear for a payout is reached by a claim."""
    give_credit(stage, ETH, alice.account, 7)
    payee: Deployed = stage.deploy("HungryPayee", 1_000_000)
    stage.ms.send(alice, "claim", ETH, 7, payee.address, gas=2_000_000)
    assert stage.balance(ETH, payee) == 7


def test_claim_with_a_data_bomb_costs_its_caller_only(stage: Stage, alice: Owner) -> None:
    give_credit(stage, ETH, alice.account, 7)
    payee = stage.deploy("BombPayee")
    with reverts("ClaimFailed", payee.address):
        stage.ms.send(alice, "claim", ETH, 7, payee.address)
