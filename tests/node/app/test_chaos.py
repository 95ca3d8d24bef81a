"""Payments, requests and refunds among three who are stopped at any write, lose messages, and ask
again: whatever happens, each wish happens once or not at all, and the books agree."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from perun.app.methods import GetPayments, GetRequests, MakeRequest, Pay, Refund
from perun.app.rows import Payment, Step
from perun.core.books import Row
from perun.encoding.messages import Note, Noted
from perun.errors import BrokenInvariant, Misuse
from perun.store import MemoryStore, WriteFailed
from perun.testing.network import Letter
from perun.testing.people import SETTINGS, Answer, Person, Town
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel
from perun.types import InstanceId, MachineId, Seconds, Signature, UnixTime, Wei


class Disk(MemoryStore):
    """Its power fails at a write: before it is kept, or right after, when nothing has left yet."""

    fail_after: int | None = None

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        super().write(rows, drops)
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after < 0:
                self.fail_after = None
                raise WriteFailed("memory", "scripted power cut after the write")


class Game:
    """Alice, Bob and Carol behind Ingrid; Alice and Bob have a channel of their own, too."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.town = Town()
        settings = replace(SETTINGS, patience=Seconds(20))
        self.people = [
            self.town.person(name, OPEN_HANDED, settings, Disk())
            for name in ("alice", "bob", "carol")
        ]
        self.ingrid = self.town.person("ingrid", hub_policy(), settings, Disk())
        for person in self.people:
            open_channel(self.town.world, person.party, self.ingrid.party, 10_000, 10_000)
        open_channel(self.town.world, self.people[0].party, self.people[1].party, 10_000, 10_000)
        self.wishes: list[tuple[Person, str, Pay | Refund]] = []
        self.answers: list[Answer] = []
        self.links: list[tuple[Person, str]] = []
        self.lossy = False
        self.town.world.network.rule = self._maybe_lose

    def _maybe_lose(self, letter: Letter) -> Iterable[Letter]:
        return () if self.lossy and self.dice.random() < 0.05 else (letter,)

    # ------------------------------------------------------------------------------------- moves

    def move(self) -> None:
        wishes = [self.pay, self.pay, self.pay, self.ask_for, self.pay_link, self.refund]
        nature = [self.cut, self.cut_after, self.restart, self.wait, self.lose]
        self.dice.choice([*wishes, self.again, self.again, *nature])()
        self.settle()

    def pay(self) -> None:
        payer, payee = self.dice.sample(self.people, 2)
        amount = str(self.dice.choice([1, 5, 40, 900, 12_000]))
        self._wish(payer, "pay", Pay(idempotency_key=self._key(), to=payee.id, amount=amount))

    def ask_for(self) -> None:
        payee = self.dice.choice(self.people)
        params = MakeRequest(
            amount=str(self.dice.choice([0, 7, 70])), seconds=self.dice.choice([10, 3_600])
        )
        answer = payee.begin("request", params)
        self.settle()
        if answer.came:
            self.links.append((payee, answer.value.uri))

    def pay_link(self) -> None:
        if not self.links:
            return
        _, uri = self.dice.choice(self.links)
        payer = self.dice.choice(self.people)
        amount = "9" if "amount=0&" in uri else None
        self._wish(payer, "pay", Pay(idempotency_key=self._key(), to=uri, amount=amount))

    def refund(self) -> None:
        payee = self.dice.choice(self.people)
        incomes = list(payee.app.shelf.incomes.newest(payee.party.store))
        if incomes:
            id = "0x" + self.dice.choice(incomes).id.hex()
            self._wish(payee, "refund", Refund(idempotency_key=self._key(), payment=id))

    def again(self) -> None:
        if self.wishes:
            self._say(*self.dice.choice(self.wishes))

    def cut(self) -> None:
        self._disk(self._somebody()).crash_before = self.dice.randrange(6)

    def cut_after(self) -> None:
        self._disk(self._somebody()).fail_after = self.dice.randrange(6)

    def restart(self) -> None:
        self._somebody().party.restart()

    def wait(self) -> None:
        self._turning(lambda: self.town.world.ledger.advance(self.dice.choice([1, 12, 40])))

    def lose(self) -> None:
        self.lossy = not self.lossy

    # ------------------------------------------------------------------------------------ wheels

    def _key(self) -> str:
        return f"key {len(self.wishes)}"

    def _wish(self, person: Person, method: str, params: Pay | Refund) -> None:
        self.wishes.append((person, method, params))
        self._say(person, method, params)

    def _say(self, person: Person, method: str, params: Pay | Refund) -> None:
        self.answers.append(person.begin(method, params))

    def _somebody(self) -> Person:
        return self.dice.choice([*self.people, self.ingrid])

    @staticmethod
    def _disk(person: Person) -> Disk:
        store = person.party.store
        assert isinstance(store, Disk)
        return store

    def settle(self) -> None:
        self._turning(lambda: None)

    def _turning(self, act: object) -> None:
        """Does something and lets everybody work; whoever loses power starts again."""
        assert callable(act)
        act()
        for _ in range(50):
            try:
                self.town.world.settle()
            except WriteFailed:
                for person in (*self.people, self.ingrid):
                    disk = self._disk(person)
                    if person.party.node.failed is not None:
                        disk.crash_before = disk.fail_after = None
                        person.party.restart()
            else:
                return
        raise AssertionError("it never comes to rest")

    def calm_down(self) -> None:
        """Nothing is lost any more, and time passes until nobody waits."""
        self.lossy = False
        for person in (*self.people, self.ingrid):
            disk = self._disk(person)
            disk.crash_before = disk.fail_after = None
            person.party.restart()
        for _ in range(12):
            self._turning(lambda: self.town.world.ledger.advance(12))

    # ------------------------------------------------------------------------------------ checks

    def payments(self, person: Person) -> list[Payment]:
        return list(person.app.shelf.payments.newest(person.party.store))

    def check(self) -> None:
        for person in self.people:
            self._check_outgoing(person)
            self._check_incomes(person)
            self._check_requests(person)

    def _check_outgoing(self, person: Person) -> None:
        rows = self.payments(person)
        assert len({row.key for row in rows}) == len(rows)
        in_machines: dict[bytes, int] = {}
        for row in rows:
            assert row.step in (Step.DONE, Step.FAILED), row
            if row.step is Step.DONE:
                assert row.last - row.first == row.amount
                in_machines[row.machine] = in_machines.get(row.machine, 0) + row.amount
        totals = person.party.node.books.totals
        for machine, amount in in_machines.items():
            known = totals.get(machine)  # type: ignore[call-overload]
            assert known is None or known.sent == known.asked == amount
        paid = [row for row in rows if row.request and row.step is Step.DONE]
        assert len({(row.payee, row.request) for row in paid}) == len(paid)

    def _check_incomes(self, person: Person) -> None:
        incomes = list(person.app.shelf.incomes.newest(person.party.store))
        sent = {
            (row.machine, row.last): row
            for other in self.people
            for row in self.payments(other)
            if row.step is Step.DONE and row.payee == person.party.peer
        }
        assert {(row.machine, row.last) for row in incomes} == sent.keys()
        for row in incomes:
            payment = sent[row.machine, row.last]
            assert (row.id, row.last - row.first) == (payment.id, payment.amount)
        given = person.app.shelf.given_back
        for row in incomes:
            assert given.get((row.payer, row.id), 0) <= row.last - row.first

    def _check_requests(self, person: Person) -> None:
        incomes = person.ask("payments", GetPayments(direction="in", limit=1000))
        for request in person.ask("requests", GetRequests(limit=1000)):
            paying = [one for one in incomes if one.request == request.id]
            assert len(paying) == (request.state == "paid")
            for one in paying:
                assert one.receipt is not None
                assert request.amount in ("0", one.amount)


