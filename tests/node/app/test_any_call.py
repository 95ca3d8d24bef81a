"""Whatever a program asks within the schemas is answered or refused; nothing ends the node."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from perun.app.methods import METHODS, GetChannels, GetGames
from perun.app.work import Ask
from perun.errors import BrokenInvariant, PerunError
from perun.testing.people import Person, Town
from perun.testing.stories import GAMBLER, hub_policy, open_channel

CALLS = 200
"""Of each method."""


class Scene:
    """Alice and Bob over Ingrid; what there is is known by its ids."""

    def __init__(self) -> None:
        self.town = Town()
        self.alice, bob = (self.town.person(name, GAMBLER) for name in ("alice", "bob"))
        ingrid = self.town.person("ingrid", hub_policy())
        for person in (self.alice, bob):
            open_channel(self.town.world, person.party, ingrid.party, 1_000, 1_000)
        self.people: list[Person] = [self.alice, bob, ingrid]
        self.words = ["", "x", "TicTacToe", "tic tac toe", *(one.id for one in self.people)]
        self.words += [bob.id, f"{bob.id}@127.0.0.1:7", "perun:x", f"perun:{bob.id}?amount=5"]

    def ids(self) -> list[str]:
        """Of what has come about."""
        known = [one.id for one in self.alice.ask("channels", GetChannels())]
        known += [one.id for one in self.alice.ask("games", GetGames())]
        known += ["0x" + row.id.hex() for row in self.alice.app.shelf.requests.values()]
        return [*known, "0x", "0x" + 32 * "00", "0x" + 32 * "ff", "0x" + 65 * "1b", "0x00"]

    def ask(self, method: str, params: Any) -> object:
        """The answer, if it came at once."""
        answers: list[object] = []
        self.alice.party.node.ask(Ask(method, params, answers.append, push=lambda _: None))
        self.town.world.settle()
        return answers[0] if answers else None


AMOUNTS = (
    "0",
    "0",
    "0",
    "1",
    "2",
    "50",
    "999",
    str(10**18),
    str(2**111 - 1),
    str(2**111),
    "9" * 34,
)


def value(kind: inspect.Type, scene: Scene, luck: random.Random) -> Any:
    """Something that the schema takes, the extremes above all."""
    if isinstance(kind, inspect.StrType):
        pattern = kind.pattern or ""
        if "a-fA-F" in pattern:
            return luck.choice(["0x" + 20 * "00", "0x" + 20 * "ff", "0x" + 20 * "aB"])
        if "[0-9a-f]" in pattern:
            return luck.choice(scene.ids())
        if pattern:
            signed = ["-" + one for one in AMOUNTS] if "-?" in pattern else []
            return luck.choice([*AMOUNTS, *signed])
        least, most = kind.min_length or 0, kind.max_length or 100
        words = [one for one in scene.words if least <= len(one) <= most]
        return luck.choice([*words, "y" * most])
    if isinstance(kind, inspect.IntType):
        least, most = kind.ge or 0, kind.le or 2**53
        return luck.choice([least, most, min(most, least + 1), min(most, 3_600), min(most, 86_400)])
    if isinstance(kind, inspect.LiteralType):
        return luck.choice(kind.values)
    if isinstance(kind, inspect.UnionType):
        return value(luck.choice(kind.types), scene, luck)
    if isinstance(kind, inspect.CollectionType | inspect.VarTupleType):
        return [value(kind.item_type, scene, luck) for _ in range(luck.choice([0, 1, 3]))]
    assert isinstance(kind, inspect.BoolType | inspect.NoneType), kind
    return luck.choice([True, False]) if isinstance(kind, inspect.BoolType) else None


def params_of(kind: type, scene: Scene, luck: random.Random) -> Any:
    """Parameters as a program sends them: some left out."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    given = {
        field.encode_name: value(field.type, scene, luck)
        for field in info.fields
        if field.required or luck.random() < 0.6
    }
    if "idempotencyKey" in given:
        given["idempotencyKey"] = str(luck.random())
    return msgspec.convert(given, kind)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_any_call_is_answered_or_refused(method: str) -> None:
    scene, luck = Scene(), random.Random(method)
    kind: type = METHODS[method].params
    for _ in range(CALLS):
        params = params_of(kind, scene, luck)
        said = scene.ask(method, params)
        assert not isinstance(said, BrokenInvariant), params
        if said is not None and not isinstance(said, PerunError):
            msgspec.json.encode(said)
        assert scene.alice.party.node.failed is None, params
    scene.town.world.advance(12)
    assert scene.alice.party.node.failed is None
