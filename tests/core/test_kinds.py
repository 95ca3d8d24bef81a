"""Kinds of nanocontract: a file each, and nobody else asks of which kind an instance is."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from perun.chain.kinds import known_apps
from perun.core.nanocontracts.instances import end_time, last_time, locks, nano_of, one_way
from perun.core.nanocontracts.kinds import KINDS, kind_of
from perun.core.state import Role
from perun.testing.parties import DEPLOYMENT
from perun.types import (
    Address,
    Bet,
    Deal,
    Flip,
    Game,
    Gated,
    Hands,
    InstanceId,
    Lock,
    Machine,
    Recorded,
    Salt,
    Seconds,
    Stream,
    Terms,
    UnixTime,
    Wei,
)

ROOT = Path(__file__).parents[2]
CORE = ROOT / "perun" / "core"
ALICE, BOB = Address(b"\x01" * 20), Address(b"\x02" * 20)

GAME = Game(
    *(ALICE, BOB, Wei(7), Wei(5), Address(bytes(20)), bytes(32), bytes(32)),
    *(UnixTime(1_000), Seconds(600), Seconds(300), Seconds(400), Salt(bytes(32))),
)

EACH: list[Terms] = [
    Machine(ALICE, BOB, Wei(7), Wei(5), UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    Machine(ALICE, BOB, Wei(0), Wei(5), UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    Lock(Wei(7), False, bytes(32), UnixTime(1_000), Salt(bytes(32))),
    Lock(Wei(7), True, bytes(32), UnixTime(1_000), Salt(bytes(32))),
    Flip(
        *(Wei(7), Wei(5), bytes(32), bytes(32), 1),
        *(UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    ),
    Hands(
        *(Wei(7), Wei(5), bytes(32), bytes(32)),
        *(UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    ),
    GAME,
    Deal(
        *(ALICE, BOB, Address(b"\x03" * 20), Wei(7), Wei(5), Wei(2), UnixTime(500)),
        *(UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    ),
    Stream(
        *(ALICE, Wei(7), Wei(2), False, UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    ),
    Bet(
        *(Address(b"\x03" * 20), bytes(32), UnixTime(500), Wei(9), Wei(1), Wei(1), Wei(7), Wei(5)),
        *(UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    ),
    Gated(GAME, (ALICE, Address(b"\x04" * 20), Address(b"\x05" * 20), BOB)),
]

MACHINES_ONLY = {
    "hub/queue.py": "only a machine takes another's place",
    "virtual/choosing.py": "only a machine takes another's place",
    "virtual/invited.py": "a machine is asked for elsewhere or again",
    "virtual/leaving.py": "only a machine is left",
}
"""Where the core may ask whether it is a machine, or a lock, and why."""

PAYMENTS = {
    "app/app.py": "payments to somebody go through machines with him",
    "app/incomes.py": "a note is about a part of a machine's total",
    "app/inviting.py": "an invitation to a machine is said again by its opening",
    "app/locks.py": "what people do with locks",
    "app/openings.py": "what is locked in machines already",
    "app/tending.py": "machines are renewed",
    "app/ways.py": "payments to somebody go through machines with him",
    "page/rehearsal.py": "what the other side of a machine could show of our payments",
}
"""Where others may, and why."""


def test_all_parameters_have_a_kind() -> None:
    assert set(KINDS) == set(get_args(Terms)) == {type(terms) for terms in EACH}


def test_all_kinds_are_read_on_the_chain() -> None:
    known = known_apps(DEPLOYMENT)
    assert [known[kind.app(DEPLOYMENT)].kind for kind in KINDS.values()] == [*KINDS.values()]
    assert {record.__struct_config__.tag for record in get_args(Recorded)} == {
        terms.__struct_config__.tag for terms in get_args(Terms) if terms is not Hands
    }


def test_kinds_stand_in_a_file_each() -> None:
    assert len({type(kind).__module__ for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("terms", EACH)
def test_nano_is_what_its_kind_says_from_either_side(terms: Terms) -> None:
    kind, id = kind_of(terms), InstanceId(b"\x03" * 32)
    straight, swapped = (nano_of(DEPLOYMENT, id, terms, turned) for turned in (False, True))
    assert (straight.alice_lock, straight.bob_lock) == locks(terms)
    assert (swapped.bob_lock, swapped.alice_lock) == locks(terms)
    assert straight.app == swapped.app == kind.app(DEPLOYMENT)
    assert straight.expiry == end_time(terms) >= last_time(terms)


@pytest.mark.parametrize("terms", EACH)
def test_ids_differ_with_every_parameter_and_kind(terms: Terms) -> None:
    ids = {kind_of(other).id(DEPLOYMENT, other) for other in EACH}
    assert len(ids) == len(EACH)
    assert kind_of(terms).id(DEPLOYMENT, terms) in ids


def test_only_side_that_can_lose_is_told_by_the_locks() -> None:
    assert [one_way(terms) for terms in EACH] == [
        *(None, Role.BOB, Role.ALICE, Role.BOB),
        *(None, None, None, None, Role.ALICE, None, None),
    ]


def test_only_what_rises_against_its_alice_alone_crosses_several_hubs() -> None:
    """A stream's ticks no hub holds; and what an arbiter says does not only rise."""
    one_sided = [replace(terms, bob_lock=Wei(0)) for terms in (EACH[0], EACH[7])]
    crossing = [terms for terms in (*EACH, *one_sided) if kind_of(terms).crosses(terms)]
    assert crossing == [EACH[2], EACH[10], one_sided[0]]


