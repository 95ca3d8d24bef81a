"""Whoever asks a running node, or for help, waits for nothing that only a node needs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from perun.cli.commands import SECTIONS
from perun.cli.main import cli

HEAVY = {*("web3", "eth_abi", "eth_account", "coincurve"), *("pydantic", "aiohttp", "requests")}


def _loaded(*words: str, home: Path) -> set[str]:
    """What a command has loaded, of what is heavy."""
    code = (
        "import sys\n"
        "from perun.cli.main import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('loaded', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PERUN_HOME": str(home), "HOME": str(home)},
        cwd=Path(__file__).parents[3],
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines()[-1].split()[1:]) & HEAVY


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["node", "--help"],
        ["hub", "--help"],
        ["node", "stop"],
        ["balance"],
        ["pay", "perun1q", "0.1ether", "--yes"],
        ["contacts", "add", "shop", "perun1q"],
    ],
    ids=" ".join,
)
def test_a_command_that_asks_a_node_loads_no_node(words: list[str], tmp_path: Path) -> None:
    assert not _loaded(*words, home=tmp_path)


def test_a_script_that_pays_loads_no_chain(tmp_path: Path) -> None:
    code = (
        "import sys, perun\n"
        "try:\n"
        "    perun.connect()\n"
        "except perun.NotReached:\n"
        "    print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PERUN_HOME": str(tmp_path), "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[3],
    )
    assert ran.returncode == 0, ran.stderr
    assert not set(ran.stdout.split()) & HEAVY
    assert "perun" in ran.stdout


def test_every_listed_command_is_there() -> None:
    for rows in SECTIONS.values():
        for name, place, _ in rows:
            found: list[click.Command] = import_module(place).COMMANDS
            assert [one.name for one in found].count(name) == 1, name


def test_help_names_every_command_and_hides_what_is_not_for_people() -> None:
    text = cli.get_help(click.Context(cli, info_name="perun"))
    for heading, rows in SECTIONS.items():
        for name, _, said in rows:
            assert (f"  {name} " in text and said in text) == bool(heading), name
    assert max(map(len, text.splitlines())) <= 80
