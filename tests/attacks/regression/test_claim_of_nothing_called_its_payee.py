"""A claim of 0 once called its payee, or any contract named as the asset, for nothing."""

from __future__ import annotations

from perun.types import ETH
from tests.support.stage import Stage


def test_payee_of_nothing_is_not_called(stage: Stage) -> None:
    payee = stage.deploy("RefusingPayee")
    claimed = stage.ms.send(stage.alice, "claim", ETH, 0, payee.address)
    assert claimed.only("Claimed")["amount"] == 0


def test_asset_of_nothing_is_not_called(stage: Stage) -> None:
    token = stage.deploy("ReenteringToken")
    token.send(stage.carol, "setHook", token.address, b"")
    stage.ms.send(stage.alice, "claim", token.address, 0, stage.alice.account)
    assert token.ask("tried") == 0
    stage.ms.send(stage.alice, "claim", b"\x77" * 20, 0, stage.alice.account)
