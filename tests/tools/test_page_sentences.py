"""The page's catalogue of what the node says: sentences that the node really says, with all that it
fills in."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CATALOGUE: Final = ROOT / "dapp" / "src" / "text" / "node.de.ts"
_PLACE: Final = re.compile(r"\{\w+\}")
_PIECE: Final = re.compile(r"\{\w+\}|, | over ")
"""Some are put together of pieces."""
_METHODS: Final = frozenset(("open: ", "close: ", "leave: ", "topUp: ", "withdraw: "))
"""Made of a method's name and what is being done."""


def sentences() -> list[tuple[str, str]]:
    text = CATALOGUE.read_text(encoding="utf-8")
    body = text[text.index("= [") + 2 : text.rindex("]") + 1]
    lines = (line for line in body.splitlines() if not line.lstrip().startswith("//"))
    found: list[list[str]] = ast.literal_eval("\n".join(lines))
    return [(english, german) for english, german in found]


def said_by(file: Path) -> list[str]:
    """Every text in a file, `{}` where something is filled in."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(_PLACE.sub("{}", re.sub(r"!r(?=\})", "", node.value)))
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            found.append("".join(str(part) for part in parts))
    return found


@pytest.fixture(scope="module")
def says() -> str:
    files = sorted((ROOT / "perun").rglob("*.py"))
    return "\n".join(text for file in files for text in said_by(file))


def test_every_sentence_is_one_of_the_node(says: str) -> None:
    missing = [
        english
        for english, _ in sentences()
        for part in _PIECE.split(english)
        if part not in says and part not in _METHODS
    ]
    assert not missing, f"nobody says this any more, or says it otherwise: {missing}"


def test_every_translation_fills_in_what_the_node_does() -> None:
    for english, german in sentences():
        assert set(_PLACE.findall(german)) <= set(_PLACE.findall(english)), english
        assert german, english


def test_nothing_is_translated_twice() -> None:
    english = [_PLACE.sub("{}", english) for english, _ in sentences()]
    assert len(set(english)) == len(english)
