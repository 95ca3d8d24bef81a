"""`PriceBet` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import PRICE_DOMAIN, bet_id, price_bet_domain, price_digest, price_evidence
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.types import Bet, BetId, Price, Salt, Seconds, Signature, UnixTime, Wei
from tests.games.stateful.beside import Several, played

ORACLE, OTHER = (SecretKey(bytes((n,)) * 32) for n in (1, 2))
FEED = b"\x0f" * 32
GREATEST = 2**111 - 1


class Bets(Several[Bet]):
    """A few bets at once, some on one price; its reporter contradicts itself, is early or late."""

    contract = "PriceBet"
    kind = PriceBet
    domain = price_bet_domain
    id_view = "betId"

    @property
    def void(self) -> int:
        return sum(record.void for record in self.model.records.values())

    def new(self) -> Bet:
        rng = self.rng
        far = rng.random() < 0.1
        return Bet(
            ORACLE.address,
            FEED,
            UnixTime(self.both.now + rng.randint(0, 4)),
            Wei(rng.choice((0, 10, -GREATEST))),
            Wei(rng.choice((1, -1, 3, GREATEST, -GREATEST))),
            Wei(rng.choice((1, 2, 7, GREATEST, 0))),
            Wei(rng.choice((0, 3, GREATEST))),
            Wei(rng.choice((0, 3))),
            UnixTime(2**34 - 5 if far else self.both.now + rng.randint(0, 16)),
            Seconds(rng.choice((0, 5, 12))),
            Salt(rng.randbytes(32)),
        )

    def act(self, bet: Bet) -> None:
        rng = self.rng
        price = Wei(rng.choice((0, 9, 10, 11, 12, GREATEST, -GREATEST)))
        key = ORACLE if rng.random() < 0.95 else OTHER
        time = bet.time if rng.random() < 0.95 else UnixTime(bet.time + 1)
        signed = sign(price_digest(PRICE_DOMAIN, Price(FEED, time, price)), key)
        signed = signed if rng.random() < 0.95 else Signature(b"")
        arguments = (bet, price, signed)
        way, args = "submitPrice", arguments
        if rng.random() < 0.5:
            way, args = "submit", (price_evidence(*arguments),)
        self.both.perform(way, args, lambda: self.model.submit_price(*arguments))

    def id_of(self, terms: Bet) -> BetId:
        return bet_id(self.model.domain, terms)

    def word_of(self, terms: Bet, record: Any) -> int:
        flags = record.void << 255 | 1 << 254
        return int(flags | record.deadline << 112 | record.shift % 2**112)

    def final_time(self, terms: Bet) -> int:
        return terms.validity + terms.challenge


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return played(Bets, lambda game: Counter(void=game.void))


@pytest.mark.parametrize(
    "what",
    [
        "submitPrice", "submit", "changed nothing", "done", "void",
        "TooEarly", "TooLate", "WrongSigner", "ScaleIsZero", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
