"""The price of gas is a reading: what is worth its gas is decided by today's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import ChannelRejected, InstanceRejected
from perun.core.inputs import CommandAddMachine, CommandOffer, CommandPay
from perun.core.state import LegStatus
from perun.testing.parties import LIMITS, World
from perun.testing.stories import OPEN_HANDED, add_machine, instance, open_channel
from perun.types import ETH, Seconds, UnixTime, Wei

PRICED = replace(LIMITS, submit_gas=10, leave_gas=20)
"""With a price of 1 a submission costs 10, and a channel holds 20 at least."""


def stage() -> World:
    world = World()
    for name in ("alice", "bob"):
        world.party(name, OPEN_HANDED, limits=PRICED)
    world.ledger.gas_price = Wei(1)
    world.advance()
    return world


def reprice(world: World, price: int) -> None:
    world.ledger.gas_price = Wei(price)
    world.advance()


@pytest.mark.parametrize(
    ("at_first", "at_the_end", "submitted"), [(100, 1, True), (1, 100, False), (1, 9, True)]
)
def test_total_is_submitted_if_it_is_worth_the_gas_of_that_day(
    at_first: int, at_the_end: int, submitted: bool
) -> None:
    world = stage()
    alice, bob = world.parties
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    machine = add_machine(world, alice, channel, 100, 0, life=1_000)
    reprice(world, at_first)
    bob.restart()
    world.settle()
    alice.do(CommandPay(machine, Wei(99)))
    world.settle()
    world.network.rule = lambda _letter: ()
    reprice(world, at_the_end)
    before = len(world.ledger.log)
    world.advance(1_000 - LIMITS.margin)
    world.advance()
    assert (len(world.ledger.log) > before) is submitted

    # A spike that passes in time costs nothing.
    reprice(world, 1)
    world.advance()
    assert len(world.ledger.log) == before + 1


def test_new_channel_and_new_lock_are_worth_it_today() -> None:
    world = stage()
    alice, bob = world.parties
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    reprice(world, 100)
    offer = CommandOffer(
        bob.peer, bob.account.address, ETH, Seconds(600), alice.nonce(), Wei(1_999)
    )
    with pytest.raises(ChannelRejected, match="2000"):
        alice.do(offer)
    end = UnixTime(world.ledger.time + 5_000)
    lock = CommandAddMachine(channel, Wei(999), Wei(0), end, Seconds(600), alice.random())
    with pytest.raises(InstanceRejected, match=r"0\.000000000000001 ETH"):
        alice.do(lock)
    reprice(world, 1)
    alice.do(lock, offer)


def test_what_both_have_agreed_on_is_not_refused_because_gas_is_dearer_now() -> None:
    """Between the invitation and the state the price rises: the terms stand."""
    world = stage()
    alice, bob = world.parties
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    bob.node.turn()
    answer = bob.node.turn

    def dearer() -> bool:
        invited = any(one.end == alice.peer for one in bob.node.books.instances.values())
        if invited and world.ledger.gas_price == 1:
            world.ledger.gas_price = Wei(1_000)
            bob.node.post([bob.chain.block()])
        return answer()

    bob.node.turn = dearer  # type: ignore[method-assign]
    machine = add_machine(world, alice, channel, 100, 0)
    assert bob.node.books.chain.gas_price == 1_000
    assert instance(bob, machine).legs[0].status is LegStatus.LISTED
