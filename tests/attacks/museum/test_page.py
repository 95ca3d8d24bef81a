"""`docs/museum.md` misses no exhibit, leaves no cell empty and names tests that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.attacks.museum.collecting import collected

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "museum.md"
COLUMNS = 4

EXHIBITS = {
    *(f"F1.{number}" for number in range(1, 19)),
    *(f"F2.{number}" for number in range(1, 14)),
    *(f"A{number}" for number in range(1, 13)),
    *(f"B{number}" for number in range(1, 13)),
    *(f"C{number}" for number in range(1, 11)),
    *(f"D{number}" for number in range(1, 16)),
    *(f"K{number}" for number in range(1, 42)),
}
"""All that the surveys list: findings in earlier code, audits, and attacks on our drafts."""

STORIES = sorted(
    f"{path.relative_to(ROOT)}::{name}"
    for path in (ROOT / "tests" / "attacks" / "scenarios").glob("test_attacks_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M)
)
SOUND = "offer_that_is_sound_is_joined"
"""The one story without an attack: what the attacks beside it are measured against."""


def rows() -> list[list[str]]:
    """Cells of the table rows, heads and rules left out."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "exhibit" and set(row[0]) != {"-"}]


def named_tests() -> list[str]:
    return sorted({name for row in rows() for name in re.findall(r"`([^`]+::[^`]+)`", row[-1])})


def test_every_exhibit_is_there_once() -> None:
    names = [row[0] for row in rows()]
    assert len(names) == len(set(names))
    assert set(names) == EXHIBITS


def test_no_cell_is_empty() -> None:
    assert [row for row in rows() if len(row) != COLUMNS or not all(row)] == []


def test_every_exhibit_names_a_test_or_a_reason() -> None:
    without = [row[0] for row in rows() if "::" not in row[-1] and "no such place" not in row[-1]]
    assert without == []


def test_every_named_test_is_collected() -> None:
    """By pytest itself: a helper, a renamed test or one in a file that does not import is none."""
    names = {name for name in named_tests() if ".py::" in name}
    assert collected(names) == names


@pytest.mark.parametrize("name", [name for name in named_tests() if ".sol::" in name])
def test_named_proof_exists(name: str) -> None:
    path, function = name.split("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert function.startswith("check_")
    assert re.search(rf"function {function}\(", text), f"{path} has no {function}"


@pytest.mark.parametrize("story", STORIES)
def test_every_story_of_an_attack_hangs_in_its_room(story: str) -> None:
    """A row without the strongest test that performs it would be an understatement."""
    _, name = story.split("::")
    found = re.match(r"test_([a-d])0?(\d+)_", name)
    assert found, f"{name} does not say which exhibit it performs"
    exhibit = f"{found[1].upper()}{found[2]}"
    (row,) = (row for row in rows() if row[0] == exhibit)
    if not name.endswith(SOUND):
        assert f"`{story}`" in row[-1]


@pytest.mark.parametrize("page", ["docs/security.md", "proofs/README.md"])
def test_files_that_other_pages_name_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|proofs|perun|contracts)/[\w/.]+)`", text))
    at = (ROOT / "proofs") if page.startswith("proofs") else ROOT
    assert {
        name for name in named if not (ROOT / name).exists() and not (at / name).exists()
    } == set()
