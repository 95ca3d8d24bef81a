"""Every order of events of a few nodes, in its short form; `python -m proofs orders --points N`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import get_args

import pytest
from msgspec.structs import replace as changed

from perun.core.books import Draft
from perun.core.nanocontracts import plays
from perun.core.rules import accounting, phases
from perun.core.state import InstanceView
from perun.core.states import content
from perun.encoding.messages import Message
from perun.types import Version
from proofs.orders import CROOKED, NOT_EXPLORED, STORIES, run


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_wrong_in_any_order(name: str) -> None:
    quiet = run(replace(STORIES[name], crashes=0, repeats=1), 1_000_000)
    assert quiet.wrong == []
    assert quiet.complete
    assert quiet.points > 50
    assert run(STORIES[name], 300).wrong == []


@pytest.mark.parametrize("name", CROOKED)
def test_nothing_is_wrong_whatever_one_party_sends(name: str) -> None:
    found = run(CROOKED[name], 200)
    assert found.wrong == []
    assert found.points > 50


def test_a_state_of_money_that_is_not_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a crooked peer proposes one."""
    plant(monkeypatch, accounting.solvent, lambda holdings, state: True)  # noqa: ARG005
    assert run(CROOKED["transfers-1"], 200).wrong
    assert run(replace(STORIES["transfers"], crashes=0), 200).wrong == []


def plant(monkeypatch: pytest.MonkeyPatch, old: object, new: object) -> None:
    """A changed rule, wherever the core has it from."""
    for name, module in list(sys.modules.items()):
        if name.startswith("perun.core") and vars(module).get(old.__name__) is old:  # type: ignore[attr-defined]
            monkeypatch.setattr(module, old.__name__, new)  # type: ignore[attr-defined]


def test_a_version_that_is_used_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts from what is agreed, whatever was signed since."""
    rule = content.next_version
    zero = Version(0)
    plant(monkeypatch, rule, lambda view: rule(changed(view, signed=zero, seen=zero)))
    assert run(STORIES["transfers"], 5_000).wrong


def test_a_position_s_version_that_is_used_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives up forgets the move that is on its way."""
    rule = plays.go_on

    def forgets(draft: Draft, instance: InstanceView) -> None:
        game = instance.game
        if game is not None and game.own is not None and game.agreed is not None:
            game = changed(game, own=None, signed=game.agreed.version)
        rule(draft, changed(instance, game=game))

    monkeypatch.setattr(plays, "go_on", forgets)
    assert run(STORIES["game"], 500).wrong


def test_what_is_signed_beside_a_close_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    may, where = phases.blocked, phases.phase
    plant(monkeypatch, may, lambda draft, view: may(draft, changed(view, close=None)))
    plant(monkeypatch, where, lambda view, chain: where(changed(view, close=None), chain))
    assert run(STORIES["close"], 5_000).wrong


def test_each_message_of_the_core_is_said_or_left_out_by_name() -> None:
    said = set[str]()
    quiet = (replace(story, crashes=0, repeats=0) for story in STORIES.values())
    for story in (*quiet, STORIES["hub"]):
        said |= run(story, 300).kinds
    kinds = {kind.__name__ for kind in get_args(Message)}
    assert said | set(NOT_EXPLORED) == kinds
    assert said & set(NOT_EXPLORED) == set()
