"""C4: one item of a batch settled first by somebody else, so that the whole batch fails."""

from __future__ import annotations

import pytest

from tests.support.channels import new_channel
from tests.support.stage import Stage
from tests.support.strange import break_token, fill_credit


@pytest.mark.parametrize("poisoned", [0, 2, 4])
def test_item_settled_in_front_does_not_stop_the_batch(stage: Stage, poisoned: int) -> None:
    channels = [new_channel(stage, stage.ingrid, stage.mallory).fund(10, 0) for _ in range(5)]
    for channel in channels:
        channel.register(stage.ingrid, 2, 4)
    channels[-1].wait_until_settleable()
    channels[poisoned].settle(stage.mallory, 4)
    gained = stage.gains(channels[0].asset, stage.ingrid, stage.mallory)

    items = tuple((channel.terms, 4, ()) for channel in channels)
    receipt = stage.ms.send(stage.ingrid, "settleMany", items)

    assert receipt.only("SettleSkipped") == {"id": channels[poisoned].id}
    assert receipt.count("Settled") == 4
    assert gained() == (4 * 6, 4 * 4)


def test_payee_that_cannot_be_paid_does_not_stop_the_batch(stage: Stage) -> None:
    burner = stage.party_at(stage.deploy("GasBurningPayee").address, stage.mallory)
    bad, good = (
        new_channel(stage, stage.ingrid, party).fund(10, 5) for party in (burner, stage.bob)
    )
    for channel in (bad, good):
        channel.register(stage.ingrid, 2, 1)
    good.wait_until_settleable()
    gained = stage.gains(bad.asset, stage.ingrid, stage.bob)
    items = ((bad.terms, 1, ()), (good.terms, 1, ()))
    stage.ms.send(stage.ingrid, "settleMany", items)
    assert gained() == (18, 6)
    assert stage.credit(bad.asset, burner) == 6


def test_credit_that_cannot_grow_does_not_stop_the_batch(stage: Stage) -> None:
    """A token that gives its owner all that can be counted, and pays nobody afterwards."""
    token = stage.deploy_token("InflatingToken", stage.ingrid, stage.mallory)
    fill_credit(token, stage.mallory)
    bad = new_channel(stage, stage.ingrid, stage.mallory, asset=token).fund(10, 5)
    good = new_channel(stage, stage.ingrid, stage.bob).fund(10, 5)
    for channel in (bad, good):
        channel.register(stage.ingrid, 2, 1)
    break_token(token)
    good.wait_until_settleable()
    gained = stage.gains(good.asset, stage.ingrid, stage.bob)

    items = ((bad.terms, 1, ()), (good.terms, 1, ()))
    receipt = stage.ms.send(stage.ingrid, "settleMany", items)

    assert gained() == (9, 6)
    assert receipt.count("Settled") == 2
    assert bad.credits() == (9, 2**256 - 1)
