"""A token by its name, between two daemons: opened, paid, asked for, shown, closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from web3 import Web3

from perun.chain.anvil import Anvil
from perun.cli.main import cli
from perun.daemon.daemon import Daemon
from perun.daemon.settings import Amount, PolicySettings, TokenSettings
from tests.node.processes.daemon.town import ETHER, Town, address_of, until

pytestmark = pytest.mark.chain

ARTIFACT = Path(__file__).parents[3] / "contracts" / "artifacts" / "StandardToken.json"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Anvil(options=["--block-time", "1"]) as anvil:
        town = Town(tmp_path, anvil)
        try:
            yield town
        finally:
            town.close()


def deployed(web3: Web3) -> Any:
    """A token with six decimals that nothing is strange about."""
    artifact = json.loads(ARTIFACT.read_text())
    rich = web3.eth.accounts[0]
    contract = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    sent = contract.constructor().transact({"from": rich})
    where = web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    return web3.eth.contract(address=where, abi=artifact["abi"])


def run(daemon: Daemon, *words: str) -> str:
    ran = CliRunner(env={"PERUN_HOME": str(daemon.home), "COLUMNS": "80"}).invoke(cli, words)
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_dollars_are_opened_paid_and_closed_by_name(town: Town) -> None:
    token = deployed(town.web3)
    named = {"USDC": TokenSettings(token.address, 6, "3000")}
    policy = PolicySettings(greatest_deposit=Amount(ETHER), small_channels=True)
    (alice, alice_node), (bob, bob_node) = (
        town.settle(name, tokens=named, policy=policy) for name in ("alice", "bob")
    )
    account = Web3.to_checksum_address(alice.config.identity.account)
    rich = town.web3.eth.accounts[0]
    sent = token.functions.mint(account, 1_000 * 10**6).transact({"from": rich})
    town.web3.eth.wait_for_transaction_receipt(sent)

    bob_node.add_contact("alice", address_of(alice))  # strangers are not heard

    run(alice, "open", address_of(bob), "500 USDC", "--yes")
    until(lambda: [one.peer_free for one in bob_node.channels()] == [str(500 * 10**6)])
    shown = run(alice, "channels")
    assert "500 USDC" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "done: 5 USDC" in run(alice, "pay", address_of(bob), "5 USDC", "--yes")
    assert alice_node.pay(address_of(bob), "0.25 USDC").step == "done"
    link = run(bob, "request", "2.5USDC").strip().splitlines()[0]
    assert "done: 2.5 USDC" in run(alice, "pay", link, "--yes")
    assert [one.amount for one in bob_node.payments()] == ["2500000", "250000", "5000000"]
    assert "2.5 USDC" in run(bob, "payments")
    assert "done: the channel has ended" in run(alice, "close", "0x", "--yes")
    until(lambda: not alice_node.channels())
    until(lambda: token.functions.balanceOf(account).call() == 1_000 * 10**6 - 7_750_000)
