"""[N4]: who gets a share out of a hub's credit, told as attacks on it."""

from __future__ import annotations

import pytest

from perun.core.config import HubPolicy
from perun.core.inputs import CommandOffer
from perun.hub import shares
from perun.hub.guest import InTurn
from perun.hub.tariff import Prices
from perun.testing.parties import Party
from perun.types import ETH, Seconds, Wei
from tests.node.hub.worlds import CREDIT, FREE, HubWorld, hold_back


@pytest.fixture
def world() -> HubWorld:
    return HubWorld()


def test_the_user_sends_the_only_transaction(world: HubWorld) -> None:
    alice = world.opener("alice")
    world.offer(alice)
    assert world.is_joined(alice)
    world.blocks(4)
    view = world.view(alice)
    assert view is not None
    assert (view.final.alice, view.final.bob, view.final.drawn) == (1_000, 500, True)
    assert world.hub.chain.pool == {}
    assert world.world.ledger.credits[ETH, world.hub.account.address] == CREDIT - 500


def test_ten_fresh_keys_of_one_address_get_one_open(world: HubWorld) -> None:
    crooks = [world.opener(f"crook {number}", "203.0.113.7") for number in range(10)]
    for crook in crooks:
        hold_back(crook)
        world.offer(crook, share=100)
    assert [world.is_joined(crook) for crook in crooks] == [True] + 9 * [False]
    assert world.opens() == 100


def test_ten_fresh_keys_of_ten_addresses_get_a_tenth_of_the_credit(world: HubWorld) -> None:
    crooks = [world.opener(f"crook {number}") for number in range(10)]
    for crook in crooks:
        hold_back(crook)
        world.offer(crook, share=400)
    assert world.opens() == 800 <= CREDIT // 10


def test_more_than_a_tenth_at_once_is_refused_in_words(world: HubWorld) -> None:
    crook = world.opener("crook")
    world.offer(crook, share=CREDIT)
    assert world.reasons(crook) == [f"we give at most 1000 at a time, not {CREDIT}"]


def test_one_account_behind_two_keys_has_one_open(world: HubWorld) -> None:
    first = world.opener("crook 1")
    hold_back(first)
    second = world.world.party("crook 2", first.policy, account=first.account)
    world.world.advance()
    world.offer(first, share=100)
    world.offer(second, share=100)
    assert (world.is_joined(first), world.is_joined(second)) == (True, False)


def test_an_account_must_show_its_share_and_gas(world: HubWorld) -> None:
    poor = world.opener("poor")
    world.money[poor.account.address] = Wei(999)
    world.offer(poor)
    (reason,) = world.reasons(poor)
    assert reason == "your account shows 999 wei on chain; share and gas are 1000 wei"
    assert world.opens() == 0


def test_an_open_that_lapses_makes_its_address_wait_longer_each_time(world: HubWorld) -> None:
    first_wait = 0
    for number in range(3):
        crook = world.opener(f"crook {number}", "203.0.113.7")
        hold_back(crook)
        world.offer(crook)
        assert world.is_joined(crook), world.reasons(crook)
        world.world.until(lambda: not world.guest.shares.granted)
        strikes = world.guest.shares.strikes["203.0.113.7"]
        assert strikes.count == number + 1

        again = world.opener(f"again {number}", "203.0.113.7")
        world.offer(again)
        assert "unused from your address; ask again in" in world.reasons(again)[0]
        # Another address is as welcome as before.
        assert_open(world, world.opener(f"honest {number}"))

        now = world.hub.node.books.chain.clock
        wait = strikes.until - now
        assert wait > 1.5 * first_wait
        first_wait = wait
        while world.hub.node.books.chain.clock < strikes.until:
            world.blocks(1)


def assert_open(world: HubWorld, party: Party) -> None:
    world.offer(party)
    world.blocks(4)
    view = world.view(party)
    assert view is not None
    assert view.final.drawn, world.reasons(party)


def test_waits_survive_a_restart(world: HubWorld) -> None:
    crook = world.opener("crook", "203.0.113.7")
    hold_back(crook)
    world.offer(crook)
    world.hub.restart()
    world.world.settle()
    second = world.opener("second", "203.0.113.7")
    world.offer(second)
    assert not world.is_joined(second)
    world.world.until(lambda: not world.guest.shares.granted)
    assert world.guest.shares.strikes["203.0.113.7"].count == 1
    world.hub.restart()
    world.world.settle()
    assert world.guest.shares.strikes["203.0.113.7"].count == 1


def test_an_open_that_is_used_is_forgiven_and_the_next_comes_at_once(world: HubWorld) -> None:
    alice, bob = world.opener("alice", "203.0.113.7"), world.opener("bob", "203.0.113.7")
    hold_back(alice)
    world.offer(alice)
    world.offer(bob)
    assert (world.is_joined(alice), world.is_joined(bob)) == (True, False)
    alice.chain.mining = True
    alice.chain.mine()
    world.blocks(2)
    assert world.is_joined(bob)
    world.blocks(30)
    assert world.guest.shares.strikes == {}
    assert world.guest.shares.granted == {}


def test_who_waits_too_long_hears_why(world: HubWorld) -> None:
    alice, bob = world.opener("alice", "203.0.113.7"), world.opener("bob", "203.0.113.7")
    hold_back(alice)
    world.offer(alice)
    world.offer(bob)
    world.world.until(lambda: bool(world.reasons(bob)))
    assert world.reasons(bob) == ["your address has an Open already: use it, or let it lapse"]


