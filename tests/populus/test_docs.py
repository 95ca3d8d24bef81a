"""docs/populus.md has every command, option, setting, fixture and name, and its examples work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

import populus.contracts.exceptions
import populus.exceptions
from populus import Project
from populus.chain import AnvilChain, ExternalChain, TesterChain
from populus.cli import main
from populus.provider import Provider
from populus.registrar import Registrar
from populus.schema import ANY, EACH, SCHEMA, check
from populus.settings import _OWN, _PASSED_ON
from populus.wait import Wait
from tests.populus.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "populus.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def settings(schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for key, kind in schema.items():
        path = f"{at}.{'NAME' if key == EACH else key}".removeprefix(".")
        if isinstance(kind, Mapping):
            yield from settings(kind, path)
        elif kind is not ANY:
            yield path


def parts_of(path: str) -> list[str]:
    return [part for part in path.split(".") if part not in ("NAME", "priority")]


@pytest.mark.parametrize("path", sorted(set(settings(SCHEMA))))
def test_settings_are_explained(path: str) -> None:
    for part in parts_of(path):
        assert re.search(rf"\b{part}\b", PAGE), path


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
