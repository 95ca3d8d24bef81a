"""Events: numbered, kept for a while, sent once they are on disk."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.app import values
from perun.app.errors import BadParams, Gone, NoSuch
from perun.app.methods import GetEvents, MakeRequest, Pay, Subscribe, Unsubscribe
from perun.app.rows import Event
from perun.app.work import Ask
from perun.core.faults import NotAllowedNow
from perun.store import MemoryStore, WriteFailed
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import Seconds


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def alice(town: Town) -> Person:
    return town.person("alice", OPEN_HANDED, replace(SETTINGS, most_events=20))


@pytest.fixture
def bob(town: Town, alice: Person) -> Person:
    person = town.person("bob", OPEN_HANDED, replace(SETTINGS, keep=Seconds(1_000)))
    open_channel(town.world, alice.party, person.party, 1_000, 1_000)
    return person


def pay(alice: Person, bob: Person, *keys: str) -> None:
    for key in keys:
        alice.ask("pay", Pay(idempotency_key=key, to=bob.id, amount="1"))


def numbers(person: Person, since: int) -> list[int]:
    return [event.number for event in person.ask("events", GetEvents(since=since))]


def kept(person: Person) -> list[int]:
    return [row.number for row in person.party.store.numbered(Event, 0, 10_000)]


def test_of_too_many_the_oldest_go(town: Town, alice: Person, bob: Person) -> None:
    pay(alice, bob, *map(str, range(20)))
    newest = alice.app.shelf.next_event - 1
    assert newest > 40
    town.world.advance(120, 2)
    assert len(kept(alice)) == 20
    with pytest.raises(Gone) as gone:
        numbers(alice, 0)
    assert gone.value.snapshot == newest
    oldest = gone.value.oldest
    assert numbers(alice, oldest - 1) == list(range(oldest, newest + 1))
    alice.party.restart()
    town.world.settle()
    assert numbers(alice, oldest - 1)[0] == oldest
    with pytest.raises(Gone):
        numbers(alice, oldest - 2)


def test_of_too_old_ones_all_go_and_numbers_go_on(town: Town, alice: Person, bob: Person) -> None:
    pay(alice, bob, "a", "b")
    before = bob.app.shelf.next_event
    town.world.advance(2_000, 4)
    assert kept(bob) == [before - 1]
    pay(alice, bob, "c")
    assert numbers(bob, before - 1)[0] == before
    bob.party.restart()
    town.world.settle()
    pay(alice, bob, "d")
    assert kept(bob) == sorted(set(kept(bob)))
    assert bob.app.shelf.next_event > before + 1


def test_numbers_are_never_given_twice_even_after_all_were_too_old(
    town: Town, alice: Person, bob: Person
) -> None:
    pay(alice, bob, "a")
    last = bob.app.shelf.next_event - 1
    town.world.advance(2_000, 4)
    assert kept(bob) == [last]
    bob.party.restart()
    town.world.settle()
    pay(alice, bob, "b")
    assert min(numbers(bob, last)) > last


def test_those_of_a_write_that_failed_are_not_sent(town: Town, alice: Person, bob: Person) -> None:
    told: list[values.Event] = []
    bob.party.node.ask(Ask("subscribe", Subscribe(), lambda _: None, push=told.extend))
    town.world.settle()
    pay(alice, bob, "a")
    assert [event.kind for event in told].count("received") == 1
    store = bob.party.store
    assert isinstance(store, MemoryStore)
    store.crash_before = 0
    with pytest.raises(WriteFailed):
        pay(alice, bob, "b")
    assert [event.kind for event in told].count("received") == 1


def test_a_subscription_begins_where_it_is_told(town: Town, alice: Person, bob: Person) -> None:
    pay(alice, bob, "a")
    subscribed = alice.ask("subscribe", Subscribe(since=2, kinds=("payment",)))
    assert subscribed.event == 2
    pay(alice, bob, "b")
    assert {event.kind for event in alice.events} == {"payment"}
    sent = [event.number for event in alice.events]
    assert sent == sorted(set(sent))
    wanted = [e.number for e in alice.ask("events", GetEvents(since=2)) if e.kind == "payment"]
    assert sent == wanted
    alice.ask("unsubscribe", Unsubscribe(subscription=subscribed.subscription))
    pay(alice, bob, "c")
    assert [event.number for event in alice.events] == wanted
    with pytest.raises(NoSuch):
        alice.ask("unsubscribe", Unsubscribe(subscription=subscribed.subscription))


def test_whoever_takes_no_events_cannot_subscribe(town: Town, alice: Person) -> None:
    said: list[object] = []
    alice.party.node.ask(Ask("subscribe", Subscribe(), said.append))
    town.world.settle()
    assert isinstance(said[0], BadParams)


def test_events_beyond_memory_come_from_the_store(town: Town, alice: Person, bob: Person) -> None:
    pay(alice, bob, "a", "b", "c")
    shelf = bob.app.shelf
    newest = shelf.next_event - 1
    while len(shelf.events) > 1:
        shelf.events.popleft()
    assert numbers(bob, 0) == list(range(1, newest + 1))
    assert numbers(bob, newest - 1) == [newest]


def test_a_copied_store_asks_nobody_for_money(alice: Person, bob: Person) -> None:
    store = bob.party.store
    assert isinstance(store, MemoryStore)
    bob.party.restart(store.copy())
    with pytest.raises(NotAllowedNow, match="restored or copied"):
        bob.ask("request", MakeRequest(amount="5"))


def test_who_waits_for_events_gets_the_first_that_come(alice: Person, bob: Person) -> None:
    newest = alice.app.shelf.next_event - 1
    waiting = alice.begin("events", GetEvents(since=newest, wait=60))
    later = alice.begin("events", GetEvents(since=newest + 1_000, wait=60))
    assert not waiting.came
    pay(alice, bob, "one")
    assert [event.number for event in waiting.value][:1] == [newest + 1]
    assert not later.came


def test_who_waits_for_events_in_vain_is_told(town: Town, alice: Person, bob: Person) -> None:
    assert bob
    newest = alice.app.shelf.next_event - 1
    waiting = alice.begin("events", GetEvents(since=newest, wait=60))
    town.until(lambda: waiting.came)
    assert waiting.value == ()
    # And is not told again.
    pay(alice, bob, "one")
    assert waiting.value == ()
