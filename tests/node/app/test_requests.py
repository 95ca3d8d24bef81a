"""Payment requests: signed, paid once through whatever happens, never what was not asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from perun.app.errors import BadParams, BadRequest, NoSuch, RequestAltered, RequestExpired
from perun.app.methods import (
    CancelRequest,
    GetPayment,
    GetPayments,
    GetRequests,
    MakeRequest,
    Pay,
    Refund,
)
from perun.app.values import Request
from perun.core.faults import NotEnoughMoney
from perun.core.signing import Checker, digest
from perun.crypto.keys import PublicKey
from perun.crypto.signatures import sign
from perun.encoding.links import BadLink, Link, parse_link, show_link
from perun.encoding.messages import Note, Noted
from perun.encoding.requests import PaymentRequest, Receipt
from perun.errors import Misuse
from perun.store import MemoryStore, WriteFailed
from perun.testing.parties import DEPLOYMENT, key_of
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import Address, MachineId, Signature, UnixTime, Wei


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


def request(person: Person, amount: int = 5, memo: str = "bread & salt", **more: object) -> Request:
    made = person.ask("request", MakeRequest(amount=str(amount), memo=memo, **more))  # type: ignore[arg-type]
    assert isinstance(made, Request)
    return made


def pay(uri: str, key: str = "one", **more: object) -> Pay:
    return Pay(idempotency_key=key, to=uri, **more)  # type: ignore[arg-type]


def received(person: Person) -> int:
    return sum(totals.received for totals in person.party.node.books.totals.values())


def test_a_request_is_paid_and_the_receipt_is_the_payees(alice: Person, bob: Person) -> None:
    asked = request(bob)
    paid = alice.ask("pay", pay(asked.uri))
    assert (paid.step, paid.request, paid.text) == ("done", asked.id, "bread & salt")
    (shown,) = bob.ask("requests", GetRequests())
    assert (shown.state, shown.paid, shown.payment) == ("paid", "5", paid.id)
    link = parse_link(asked.uri)
    assert link.request is not None
    row = alice.app.shelf.payments.get(1, alice.party.store)
    assert row is not None
    receipt = Receipt(
        bob.party.peer,
        SETTINGS.genesis,
        DEPLOYMENT.contract.contract,
        link.request.asset,
        Wei(5),
        link.request.id,
        alice.party.peer,
        row.receipt_at,
    )
    Checker(DEPLOYMENT).check(receipt, row.receipt, bob.party.key.address)


def test_another_key_for_the_same_request_is_the_same_payment(alice: Person, bob: Person) -> None:
    asked = request(bob)
    first = alice.ask("pay", pay(asked.uri))
    again = alice.ask("pay", pay(asked.uri, "two"))
    assert again.id == first.id
    assert received(bob) == 5


def test_the_same_id_with_other_content_is_refused_and_shown(alice: Person, bob: Person) -> None:
    asked = request(bob)
    alice.ask("pay", pay(asked.uri))
    link = parse_link(asked.uri)
    assert link.request is not None
    other = signed_by(bob, link, amount=Wei(6))
    with pytest.raises(RequestAltered, match="amount 5 before, and says 6 now"):
        alice.ask("pay", pay(other, "two"))
    assert received(bob) == 5


def signed_by(person: Person, link: Link, **changes: object) -> str:
    """The link with other content, and a signature that fits it."""
    fields = {name: getattr(link.request, name) for name in PaymentRequest.__struct_fields__}
    other = PaymentRequest(**{**fields, "payee": person.party.peer, **changes})
    signature = sign(digest(DEPLOYMENT, other), person.party.key)
    return show_link(Link(person.party.peer, "", other, link.chain_id, link.memo, "", signature))


def test_one_id_asked_for_by_two_payees_is_two_requests(
    town: Town, alice: Person, bob: Person
) -> None:
    carol = town.person("carol", OPEN_HANDED)
    open_channel(town.world, alice.party, carol.party, 1_000, 1_000)
    asked = request(bob)
    link = parse_link(asked.uri)
    stolen = signed_by(carol, link)
    first, second = alice.ask("pay", pay(asked.uri)), alice.ask("pay", pay(stolen, "two"))
    assert first.id != second.id
    assert first.step == "done"
    # Carol never made it: the money is hers, the request she does not know.
    assert second.step == "done"
    assert second.receipt is None
    assert "no such request" in second.why
    assert bob.ask("requests", GetRequests())[0].state == "paid"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amount=5", "amount=6"),
        ("memo=bread", "memo=beer"),
        (f"contract={'11' * 20}", f"contract={'12' * 20}"),
        ("asset=00", "asset=01"),
    ],
)
def test_what_was_changed_on_its_way_is_refused(
    alice: Person, bob: Person, old: str, new: str
) -> None:
    asked = request(bob)
    assert old in asked.uri
    with pytest.raises((BadRequest, BadParams)):
        alice.ask("pay", pay(asked.uri.replace(old, new)))
    assert received(bob) == 0


def test_somebody_elses_signature_is_refused(alice: Person, bob: Person) -> None:
    link = parse_link(request(bob).uri)
    assert link.request is not None
    forged = sign(digest(DEPLOYMENT, link.request), key_of("mallory"))
    with pytest.raises(BadRequest, match="not by its payee"):
        alice.ask("pay", pay(show_link(Link(*_with(link, forged)))))


def _with(link: Link, signature: object) -> list[Any]:
    return [*(getattr(link, name) for name in Link.__struct_fields__[:-1]), signature]


def test_an_expired_one_is_refused_by_the_payer(town: Town, alice: Person, bob: Person) -> None:
    asked = request(bob, seconds=10)
    town.world.advance(11)
    with pytest.raises(RequestExpired):
        alice.ask("pay", pay(asked.uri))


def test_what_comes_late_is_income_but_not_for_the_request(
    town: Town, alice: Person, bob: Person
) -> None:
    alice.ask("pay", Pay(idempotency_key="zero", to=bob.id, amount="1"))
    asked = request(bob, seconds=10)
    town.world.network.leave(bob.party.peer)
    answer = alice.begin("pay", pay(asked.uri, wait=600))
    town.world.settle()
    town.world.advance(10 + SETTINGS.grace + 2)
    bob.party.restart()
    town.until(lambda: answer.came)
    assert answer.value.step == "done"
    assert "expired" in answer.value.why
    assert received(bob) == 6
    assert bob.ask("requests", GetRequests())[0].state == "expired"


def test_a_cancelled_one_takes_no_money_for_it_and_the_payer_is_told(
    alice: Person, bob: Person
) -> None:
    asked = request(bob)
    assert bob.ask("cancelRequest", CancelRequest(id=asked.id)).state == "cancelled"
    paid = alice.ask("pay", pay(asked.uri))
    assert "cancelled" in paid.why
    back = bob.ask("refund", Refund(idempotency_key="r", payment=paid.id))
    assert back.step == "done"
    assert alice.ask("payment", GetPayment(id=paid.id)).refunded == "5"


def test_a_refund_is_given_once_and_never_more(alice: Person, bob: Person) -> None:
    paid = alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="10"))
    refund = Refund(idempotency_key="a", payment=paid.id, amount="4")
    assert bob.ask("refund", refund).amount == "4"
    assert bob.ask("refund", refund).amount == "4"
    assert bob.ask("refund", Refund(idempotency_key="b", payment=paid.id)).amount == "6"
    for key in ("c", "d"):
        with pytest.raises(NotEnoughMoney):
            bob.ask("refund", Refund(idempotency_key=key, payment=paid.id))
    assert received(alice) == 10
    with pytest.raises(NoSuch):
        bob.ask("refund", Refund(idempotency_key="e", payment="0x" + "00" * 32))


def test_an_open_amount_is_the_payers_to_say(alice: Person, bob: Person) -> None:
    asked = request(bob, amount=0)
    with pytest.raises(BadParams, match="say how much"):
        alice.ask("pay", pay(asked.uri))
    assert alice.ask("pay", pay(asked.uri, amount="7")).step == "done"
    assert bob.ask("requests", GetRequests())[0].paid == "7"


def test_the_payer_cannot_pay_less_than_asked(alice: Person, bob: Person) -> None:
    with pytest.raises(BadParams, match="asks for 5, not 4"):
        alice.ask("pay", pay(request(bob).uri, amount="4"))


def test_a_forged_receipt_is_not_taken(town: Town, alice: Person, bob: Person) -> None:
    asked = request(bob)
    town.world.network.lose(Noted)
    answer = alice.begin("pay", pay(asked.uri, wait=600))
    town.world.settle()
    (totals,) = alice.party.node.books.totals.values()
    forged = sign(digest(DEPLOYMENT, _receipt(alice, bob, asked)), key_of("mallory"))
    machine = MachineId(totals.machine)
    for signature in (forged, Signature(b""), Signature(bytes(65))):
        noted = Noted(machine, totals.sent, UnixTime(5), signature)
        town.world.network.inject(bob.party.peer, alice.party.peer, noted)
        town.world.settle()
        assert alice.ask("payment", GetPayment(idempotency_key="one")).step == "delivered"
    town.world.network.lose()
    town.until(lambda: alice.app.shelf.payments.get(1, alice.party.store).step == 4)  # type: ignore[union-attr]
    assert answer.came


def _receipt(payer: Person, payee: Person, asked: Request) -> Receipt:
    request = parse_link(asked.uri).request
    assert request is not None
    return Receipt(
        payee.party.peer,
        request.genesis,
        request.contract,
        request.asset,
        request.amount,
        request.id,
        payer.party.peer,
        UnixTime(5),
    )


def test_a_note_for_what_is_spoken_for_is_refused(town: Town, alice: Person, bob: Person) -> None:
    """Two requests are not paid by one payment."""
    one, two = request(bob), request(bob)
    paid = alice.ask("pay", pay(one.uri))
    machine = bytes.fromhex(paid.machine[2:])
    for first, last in ((0, 5), (1, 5), (0, 4)):
        note = Note(
            machine,  # type: ignore[arg-type]
            Wei(first),
            Wei(last),
            b"\x07" * 32,
            bytes.fromhex(two.id[2:]),
        )
        town.world.network.inject(alice.party.peer, bob.party.peer, note)
        town.world.settle()
    states = {shown.id: shown.state for shown in bob.ask("requests", GetRequests())}
    assert states == {one.id: "paid", two.id: "open"}
    assert len(bob.party.faults) == 3


def test_notes_without_money_are_bounded(town: Town, alice: Person, bob: Person) -> None:
    alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="1"))
    (machine,) = (row.machine for row in alice.party.node.books.totals.values() if row.sent)
    for number in range(1, 200):
        note = Note(machine, Wei(number), Wei(number + 1), number.to_bytes(32, "big"))  # type: ignore[arg-type]
        town.world.network.inject(alice.party.peer, bob.party.peer, note)
    town.world.settle()
    assert len(bob.app.shelf.waiting[machine]) == SETTINGS.most_notes


def test_a_crash_of_either_between_any_two_writes_credits_once() -> None:
    for who in ("alice", "bob"):
        for write in range(12):
            town = Town()
            alice, bob = town.person("alice", OPEN_HANDED), town.person("bob", OPEN_HANDED)
            open_channel(town.world, alice.party, bob.party, 1_000, 1_000)
            asked = request(bob)
            person = alice if who == "alice" else bob
            store = person.party.store
            assert isinstance(store, MemoryStore)
            store.crash_before = write
            answer = alice.begin("pay", pay(asked.uri))
            try:
                town.world.settle()
            except WriteFailed:
                store.crash_before = None
                person.party.restart()
                if who == "alice":
                    answer = alice.begin("pay", pay(asked.uri))
            store.crash_before = None
            town.until(lambda answer=answer: answer.came)  # type: ignore[misc]
            if answer.value.step == "failed":
                answer = alice.begin("pay", pay(asked.uri, "again"))
                town.until(lambda answer=answer: answer.came)  # type: ignore[misc]
            town.until(lambda: bob.app.shelf.requests[bytes.fromhex(asked.id[2:])].state == 1)  # noqa: B023
            town.world.advance(12)
            assert received(bob) == 5, (who, write)
            incomes = bob.ask("payments", GetPayments(direction="in"))
            assert [(one.amount, one.request) for one in incomes] == [("5", asked.id)]


def test_a_receipt_that_a_slow_signer_had_not_signed_is_asked_for_again(
    town: Town, alice: Person, bob: Person
) -> None:
    alice.ask("pay", Pay(idempotency_key="zero", to=bob.id, amount="1"))
    asked = request(bob)
    bob.party.signer.slow = []
    answer = alice.begin("pay", pay(asked.uri, wait=600))
    town.world.settle()
    assert [type(wish.items[0].message) for wish in bob.party.signer.slow] == [Receipt]
    assert alice.ask("payment", GetPayment(idempotency_key="one")).step == "delivered"
    bob.party.signer.slow = None
    bob.party.restart()
    town.until(lambda: alice.ask("payment", GetPayment(idempotency_key="one")).step == "done")
    assert answer.came
    assert bob.ask("requests", GetRequests())[0].state == "paid"


def test_a_request_that_a_slow_signer_had_not_signed_is_signed_after_a_start(
    town: Town, bob: Person
) -> None:
    bob.party.signer.slow = []
    answer = bob.begin("request", MakeRequest(amount="5"))
    town.world.settle()
    assert not answer.came
    bob.party.signer.slow = None
    bob.party.restart()
    town.world.settle()
    (made,) = bob.ask("requests", GetRequests())
    assert parse_link(made.uri).request is not None


@pytest.mark.parametrize(
    "text",
    [
        "bitcoin:abc",
        "perun:",
        "perun:perun1qqqq",
        "perun:{id}?amount=5",
        "perun:{id}?amount=5&amount=6",
        "perun:{id}?req-magic=1",
        "perun:{id}?amount",
        "perun:{id}@no host",
        "perun:{id}?" + "memo=" + "x" * 2_048,
    ],
)
def test_links_that_are_none(alice: Person, bob: Person, text: str) -> None:
    with pytest.raises(Misuse):
        parse_link(text.format(id=bob.id))
    with pytest.raises(Misuse):
        alice.ask("pay", pay(text.format(id=bob.id), amount="5"))


def test_a_plain_link_says_whom_and_where(alice: Person, bob: Person) -> None:
    link = f"perun:{bob.id}@shop.example:8443"
    assert show_link(parse_link(link)) == link
    assert alice.ask("pay", pay(link, amount="5")).step == "done"
    assert alice.reached == [(bob.party.peer, "shop.example:8443", b"", False)]
    with pytest.raises(BadParams, match="names no amount"):
        alice.ask("pay", pay(link, "two"))


def test_whoever_shows_an_open_request_is_admitted(town: Town, alice: Person, bob: Person) -> None:
    asked = bob.ask("request", MakeRequest(amount="5", relay=f"{alice.id}@hub.example"))
    id = bytes.fromhex(asked.id[2:])
    stranger = b"\x02" * 33
    assert bob.app.admits(stranger, id)
    assert not bob.app.admits(stranger, b"")
    assert not bob.app.admits(stranger, bytes(32))
    alice.ask("pay", pay(asked.uri))
    assert alice.reached == [(bob.party.peer, "hub.example", id, False)]
    assert not bob.app.admits(stranger, id), "it is paid"


def test_links_survive_their_text(bob: Person) -> None:
    asked = request(bob, memo="Grüße, 5 % & mehr?=#" + "ü" * 50)
    link = parse_link(asked.uri)
    assert show_link(link) == asked.uri
    assert link.memo == "Grüße, 5 % & mehr?=#" + "ü" * 50
    assert quote(link.memo) in asked.uri
    assert PublicKey(link.payee).address == bob.party.key.address
    assert isinstance(link.request, PaymentRequest)
    assert Address(link.request.contract) == DEPLOYMENT.contract.contract
    with pytest.raises(BadLink, match="no number"):
        parse_link(asked.uri.replace("amount=5", "amount=05"))


def test_a_restarted_payee_knows_its_requests_and_answers_again(
    town: Town, alice: Person, bob: Person
) -> None:
    asked = request(bob, idempotency_key="order 7")
    again = bob.ask(
        "request", MakeRequest(amount="5", memo="bread & salt", idempotency_key="order 7")
    )
    assert again == asked
    town.world.network.lose(Noted)
    answer = alice.begin("pay", pay(asked.uri, wait=600))
    town.world.settle()
    town.world.network.lose()
    bob.party.restart()
    town.until(lambda: answer.came)
    assert answer.value.step == "done"
    town.world.advance(int(SETTINGS.repeat) * 2)
    paid = alice.ask("payment", GetPayment(id=answer.value.id))
    assert paid.receipt is not None
