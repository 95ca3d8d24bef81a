"""A hub keeps as much credit as it was told, never with its gas money, and never twice."""

from __future__ import annotations

from perun.bindings import ms_contract_calls
from perun.core.effects import ClaimCredit
from perun.hub.guest import InTurn
from perun.hub.treasury import FUND, GasLow, Short
from perun.testing.parties import DEPLOYMENT
from perun.types import ETH, Wei
from tests.node.hub.worlds import HubWorld


def paid(world: HubWorld, key: bytes) -> None:
    number = world.world.ledger.number
    world.hub.node.ask(InTurn(lambda desk: world.guest.is_paid(desk, key, number)))
    world.world.settle()


def test_credit_below_three_quarters_is_filled_up_once() -> None:
    world = HubWorld(credit=7_000, wanted=10_000)
    world.own = Wei(50_000)
    world.blocks(5)
    account = world.hub.account.address
    call = ms_contract_calls.fund(DEPLOYMENT.contract.contract, ETH, account, Wei(3_000))
    assert {(wish.key, wish.kind, wish.call, wish.once) for wish in world.fillings} == {
        (world.fillings[0].key, FUND, call, True)
    }

    before = world.fillings[0].key
    world.hub.restart()
    world.fillings.clear()
    world.blocks(2)
    assert {wish.key for wish in world.fillings} == {before}

    # It is mined, and the credit is there: nothing more is wanted.
    world.world.ledger.fund(account, 3_000)
    paid(world, before)
    world.blocks(5)
    world.fillings.clear()
    world.blocks(5)
    assert world.fillings == []


def test_what_came_too_late_is_tried_anew_under_another_name() -> None:
    world = HubWorld(credit=100, wanted=10_000)
    world.own = Wei(50_000)
    world.blocks(2)
    first = world.fillings[0].key
    world.world.until(lambda: world.fillings[-1].key != first)
    assert world.fillings[-1].call.value == 9_900


def test_credit_that_is_nearly_there_is_left_alone() -> None:
    world = HubWorld(credit=7_500, wanted=10_000)
    world.own = Wei(50_000)
    world.blocks(5)
    assert world.fillings == []


def test_an_account_with_too_little_fills_what_it_can_and_says_so_once() -> None:
    world = HubWorld(credit=100, wanted=10_000)
    world.own = Wei(500)
    world.blocks(5)
    assert {wish.call.value for wish in world.fillings} == {500}
    assert [type(told) for told in world.told] == [Short]
    assert world.told[0] == Short(world.hub.account.address, Wei(100), Wei(10_000), Wei(500))


def test_gas_money_is_kept_and_asked_for() -> None:
    world = HubWorld(credit=100, wanted=10_000)
    world.world.ledger.gas_price = Wei(1)
    world.own = Wei(3_000_000)
    world.blocks(3)
    assert world.fillings == []
    (low,) = [told for told in world.told if isinstance(told, GasLow)]
    assert low.balance < low.needed
    # Enough for gas, and for a filling that is worth its own.
    world.own = Wei(low.needed + 3_000_000)
    world.treasury._wanted = Wei(10**8)
    world.blocks(3)
    assert {wish.call.value for wish in world.fillings} == {3_000_000}


def test_what_channels_bring_back_beyond_twice_the_target_is_claimed_once() -> None:
    world = HubWorld(credit=25_000, wanted=10_000)
    world.own = Wei(0)
    world.hub.chain.mining = False
    world.blocks(5)
    (claim,) = [submit.transaction for submit in world.hub.chain.pool.values()]
    assert isinstance(claim, ClaimCredit)
    assert (claim.amount, claim.to) == (15_000, world.hub.account.address)
