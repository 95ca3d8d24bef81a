"""Streams by the methods that people and programs call."""

from __future__ import annotations

import itertools
import json

import pytest

from perun.app.errors import BadParams, NoSuch, NoWay
from perun.app.methods import (
    Close,
    GetChannels,
    GetStreams,
    OpenStream,
    PayTicks,
    RunStream,
    StopStream,
)
from perun.app.values import Stream
from perun.core.faults import NotAllowedNow, NotEnoughMoney
from perun.core.nanocontracts import hash_chain
from perun.core.nanocontracts.hash_chain import STREAMS
from perun.store import MemoryStore, WriteFailed
from perun.testing.people import Person
from tests.node.app.trio import OverAHub


class Trio(OverAHub):
    def ask_for(self, key: str = "one", **more: object) -> Stream:
        params = {"to": self.bob.id, "amount": "600", "tick_amount": "3", "seconds": 9_000} | more
        made: Stream = self.alice.ask("stream", OpenStream(idempotency_key=key, **params))  # type: ignore[arg-type]
        return made

    def begin(self, **more: object) -> Stream:
        made = self.ask_for(**more)  # type: ignore[arg-type]
        self.town.until(lambda: self.of(self.alice, made).state == "open", most=20)
        return made

    def of(self, person: Person, stream: Stream) -> Stream:
        (found,) = person.ask("streams", GetStreams(id=stream.id))
        assert isinstance(found, Stream)
        return found

    def both(self, stream: Stream) -> tuple[Stream, Stream]:
        return self.of(self.alice, stream), self.of(self.bob, stream)

    def tick(self, stream: Stream, ticks: int = 1, key: str = "tick") -> None:
        self.alice.ask("tick", PayTicks(idempotency_key=key, id=stream.id, ticks=ticks))

    def stop(self, person: Person, stream: Stream) -> None:
        person.ask("stopStream", StopStream(idempotency_key="stop", id=stream.id))
        self.town.until(lambda: {one.state for one in self.both(stream)} == {"over"}, most=60)

    def run(self, stream: Stream, every: int, ticks: int = 1) -> None:
        key = f"run {every} {ticks}"
        params = RunStream(idempotency_key=key, id=stream.id, every=every, ticks=ticks)
        self.alice.ask("runStream", params)

    def told(self, person: Person) -> list[int]:
        """The total in each event that says what was paid; their amounts add up to it."""
        events = [row for row in person.app.shelf.events if row.kind == "stream"]
        said = [json.loads(row.data) for row in events if b"Ticks" in row.data]
        amounts = [int(one["amount"]) for one in said]
        totals = [int(one["total"]) for one in said]
        assert totals == list(itertools.accumulate(amounts))
        return totals


@pytest.fixture(params=["hub", "pair"])
def trio(request: pytest.FixtureRequest) -> Trio:
    return Trio(hub=request.param == "hub")


def test_ticks_are_paid_at_once_and_seen_by_both(trio: Trio) -> None:
    stream = trio.begin()
    trio.tick(stream, 5)
    trio.tick(stream, 5)
    alice, bob = trio.both(stream)
    assert (alice.pays, alice.paid, alice.held, alice.left) == (True, "15", "15", "585")
    assert (bob.pays, bob.paid, bob.held, bob.left) == (False, "15", "15", "585")
    assert (alice.id, alice.amount, bob.tick_amount) == (bob.id, "600", "3")
    assert trio.ask_for().id == stream.id


@pytest.mark.parametrize("who", [0, 1])
def test_either_stops_it_and_the_rest_is_free_again(trio: Trio, who: int) -> None:
    stream = trio.begin()
    trio.tick(stream, 5)
    trio.stop(trio.people[who], stream)
    assert [one.gain for one in trio.both(stream)] == ["-15", "15"]
    assert [one.ask("channels", GetChannels())[0].free for one in trio.people] == ["985", "1015"]


def test_it_runs_by_itself_at_its_rate(trio: Trio) -> None:
    stream = trio.begin(every=2, ticks=4)
    before = int(trio.of(trio.alice, stream).paid)
    for _ in range(20):
        trio.town.world.advance(1)
    paid = int(trio.of(trio.bob, stream).paid)
    assert (paid - before) in (9 * 12, 10 * 12)
    trio.run(stream, 0)
    for _ in range(20):
        trio.town.world.advance(1)
    alice, bob = trio.both(stream)
    assert bob.paid == str(paid)
    assert (alice.every, alice.ticks) == (0, 0)
    trio.run(stream, 1)
    for _ in range(3):
        trio.town.world.advance(1)
    assert int(trio.of(trio.bob, stream).paid) == paid + 9
    for person in trio.people:
        assert trio.told(person)[-1] == paid + 9


