"""Real nodes: an anvil of our own, and one that somebody else started."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3

from populus import Project
from populus.chain import AnvilChain
from populus.chain.anvil import find_anvil
from populus.contracts.factory import PopulusContract
from populus.exceptions import ChainError, ContractReverted
from tests.tools.populus.conftest import REPOSITORY, Run, refused

pytestmark = pytest.mark.chain

CHAIN_ID = 4242
# anvil's first account: public, and worth nothing elsewhere
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture(scope="module")
def binary() -> str:
    found = find_anvil(REPOSITORY)
    if found is None:
        pytest.skip("anvil is not installed: npm install, or put anvil on PATH")
    return str(found)


@pytest.fixture(scope="module")
def node(
    binary: str, compiled_sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnvilChain]:
    """A node with an unusual chain id, run by another project."""
    folder = tmp_path_factory.mktemp("node") / "project"
    shutil.copytree(compiled_sample, folder)
    with started(folder, binary) as chain:
        yield chain


def started(folder: Path, binary: str, **settings: Any) -> AbstractContextManager[AnvilChain]:
    settings = {"binary": binary, "chain_id": CHAIN_ID, **settings}
    chain = {"chain": {"class": "populus.chain.AnvilChain", "settings": settings}}
    configure(folder, chains={"mine": chain})
    found = Project(folder).get_chain("mine")
    assert isinstance(found, AnvilChain)
    return found


def configure(folder: Path, **keys: Any) -> None:
    path = folder / "populus.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


@pytest.fixture
def far(sample: Path, node: AnvilChain) -> Path:
    """A project for which that node is an external chain with a key from the environment."""
    describe(sample, node.endpoint)
    return sample


def describe(folder: Path, endpoint: str, chain_id: int = CHAIN_ID, **eth: str) -> None:
    provider = {"class": "web3.HTTPProvider", "settings": {"endpoint_uri": endpoint}}
    eth = {"private_key": "${FAR_KEY}", **eth}
    chain = {"class": "populus.chain.ExternalChain", "settings": {"chain_id": chain_id}}
    web3 = {"provider": provider, "eth": eth}
    configure(folder, chains={"far": {"chain": chain, "web3": web3}})


def count(node: AnvilChain) -> int:
    return int(node.web3.eth.get_transaction_count(Web3.to_checksum_address(ADDRESS)))


def test_deploying_twice_sends_once(far: Path, node: AnvilChain, run: Run) -> None:
    before = count(node)
    first = run(far, "deploy", "-c", "far", "Math", FAR_KEY=KEY)
    assert first.exit_code == 0, first.output
    assert "Deploying Math" in first.output
    assert count(node) == before + 1
    second = run(far, "deploy", "-c", "far", "Math", FAR_KEY=KEY)
    assert "nothing sent" in second.output
    assert second.exit_code == 0
    assert count(node) == before + 1
    registrar = json.loads((far / "registrar.json").read_text())
    (names,) = registrar["deployments"].values()
    assert list(names) == ["Math"]


def test_a_restarted_node_is_deployed_to_afresh(
    sample: Path, tmp_path: Path, binary: str, run: Run
) -> None:
    other = tmp_path / "other"
    shutil.copytree(sample, other)
    for _ in range(2):
        with started(other, binary) as node:
            describe(sample, node.endpoint)
            result = run(sample, "deploy", "-c", "far", "Math", FAR_KEY=KEY)
            assert "Deployment Successful" in result.output
            assert count(node) == 1


def test_another_chain_id_is_refused_before_anything_is_sent(
    far: Path, node: AnvilChain, run: Run
) -> None:
    describe(far, node.endpoint, chain_id=1)
    before = count(node)
    result = run(far, "deploy", "-c", "far", "Math", FAR_KEY=KEY)
    refused(result, "chain 4242", "chain 1", "Nothing was sent")
    assert count(node) == before


@pytest.mark.parametrize(
    ("key", "culprit"),
    [("", "FAR_KEY is not set"), ("0xnokey", "FAR_KEY holds no private key")],
)
def test_without_a_good_key_nothing_is_sent(far: Path, run: Run, key: str, culprit: str) -> None:
    said = refused(run(far, "deploy", "-c", "far", "Math", FAR_KEY=key), culprit)
    assert "0xnokey" not in said


def test_a_key_of_another_account_is_refused(far: Path, node: AnvilChain, run: Run) -> None:
    describe(far, node.endpoint, default_account=Account.from_key(32 * b"\x05").address)
    refused(run(far, "deploy", "-c", "far", "Math", FAR_KEY=KEY), ADDRESS, "default_account")


def test_a_key_in_the_file_is_refused(far: Path, node: AnvilChain, run: Run) -> None:
    describe(far, node.endpoint, private_key=KEY)
    said = refused(run(far, "deploy", "-c", "far", "Math"), "must not stand in the file")
    assert KEY not in said


def test_an_empty_account_is_named(far: Path, run: Run) -> None:
    poor = Account.from_key(32 * b"\x06")
    result = run(far, "deploy", "-c", "far", "Math", FAR_KEY=poor.key.hex())
    refused(result, f"{poor.address} has 0 ether")


def test_reading_needs_no_key(far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAR_KEY", raising=False)
    with Project(far).get_chain("far") as chain:
        assert chain.web3.eth.chain_id == CHAIN_ID


def test_a_port_in_use_is_told(sample: Path, node: AnvilChain, binary: str) -> None:
    port = int(node.endpoint.rpartition(":")[2])
    with pytest.raises(ChainError, match="anvil did not start"):
        started(sample, binary, port=port).__enter__()


def test_the_process_ends_with_the_chain(sample: Path, binary: str) -> None:
    with started(sample, binary) as chain:
        process = chain.process
        assert process is not None
        assert process.poll() is None
    assert process.poll() is not None


def test_deploy_to_anvil_prints_one_block_per_contract(sample: Path, binary: str, run: Run) -> None:
    result = run(sample, "deploy", "--chain", "anvil", ANVIL_BINARY=binary)
    lines = result.output.splitlines()
    deployed = [line.split()[1] for line in lines if line.startswith("Deploying")]
    assert deployed == ["Library13", "Multiply13", "Math", "Token"]
    assert len([line for line in lines if line.startswith("  Address:")]) == 4
    assert not (sample / "registrar.json").exists()  # the node is gone


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_chain_run_serves_until_it_is_stopped(
    sample: Path, binary: str, how: signal.Signals
) -> None:
    command = [sys.executable, "-m", "populus", "-p", str(sample), "chain", "run", "anvil"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "ANVIL_BINARY": binary}
    ) as process:
        assert process.stdout is not None
        line = next(text for text in process.stdout if text.startswith("Listening on"))
        web3 = Web3(Web3.HTTPProvider("http://" + line.split()[-1]))
        assert web3.eth.block_number == 0
        process.send_signal(how)
        assert "Stopped." in process.stdout.read()
        assert process.wait(10) == 0
    assert not web3.is_connected()


def test_fork_has_what_the_chain_has(far: Path, node: AnvilChain, binary: str, run: Run) -> None:
    assert run(far, "deploy", "-c", "far", "Math", FAR_KEY=KEY).exit_code == 0
    registrar = (far / "registrar.json").read_text()
    before = count(node)
    with started(far, binary, fork_url=node.endpoint) as fork:
        math = fork.provider.get_contract("Math")  # nothing is deployed again
        assert math.call().counter() == 0
        math.transact().increase()
        assert math.call().counter() == 1
        fork.provider.deploy_contract("Refuser")
    assert count(node) == before
    assert (far / "registrar.json").read_text() == registrar


# -- beside others, and stuck --------------------------------------------------------------


def test_two_deployments_at_once_pay_once(far: Path, node: AnvilChain) -> None:
    """Of one project, from one account: the second finds what the first has deployed."""
    before = count(node)
    command = [sys.executable, "-m", "populus", "-p", str(far), "deploy", "-c", "far"]
    environment = {**os.environ, "FAR_KEY": KEY}
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert count(node) == before + 4
    assert sum("Deployment Successful" in text for text in said) == 1


def test_what_is_stuck_is_outbid_and_created_once(
    sample: Path, tmp_path: Path, binary: str, run: Run
) -> None:
    other = tmp_path / "other"
    shutil.copytree(sample, other)
    with started(other, binary, block_time=100_000) as node:
        describe(sample, node.endpoint)
        deploy = ("deploy", "-c", "far", "--timeout", "0", "Math")
        first = refused(run(sample, *deploy, FAR_KEY=KEY), "within 0 seconds", "--replace")
        again = refused(run(sample, *deploy, FAR_KEY=KEY), "sent by an earlier run")
        third = refused(run(sample, *deploy, "--replace", FAR_KEY=KEY), "Outbids:")
        sent = re.compile(r"Transaction: (0x[0-9a-f]{64})")
        hashes = [sent.findall(text)[0] for text in (first, again, third)]
        assert hashes[0] == hashes[1] != hashes[2]
        assert node.web3.eth.get_transaction(hashes[2])["nonce"] == 0
        node.web3.provider.make_request("evm_mine", [])
        done = run(sample, *deploy, FAR_KEY=KEY)
        assert "Deployment Successful" in done.output, done.output
        assert count(node) == 1


def test_key_file_signs(sample: Path, node: AnvilChain, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deployer.json"
    made = run(sample, "key", "import", str(file), "--private-key", KEY, "--password", "open")
    assert ADDRESS in made.output, made.output
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    refused(run(sample, "key", "new", str(file), "--password", "x"), "exists already")
    describe(sample, node.endpoint)
    content = json.loads((sample / "populus.json").read_text())
    eth = {"keystore": str(file), "password": "${FAR_PASSWORD}"}
    content["chains"]["far"]["web3"]["eth"] = eth
    (sample / "populus.json").write_text(json.dumps(content))
    wrong = run(sample, "deploy", "-c", "far", "Math", FAR_PASSWORD="shut")
    refused(wrong, "cannot be opened with this password")
    result = run(sample, "deploy", "-c", "far", "Math", FAR_PASSWORD="open")
    assert "Deployment Successful" in result.output, result.output
    del eth["password"]
    (sample / "populus.json").write_text(json.dumps(content))
    refused(run(sample, "deploy", "-c", "far", "Math"), "no terminal")
    with Project(sample).get_chain("far") as chain:  # reading asks for no password
        assert chain.web3.eth.default_account == ADDRESS


# -- reverts, as on the chain in memory ----------------------------------------------------

ASKS: dict[str, Callable[..., Any]] = {
    "call": lambda function: function.call(),
    "estimate": lambda function: function.estimate_gas(),
    "transaction": lambda function: function.transact(),
    "with gas": lambda function: function.transact({"gas": 300_000}),
}


@pytest.fixture(scope="module")
def refusers(node: AnvilChain, solc: Path) -> Iterator[dict[str, PopulusContract]]:
    """The same contract, with a node that signs and with a key that signs here."""
    mine, _ = node.provider.get_or_deploy_contract("Refuser")
    folder = node.project.root.parent / "far"
    shutil.copytree(node.project.root, folder)
    describe(folder, node.endpoint)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAR_KEY", KEY)
        patch.setenv("SOLC_BINARY", str(solc))
        with Project(folder).get_chain("far") as chain:
            factory = chain.provider.get_contract_factory("Refuser")
            yield {"node": mine, "key": factory(address=mine.address)}


@pytest.mark.parametrize("signer", ["node", "key"])
@pytest.mark.parametrize("ask", ASKS)
def test_reverts_reach_the_test(
    refusers: dict[str, PopulusContract], signer: str, ask: str
) -> None:
    functions = refusers[signer].functions
    for function, name, args in (
        (functions.custom(3), "TooSmall", (ADDRESS, 3, 10)),
        (functions.text(), "Error", ("in words",)),
        (functions.panic(0), "Panic", (0x12,)),
        (functions.called(), "Deep", (b"below".ljust(32, b"\x00"),)),
        (functions.bare(), "", ()),
    ):
        with pytest.raises(ContractReverted) as refusal:
            ASKS[ask](function)
        assert (refusal.value.name, refusal.value.args) == (name, args)
        assert (refusal.value.transaction_hash is not None) == (ask == "with gas")
