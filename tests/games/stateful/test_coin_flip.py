"""`CoinFlip` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter

import pytest

from perun.encoding import coin_flip_domain, flip_evidence, flip_id
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.types import Flip, FlipId
from tests.games.stateful.beside import played
from tests.games.stateful.secrets import Secrets


class Flips(Secrets[Flip]):
    """A few flips at once, revealed by either side, in time and late."""

    contract = "CoinFlip"
    kind = CoinFlip
    domain = coin_flip_domain
    id_view = "flipId"
    terms = Flip
    evidence = flip_evidence

    def own_terms(self) -> tuple[int, ...]:
        odds = (0, 1, 2**15, 2**16 - 1, self.rng.randint(0, 2**16 - 1))
        return (self.rng.choice(odds),)

    def id_of(self, terms: Flip) -> FlipId:
        return flip_id(self.model.domain, terms)

    def shown(self, secret: bytes) -> int:
        return int.from_bytes(secret[-2:], "big")


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return played(Flips)


@pytest.mark.parametrize(
    "what",
    [
        "reveal", "submit", "changed nothing", "done",
        "TooLate", "WrongSecret", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
