"""`perun demo`: on both chains, to the wei, the same twice, and what happens without a chain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from perun.chain.anvil import AnvilMissing, find_anvil
from perun.cli import demo
from perun.cli.main import cli
from perun.demo.telling import Act, Told


def as_json(*options: str) -> dict:
    result = CliRunner().invoke(cli, ["demo", "--fast", "--json", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def assert_adds_up(result: dict) -> None:
    """By the JSON alone, without trusting its own verdict."""
    parties = result["parties"].values()
    assert result["left_in_contract"] == 0
    for party in parties:
        assert party["after"] == (
            party["before"]
            - party["paid"]
            + party["received"]
            - party["fees_paid"]
            + party["fees_earned"]
            - party["gas_cost"]
        )
    for one, other in (("paid", "received"), ("fees_paid", "fees_earned")):
        assert sum(party[one] for party in parties) == sum(party[other] for party in parties)
    gone = sum(party["before"] - party["after"] for party in parties)
    assert gone == result["gas_cost"] == sum(party["gas_cost"] for party in parties)
    assert sum(party["payments_sent"] for party in parties) == result["payments"]
    assert result["hub_signatures_during_payments"] == 0


def test_embedded_chain_adds_up_and_repeats_by_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_FAST_PAYMENTS", 40)  # the same story
    first = as_json("--chain", "tester", "--seed", "5")
    assert_adds_up(first)
    told: list[Told] = []
    again = demo._play("tester", 40, 5, told.append)
    assert demo.to_json(again) == first
    assert [item.title for item in told if isinstance(item, Act)] == [
        "Deposits",
        "40 payments in a channel of two",
        "40 payments in a virtual channel over Ingrid",
        "A hash-locked swap",
        "Bob registers an old state",
        "Ingrid goes silent",
        "Everybody is out",
    ]


@pytest.mark.chain
def test_anvil_adds_up_at_full_fast_size() -> None:
    result = as_json("--chain", "anvil", "--seed", "5")
    assert_adds_up(result)
    assert result["payments"] > 2_000


@pytest.mark.chain
def test_killed_chain_gives_one_message(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "perun.cli.main", "demo", "--chain", "anvil"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    while "1. Deposits" not in process.stdout.readline():
        assert process.poll() is None, "it ended before it began"
    (child,) = _children(process.pid)
    os.killpg(child, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len([line for line in said.splitlines() if line]) == 1
    assert "chain process has ended" in said


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        pytest.skip("needs Linux's /proc")
    return [int(child) for child in path.read_text().split()]


def test_missing_anvil_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AnvilMissing):
        find_anvil()
    result = CliRunner().invoke(cli, ["demo", "--chain", "anvil"])
    assert result.exit_code == 1
    assert "npm install @foundry-rs/anvil" in result.stderr


def test_anvil_is_found_in_a_folder_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "node_modules" / ".bin" / "anvil"
    program.parent.mkdir(parents=True)
    program.touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.setenv("PATH", "")
    assert find_anvil(below) == program
