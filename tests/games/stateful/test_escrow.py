"""`Escrow` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import (
    agreement_evidence,
    award_digest,
    award_evidence,
    deal_id,
    escrow_domain,
    late_evidence,
)
from perun.spec.nanocontracts.escrow import Escrow
from perun.types import (
    ZERO_ADDRESS,
    Award,
    ChainId,
    Deal,
    DealId,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)
from tests.games.stateful.beside import Beside, played
from tests.games.stateful.evm import CHAIN_ID

KEYS = tuple(SecretKey(bytes((n,)) * 32) for n in (1, 2, 3))
ALICE, BOB, ARBITER = range(3)


class Deals:
    """A few deals at once; anybody signs anything, in time and late."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Beside("Escrow")
        self.model = Escrow(self.both.host, escrow_domain(ChainId(CHAIN_ID), self.both.address))
        self.decided: dict[DealId, tuple[bool, int]] = {}

    def play(self) -> None:
        deals = [self._new() for _ in range(3)]
        for _ in range(16):
            self.both.wait(self.rng.choice((0, 0, 1, 2, 5)))
            self._bring(self.rng.choice(deals))
            for deal in deals:
                self._compare(deal)
        self.both.wait(200)
        for deal in deals:
            self._compare(deal)

    def _new(self) -> Deal:
        rng = self.rng
        alice, bob, arbiter = (key.address for key in KEYS)
        far = rng.random() < 0.1
        return Deal(
            alice,
            bob,
            arbiter if rng.random() < 0.9 else ZERO_ADDRESS,
            Wei(rng.choice((0, 3, 2**111 - 1))),
            Wei(rng.choice((0, 3))),
            Wei(rng.choice((0, 2, -2, 4))),
            UnixTime(self.both.now + rng.randint(0, 6)),
            UnixTime(2**34 - 5 if far else self.both.now + rng.randint(0, 12)),
            Seconds(rng.choice((0, 5, 12))),
            Salt(rng.randbytes(32)),
        )

    def _bring(self, deal: Deal) -> None:
        rng, model = self.rng, self.model
        shift, way = Wei(rng.choice((0, 1, -1, 2, 4))), rng.choice(("award", "agree", "late"))
        if way == "award":
            signed = self._sign(deal, shift, ARBITER)
            args, evidence = (deal, shift, signed), award_evidence(deal, shift, signed)
            model_call = lambda: model.award(deal, shift, signed)  # noqa: E731
        elif way == "agree":
            both = self._sign(deal, shift, ALICE), self._sign(deal, shift, BOB)
            args, evidence = (deal, shift, *both), agreement_evidence(deal, shift, *both)
            model_call = lambda: model.agree(deal, shift, *both)  # noqa: E731
        else:
            args, evidence = (deal,), late_evidence(deal)
            model_call = lambda: model.late(deal)  # noqa: E731
        if rng.random() < 0.5:
            way, args = "submit", (evidence,)
        self.both.perform(way, args, model_call)

    def _sign(self, deal: Deal, shift: Wei, who: int) -> Signature:
        """Now and then by somebody else, or by nobody."""
        if self.rng.random() < 0.05:
            return Signature(b"")
        key = KEYS[who] if self.rng.random() < 0.95 else self.rng.choice(KEYS)
        id = deal_id(self.model.domain, deal)
        return sign(award_digest(self.model.domain, Award(id, shift)), key)

    def _compare(self, deal: Deal) -> None:
        identity = deal_id(self.model.domain, deal)
        assert self.both.view("dealId", deal) == (identity,)
        outcome = self.model.outcome(identity)
        assert self.both.view("outcome", identity) == outcome
        (word,) = self.both.view("record", identity)
        record = self.model.records.get(identity)
        if record is None:
            assert word == 0
        else:
            assert word == record.rank << 254 | record.deadline << 112 | record.shift % 2**112
        if outcome[0]:  # once done it never changes, and never later than the final time
            assert self.decided.setdefault(identity, outcome) == outcome
            assert -deal.bob_lock <= outcome[1] <= deal.alice_lock
        else:
            assert record is None or self.both.now <= deal.validity + deal.challenge


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return played(Deals)


@pytest.mark.parametrize(
    "what",
    [
        "award", "agree", "late", "submit", "changed nothing", "done",
        "TooLate", "TooEarly", "WrongSigner", "ShiftTooLarge", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
