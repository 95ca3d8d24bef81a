"""B1: what is stored for a dispute, read as holdings, and the other way round."""

from __future__ import annotations

import pytest

from perun.types import ETH
from populus.exceptions import ContractReverted
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, MOST, Stage


@pytest.fixture
def crumbs(stage: Stage, treasure: int) -> BasicChannel:
    """Mallory on both sides, with 1 wei each, beside 500 ether of others."""
    return new_channel(stage, stage.mallory, stage.mallory).fund(1, 1)


@pytest.mark.parametrize("net", [2, -2, 2**110, -(2**110), MOST, -(2**111)])
def test_dispute_is_not_read_as_holdings(stage: Stage, crumbs: BasicChannel, net: int) -> None:
    mallory = stage.mallory
    gained = stage.gains(ETH, stage.ms, mallory)
    crumbs.register(mallory, 2**48 - 1)
    with reverts("Insolvent", crumbs.id, 1 - net, 1 + net):
        crumbs.close(mallory, net)
    with reverts("InDispute", crumbs.id):
        crumbs.withdraw(mallory, 0, 1, 1)
    with reverts("InDispute", crumbs.id):
        stage.ms.send(mallory, "deposit", ETH, crumbs.id, False, 0, FOREVER)
    crumbs.wait_until_settleable()
    with pytest.raises(ContractReverted):
        crumbs.settle(mallory, net)
    crumbs.settle(mallory)
    assert gained() == (-2, 2)


def test_open_slot_is_not_read_as_a_dispute(crumbs: BasicChannel) -> None:
    """Large holdings set many bits of the word; none of them is the mark of a dispute."""
    crumbs.fund(10**18, 2 * 10**18)
    with reverts("NotInDispute", crumbs.id):
        crumbs.settle(crumbs.alice)
    crumbs.withdraw(crumbs.alice, 0, 0, 2 * 10**18 + 5)
    assert crumbs.holdings() == Holdings(10**18 + 1, -4, 1)
    with reverts("NotInDispute", crumbs.id):
        crumbs.settle(crumbs.alice)


def test_end_leaves_nothing_behind(stage: Stage, crumbs: BasicChannel) -> None:
    crumbs.register(stage.mallory, 5)
    crumbs.close(stage.mallory)
    with reverts("NotInDispute", crumbs.id):
        crumbs.settle(stage.mallory)
    with reverts("EmptyChannel", crumbs.id):
        crumbs.register(stage.mallory, 6)
