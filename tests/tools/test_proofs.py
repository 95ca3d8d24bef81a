"""The proofs in Coq, in their short form; the long one is `python -m proofs` (proofs/README.md)."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from mutants.catalogue import CATALOGUE
from proofs import instances, model, mutants
from proofs.lines import LINES
from proofs.rows import NOT_PROVED

ROOT = Path(__file__).parents[2]
needs_coq = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="Coq is not installed (Debian: apt-get install coq)"
)


@needs_coq
@pytest.mark.slow
def test_every_claim_is_proved_and_the_model_does_what_runs(tmp_path: Path) -> None:
    assert [row for row in model.coq() if not row.good] == []
    assert [row for row in model.traces() if not row.good] == []


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        "settle pays on the deadline, not after it",
        "a signature leaves before it is on disk",
        "a hub signs one half first",
    ],
)
def test_a_changed_rule_breaks_a_proof(what: str) -> None:
    (mutant,) = [mutant for mutant in mutants.MUTANTS if mutant.what == what]
    assert mutants.notices(mutant) in model.files()


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.what)
def test_each_mutant_has_a_place_in_the_model(mutant: mutants.Mutant) -> None:
    assert (model.SOURCE / mutant.file).read_text().count(mutant.old) == 1


def test_each_mutant_has_a_name_of_its_own() -> None:
    names = [mutant.what for mutant in mutants.MUTANTS]
    assert len(set(names)) == len(names)
    changed = {mutant.file for mutant in mutants.MUTANTS}
    kinds = {model.proved_in()[claim] for claim in model.claims() if claim.endswith(".kept")}
    assert kinds - changed == set()


def test_nothing_is_admitted_or_assumed() -> None:
    for name in model.files():
        text = re.sub(r"\(\*.*?\*\)", "", (model.SOURCE / name).read_text(), flags=re.S)
        assert not re.search(r"\b(Admitted|admit|Axiom|Parameter|Hypothesis|Conjecture)\b", text)


def test_each_claim_is_a_theorem_of_some_file() -> None:
    assert list(model.proved_in()) == model.claims()


def test_the_tour_names_every_claim() -> None:
    tour = (ROOT / "proofs" / "README.md").read_text()
    assert [claim for claim in model.claims() if f"`{claim}`" not in tour] == []


def test_each_nanocontract_is_proved_and_replayed() -> None:
    kinds = {path.stem for path in (ROOT / "contracts" / "nanocontracts").glob("*.sol")} | {"VPM"}
    proved = {claim.removesuffix(".kept") for claim in model.claims() if claim.endswith(".kept")}
    assert proved <= kinds
    assert [kind for kind in kinds - proved if f"section 4 for {kind}" not in NOT_PROVED] == []
    replay = (model.SOURCE / "Replay.v").read_text()
    assert [kind for kind in proved if f"{kind}.submit" not in replay] == []
    assert set(re.findall(r"^Definition of_(\w+)", replay, re.M)) == set(instances.KINDS)


TIE = re.compile(r"^\(\* Bytecode: (.*)\. \*\)\n(?:Definition|Fixpoint|Record|Theorem) (\w+)", re.M)


def ties() -> dict[str, list[str]]:
    """By what of the model: the lemmas about the bytecode that say the same of it."""
    text = "".join((model.SOURCE / name).read_text() for name in model.files())
    return {what: names.split(", ") for names, what in TIE.findall(text)}


def test_lemmas_about_the_bytecode_are_those_that_the_model_names() -> None:
    named = {name for names in ties().values() for name in names} - {"replayed"}
    lemmas = set()
    for file in (ROOT / "proofs" / "contracts").glob("*.t.sol"):
        lemmas |= set(re.findall(r"function (check_(?!refuted_)\w+)", file.read_text()))
    assert named == lemmas
    tour = (ROOT / "proofs" / "README.md").read_text()
    assert [name for name in lemmas if f"`{name}`" not in tour] == []


def test_each_external_function_is_in_the_model_and_tied_to_the_bytecode() -> None:
    abi = json.loads((ROOT / "perun" / "artifacts" / "MSContract.json").read_text())["abi"]
    functions = {
        re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), entry["name"])
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    }
    text = (model.SOURCE / "Contract.v").read_text()
    assert set(re.findall(r"^  \| call_(\w+) \(", text, re.M)) == functions
    assert functions - set(ties()) == set()


def test_changed_lines_are_in_the_catalogue() -> None:
    names = {mutant.name for mutant in CATALOGUE if not mutant.equivalent}
    assert len(LINES) == len(set(LINES)) >= 10
    assert set(LINES) <= names
