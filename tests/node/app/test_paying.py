"""Payments over a channel of two: found a way, paid, told what for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from msgspec.structs import replace

from perun.app.errors import KeyReused, NoWay
from perun.app.methods import GetEvents, Pay
from perun.app.rows import Payment, Step
from perun.core.effects import Sign
from perun.core.state import ChannelView, Invitation
from perun.encoding.messages import Note, Noted, NotPaid, decode, encode
from perun.encoding.messages import Pay as Message
from perun.store import MemoryStore, WriteFailed
from perun.testing.network import Letter
from perun.testing.parties import DEPLOYMENT
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import Signature
from perun.wallet.local import LocalWallet


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def alice(town: Town) -> Person:
    return town.person("alice", OPEN_HANDED)


@pytest.fixture
def bob(town: Town, alice: Person) -> Person:
    person = town.person("bob", OPEN_HANDED)
    open_channel(town.world, alice.party, person.party, 1_000, 1_000)
    return person


def pay(to: Person, amount: int, key: str = "one", text: str = "", wait: int = 30) -> Pay:
    return Pay(idempotency_key=key, to=to.id, amount=str(amount), text=text, wait=wait)


def received(person: Person) -> int:
    return sum(totals.received for totals in person.party.node.books.totals.values())


class Batches(LocalWallet):
    """A wallet that counts how much it is asked for at once."""

    sizes: tuple[int, ...] = ()

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        self.sizes = (*self.sizes, len(signs))
        return super().sign_all(signs)


def test_a_first_payment_makes_a_machine_and_is_done_when_the_payee_knows_what_for(
    alice: Person, bob: Person
) -> None:
    paid = alice.ask("pay", pay(bob, 5, text="for bread"))
    assert (paid.step, paid.amount, paid.first, paid.last) == ("done", "5", "0", "5")
    assert received(bob) == 5
    (income,) = bob.app.shelf.incomes.newest(bob.party.store)
    assert (income.text, income.payer, income.id.hex()) == (
        "for bread",
        alice.party.peer,
        paid.id[2:],
    )


def test_the_next_ones_take_the_same_machine(alice: Person, bob: Person) -> None:
    first = alice.ask("pay", pay(bob, 5))
    second = alice.ask("pay", pay(bob, 6, "two"))
    assert second.machine == first.machine
    assert (second.first, second.last) == ("5", "11")


def test_the_same_key_is_the_same_payment(alice: Person, bob: Person) -> None:
    first = alice.ask("pay", pay(bob, 5))
    again = alice.ask("pay", pay(bob, 5, wait=1))
    assert again == first
    assert received(bob) == 5
    with pytest.raises(KeyReused):
        alice.ask("pay", pay(bob, 6))


def test_two_with_one_key_at_once_are_one(town: Town, alice: Person, bob: Person) -> None:
    answers = [alice.begin("pay", pay(bob, 5)) for _ in range(3)]
    town.world.settle()
    assert len({answer.value.id for answer in answers}) == 1
    assert received(bob) == 5


def test_more_than_there_is_is_refused_in_words_and_nothing_is_kept(
    alice: Person, bob: Person
) -> None:
    with pytest.raises(
        NoWay, match=r"has 0\.000000000000001 ETH free, not 0\.000000000000001001 ETH"
    ):
        alice.ask("pay", pay(bob, 1_001))
    assert alice.app.shelf.by_key == {}


def test_nobody_to_pay_from_is_said(town: Town, alice: Person) -> None:
    carol = town.person("carol", OPEN_HANDED)
    with pytest.raises(NoWay, match="no channel in this asset"):
        alice.ask("pay", pay(carol, 1))


def test_a_machine_that_is_too_small_is_made_larger(town: Town) -> None:
    alice = town.person("alice", OPEN_HANDED, replace(SETTINGS, ahead=1))
    bob = town.person("bob", OPEN_HANDED)
    open_channel(town.world, alice.party, bob.party, 1_000, 1_000)
    small = alice.ask("pay", pay(bob, 400))
    large = alice.ask("pay", pay(bob, 500, "two"))
    assert large.step == "done"
    assert large.machine != small.machine
    assert alice.ask("pay", pay(bob, 100, "three")).step == "done"
    with pytest.raises(NoWay):
        alice.ask("pay", pay(bob, 1, "four"))


def test_many_at_once_wait_for_one_machine(town: Town, alice: Person, bob: Person) -> None:
    answers = [alice.begin("pay", pay(bob, 10, str(number))) for number in range(50)]
    town.world.settle()
    assert {answer.value.step for answer in answers} == {"done"}
    assert len({answer.value.machine for answer in answers}) == 1
    assert received(bob) == 500


def test_many_in_one_machine_are_signed_at_once(town: Town, alice: Person, bob: Person) -> None:
    alice.ask("pay", pay(bob, 1, "zero"))
    wallet = Batches(DEPLOYMENT, [alice.party.key])
    alice.party.node._batch_signer = wallet
    answers = [alice.begin("pay", pay(bob, 1, str(number))) for number in range(50)]
    town.world.settle()
    assert {answer.value.step for answer in answers} == {"done"}
    assert wallet.sizes == (50,)
    assert received(bob) == 51


def test_money_that_arrived_is_written_with_its_turn_though_the_note_is_not_answered(
    town: Town, alice: Person, bob: Person
) -> None:
    alice.ask("pay", pay(bob, 1, "zero"))
    town.world.network.lose(Noted)
    alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    stored = alice.party.store.numbered(Payment, 0, 10)
    assert [row.step for row in stored] == [Step.DONE, Step.DELIVERED]


def test_a_payee_that_is_away_fails_in_time_and_nothing_is_paid(
    town: Town, alice: Person, bob: Person
) -> None:
    town.world.network.leave(bob.party.peer)
    answer = alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    town.until(lambda: answer.came)
    assert answer.value.step == "failed"
    assert "has not answered" in answer.value.why
    assert received(bob) == 0


def test_a_lost_statement_is_said_again_without_a_new_connection(
    town: Town, alice: Person, bob: Person
) -> None:
    alice.ask("pay", pay(bob, 1, "zero"))
    town.world.network.lose(Message, Note)
    answer = alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    assert received(bob) == 1
    town.world.network.lose()
    town.until(lambda: answer.came)
    assert answer.value.step == "done"
    assert received(bob) == 6


def test_what_a_payee_does_not_count_yet_is_shown_again_within_a_moment(
    town: Town, alice: Person, bob: Person
) -> None:
    """Its view of the chain is a moment behind: it refuses once, and takes it a second later."""
    alice.ask("pay", pay(bob, 5))
    refused: list[bytes] = []

    def rule(letter: Letter) -> Iterable[Letter]:
        message = decode(letter[2])
        if refused or not isinstance(message, Message):
            return (letter,)
        refused.append(letter[2])
        words = NotPaid(message.machine, message.paid, "the chain has not told yet")
        return ((letter[1], letter[0], encode(words)),)

    town.world.network.rule = rule
    answer = alice.begin("pay", pay(bob, 6, "two"))
    town.world.settle()
    assert not answer.came
    before = town.world.ledger.time
    town.until(lambda: answer.came)
    assert answer.value.step == "done"
    assert town.world.ledger.time - before < SETTINGS.repeat


def test_a_lost_note_of_money_that_arrived_is_said_again_within_a_moment(
    town: Town, alice: Person, bob: Person
) -> None:
    """A hub between the two is started again: it carries the money before it knows the way of
    notes from end to end."""
    alice.ask("pay", pay(bob, 1, "zero"))
    town.world.network.lose(Note)
    answer = alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    assert received(bob) == 6
    assert not answer.came
    town.world.network.lose()
    before = town.world.ledger.time
    town.until(lambda: answer.came)
    assert answer.value.step == "done"
    assert town.world.ledger.time - before < SETTINGS.repeat


def test_a_payee_that_comes_back_in_time_is_paid(town: Town, alice: Person, bob: Person) -> None:
    town.world.network.leave(bob.party.peer)
    answer = alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    bob.party.restart()
    town.until(lambda: answer.came)
    assert answer.value.step == "done"


@pytest.mark.parametrize("machine_first", [False, True])
def test_right_after_a_start_a_payment_waits_for_the_peer_to_show_its_state(
    town: Town, alice: Person, bob: Person, machine_first: bool
) -> None:
    if machine_first:
        alice.ask("pay", pay(bob, 1, "zero"))
    town.world.network.leave(bob.party.peer)
    alice.party.restart()
    answer = alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    row = alice.app.shelf.payments.get(alice.app.shelf.by_key["one"], alice.party.store)
    assert row is not None
    assert row.step == Step.FINDING
    assert "has not shown its newest state" in row.why
    bob.party.restart()
    town.until(lambda: answer.came)
    assert answer.value.step == "done"
    assert received(bob) == 5 + machine_first


def test_a_peer_that_never_shows_its_state_is_said(town: Town, alice: Person, bob: Person) -> None:
    town.world.network.leave(bob.party.peer)
    alice.party.restart()
    answer = alice.begin("pay", pay(bob, 5, wait=600))
    town.world.settle()
    town.until(lambda: answer.came)
    assert answer.value.step == "failed"
    assert "has not shown its newest state" in answer.value.why


def test_a_wait_that_began_under_a_wrong_clock_is_over(
    town: Town, alice: Person, bob: Person
) -> None:
    town.world.network.leave(bob.party.peer)
    alice.party.clock.ahead = 1_000_000
    alice.party.restart()
    alice.begin("pay", pay(bob, 5))
    town.world.settle()
    alice.party.clock.ahead = 0
    alice.party.restart()
    town.world.settle()
    bob.party.restart()
    town.world.advance(12, 3)
    row = alice.app.shelf.payments.get(1, alice.party.store)
    assert row is not None
    assert row.step == Step.FAILED
    assert received(bob) == 0


def test_an_opening_whose_channel_is_gone_ends_and_the_node_lives(
    town: Town, alice: Person, bob: Person
) -> None:
    town.world.network.leave(bob.party.peer)
    alice.begin("pay", pay(bob, 5))
    town.world.settle()
    store = alice.party.store
    assert isinstance(store, MemoryStore)
    for kind in (ChannelView, Invitation):
        for place in [place for place in store._rows if place[0] is kind]:
            del store._rows[place]
    alice.party.restart()
    alice.party.node.meet(bob.party.peer)
    town.world.advance(1)
    town.world.advance(40)
    row = alice.app.shelf.payments.get(1, store)
    assert row is not None
    assert row.step == Step.FAILED
    assert alice.app.shelf.openings == {}


def test_a_copied_store_pays_nobody(town: Town, alice: Person, bob: Person) -> None:
    store = alice.party.store
    assert isinstance(store, MemoryStore)
    alice.party.restart(store.copy())
    with pytest.raises(NoWay, match="restored or copied"):
        alice.ask("pay", pay(bob, 5))


def test_events_tell_each_step_with_numbers(alice: Person, bob: Person) -> None:
    alice.ask("pay", pay(bob, 5))
    events = alice.ask("events", GetEvents(since=0))
    payments = [event.data["step"] for event in events if event.kind == "payment"]
    assert payments == ["opening", "signed", "done"]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [e.kind for e in bob.ask("events", GetEvents(since=0))].count("received") == 1


@pytest.mark.parametrize("machine_first", [False, True])
def test_a_crash_between_any_two_writes_never_pays_twice_or_never(machine_first: bool) -> None:
    """Alice asks again with the same key after each crash; whichever write fails."""
    for write in range(20):
        town = Town()
        alice, bob = town.person("alice", OPEN_HANDED), town.person("bob", OPEN_HANDED)
        open_channel(town.world, alice.party, bob.party, 1_000, 1_000)
        before = 0
        if machine_first:
            alice.ask("pay", pay(bob, 1, "zero"))
            before = 1
        for who in (alice, bob):
            store = who.party.store
            assert isinstance(store, MemoryStore)
            store.crash_before = write
            answer = alice.begin("pay", pay(bob, 5))
            crashed = False
            try:
                town.world.settle()
            except WriteFailed:
                crashed = True
            store.crash_before = None
            if crashed:
                who.party.restart()
                answer = alice.begin("pay", pay(bob, 5))
            town.until(lambda answer=answer: answer.came)  # type: ignore[misc]
            assert answer.value.step in ("done", "failed")
            paid = 5 if answer.value.step == "done" else 0
            assert received(bob) == before + paid, (write, who.party.name)


def test_a_payment_is_exactly_what_the_stored_total_says(alice: Person, bob: Person) -> None:
    alice.ask("pay", pay(bob, 5))
    alice.party.restart()
    row = next(iter(alice.app.shelf.by_key.values()), None)
    assert row is None, "numbered rows are read with the first turn"
    again = alice.ask("pay", pay(bob, 5))
    assert again.step == "done"
    totals = alice.party.node.books.totals
    (total,) = (t for t in totals.values() if t.sent)
    assert str(total.sent) == again.last