def test_while_the_chain_is_asked_somebody_else_may_come_first() -> None:
    world = HubWorld(answers=False)
    first, second = world.opener("first", "203.0.113.7"), world.opener("second", "203.0.113.7")
    for crook in (first, second):
        hold_back(crook)
        world.offer(crook)
    assert len(world.asked) == 2
    world.answer()
    world.answer()
    world.world.settle()
    assert [world.is_joined(crook) for crook in (first, second)] == [True, False]


def test_a_chain_that_does_not_answer_refuses_nobody_at_once() -> None:
    world = HubWorld(answers=False)
    alice = world.opener("alice")
    world.offer(alice)
    world.answer(None)
    world.world.settle()
    assert world.reasons(alice) == []
    world.world.advance()
    world.answer()
    world.world.settle()
    assert world.is_joined(alice)


def test_the_price_covers_amount_and_time_and_one_exit() -> None:
    prices = Prices(Wei(3), share_day_ppm=1_000, paid=Seconds(10 * 86_400), exit_gas=True)
    world = HubWorld(prices)
    alice = world.opener("alice")
    world.offer(alice, fee=7)
    assert world.reasons(alice) == ["our share of 500 costs 8, you offer 7"]
    world.offer(alice, fee=8)
    assert world.is_joined(alice)


def test_a_price_holds_from_one_card_to_the_next_but_one() -> None:
    world = HubWorld(Prices(Wei(3), exit_gas=True))
    tariff, gas = world.tariff, 116_000
    assert tariff.flat(4) == 3 + 4 * gas
    named = [tariff.name(price) for price in (4, 400, 400)]
    assert named[0] == 3 + 5 * gas
    assert tariff.flat(1_000) == named[2]
    tariff.name(4)
    assert tariff.flat(1_000) == named[0]
    assert tariff.flat(1) < named[0]


def test_all_channels_together_hold_no_more_than_was_said() -> None:
    world = HubWorld(deposits=1_000)
    alice, bob = world.opener("alice"), world.opener("bob")
    assert_open(world, alice)
    world.offer(bob, share=501)
    assert world.reasons(bob) == ["all our channels together may hold 500 more of ours, not 501"]


def test_a_paused_hub_takes_nothing_new_also_after_a_restart(world: HubWorld) -> None:
    world.hub.node.ask(InTurn(lambda desk: world.guest.pause(desk, paused=True)))
    world.world.settle()
    alice = world.opener("alice")
    world.offer(alice)
    world.hub.restart()
    world.world.settle()
    world.offer(alice)
    assert world.reasons(alice) == 2 * ["this hub takes no new channels at the moment"]
    world.hub.node.ask(InTurn(lambda desk: world.guest.pause(desk, paused=False)))
    world.world.settle()
    world.offer(alice)
    assert world.is_joined(alice)


def test_what_was_offered_before_a_restart_is_answered_after_it() -> None:
    world = HubWorld(answers=False)
    alice = world.opener("alice")
    world.offer(alice)
    world.answers = True
    world.hub.restart()
    world.hub.node.meet(alice.peer)
    alice.node.meet(world.hub.peer)
    world.world.settle()
    world.world.advance()
    assert world.is_joined(alice)


def test_a_deposit_that_no_open_covers_is_refused(world: HubWorld) -> None:
    alice = world.opener("alice")
    alice.do(
        CommandOffer(
            world.hub.peer,
            world.hub.account.address,
            ETH,
            Seconds(600),
            alice.nonce(),
            Wei(10),
            Wei(10),
        )
    )
    world.world.settle()
    assert world.reasons(alice) == ["this hub puts money in by openBoth, out of its credit"]


def test_without_asking_the_core_decides_alone() -> None:
    world = HubWorld(FREE, policy=HubPolicy(greatest_draw=Wei(10**30)))
    alice = world.opener("alice")
    world.offer(alice)
    assert world.asked == []
    assert world.is_joined(alice)


def test_only_whoever_has_money_in_a_channel_is_a_customer(world: HubWorld) -> None:
    """Whom the relay serves: offers cost nothing, so they count for nothing."""
    alice, bob = world.opener("alice"), world.opener("bob")
    hold_back(bob)
    for party in (alice, bob):
        world.offer(party, share=100)
    world.blocks(2)
    assert world.guest.customers == {alice.peer}


def test_offers_of_an_address_wait_in_small_numbers_and_are_not_looked_at_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Attack: each offer had all that wait looked at, and for each of them all channels counted:
    a thousand fresh keys at a hub with thousands of channels, and its node does nothing else."""
    world = HubWorld(answers=False)
    counted: list[int] = []
    count = shares.own_deposits
    monkeypatch.setattr(
        shares,
        "own_deposits",
        lambda *given: counted.append(0) or count(*given),  # type: ignore[func-returns-value]
    )
    openers = [world.opener(f"opener {number}", "203.0.113.9") for number in range(20)]
    counted.clear()
    for opener in openers:
        world.offer(opener, share=1)
    assert world.guest.shares.waiting == world.bounds.waiting_of_address == 16
    refused = [opener for opener in openers if world.reasons(opener)]
    assert [world.reasons(opener)[-1][:15] for opener in refused] == ["too many offers"] * 4
    assert len(counted) <= 2 * len(openers)
    other = world.opener("other", "198.51.100.7")
    world.offer(other, share=1)
    assert not world.reasons(other)
