"""The glossary and the code use the same words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| (.+) \|$", PAGE, re.MULTILINE)
WORDS = [
    word for words, _ in ROWS for word in words.split(", ") if not words.startswith(("word", "-"))
]


def names_in_code() -> set[str]:
    """Classes, functions and values that some file of the package defines."""
    found: set[str] = set()
    for file in (ROOT / "perun").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.ClassDef(name) | ast.FunctionDef(name):
                    found.add(name)
                case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
                    found.add(name)
    return found


def test_a_word_has_one_row() -> None:
    assert len(WORDS) == len(set(WORDS)) > 80


def test_names_in_the_glossary_are_names_in_the_code() -> None:
    contracts = {"MSContract", "VPM"}
    said = {name for _, text in ROWS for name in re.findall(r"`([A-Z][A-Za-z]+|end_time)`", text)}
    assert said - contracts <= names_in_code()


@pytest.mark.parametrize(
    "record",
    sorted(
        record
        for file in ("state", "chain_view", "game_view")
        for record in re.findall(
            r'"(\w+)"',
            (ROOT / f"perun/core/{file}.py").read_text().split("__all__")[1].split("]")[0],
        )
        if record != "EMPTY"
    ),
)
def test_what_a_party_knows_has_a_word(record: str) -> None:
    """Each record of the core's state is in the glossary, by its name or as words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", record).lower()
    assert f"`{record}`" in PAGE or spaced in WORDS


def test_classes_of_the_core_are_named_in_words_of_the_glossary() -> None:
    """All but errors and notices, which are whole sentences, and commands, which say what to do."""
    core, sentences = ROOT / "perun" / "core", {"faults.py", "notices.py", "inputs.py"}
    known = {_stem(word) for word in re.findall("[a-z]+", PAGE.lower())}
    names = {
        node.name.lstrip("_")
        for file in core.rglob("*.py")
        if file.name not in sentences
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("Command")
    }
    words = {
        word.lower() for name in names for word in re.findall("[A-Z]+(?=[A-Z]|$)|[A-Z][a-z]+", name)
    }
    assert len(words) > 80
    assert {word for word in words if _stem(word) not in known} <= PLAIN


def _stem(word: str) -> str:
    return re.sub("(s|d|ed|es|ing)$", "", word)


PLAIN = {"item", "status", "unsafe"}
"""English, and nothing else."""


@pytest.mark.parametrize("word", ["Crossing", "Claim", "Quote"])
def test_words_that_were_given_up_name_nothing_in_the_core(word: str) -> None:
    for file in (ROOT / "perun" / "core").rglob("*.py"):
        assert not re.search(rf"\bclass {word}\b", file.read_text(encoding="utf-8")), file
