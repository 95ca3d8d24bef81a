"""A faucet gives each account once, and no more to one address or in a day than was said."""

from __future__ import annotations

from typing import Any

import pytest

from perun.hub.faucet import Gift
from perun.hub.guest import InTurn
from perun.types import Address, Wei
from tests.node.hub.worlds import PLENTY, HubWorld


@pytest.fixture
def world() -> HubWorld:
    return HubWorld()


def account(number: int) -> Address:
    return Address(bytes([number]) * 20)


def ask(world: HubWorld, number: int, group: str = "", balance: Wei | None = PLENTY) -> Gift | str:
    given: list[Any] = []
    who, where = account(number), group or str(number)
    world.hub.node.ask(
        InTurn(lambda desk: given.append(world.faucet.ask(desk, who, where, balance)))
    )
    world.world.settle()
    (found,) = given
    return found


def paid(world: HubWorld, number: int) -> None:
    key = next(wish.key for wish in world.wishes if wish.call.to == account(number))
    world.hub.node.ask(InTurn(lambda desk: world.guest.is_paid(desk, key, 1)))
    world.world.settle()


def test_an_account_gets_one_gift_however_often_it_asks(world: HubWorld) -> None:
    first, again = ask(world, 1), ask(world, 1)
    assert isinstance(first, Gift)
    assert again == first
    assert {(wish.key, wish.call.to, wish.call.value) for wish in world.wishes} == {
        (b"hub gives" + (1).to_bytes(8, "big"), account(1), 7)
    }
    paid(world, 1)
    assert ask(world, 1) == "this account has had 7 wei already"


def test_one_address_and_one_day_have_their_limits_also_after_a_restart(world: HubWorld) -> None:
    for number in (1, 2):
        assert isinstance(ask(world, number, "203.0.113.7"), Gift)
    world.hub.restart()
    world.world.settle()
    assert ask(world, 3, "203.0.113.7") == "your address has had 2 gifts today"
    for number in (4, 5):
        assert isinstance(ask(world, number), Gift)
    assert ask(world, 6) == "4 gifts were given today; come back tomorrow"
    world.world.advance(86_401)
    world.blocks(2)
    assert isinstance(ask(world, 6, "203.0.113.7"), Gift)


def test_a_restart_goes_on_with_the_same_gift_and_no_second_one(world: HubWorld) -> None:
    gift = ask(world, 1)
    before = {wish.key for wish in world.wishes}
    world.hub.restart()
    world.wishes.clear()
    world.blocks(1)
    assert {wish.key for wish in world.wishes} == before
    assert ask(world, 1) == gift
    other = ask(world, 2)
    assert isinstance(other, Gift)
    assert isinstance(gift, Gift)
    assert other.number == gift.number + 1


def test_gas_money_is_never_given_away(world: HubWorld) -> None:
    assert ask(world, 1, balance=None) == "the faucet is empty"
    assert ask(world, 1, balance=Wei(6)) == "the faucet is empty"
    assert isinstance(ask(world, 1, balance=Wei(7)), Gift)
    # What is under way is spoken for.
    assert ask(world, 2, balance=Wei(13)) == "the faucet is empty"


def test_a_gift_that_came_too_late_is_over(world: HubWorld) -> None:
    ask(world, 1)
    world.world.until(lambda: not [g for g in world.faucet._gifts.values() if not g.over])
    world.wishes.clear()
    world.blocks(2)
    assert world.wishes == []
