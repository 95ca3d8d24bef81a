"""C5: a hub's `Open` stopped by dust, or used a second time."""

from __future__ import annotations

from unittest.mock import ANY

from perun.types import ETH
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.reverts import reverts
from tests.support.stage import HOUR, Stage


def offered(stage: Stage) -> tuple[BasicChannel, tuple[object, ...]]:
    """Ingrid has 100 of credit and offers Mallory 20 for as long as the contract allows."""
    channel = new_channel(stage, stage.mallory, stage.ingrid)
    stage.ms.send(stage.ingrid, "fund", ETH, stage.ingrid.account, 100, value=100)
    until = stage.now + HOUR
    signature = stage.ingrid.sign_with_account(channel.open_digest(0, 20, until))
    return channel, (channel.terms, 0, 20, until, signature)


def test_dust_in_front_does_not_stop_it(stage: Stage) -> None:
    channel, offer = offered(stage)
    stage.ms.send(stage.carol, "deposit", ETH, channel.id, True, 1, stage.now + 9, value=1)
    stage.ms.send(stage.mallory, "openBoth", *offer)
    assert channel.holdings() == Holdings(0, 21, drawn=True)


def test_emptying_the_channel_alone_outlasts_the_offer(stage: Stage) -> None:
    """The mark dies with the slot, but that takes a challenge without Ingrid's signature."""
    channel, offer = offered(stage)
    stage.ms.send(stage.mallory, "openBoth", *offer)
    channel.register(stage.mallory, 0)
    with reverts("InDispute", channel.id):
        stage.ms.send(stage.mallory, "openBoth", *offer)
    channel.wait_until_settleable()
    channel.settle(stage.mallory)
    assert channel.holdings() == Holdings(0, 0)
    until = offer[3]
    with reverts("TooLate", until, stage.now + 1):
        stage.ms.send(stage.mallory, "openBoth", *offer)
    assert stage.credit(ETH, stage.ingrid) == 80


def test_offer_is_for_its_channel_only(stage: Stage) -> None:
    """The id holds account, keys, asset and challenge; Mallory cannot change one of them."""
    _, offer = offered(stage)
    other = new_channel(stage, stage.mallory, stage.ingrid)
    with reverts("WrongSigner", stage.ingrid.account, ANY):
        stage.ms.send(stage.mallory, "openBoth", other.terms, *offer[1:])
