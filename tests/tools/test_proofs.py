"""The proofs in Coq, in their short form; the long one is `python -m proofs` (proofs/README.md)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from proofs import model

ROOT = Path(__file__).parents[2]
needs_coq = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="Coq is not installed (Debian: apt-get install coq)"
)


@needs_coq
@pytest.mark.slow
def test_every_claim_is_proved_and_the_model_does_what_runs(tmp_path: Path) -> None:
    assert model.coq() == 0
    assert model.traces() == 0


@needs_coq
@pytest.mark.slow
def test_a_changed_rule_breaks_a_proof() -> None:
    settle_too_early = model.MUTANTS[0]
    assert model.notices(settle_too_early) in model.files()


@pytest.mark.parametrize("mutant", model.MUTANTS, ids=lambda mutant: mutant.what)
def test_each_mutant_has_a_place_in_the_model(mutant: model.Mutant) -> None:
    assert (model.SOURCE / mutant.file).read_text().count(mutant.old) == 1


def test_nothing_is_admitted_or_assumed() -> None:
    for name in model.files():
        text = re.sub(r"\(\*.*?\*\)", "", (model.SOURCE / name).read_text(), flags=re.S)
        assert not re.search(r"\b(Admitted|admit|Axiom|Parameter|Hypothesis|Conjecture)\b", text)


def test_the_tour_names_every_claim() -> None:
    tour = (ROOT / "proofs" / "README.md").read_text()
    assert [claim for claim in model.claims() if f"`{claim}`" not in tour] == []