def test_what_is_used_up_is_settled_by_itself(trio: Trio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_chain, "MOST_TICKS", 64)
    stream = trio.begin(every=1, ticks=10)
    trio.town.until(lambda: trio.of(trio.bob, stream).state == "over", most=80)
    assert [one.gain for one in trio.both(stream)] == ["-600", "600"]
    instances = trio.bob.party.node.books.instances.values()
    assert [STREAMS.of(one).base for one in instances] == [3 * 192]


def test_nobody_pays_for_time_in_which_the_payee_is_away(trio: Trio) -> None:
    stream = trio.begin(every=1)
    trio.town.world.network.rule = lambda _letter: ()
    for _ in range(100):
        trio.town.world.advance(1)
    alice = trio.of(trio.alice, stream)
    ahead = (int(alice.paid) - int(alice.held)) // 3
    assert 10 <= ahead <= 12
    assert "has not said that it has" in alice.why
    trio.town.world.network.rule = None
    for _ in range(30):
        trio.town.world.advance(1)
    paid = int(trio.of(trio.bob, stream).paid)
    assert paid - int(alice.paid) <= 3 * 42
    assert paid > int(alice.paid)


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_power_cut_between_any_two_writes_loses_no_tick(who: str) -> None:
    for write in range(12):
        trio = Trio()
        stream = trio.begin(every=1)
        person: Person = getattr(trio, who)
        store = person.party.store
        assert isinstance(store, MemoryStore)
        store.crash_before = write
        try:
            for _ in range(4):
                trio.town.world.advance(1)
        except WriteFailed:
            store.crash_before = None
            person.party.restart()
        store.crash_before = None
        for _ in range(10):
            trio.town.world.advance(1)
        assert int(trio.of(trio.bob, stream).paid) >= 24
        trio.run(stream, 0)
        trio.town.world.settle()
        trio.stop(trio.alice, stream)
        alice, bob = trio.both(stream)
        assert alice.paid == bob.paid == alice.held
        assert (alice.gain, bob.gain) == (f"-{bob.paid}", bob.paid)
        for one in trio.people:
            assert trio.told(one)[-1] == int(bob.paid)


def test_a_channel_with_a_stream_closes(trio: Trio) -> None:
    stream = trio.begin()
    trio.tick(stream, 7)
    (channel,) = trio.alice.ask("channels", GetChannels())
    trio.alice.ask("close", Close(idempotency_key="close", channel=channel.id))
    trio.town.until(lambda: not trio.alice.ask("channels", GetChannels()), most=400)
    assert trio.of(trio.alice, stream).gain == "-21"


def test_its_end_near_it_is_settled_off_chain(trio: Trio) -> None:
    stream = trio.begin()
    trio.tick(stream, 7)
    trio.town.until(lambda: trio.of(trio.bob, stream).state == "over", step=20)
    ledger = trio.town.world.ledger
    assert ledger.time < stream.until - trio.alice.party.node.books.config.limits.margin
    assert trio.of(trio.bob, stream).gain == "21"


def test_what_is_not_so_is_refused(trio: Trio) -> None:
    stream = trio.begin()
    for _ in range(2):  # What was refused is no more done by its key.
        with pytest.raises(NotEnoughMoney):
            trio.tick(stream, 201)
    with pytest.raises(NotAllowedNow):
        trio.bob.ask("tick", PayTicks(idempotency_key="a", id=stream.id))
    with pytest.raises(NotAllowedNow):
        trio.bob.ask("runStream", RunStream(idempotency_key="b", id=stream.id, every=1))
    with pytest.raises(NoSuch):
        trio.alice.ask("tick", PayTicks(idempotency_key="c", id="0x" + "00" * 32))
    for amount, tick in (("5", "6"), ("5", "0")):
        with pytest.raises(BadParams):
            trio.ask_for("two", amount=amount, tick_amount=tick)
    with pytest.raises(NoWay):
        trio.ask_for("three", amount="900")


def test_what_was_not_told_before_a_restart_is_told_after_it(trio: Trio) -> None:
    stream = trio.begin()
    for key in ("first", "second of this second"):
        trio.tick(stream, 1, key)
    assert trio.told(trio.bob) == [3]
    for person in trio.people:
        person.party.restart()
    trio.town.world.advance(1)
    trio.town.world.advance(1)
    assert [trio.told(person) for person in trio.people] == [[3, 6], [3, 6]]
