"""A channel that nobody uses is closed when its paid time is over, and not before."""

from __future__ import annotations

from perun.hub.tariff import Prices
from perun.testing.parties import Party
from perun.testing.stories import add_machine
from perun.types import Seconds
from tests.node.hub.worlds import HubWorld

PAID = 2_000


def opened(world: HubWorld, name: str) -> Party:
    party = world.opener(name)
    world.offer(party, own=1_000, share=500)
    world.blocks(4)
    view = world.view(party)
    assert view is not None
    assert view.final.drawn
    world.hub.node.meet(party.peer)
    return party


def is_over(world: HubWorld, party: Party) -> bool:
    view = world.view(party)
    assert view is not None
    return view.final.ended


def hours(world: HubWorld, seconds: int) -> None:
    for _ in range(seconds // 50):
        world.world.advance(50)


def test_an_idle_channel_is_closed_after_its_time_and_not_before() -> None:
    world = HubWorld(Prices(exit_gas=False, paid=Seconds(PAID)))
    alice = opened(world, "alice")
    hours(world, PAID - 200)
    assert not is_over(world, alice)
    hours(world, 600)
    assert is_over(world, alice)


def test_a_channel_with_a_machine_is_left_alone() -> None:
    world = HubWorld(Prices(exit_gas=False, paid=Seconds(PAID)))
    alice = opened(world, "alice")
    view = world.view(alice)
    assert view is not None
    add_machine(world.world, alice, view.id, 100, 0, life=50_000)
    hours(world, 2 * PAID)
    assert not is_over(world, alice)


def test_a_restart_does_not_begin_the_time_anew() -> None:
    world = HubWorld(Prices(exit_gas=False, paid=Seconds(PAID)))
    alice = opened(world, "alice")
    hours(world, PAID - 200)
    world.hub.restart()
    world.world.settle()
    hours(world, 600)
    assert is_over(world, alice)
