"""B7: dust that stops a deposit; a deposit that lands in a spent id, for an old state to take."""

from __future__ import annotations

from perun.types import ETH
from tests.support.channels import Holdings, new_channel
from tests.support.reverts import reverts
from tests.support.stage import HOUR, Stage


def test_dust_in_front_stops_no_deposit(stage: Stage) -> None:
    channel = new_channel(stage)
    for _ in range(3):
        stage.ms.send(stage.mallory, "deposit", ETH, channel.id, False, 1, stage.now + 9, value=1)
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 5, stage.now + 9, value=5)
    assert channel.holdings() == Holdings(18, 0)


def test_deposit_held_back_past_its_time_does_not_land(stage: Stage) -> None:
    """Alice has withdrawn to 0 and tops up 8; the miner waits until Bob has emptied the channel.

    Emptying it against her will takes a whole challenge, and `validUntil` lies no further ahead.
    """
    channel = new_channel(stage).fund(10, 10)
    valid_until = stage.now + HOUR
    stage.at(stage.now + 10)
    channel.register(stage.bob, 0)
    channel.wait_until_settleable()
    channel.settle(stage.bob)
    assert stage.now > valid_until
    moment = stage.now + 1
    with reverts("TooLate", valid_until, moment):
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 8, valid_until, value=8)


def test_deposit_during_the_dispute_does_not_land_either(stage: Stage) -> None:
    channel = new_channel(stage).fund(10, 10)
    channel.register(stage.bob, 0)
    with reverts("InDispute", channel.id):
        stage.ms.send(stage.alice, "deposit", ETH, channel.id, False, 8, stage.now + 60, value=8)
