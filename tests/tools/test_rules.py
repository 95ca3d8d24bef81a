"""Every rule of the protocol's sections 5 and 6 is named in the code, and every name is a rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
RULES = PAGE[PAGE.index("\n## 5. ") : PAGE.index("\n## 7. ")]
NAMES = re.findall(r"^- `([a-z]+-[0-9a-d])` ", RULES, re.MULTILINE)
SAID = re.compile(r"# Rules?((?:,? [a-z]+-[0-9a-d])+)\.$", re.MULTILINE)

ATTACKS = (ROOT / "docs" / "museum.md").read_text(encoding="utf-8")


def said() -> dict[str, list[str]]:
    """Where the code names which rules: in a comment above what keeps them."""
    found: dict[str, list[str]] = {}
    for file in (ROOT / "perun").rglob("*.py"):
        for names in SAID.findall(file.read_text(encoding="utf-8")):
            for name in names.replace(",", " ").split():
                found.setdefault(name, []).append(str(file.relative_to(ROOT)))
    return found


def test_a_name_stands_for_one_rule() -> None:
    assert len(NAMES) == len(set(NAMES)) > 80


def test_each_rule_is_kept_somewhere_and_what_is_kept_is_a_rule() -> None:
    assert said().keys() == set(NAMES)


def test_each_comment_that_names_rules_is_read() -> None:
    pattern = re.compile(r"^\s*# Rules? [a-z]+-", re.MULTILINE)
    for file in (ROOT / "perun").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert len(pattern.findall(text)) == len(SAID.findall(text)), file


def test_a_line_is_a_sentence() -> None:
    long = []
    for line in RULES.splitlines():
        if line.startswith("#"):
            continue
        plain = re.sub(r"`[^`]*`", "x", line.removeprefix("- "))
        ends = re.findall(r"(?<!e\.g)(?<!i\.e)[.!?] +[A-Z*]", plain)
        if len(ends) > int(line.startswith("**")):
            long.append(line)
    assert long == []


@pytest.mark.parametrize("attack", sorted(set(re.findall(r"\b[A-D]\d+(?=[,\]])", PAGE))))
def test_attack_that_a_rule_stops_is_in_the_museum(attack: str) -> None:
    assert re.search(rf"^\| {attack} \|", ATTACKS, re.MULTILINE), attack


def test_pages_that_are_pointed_to_are_there() -> None:
    for page in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)|`([a-z-]+\.md)`", PAGE):
        name = page[0] or page[1]
        if not name.startswith("http"):
            assert (ROOT / "docs" / name).exists(), name
