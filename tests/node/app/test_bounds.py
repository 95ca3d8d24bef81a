"""What a payer can make a payee remember: payments cost a wei each."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.app.methods import GetPayments, Pay
from perun.app.rows import Event, Income
from perun.core.inputs import CommandRemove
from perun.encoding.messages import Note
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import InstanceId, MachineId, Wei

FEW = replace(SETTINGS, most_incomes=8, most_parts=4, most_events=50)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def alice(town: Town) -> Person:
    return town.person("alice", OPEN_HANDED)


@pytest.fixture
def bob(town: Town, alice: Person) -> Person:
    person = town.person("bob", OPEN_HANDED, FEW)
    open_channel(town.world, alice.party, person.party, 10_000, 10_000)
    return person


def pay(alice: Person, bob: Person, times: int) -> MachineId:
    for number in range(times):
        key = f"{number} of {len(alice.app.shelf.by_key)}"
        paid = alice.ask("pay", Pay(idempotency_key=key, to=bob.id, amount="1"))
        assert paid.step == "done"
    return MachineId(InstanceId(bytes.fromhex(paid.machine[2:])))


def stored(person: Person) -> list[Income]:
    return person.party.store.numbered(Income, 0, 1_000)


def note(first: int, last: int, machine: MachineId) -> Note:
    return Note(machine, Wei(first), Wei(last), last.to_bytes(32, "big"))


def test_incomes_of_one_payer_are_so_many(alice: Person, bob: Person) -> None:
    pay(alice, bob, 30)
    assert len(stored(bob)) == FEW.most_incomes
    shown = bob.ask("payments", GetPayments())
    assert len(shown) == FEW.most_incomes
    assert len(bob.app.shelf.incomes_by_id) == FEW.most_incomes


def test_incomes_are_forgotten_a_piece_at_a_time(town: Town, alice: Person) -> None:
    bob = town.person("bob", OPEN_HANDED, replace(SETTINGS, most_incomes=64))
    open_channel(town.world, alice.party, bob.party, 10_000, 10_000)
    kept = []
    for _ in range(12):
        pay(alice, bob, 11)
        kept.append(len(stored(bob)))
    assert kept[5:] == [66, 65, 64, 66, 65, 64, 66]
    assert [row.number for row in stored(bob)] == list(range(67, 133))
    assert len(bob.app.shelf.incomes_by_id) == len(bob.app.shelf.plain_incomes[alice.party.peer])


@pytest.mark.parametrize("restarted", [False, True])
def test_forgotten_part_is_not_spent_twice(
    town: Town, alice: Person, bob: Person, restarted: bool
) -> None:
    machine = pay(alice, bob, 30)
    if restarted:
        bob.party.restart()
        town.world.settle()
    faults = len(bob.party.faults)
    before = [row.number for row in stored(bob)]
    for first in range(5):
        again = note(first, first + 1, machine)
        town.world.network.inject(alice.party.peer, bob.party.peer, again)
    town.world.settle()
    assert len(bob.party.faults) == faults + 5
    assert [row.number for row in stored(bob)] == before


def test_parts_of_a_total_are_so_many(town: Town, alice: Person, bob: Person) -> None:
    machine = pay(alice, bob, 1)
    for number in range(1, 50):
        part = note(2 * number, 2 * number + 1, machine)
        town.world.network.inject(alice.party.peer, bob.party.peer, part)
    town.world.settle()
    assert len(bob.app.shelf.segments[InstanceId(machine)]) == FEW.most_parts


def test_events_are_so_many_between_two_blocks(alice: Person, bob: Person) -> None:
    pay(alice, bob, 1_200)
    assert len(bob.party.store.numbered(Event, 0, 10_000)) < 1_100


def test_nothing_is_kept_of_a_machine_that_is_forgotten(
    town: Town, alice: Person, bob: Person
) -> None:
    machine = pay(alice, bob, 12)
    totals = bob.party.node.books.totals[machine]
    waits = note(totals.received, totals.received + 1, machine)
    town.world.network.inject(alice.party.peer, bob.party.peer, waits)
    town.world.settle()
    assert bob.app.shelf.waiting
    alice.party.do(CommandRemove(InstanceId(machine)))
    for _ in range(60):
        town.world.advance(3_600, 2)
    assert machine not in bob.party.node.books.instances
    shelf = bob.app.shelf
    for kept in (shelf.segments, shelf.by_segment, shelf.spoken, shelf.waiting, shelf.machines):
        assert kept == {}
    assert len(stored(bob)) == FEW.most_incomes
