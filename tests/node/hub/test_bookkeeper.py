"""The ledger says to the wei what states have moved, and does not grow with every wei."""

from __future__ import annotations

from perun.core.inputs import CommandTransfer
from perun.core.rules.accounting import gain
from perun.core.states.content import agreed_content
from perun.hub.bookkeeper import _APART, TRANSFER, Entry
from perun.hub.guest import InTurn
from perun.node.guest import Desk
from perun.testing.parties import Party
from perun.types import Wei
from tests.node.hub.worlds import HubWorld


def entries(world: HubWorld) -> list[Entry]:
    found: list[Entry] = []

    def look(desk: Desk) -> None:
        found.extend(desk.numbered(Entry, 0, 100_000))

    world.hub.node.ask(InTurn(look))
    world.world.settle()
    return found


def transfer(world: HubWorld, party: Party, amounts: list[int]) -> None:
    view = world.view(party)
    assert view is not None
    for amount in amounts:
        party.do(CommandTransfer(view.id, Wei(amount)))
        world.world.settle()


def moved(world: HubWorld, party: Party) -> int:
    view = world.view(party)
    assert view is not None
    return gain(view.role, agreed_content(view)[0])


def test_transfers_of_a_wei_without_end_are_few_rows_with_the_same_sum() -> None:
    """Attack: a state for each wei, and a row for each state."""
    world = HubWorld()
    alice = world.opener("alice")
    world.offer(alice)
    world.blocks(4)
    transfer(world, alice, [1] * 150)
    rows = entries(world)
    assert len(rows) <= _APART
    assert sum(row.amount for row in rows) == moved(world, alice) == 150
    assert rows[-1].amount == 1
    assert [row.number for row in rows] == sorted({row.number for row in rows})

    world.hub.restart()
    world.world.settle()
    world.blocks(1)
    transfer(world, alice, [2] * 150)
    rows = [row for row in entries(world) if row.kind == TRANSFER]
    assert len(rows) <= _APART
    assert sum(row.amount for row in rows) == moved(world, alice) == 450


def test_rows_of_two_channels_are_not_mixed() -> None:
    world = HubWorld()
    parties = [world.opener("alice"), world.opener("bob")]
    for party in parties:
        world.offer(party)
    world.blocks(4)
    for _ in range(25):
        for party, amount in zip(parties, (1, 3), strict=True):
            transfer(world, party, [amount] * 2)
    for party in parties:
        view = world.view(party)
        assert view is not None
        own = [row.amount for row in entries(world) if row.channel == view.id]
        assert sum(own) == moved(world, party)
        assert len(own) <= _APART
