"""`PriceBet` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import PRICE_DOMAIN, bet_id, price_bet_domain, price_digest, price_evidence
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.types import Bet, BetId, ChainId, Price, Salt, Seconds, Signature, UnixTime, Wei
from tests.games.stateful.beside import Beside, played
from tests.games.stateful.evm import CHAIN_ID

ORACLE, OTHER = (SecretKey(bytes((n,)) * 32) for n in (1, 2))
FEED = b"\x0f" * 32
GREATEST = 2**111 - 1


class Bets:
    """A few bets at once, some on one price; its reporter contradicts itself, is early or late."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Beside("PriceBet")
        domain = price_bet_domain(ChainId(CHAIN_ID), self.both.address)
        self.model = PriceBet(self.both.host, domain)
        self.decided: dict[BetId, tuple[bool, int]] = {}
        self.void = 0

    def play(self) -> None:
        bets = [self._new() for _ in range(3)]
        for _ in range(16):
            self.both.wait(self.rng.choice((0, 0, 1, 2, 5)))
            self._show(self.rng.choice(bets))
            for bet in bets:
                self._compare(bet)
        self.both.wait(200)
        for bet in bets:
            self._compare(bet)
        self.void = sum(record.void for record in self.model.records.values())

    def _new(self) -> Bet:
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

    def _show(self, bet: Bet) -> None:
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

    def _compare(self, bet: Bet) -> None:
        identity = bet_id(self.model.domain, bet)
        assert self.both.view("betId", bet) == (identity,)
        outcome = self.model.outcome(identity)
        assert self.both.view("outcome", identity) == outcome
        (word,) = self.both.view("record", identity)
        record = self.model.records.get(identity)
        if record is None:
            assert word == 0
        else:
            flags = record.void << 255 | 1 << 254
            assert word == flags | record.deadline << 112 | record.shift % 2**112
        if outcome[0]:  # once done it never changes, and never later than the final time
            assert self.decided.setdefault(identity, outcome) == outcome
            assert -bet.bob_lock <= outcome[1] <= bet.alice_lock
        else:
            assert record is None or self.both.now <= bet.validity + bet.challenge


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
