"""A tower in a process of its own answers for a wallet that is switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from perun.api.client import Node
from perun.chain.anvil import Anvil
from perun.cli.main import cli
from perun.crypto import SecretKey, keccak
from perun.daemon.contracts import write_contracts
from perun.daemon.settings import TowerSettings, read_settings
from perun.wallet import encrypt
from tests.node.processes.daemon.town import ETHER, Town, address_of, until

pytestmark = pytest.mark.chain

PASSWORD = "for tests"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Anvil(options=["--block-time", "1"]) as anvil:
        town = Town(tmp_path, anvil)
        try:
            yield town
        finally:
            town.close()


def tower_process(town: Town, port: str = "0") -> tuple[subprocess.Popen[str], str]:
    """One, and its host."""
    account = SecretKey(keccak(b"a tower's account"))
    keyfile, contracts = town.folder / "tower-key.json", town.folder / "contracts.json"
    if not keyfile.exists():
        keyfile.write_text(encrypt(account, PASSWORD, work=2**10))
        write_contracts(contracts, town.contracts)
        town.give(account.address)
    command = [sys.executable, "-m", "perun.cli.main", "tower", "run", str(town.folder / "tower")]
    command += ["--rpc", town.anvil.url, "--contracts", str(contracts), "--keyfile", str(keyfile)]
    process = subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{port}"],
        env={**os.environ, "PERUN_PASSWORD": PASSWORD, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert words[:2] == ["Watching", "at"], words
    return process, words[2]


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=30)


def watched_by(node: Node) -> list[tuple[str, int]]:
    return [(one.name, one.version) for e in node.exposure().channels for one in e.watchers]


def test_tower_that_was_killed_and_started_again_submits_for_a_sleeper(town: Town) -> None:
    process, host = tower_process(town)
    try:
        hub, hub_node = town.hub()
        at = address_of(hub)
        alice, node = town.settle("alice", at, tower=TowerSettings((host,)))
        node.open(at, "0.1 ether", peer_amount="0.1 ether", consent=True)
        for one in (node, hub_node):
            until(lambda one=one: [c.free for c in one.channels()] == [str(ETHER // 10)])  # type: ignore[misc]
        paid = hub_node.pay(alice.name, "0.01 ether", wait=300)
        assert paid.step == "done", paid.why
        totals = alice.assembly.node.books.totals.values()
        (machine,) = (one.machine for one in totals if one.received)
        (channel,) = alice.assembly.node.books.channels.values()
        assert channel.agreed is not None
        until(lambda: watched_by(node) == [(host, channel.agreed.state.version)])  # type: ignore[union-attr]
        until(lambda: alice.towers.knows(machine, ETHER // 100))
        (told,) = node.towers()
        assert (told.channels, told.trouble) == (1, "")
        process.kill()
        process.communicate(timeout=30)
        alice.stop()
        node.hang_up()

        process, _ = tower_process(town, host.rpartition(":")[2])
        terms = alice.assembly.node.books.instances[machine].machine
        assert terms is not None
        now = town.web3.eth.get_block("latest")["timestamp"]
        margin = alice.config.limits.margin
        town.anvil.request("evm_increaseTime", terms.validity - margin - now)

        def is_submitted() -> bool:
            view = hub.assembly.node.books.instances[machine]
            return view.head is not None

        until(is_submitted)
        shown = hub.assembly.node.books.instances[machine].head
        assert max(shown.paid_by_alice, shown.paid_by_bob) == ETHER // 100  # type: ignore[union-attr]
    finally:
        end(process)


def test_towers_are_named_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "perun.toml"
    file.write_text('[chain]\nrpc = ["http://127.0.0.1:1"]\n')

    def run(*words: str) -> None:
        done = CliRunner().invoke(cli, ["towers", *words, "--home", str(tmp_path)])
        assert done.exit_code == 0, done.output

    run("add", "tower.example")
    run("add", "127.0.0.1:7073")
    run("remove", "tower.example")
    assert read_settings(file, {}).tower.addresses == ("127.0.0.1:7073",)
    assert CliRunner().invoke(cli, ["towers", "add", "no host", "--home", str(tmp_path)]).exit_code
