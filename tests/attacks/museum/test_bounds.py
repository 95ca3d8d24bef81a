"""P9: the table of bounds in `docs/security.md` says the numbers that the code reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from perun.app.settings import Settings
from perun.chain import costs
from perun.core.config import HubPolicy, Policy
from perun.core.limits import DEFAULT_LIMITS
from perun.core.nanocontracts.hash_chain import MOST_TICKS
from perun.encoding.messages import MAX_MESSAGE_BYTES
from perun.hub.acceptance import Bounds
from perun.node import inbox
from perun.types import Wei
from perun.wire import session
from perun.wire.bodies import BodyLimits
from perun.wire.door import DoorLimits
from perun.wire.sessions import Limits
from tests.attacks.contracts import test_c7_out_of_gas as c7
from tests.attacks.museum.collecting import collected

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
NAMES = {
    "limits": DEFAULT_LIMITS,
    "hub": HubPolicy(),
    "policy": Policy(),
    "costs": costs,
    "inbox": inbox,
    "door": DoorLimits(),
    "bodies": BodyLimits(0),
    "bounds": Bounds(Wei(0)),
    "session": session,
    "sessions": Limits(),
    "app": Settings(),
    "c7": c7,
    "MAX_MESSAGE_BYTES": MAX_MESSAGE_BYTES,
    "MOST_TICKS": MOST_TICKS,
}


def rows() -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8")
    section = text.split("## What others can cost you\n")[1].split("\n## ")[0]
    lines = [line.strip("| ") for line in section.splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def numbers() -> list[tuple[str, int]]:
    found = re.findall(r"`([^`]+)` = ([\d,]+)", " ".join(row[1] for row in rows()))
    return [(what, int(number.replace(",", ""))) for what, number in found]


def test_every_row_is_whole() -> None:
    assert len(rows()) > 20
    assert [row for row in rows() if len(row) != 4 or not all(row)] == []


@pytest.mark.parametrize(("what", "number"), sorted(set(numbers())))
def test_number_is_the_codes_own(what: str, number: int) -> None:
    assert eval(what, {"__builtins__": {}}, NAMES) == number


def test_every_bound_names_a_test_that_is_collected() -> None:
    named = [re.findall(r"`([^`]+\.py::[^`]+)`", row[3]) for row in rows()]
    assert all(named)
    names = {name for several in named for name in several}
    assert collected(names) == names


def test_every_bad_day_names_tests_that_are_there() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Bad days\n")[1].split("\n## ")[0]
    days = [line for line in section.splitlines() if line[:1] == "|"][2:]
    top = PAGE.parents[1]
    for day in days:
        named = re.findall(r"`((?:tests/)?[a-z_]+/[a-z_/]+(?:\.py)?)`", day.rsplit("|", 2)[1])
        assert named, day
        for name in named:
            below = top if name.startswith("tests/") else top / "tests" / "node" / "processes"
            assert (below / name).exists(), name
