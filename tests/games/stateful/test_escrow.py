"""`Escrow` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

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
    Deal,
    DealId,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)
from tests.games.stateful.beside import Several, played

KEYS = tuple(SecretKey(bytes((n,)) * 32) for n in (1, 2, 3))
ALICE, BOB, ARBITER = range(3)


class Deals(Several[Deal]):
    """A few deals at once; anybody signs anything, in time and late."""

    contract = "Escrow"
    kind = Escrow
    domain = escrow_domain
    id_view = "dealId"

    def new(self) -> Deal:
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

    def act(self, deal: Deal) -> None:
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

    def id_of(self, terms: Deal) -> DealId:
        return deal_id(self.model.domain, terms)

    def word_of(self, terms: Deal, record: Any) -> int:
        return int(record.rank << 254 | record.deadline << 112 | record.shift % 2**112)

    def final_time(self, terms: Deal) -> int:
        return terms.validity + terms.challenge


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