def test_locking_takes_what_one_cannot_keep_by_doing_nothing() -> None:
    taken = [[kind_of(terms).taken(terms, role) for role in Role] for terms in EACH]
    assert taken == [[0, 0], [0, 0], [7, 0], [0, 7], *4 * [[7, 5]], [0, 0], [7, 5], [7, 5]]


# ------------------------------------------------------------------ where a kind stands

GUIDE = ROOT / "docs" / "guides" / "add-a-kind.md"


def _named_in_guide(*parts: str) -> set[str]:
    """The files of the package in the tables of these parts of the guide."""
    text = GUIDE.read_text(encoding="utf-8")
    found = set()
    for part in text.split("\n## ")[1:]:
        if part.startswith(parts):
            rows = [line for line in part.splitlines() if line.startswith("|")]
            found |= {name for row in rows for name in re.findall(r"`(perun/[\w/]+\.py)`", row)}
    return found


def _naming(stem: str) -> set[str]:
    """The files that import something of a kind, and its own."""
    own = list((ROOT / "perun").rglob(f"{stem}.py"))
    names = {name for path in own for name in _defined(path)} | {stem}
    return {path.relative_to(ROOT).as_posix() for path in own} | {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "perun").rglob("*.py")
        if _imported(path, stem, names)
    }


def _defined(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        node.name
        for node in body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_"
    }


def _imported(path: Path, stem: str, names: set[str]) -> bool:
    """Something from a kind's own file, or by a name of its own from a face of the package."""
    faces = ("perun.types", "perun.encoding", "perun.bindings")
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module is not None
        and (
            node.module.endswith(f".{stem}")
            or (node.module in faces and any(alias.name in names for alias in node.names))
        )
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_guide_names_every_place_where_a_kind_stands() -> None:
    """What a stranger reads who adds one: no file names Escrow that the guide does not."""
    named = _named_in_guide("A file", "A line", "For scripts")
    listing = {"perun/app/methods.py", "perun/app/app.py", "perun/__init__.py"}
    listing |= {"perun/app/telling.py"}
    assert _naming("escrow") == named - listing


def test_another_kind_stands_in_the_same_places() -> None:
    places = {name.replace("escrow", "coin_flip") for name in _named_in_guide("A file", "A line")}
    public = _named_in_guide("For scripts")
    playing = {"perun/app/boards.py", "perun/app/playing.py"}
    hands = {name for name in _naming("coin_flip") if name.endswith("rock_paper_scissors.py")}
    hands |= {f"perun/{layer}/nanocontracts/two_secrets.py" for layer in ("core", "spec")}
    assert places <= _naming("coin_flip") <= places | public | playing | hands


def test_nobody_else_asks_of_which_kind_an_instance_is() -> None:
    assert _asking(CORE, "nanocontracts/", "state.py") == MACHINES_ONLY.keys()
    others = _asking(CORE.parent, "core/", "spec/", "testing/", "bindings/", "demo/")
    assert others == PAYMENTS.keys()


def _asking(root: Path, *but: str) -> set[str]:
    asking = set()
    for file in root.rglob("*.py"):
        name = file.relative_to(root).as_posix()
        if name.startswith(but):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if _asks(node):
                asking.add(name)
    return asking


def _asks(node: ast.AST) -> bool:
    """`instance.machine`, or `isinstance(terms, Lock)`."""
    match node:
        case ast.Attribute(ast.Name("instance" | "old" | "new" | "known"), "machine" | "lock"):
            return True
        case ast.Call(ast.Name("isinstance"), [_, kinds]):
            named = {part.id for part in ast.walk(kinds) if isinstance(part, ast.Name)}
            return bool({"Machine", "Lock"} & named)
        case _:
            return False
