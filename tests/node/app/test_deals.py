"""Deals in escrow by the methods that people and programs call."""

from __future__ import annotations

import pytest

from perun.app.errors import BadParams, NoSuch
from perun.app.methods import Answer, BringAward, Escrow, GetDeals, GetOffers, LetGo
from perun.app.values import Deal
from perun.core.faults import NotAllowedNow
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.escrow import (
    EscrowDomain,
    award_digest,
)
from perun.testing.ledger import DEPLOYMENT
from perun.testing.people import Person
from perun.types import Award, DealId, InstanceId, Wei
from tests.node.app.trio import OverAHub

ARBITER = SecretKey(b"\x5a" * 32)


class Trio(OverAHub):
    def invite(self, key: str = "one", **more: object) -> Deal:
        arbiter = "0x" + ARBITER.address.hex()
        params = {"to": self.bob.id, "amount": "50", "arbiter": arbiter} | more
        deal: Deal = self.alice.ask("escrow", Escrow(idempotency_key=key, **params))  # type: ignore[arg-type]
        return deal

    def begin(self, **more: object) -> Deal:
        deal = self.invite(**more)
        self.bob.ask("answer", Answer(offer=deal.id, accept=True))
        self.town.world.settle()
        return self.of(self.alice, deal)

    def of(self, person: Person, deal: Deal) -> Deal:
        (found,) = person.ask("deals", GetDeals(id=deal.id))
        assert isinstance(found, Deal)
        return found


@pytest.fixture
def trio() -> Trio:
    return Trio()


def word(deal: Deal, shift: int) -> str:
    """What the arbiter's own program gives out."""
    domain = DEPLOYMENT.find(EscrowDomain)
    assert domain is not None
    assert deal.instance is not None
    id = DealId(InstanceId(bytes.fromhex(deal.instance[2:])))
    return "0x" + sign(award_digest(domain, Award(id, Wei(shift))), ARBITER).hex()


def test_who_is_invited_reads_who_the_arbiter_is(trio: Trio) -> None:
    deal = trio.invite(peer_amount="20", late_gain="-5")
    assert (deal.state, deal.amount, deal.peer_amount, deal.late_gain) == (
        *("invited", "50", "20", "-5"),
    )
    (offer,) = trio.bob.ask("offers", GetOffers())
    assert (offer.kind, offer.own_amount, offer.peer_amount) == ("deal", "20", "50")
    assert deal.arbiter.lower() in offer.text.lower()
    asked = trio.of(trio.bob, deal)
    assert (asked.state, asked.amount, asked.late_gain) == ("asked", "20", "5")
    assert trio.invite(peer_amount="20", late_gain="-5").id == deal.id


def test_seller_brings_the_award_and_is_paid(trio: Trio) -> None:
    deal = trio.begin()
    assert deal.state == "open"
    bring = BringAward(idempotency_key="a", id=deal.id, shift="30", signature=word(deal, 30))
    trio.bob.ask("bringAward", bring)
    trio.bob.ask("bringAward", bring)
    trio.town.world.settle()
    trio.town.world.advance()
    assert [trio.of(one, deal).gain for one in (trio.alice, trio.bob)] == ["-30", "30"]
    assert [trio.of(one, deal).state for one in (trio.alice, trio.bob)] == ["over", "over"]


def test_buyer_is_content_and_lets_all_go(trio: Trio) -> None:
    deal = trio.begin()
    trio.alice.ask("letGo", LetGo(idempotency_key="a", id=deal.id, gain="-50"))
    trio.town.world.settle()
    trio.town.world.advance()
    assert (trio.of(trio.bob, deal).state, trio.of(trio.bob, deal).gain) == ("over", "50")


def test_both_see_what_the_other_has_named(trio: Trio) -> None:
    deal = trio.begin()
    trio.alice.ask("letGo", LetGo(idempotency_key="a", id=deal.id, gain="-10"))
    trio.bob.ask("letGo", LetGo(idempotency_key="b", id=deal.id, gain="25"))
    trio.town.world.settle()
    alice, bob = trio.of(trio.alice, deal), trio.of(trio.bob, deal)
    assert (alice.offered, alice.peer_offered) == ("-10", "-25")
    assert (bob.offered, bob.peer_offered) == ("25", "10")
    assert (alice.state, bob.state) == ("open", "open")


def test_whoever_is_declined_hears_by_whom(trio: Trio) -> None:
    deal = trio.invite()
    trio.bob.ask("answer", Answer(offer=deal.id, accept=False))
    told = trio.of(trio.alice, deal)
    assert (told.state, told.gain) == ("over", None)
    assert told.why.startswith(f"{trio.bob.id} did not agree: ")
    assert trio.invite() == told


def test_what_is_not_so_is_refused(trio: Trio) -> None:
    deal = trio.begin()
    wrong = BringAward(idempotency_key="a", id=deal.id, shift="31", signature=word(deal, 30))
    for _ in range(2):  # What was refused is no more done by its key.
        with pytest.raises(NotAllowedNow):
            trio.bob.ask("bringAward", wrong)
    with pytest.raises(NoSuch):
        trio.bob.ask("letGo", LetGo(idempotency_key="b", id="0x" + "00" * 32, gain="1"))
    with pytest.raises(BadParams):
        trio.invite("two", due=700_000, late_gain="-1")
