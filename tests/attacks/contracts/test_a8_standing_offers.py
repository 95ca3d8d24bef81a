"""A8: a Close or Withdraw kept as an option beside newer states."""

from __future__ import annotations

import pytest

from tests.support.channels import BasicChannel, Holdings
from tests.support.reverts import reverts


def test_close_kept_beyond_its_time_is_worthless(funded: BasicChannel) -> None:
    """Bob keeps Close(net 0), is paid 5 more once it has lapsed, and Alice keeps Close's twin."""
    stage = funded.stage
    limit = stage.now + 3600
    offer = funded.both(funded.close_digest(0, limit))
    stage.wait_until(limit + 1)  # from now on the signers may sign states again
    funded.register(stage.bob, 3, 5)
    moment = stage.now + 10
    stage.at(moment)
    with reverts("TooLate", limit, moment):
        funded.close(stage.alice, 0, limit, signatures=offer)


@pytest.mark.parametrize("withdrawn", [False, True])
def test_state_solvent_either_way_is_paid_either_way(funded: BasicChannel, withdrawn: bool) -> None:
    """Alice may take 5 with Bob's Withdraw, or not: v3 at net 5 gives Bob his 15."""
    stage = funded.stage
    offer = funded.both(funded.withdraw_digest(0, 5, 0))
    newest = funded.state(3, 5)
    gained = stage.gains(funded.asset, stage.alice, stage.bob)
    if withdrawn:
        funded.withdraw(stage.alice, 0, 5, 0, signatures=offer)
    funded.register(stage.bob, 3, 5, signatures=newest)
    funded.wait_until_settleable()
    funded.settle(stage.bob, 5)
    assert gained() == (5, 15)


def test_withdraw_cannot_make_a_registered_state_insolvent(funded: BasicChannel) -> None:
    """The newest state is on chain; the old Withdraw comes too late to void it."""
    stage = funded.stage
    offer = funded.both(funded.withdraw_digest(0, 5, 0))
    funded.register(stage.bob, 3, 8)
    with reverts("InDispute", funded.id):
        funded.withdraw(stage.alice, 0, 5, 0, signatures=offer)
    assert funded.holdings() == Holdings(10, 10, disputed=True)


def test_withdraw_is_paid_once(funded: BasicChannel) -> None:
    offer = funded.both(funded.withdraw_digest(0, 3, 0))
    funded.withdraw(funded.alice, 0, 3, 0, signatures=offer)
    with reverts("WrongIndex", 0, 1):
        funded.withdraw(funded.alice, 0, 3, 0, signatures=offer)


def test_second_withdraw_signed_for_one_index_is_void(funded: BasicChannel) -> None:
    """Two offers with one index: whichever is mined, the other is worth nothing."""
    first, second = (funded.both(funded.withdraw_digest(0, amount, 0)) for amount in (3, 4))
    funded.withdraw(funded.alice, 0, 4, 0, signatures=second)
    with reverts("WrongIndex", 0, 1):
        funded.withdraw(funded.alice, 0, 3, 0, signatures=first)
