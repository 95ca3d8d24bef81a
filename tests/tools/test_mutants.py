"""The list of mutants is in order; running them is `make mutants`."""

from __future__ import annotations

import pytest

from mutants.catalogue import CATALOGUE, NEAR, SENTENCES, Mutant
from mutants.quick import ROOT, broken


def test_every_sentence_stands_in_the_protocol() -> None:
    protocol = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert [key for key, sentence in SENTENCES.items() if sentence not in protocol] == []


def test_every_sentence_is_broken() -> None:
    assert {mutant.sentence for mutant in CATALOGUE} == SENTENCES.keys()


def test_nearest_tests_exist() -> None:
    assert NEAR.keys() <= SENTENCES.keys()
    assert [path for paths in NEAR.values() for path in paths if not (ROOT / path).exists()] == []


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("mutant", CATALOGUE, ids=lambda mutant: mutant.name)
def test_mutant_applies(mutant: Mutant) -> None:
    assert broken(mutant) != (ROOT / mutant.file).read_text(encoding="utf-8")
