"""`RockPaperScissors` and its model after random calls: they refuse, announce and pay alike."""

from __future__ import annotations

from collections import Counter

import pytest

from perun.encoding import hands_evidence, hands_id, rock_paper_scissors_domain
from perun.spec.nanocontracts.rock_paper_scissors import RockPaperScissors
from perun.types import Hands, HandsId
from tests.games.stateful.beside import played
from tests.games.stateful.secrets import Secrets


class Throws(Secrets[Hands]):
    """A few games at once, revealed by either side, in time and late."""

    contract = "RockPaperScissors"
    kind = RockPaperScissors
    domain = rock_paper_scissors_domain
    id_view = "handsId"
    terms = Hands
    evidence = hands_evidence

    def id_of(self, terms: Hands) -> HandsId:
        return hands_id(self.model.domain, terms)

    def shown(self, secret: bytes) -> int:
        return secret[-1] % 3


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return played(Throws)


@pytest.mark.parametrize(
    "what",
    [
        "reveal", "submit", "changed nothing", "done",
        "TooLate", "WrongSecret", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
