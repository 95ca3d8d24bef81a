"""B2: a worthless token deposited under the id of a channel in ETH."""

from __future__ import annotations

from perun.types import ETH
from tests.support.channels import BasicChannel, Holdings
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, Stage


def test_worthless_token_buys_no_ether(stage: Stage, funded: BasicChannel, treasure: int) -> None:
    worthless = stage.deploy("PlainToken")
    worthless.send(stage.mallory, "mint", stage.mallory.account, 10**20)
    worthless.send(stage.mallory, "approve", stage.ms.address, 10**20)
    deposit = (worthless.address, funded.id, True, 10**20, FOREVER)
    stage.ms.send(stage.mallory, "deposit", *deposit)

    assert funded.holdings() == Holdings(10, 10)
    with reverts("Insolvent", funded.id, 10 + 10**20, 10 - 10**20):
        funded.close(stage.bob, -(10**20))
    gained = stage.gains(ETH, stage.ms, stage.alice, stage.bob)
    funded.close(stage.bob)
    assert gained() == (-20, 10, 10)
    assert stage.balance(worthless.address, stage.ms) == 10**20


def test_worthless_credit_buys_no_ether(stage: Stage, treasure: int) -> None:
    worthless = stage.deploy_token("PlainToken", stage.mallory)
    stage.ms.send(stage.mallory, "fund", worthless.address, stage.mallory.account, 10**20)
    with reverts("InsufficientCredit", ETH, stage.mallory.account, 0, 1):
        stage.ms.send(stage.mallory, "claim", ETH, 1, stage.mallory.account)
