"""`perun exit` and `perun watch` against a real node, from stores that real nodes have left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from perun.bindings import ms_contract_calls
from perun.bindings.calls import Fees, transaction
from perun.chain.anvil import Anvil
from perun.chain.memory import rich_key
from perun.cli.main import cli
from perun.core.inputs import CommandTransfer
from perun.core.state import SignedState
from perun.demo.moves import open_channel
from perun.demo.stage import ETHER, Stage
from perun.node.profile import Profile, write_profile
from perun.store import SqliteStore
from perun.types import ETH, Address, ChainId, UnixTime, Wei
from perun.wallet import encrypt

pytestmark = pytest.mark.chain


def perun(*arguments: str) -> str:
    """Output of a command that must succeed."""
    result = CliRunner(env={"PERUN_PASSWORD": "open", "COLUMNS": "200"}).invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result.output


class Left:
    """Alice has paid Bob 0.1 and then 0.2 ETH; now both nodes are off."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        self.anvil = anvil
        anvil.set_automine(True)
        self.stage = stage = Stage(anvil, folder, seed=3)
        self.alice, self.bob = stage.enter("Alice"), stage.enter("Bob")
        stage.begin()
        self.channel = open_channel(stage, self.alice, self.bob, Wei(ETHER), Wei(ETHER))
        self.old = self._transfer(ETHER // 10)
        self.newest = self._transfer(ETHER // 5)
        for party in (self.alice, self.bob):
            party.cut_power()
            store = SqliteStore(party.path)
            write_profile(store, party.profile, encrypt(party.key, "open", work=2))
            store.close()

    def _transfer(self, amount: int) -> SignedState:
        self.alice.do(CommandTransfer(self.channel, Wei(amount)))
        self.stage.settle()
        agreed = self.bob.channel(self.channel).agreed
        assert agreed is not None
        return agreed

    def register_old(self) -> None:
        """Alice's transaction with the state that is better for her."""
        endpoint = self.stage.endpoint()
        call = ms_contract_calls.register(
            self.stage.deployment.contract.contract,
            self.bob.channel(self.channel).channel,
            self.old.state,
            self.old.peer,
            self.old.own,
        )
        params = transaction(
            call,
            sender=self.alice.address,
            chain_id=endpoint.chain_id,
            nonce=endpoint.next_nonce(self.alice.address),
            gas=200_000,
            fees=Fees(Wei(10**10), Wei(10**9)),
        )
        raw, _ = self.alice.wallet.account(self.alice.address).sign_transaction(params)
        endpoint.send(raw)
        self.anvil.mine()

    def disputed(self) -> int:
        endpoint = self.stage.endpoint()
        head = endpoint.block()
        assert head is not None
        query = ms_contract_calls.dispute(
            self.stage.deployment.contract.contract, ETH, self.channel
        )
        return endpoint.ask(query, head.number).version

    def jump(self, seconds: int) -> None:
        head = self.stage.endpoint().block()
        assert head is not None
        self.anvil.mine(at=UnixTime(head.time + seconds))


@pytest.fixture
def left(anvil: Anvil, tmp_path: Path) -> Iterator[Left]:
    before = anvil.request("evm_snapshot")
    yield Left(anvil, tmp_path)
    anvil.request("evm_revert", before)
    anvil.set_automine(False)


def test_exit_shows_gets_and_then_owes_nothing(left: Left) -> None:
    store, rpc = str(left.bob.path), ("--rpc", left.anvil.url)
    before = left.stage.balance(left.bob.address)
    shown = perun("exit", store, *rpc, "--dry-run")
    assert "1.300000 ETH" in shown
    environment = {"PERUN_PASSWORD": "open"}
    asked = CliRunner(env=environment).invoke(cli, ("exit", store, *rpc, "--dry-run", "--json"))
    plan = json.loads(asked.stdout)
    assert ([one["amount"] for one in plan["owed"]], plan["sure"]) == (
        [str(13 * ETHER // 10)],
        True,
    )
    left.anvil.mine(4)
    assert "1.300000 ETH" in perun("exit", store, *rpc, "--dry-run")

    assert "sent" in perun("exit", store, *rpc, "--no-wait")
    left.anvil.mine(3)
    assert "disputed" in perun("exit", store, *rpc, "--no-wait")
    left.jump(601)
    assert "decided" in perun("exit", store, *rpc, "--no-wait")
    left.anvil.mine(3)
    perun("exit", store, *rpc, "--no-wait")  # sees it final
    assert "Nothing is owed" in perun("exit", store, *rpc)
    gained = left.stage.balance(left.bob.address) - before
    assert ETHER + 3 * ETHER // 10 - ETHER // 1000 < gained < ETHER + 3 * ETHER // 10


def test_chain_without_the_contracts_is_not_one_that_owes_nothing(
    anvil: Anvil, tmp_path: Path
) -> None:
    path = tmp_path / "store"
    store = SqliteStore(path)
    places = {name: Address(bytes((n,)) * 20) for n, name in enumerate(("MSContract", "VPM"), 1)}
    key = rich_key(7)
    profile = Profile(ChainId(31337), places, key.address, key.public_key.data, bytes(32))
    write_profile(store, profile)
    store.close()
    arguments = ["exit", str(path), "--rpc", anvil.url, "--dry-run"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    assert "MSContract expected at" in result.stderr


def test_watch_answers_a_stale_registration(left: Left, tmp_path: Path) -> None:
    export, key = tmp_path / "export", tmp_path / "tower-key"
    key.write_text(encrypt(rich_key(7), "open", work=2))
    assert "1 channels, no key" in perun("export", str(left.bob.path), str(export))
    left.register_old()
    assert left.disputed() == left.old.state.version
    said = perun(
        "watch", str(export), "--rpc", left.anvil.url, "--keyfile", str(key), "--rounds", "1"
    )
    assert "answer sent" in said
    left.anvil.mine()
    assert left.disputed() == left.newest.state.version
