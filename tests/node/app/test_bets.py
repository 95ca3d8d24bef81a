"""Bets on a price by the methods that people and programs call."""

from __future__ import annotations

import pytest

from perun.app.bets import feed_bytes, feed_name
from perun.app.errors import BadParams
from perun.app.methods import Answer, BringPrice, GetBets, GetOffers, OfferBet
from perun.app.values import Bet
from perun.core.faults import InstanceRejected, NotAllowedNow
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.testing.people import Person
from perun.types import Price, UnixTime, Wei
from tests.node.app.trio import OverAHub

REPORTER = SecretKey(b"\x5a" * 32)
FEED = "ETH/USD"


class Trio(OverAHub):
    def offer(self, key: str = "one", **more: object) -> Bet:
        reporter, time = "0x" + REPORTER.address.hex(), self.town.world.ledger.time + 100
        params: dict[str, object] = {
            "to": self.bob.id,
            "amount": "50",
            "reporter": reporter,
            "feed": FEED,
        }
        params |= {"time": time, "strike": "2000", "slope": "1", "scale": "10", "seconds": 9_000}
        made: Bet = self.alice.ask("bet", OfferBet(idempotency_key=key, **(params | more)))  # type: ignore[arg-type]
        return made

    def begin(self, **more: object) -> Bet:
        bet = self.offer(**more)  # type: ignore[arg-type]
        self.bob.ask("answer", Answer(offer=bet.id, accept=True))
        self.town.until(lambda: self.of(self.alice, bet).state == "open", most=20)
        return bet

    def of(self, person: Person, bet: Bet) -> Bet:
        (found,) = person.ask("bets", GetBets(id=bet.id))
        assert isinstance(found, Bet)
        return found

    def bring(self, person: Person, bet: Bet, price: int, at: int = 0, key: str = "") -> None:
        said = Price(feed_bytes(FEED), UnixTime(at or bet.time), Wei(price))
        signature = "0x" + sign(price_digest(PRICE_DOMAIN, said), REPORTER).hex()
        params = BringPrice(
            idempotency_key=key or f"{price}", id=bet.id, price=str(price), signature=signature
        )
        person.ask("bringPrice", params)

    def gains(self, bet: Bet) -> list[str | None]:
        self.town.until(
            lambda: {self.of(one, bet).state for one in self.people} == {"over"}, most=60
        )
        return [self.of(one, bet).gain for one in self.people]


@pytest.fixture(params=["hub", "pair"])
def trio(request: pytest.FixtureRequest) -> Trio:
    return Trio(hub=request.param == "hub")


def test_who_is_invited_reads_what_the_bet_is_about(trio: Trio) -> None:
    bet = trio.offer(peer_amount="20")
    assert (bet.state, bet.amount, bet.peer_amount, bet.slope) == ("invited", "50", "20", "1")
    assert trio.offer(peer_amount="20").id == bet.id
    (offer,) = trio.bob.ask("offers", GetOffers())
    assert (offer.kind, offer.own_amount, offer.peer_amount) == ("bet", "20", "50")
    assert "a bet on ETH/USD at 2001-09-09" in offer.text
    assert "a price lower than 2000 pays you" in offer.text
    assert bet.reporter.lower() in offer.text.lower()
    asked = trio.of(trio.bob, bet)
    assert (asked.state, asked.feed, asked.slope) == ("asked", FEED, "-1")
    trio.bob.ask("answer", Answer(offer=bet.id, accept=False))
    assert trio.bob.ask("bets", GetBets()) == ()
    declined = trio.of(trio.alice, bet)
    assert (declined.state, declined.gain) == ("over", None)
    assert "did not agree" in declined.why


@pytest.mark.parametrize(
    ("price", "gain"),
    [(2_000, 0), (2_100, 10), (2_109, 10), (1_990, -1), (9_999_999, 50), (-5, -50), (0, -50)],
)
def test_the_price_moves_what_both_agreed_on(trio: Trio, price: int, gain: int) -> None:
    bet = trio.begin()
    trio.bring(trio.bob, bet, price)
    assert trio.gains(bet) == [str(gain), str(-gain)]
    events = [row for row in trio.alice.app.shelf.events if row.kind == "bet"]
    assert {row.about for row in events} == {bytes.fromhex(bet.id[2:])}


@pytest.mark.parametrize("price", [1_999, 2_000, 2_001])
def test_all_or_nothing_is_a_steep_slope(trio: Trio, price: int) -> None:
    bet = trio.begin(slope=str(2**111 - 1), scale="1")
    trio.bring(trio.alice, bet, price)
    won = (price > 2_000) - (price < 2_000)
    assert trio.gains(bet) == [str(50 * won), str(-50 * won)]


def test_prices_that_contradict_each_other_give_everything_back(trio: Trio) -> None:
    bet = trio.begin()
    if trio.of(trio.alice, bet).peer == trio.bob.id:
        trio.town.world.network.rule = lambda _letter: ()
    trio.bring(trio.alice, bet, 2_100)
    trio.bring(trio.bob, bet, 1_900)
    trio.town.world.network.rule = None
    assert trio.gains(bet) == ["0", "0"]
    assert {len(trio.of(one, bet).prices) for one in trio.people} == {2}


def test_without_a_price_nothing_moves(trio: Trio) -> None:
    bet = trio.begin()
    trio.town.until(
        lambda: {trio.of(one, bet).state for one in trio.people} <= {"decided", "over"}, step=100
    )
    assert [trio.of(one, bet).gain for one in trio.people] == ["0", "0"]


def test_whoever_wins_against_silence_is_paid_by_the_chain(trio: Trio) -> None:
    bet = trio.begin()
    trio.town.world.network.rule = lambda letter: (
        () if trio.bob.party.peer in letter[:2] else (letter,)
    )
    trio.bring(trio.alice, bet, 2_100)
    trio.town.until(lambda: trio.of(trio.alice, bet).state in ("decided", "over"), step=60)
    assert trio.of(trio.alice, bet).gain == "10"


def test_a_bet_outlives_restarts_at_any_moment(trio: Trio) -> None:
    bet = trio.offer()
    for person in trio.people:
        person.party.restart()
    trio.town.until(lambda: bool(trio.bob.ask("bets", GetBets())), most=30)
    trio.bob.ask("answer", Answer(offer=bet.id, accept=True))
    for person in trio.people:
        person.party.restart()
    trio.town.until(lambda: trio.of(trio.alice, bet).state == "open", most=60)
    trio.bring(trio.alice, bet, 2_100)
    for person in trio.people:
        person.party.restart()
    assert trio.gains(bet) == ["10", "-10"]


def test_what_is_not_so_is_refused(trio: Trio) -> None:
    bet = trio.begin()
    for _ in range(2):
        with pytest.raises(NotAllowedNow):
            trio.bring(trio.alice, bet, 2_100, bet.time + 1, "other second")
    for wrong in ({"slope": "0"}, {"feed": "x" * 33}, {"feed": "0x12"}, {"feed": "0xyz"}):
        with pytest.raises(BadParams):
            trio.offer(f"{wrong}", **wrong)
    for field, value in (("scale", "0"), ("seconds", 60)):
        with pytest.raises(InstanceRejected):
            trio.offer(field, **{field: value})


@pytest.mark.parametrize("feed", [FEED, "x" * 32, "0x" + 31 * "00" + "01", "0x" + 32 * "ff"])
def test_a_feed_is_shown_as_it_is_typed(feed: str) -> None:
    assert feed_name(feed_bytes(feed)) == feed
