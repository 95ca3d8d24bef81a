"""docs/populus.md has every command, option, setting, fixture and name, and its examples work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from msgspec import inspect

import populus.contracts.exceptions
import populus.exceptions
from populus import Project
from populus.chain import AnvilChain, ExternalChain, TesterChain
from populus.cli import main
from populus.provider import Provider
from populus.registrar import Registrar
from populus.schema import Settings, check
from populus.settings import _OWN, _PASSED_ON
from populus.wait import Wait
from tests.tools.populus.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "populus.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def settings(kind: inspect.Type, at: str = "") -> Iterator[str]:
    """Dotted paths of everything that may stand in the file."""
    if isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from settings(one, at)
    elif isinstance(kind, inspect.DictType):
        yield from settings(kind.value_type, f"{at}.NAME")
    elif isinstance(kind, inspect.StructType):
        for item in kind.fields:
            yield from settings(item.type, f"{at}.{item.encode_name}".removeprefix("."))
    elif not isinstance(kind, inspect.AnyType):
        yield at


def parts_of(path: str) -> list[str]:
    return [part for part in path.split(".") if part not in ("NAME", "priority")]


@pytest.mark.parametrize("path", sorted(set(settings(inspect.type_info(Settings)))))
def test_settings_are_explained(path: str) -> None:
    for part in parts_of(path):
        assert re.search(rf"(?<!\w){re.escape(part)}\b", PAGE), path


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    for key, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {key}")
        else:
            yield f"{name} {key}", command


def test_commands_and_options_are_explained() -> None:
    for name, command in commands(main, "populus"):
        assert f"`{name}" in PAGE
        for parameter in [*command.params, *main.params]:
            if isinstance(parameter, click.Option):
                for option in [*parameter.opts, *parameter.secondary_opts]:
                    assert f"`{option}" in PAGE, f"{name} {option}"


@pytest.mark.parametrize("kind", [Provider, Registrar, Wait])
def test_methods_are_named(kind: type) -> None:
    inner = {"verify", "known_factories", "forget", "note", "noted", "snapshot", "restore"}
    for name, member in vars(kind).items():
        if callable(member) and not name.startswith("_") and name not in inner:
            assert f"`{name}`" in PAGE, name


def test_errors_fixtures_and_settings_of_chains_are_named() -> None:
    names = [*populus.exceptions.__all__, *populus.contracts.exceptions.__all__]
    names += ["project", "chain", "web3", "provider", "registrar", "accounts"]
    names += [
        "base_contract_factories",
        *_OWN,
        *(name for name in _PASSED_ON if name != "modelChecker"),
    ]
    for kind in (TesterChain, AnvilChain, ExternalChain):
        names += kind.setting_names
    for name in names:
        assert f"`{name}`" in PAGE, name


def test_json_examples_are_accepted() -> None:
    examples = [json.loads(text) for language, text in BLOCKS if language == "json"]
    assert len(examples) >= 3
    for example in examples:
        check(example, "example")


def test_the_python_example_runs(
    empty: Path, solc: Path, monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    run(empty, "init")
    monkeypatch.chdir(empty)
    monkeypatch.setenv("SOLC_BINARY", str(solc))
    (example,) = [text for language, text in BLOCKS if language == "python"]
    names: dict[str, Any] = {}
    exec(example, names)
    assert isinstance(Project(), Project)
    assert names["txn_hash"] is not None
