"""The reference is what the code's documentation says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import perun
from perun import reverts

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    written: dict[str, str] = runpy.run_path(str(FOLDER / "generate.py"))["pages"]()
    return written


@pytest.mark.parametrize("name", ["python.md", "errors.md", "phases.md", "messages.md"])
def test_pages_are_up_to_date(pages: dict[str, str], name: str) -> None:
    stored = (FOLDER / name).read_text(encoding="utf-8")
    assert stored == pages[name], "run `python docs/reference/generate.py`"


def test_every_public_name_has_its_place(pages: dict[str, str]) -> None:
    text = pages["python.md"] + pages["errors.md"]
    missing = [name for name in perun.__all__ if name not in text]
    assert missing == []


def test_every_refusal_is_listed(pages: dict[str, str]) -> None:
    for kind in reverts.Reverted.__subclasses__():
        assert not kind.signature or f"| `{kind.__name__}` |" in pages["errors.md"]
