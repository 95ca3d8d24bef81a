"""`PriceBet`: a reporter signs a price, and two locks are shared out by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from unittest.mock import ANY

import eth_abi
import pytest
from eth_hash.auto import keccak

from perun.testing.owners import Owner
from populus.exceptions import ContractReverted
from tests.support import plain
from tests.support.contracts import Deployed, Receipt
from tests.support.instances import new_salt
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

PRICE = "Price(bytes32 feed,uint40 time,int112 price)"
BET = "(address,bytes32,uint40,int112,int112,uint112,uint112,uint112,uint40,uint32,bytes32)"
NAMES = keccak(b"Perun Price"), keccak(b"1")
FACTS = keccak(plain.words((keccak(b"EIP712Domain(string name,string version)"), *NAMES)))
"""The domain of prices, in its plain form."""


class Bet(NamedTuple):
    """`IPriceBet.Bet`, field by field."""

    oracle: bytes
    feed: bytes
    time: int
    strike: int
    slope: int
    scale: int
    alice_lock: int
    bob_lock: int
    validity: int
    challenge: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class Booth:
    """One bet, and the way its price is brought; Carol reports."""

    stage: Stage
    contract: Deployed
    terms: Bet
    direct: bool

    @property
    def separator(self) -> bytes:
        return plain.domain_separator("Perun PriceBet", self.stage.chain_id, self.contract.address)

    @property
    def id(self) -> bytes:
        return plain.record_id(self.separator, self.terms)

    def sign(self, price: int, by: Owner | None = None) -> bytes:
        digest = plain.typed(FACTS, PRICE, self.terms.feed, self.terms.time, price)
        return (by or self.stage.carol).sign(digest)

    def show(self, price: int, by: Owner | None = None) -> Receipt:
        return self.bring(price, self.sign(price, by))

    def bring(self, price: int, signature: bytes) -> Receipt:
        if self.direct:
            return self.contract.send(
                self.stage.mallory, "submitPrice", self.terms, price, signature
            )
        body = eth_abi.encode([BET, "int112", "bytes"], [tuple(self.terms), price, signature])
        return self.contract.send(self.stage.mallory, "submit", body)

    def outcome(self) -> Any:
        return self.contract.ask("outcome", self.id)

    def word(self) -> int:
        return int(self.contract.ask("record", self.id))

    def changed(self, **fields: Any) -> Booth:
        return replace(self, terms=self.terms._replace(**fields))


@pytest.fixture(params=["direct", "submit"])
def booth(request: pytest.FixtureRequest, stage: Stage) -> Booth:
    """At 2,000 nothing moves, above it 1 for 10, at most 50, below it back, at most 40."""
    terms = Bet(
        stage.carol.key.address, b"ETH in USD".ljust(32, b"\0"), stage.now + HOUR, 2_000, 1, 10,
        50, 40, stage.now + 24 * HOUR, HOUR, new_salt(),
    )  # fmt: skip
    made = Booth(stage, stage.deploy("PriceBet"), terms, request.param == "direct")
    stage.wait_until(terms.time)
    return made


def word_of(shift: int, deadline: int, void: bool = False) -> int:
    return void << 255 | 1 << 254 | deadline << 112 | shift % 2**112


@pytest.mark.parametrize(
    ("price", "shift"),
    [
        *((2_000, 0), (2_010, 1), (2_019, 1), (1_981, -1), (1_991, 0), (2_500, 50), (2_501, 50)),
        *((1_600, -40), (1_599, -40), (0, -40), (-5, -40), (MOST, 50), (-(2**111), -40)),
    ],
)
def test_what_moves_is_the_slope_from_the_strike_within_the_locks(
    booth: Booth, price: int, shift: int
) -> None:
    receipt = booth.show(price)
    deadline = receipt.timestamp + HOUR
    told = {"id": booth.id, "void": False, "shift": shift, "deadline": deadline}
    assert receipt.events == (("Priced", told),)
    assert booth.word() == word_of(shift, deadline)
    booth.stage.wait_until(deadline)
    assert booth.outcome() == (False, 0)
    booth.stage.wait_until(deadline + 1)
    assert booth.outcome() == (True, shift)


def test_binary_bet_moves_a_whole_lock_either_way(booth: Booth) -> None:
    for slope, price, shift in ((MOST, 2_001, 50), (MOST, 1_999, -40), (-MOST, 2_001, -40)):
        binary = booth.changed(slope=slope, scale=1, salt=new_salt())
        assert binary.show(price).only("Priced")["shift"] == shift


@pytest.mark.parametrize("strike", [-(2**111), MOST])
@pytest.mark.parametrize("slope", [-(2**111), MOST])
@pytest.mark.parametrize("price", [-(2**111), MOST])
def test_greatest_numbers_do_not_overflow(
    booth: Booth, strike: int, slope: int, price: int
) -> None:
    widest = {"alice_lock": MOST, "bob_lock": MOST, "scale": 1}
    great = booth.changed(strike=strike, slope=slope, **widest)
    product = (price - strike) * slope
    expected = max(-MOST, min(MOST, product))
    assert great.show(price).only("Priced")["shift"] == expected


@pytest.mark.parametrize("order", [(2_100, 1_900), (1_900, 2_100), (2_000, 2_100), (2_100, 2_000)])
def test_two_prices_that_move_different_amounts_are_void_in_either_order(
    booth: Booth, order: tuple[int, int]
) -> None:
    deadline = booth.show(order[0]).timestamp + HOUR
    booth.stage.at(deadline - 10)
    receipt = booth.show(order[1])
    assert receipt.only("Priced") == {
        "id": booth.id, "void": True, "shift": 0, "deadline": deadline
    }  # fmt: skip
    assert booth.word() == word_of(0, deadline, void=True)
    for again in (*order, 2_300):
        assert booth.show(again).events == ()
    booth.stage.wait_until(deadline + 1)
    assert booth.outcome() == (True, 0)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("price", [2_100, 2_101, 2_109])
def test_prices_that_move_the_same_are_one(booth: Booth, price: int, late: bool) -> None:
    deadline = booth.show(2_100).timestamp + HOUR
    if late:
        booth.stage.at(deadline + 1)
    assert booth.show(price).events == ()
    assert booth.word() == word_of(10, deadline)


def test_price_counts_from_the_second_after_its_own(booth: Booth) -> None:
    at = booth.stage.now + 100
    later = booth.changed(time=at)
    booth.stage.at(at)
    with reverts("TooEarly", at, at):
        later.show(2_100)
    booth.stage.at(at + 1)
    later.show(2_100)


def test_price_of_another_second_or_thing_or_reporter_is_refused(booth: Booth) -> None:
    others = (
        booth.changed(time=booth.terms.time - 1).sign(2_100),
        booth.changed(feed=b"BTC in USD".ljust(32, b"\0")).sign(2_100),
        booth.sign(2_101),
        booth.sign(2_100, by=booth.stage.alice),
        booth.sign(2_100, by=booth.stage.bob),
    )
    for signature in others:
        with reverts("WrongSigner", booth.terms.oracle, ANY):
            booth.bring(2_100, signature)
    with reverts("WrongSigner", booth.terms.oracle, bytes(20)):
        booth.bring(2_100, b"")


def test_bet_on_nobodys_word_is_never_done(booth: Booth) -> None:
    with reverts("WrongSigner", bytes(20), bytes(20)):
        booth.changed(oracle=bytes(20)).bring(2_100, b"")


def test_one_price_serves_any_number_of_bets(booth: Booth) -> None:
    signature = booth.sign(2_100)
    for salt in (new_salt(), new_salt()):
        assert booth.changed(salt=salt).bring(2_100, signature).only("Priced")["shift"] == 10


def test_absent_or_late_price_moves_nothing(booth: Booth) -> None:
    validity = booth.terms.validity
    booth.stage.at(validity + 1)
    with reverts("TooLate", validity, validity + 1):
        booth.show(2_100)
    booth.stage.wait_until(validity + HOUR + 1)
    assert booth.outcome() == (False, 0)


def test_price_in_the_last_second_is_done_one_after_the_final_time(booth: Booth) -> None:
    booth.stage.at(booth.terms.validity)
    booth.show(2_100)
    final = booth.terms.validity + HOUR
    booth.stage.wait_until(final)
    assert booth.outcome() == (False, 0)
    booth.stage.wait_until(final + 1)
    assert booth.outcome() == (True, 10)


def test_outcome_never_changes_after_done(booth: Booth) -> None:
    deadline = booth.show(2_100).timestamp + HOUR
    for wait, price in enumerate((1_900, 2_100, 2_000), start=1):
        booth.stage.at(deadline + wait)
        try:
            assert booth.show(price).events == ()  # old news is silent
        except ContractReverted as refused:
            assert refused.name == "TooLate"  # noqa: PT017
        assert booth.outcome() == (True, 10)


def test_terms_that_do_not_fit_are_never_done(booth: Booth) -> None:
    for fields, error, values in (
        ({"alice_lock": MOST + 1}, "AmountTooLarge", [ANY]),
        ({"bob_lock": MOST + 1}, "AmountTooLarge", [ANY]),
        ({"validity": 2**34 - HOUR}, "FinalTimeTooFar", [ANY]),
        ({"scale": 0}, "ScaleIsZero", []),
    ):
        broken = booth.changed(**fields)
        with reverts(error, *values):
            broken.show(2_100)
        assert broken.word() == 0
    booth.changed(validity=2**34 - 1 - HOUR).show(2_100)


def test_gas_does_not_differ_by_caller(booth: Booth) -> None:
    stage = booth.stage
    senders = (stage.alice, stage.bob, stage.carol)
    stage.wait_until(booth.terms.time + 1)
    price = (2_100, booth.sign(2_100))
    assert len(booth.contract.estimates(senders, "submitPrice", booth.terms, *price)) == 1


def test_id_is_the_hash_of_domain_and_terms(booth: Booth) -> None:
    assert booth.contract.ask("betId", booth.terms) == booth.id
    assert booth.contract.ask("DOMAIN_SEPARATOR") == booth.separator
    assert booth.contract.ask("PRICE_DOMAIN_SEPARATOR") == FACTS


@pytest.mark.parametrize("evidence", [b"", plain.word(0), bytes(32 * 12)])
def test_garbage_is_refused(booth: Booth, evidence: bytes) -> None:
    with reverts_without_data():
        booth.contract.send(booth.stage.carol, "submit", evidence)
