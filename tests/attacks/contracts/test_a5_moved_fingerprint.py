"""A5: stale registers in front of every answer, so that the answer no longer fits."""

from __future__ import annotations

import pytest

from tests.support.channels import BasicChannel


@pytest.mark.parametrize("stale", [1, 3, 20])
def test_answer_made_in_advance_goes_through(funded: BasicChannel, stale: int) -> None:
    """Bob opens with v1 and registers hundreds of old states; Alice's answer never changes."""
    stage = funded.stage
    funded.register(stage.bob, 1, -10)
    answer = stage.ms.call_data("register", funded.terms, 1000, 4, (), *funded.state(1000, 4), ())
    for version in range(2, 2 + stale):
        funded.register(stage.bob, version, -9)

    stage.ms.send_raw(stage.alice, answer)
    for version in (2, 999):
        funded.register(stage.bob, version, -10)

    funded.wait_until_settleable()
    gained = stage.gains(funded.asset, stage.alice, stage.bob)
    funded.settle(stage.carol, 4)
    assert gained() == (6, 14)


def test_answer_sent_twice_does_no_harm(funded: BasicChannel) -> None:
    """A watchtower and a party send the same; or a reorganisation mines it again."""
    funded.register(funded.bob, 1, -10)
    for sender in (funded.stage.carol, funded.alice, funded.bob):
        funded.register(sender, 8, 4)
    assert funded.dispute().version == 8


def test_answer_fits_whatever_opened_the_dispute(funded: BasicChannel) -> None:
    """A tower need not know what was registered: the same bytes answer each opening."""
    stage = funded.stage
    answer = stage.ms.call_data("register", funded.terms, 7, 4, (), *funded.state(7, 4), ())
    for version, net in ((0, 0), (1, 3), (6, -7)):
        with stage.chain.isolated():
            funded.register(stage.bob, version, net)
            stage.ms.send_raw(stage.carol, answer)
            assert funded.dispute().version == 7