@pytest.mark.parametrize("seed", range(12))
def test_each_wish_happens_once_or_not_at_all(seed: int) -> None:
    game = Game(seed)
    for _ in range(60):
        try:
            game.move()
        except Misuse as error:
            raise AssertionError(f"a refusal that nobody asked for: {error}") from error
    game.calm_down()
    game.check()


def test_no_note_of_a_stranger_or_a_peer_breaks_anything() -> None:
    """Whatever it names: refused as a fault of the peer, or kept within bounds."""
    dice = random.Random(7)
    town = Town()
    alice, bob = (town.person(name, OPEN_HANDED) for name in ("alice", "bob"))
    open_channel(town.world, alice.party, bob.party, 10_000, 10_000)
    asked = bob.ask("request", MakeRequest(amount="5"))
    paid = alice.ask("pay", Pay(idempotency_key="a", to=bob.id, amount="50"))
    machines = [*bob.party.node.books.totals, MachineId(InstanceId(bytes(32)))]
    ids = [b"", bytes(32), bytes.fromhex(asked.id[2:]), bytes.fromhex(paid.id[2:])]

    def message() -> Note | Noted:
        machine = MachineId(dice.choice(machines))
        first = dice.choice([0, 1, 49, 50, 51, dice.randrange(20_000), 2**111 - 2])
        last = first + dice.choice([1, 5, 50, 10_000])
        if last < 2**111 and dice.random() < 0.7:
            payment = dice.choice([bytes(32), dice.randbytes(32), ids[3]])
            request, refunds = dice.choice(ids), dice.choice(ids)
            text = "x" * dice.randrange(257)
            return Note(machine, Wei(first), Wei(last), payment, request, refunds, text)
        receipt = Signature(dice.randbytes(dice.choice([0, 65])))
        total, why = Wei(dice.choice([50, first])), dice.choice(["", "no"])
        return Noted(machine, total, UnixTime(5), receipt, why)

    for _ in range(3_000):
        sender = dice.choice([alice.party.peer, b"\x02" * 33])
        receiver = dice.choice([alice, bob]).party.peer
        town.world.network.inject(sender, receiver, message())
    town.world.settle()
    faults = [error for one in (alice, bob) for _, error in one.party.faults]
    assert not [error for error in faults if isinstance(error, BrokenInvariant)]
    assert len(faults) > 1_000
    assert bob.ask("requests", GetRequests())[0].state == "open"
    # What Alice has said of her own money before is kept; her money counts all the same.
    answer = alice.begin("pay", Pay(idempotency_key="b", to=bob.id, amount="7"))
    town.world.settle()
    town.until(lambda: answer.came)
    assert answer.value.step == "delivered"
    assert bob.party.node.books.totals[machines[0]].received == 57
