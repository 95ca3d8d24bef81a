"""A file's addresses are claims; code and domain at the address decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from web3 import EthereumTesterProvider, Web3

import perun
from perun.bindings import VPM, CoinFlip
from perun.bindings.artifacts import artifact
from perun.bindings.suite import SUITE
from perun.deployments import BadDeploymentFile, Deployment, WrongCode, load, save
from perun.errors import UnknownDeployment
from populus.chain import TesterChain
from populus.registrar import Registrar

NAMES = tuple(SUITE)


@pytest.fixture(scope="module")
def web3() -> Web3:
    """A chain of this file's own."""
    return Web3(EthereumTesterProvider())


@pytest.fixture(scope="module")
def suite(web3: Web3) -> Deployment:
    return perun.deploy(web3, gas=6_000_000)


def creating(web3: Web3, runtime: bytes) -> str:
    """The address of a new contract with just this code."""
    # PUSH2 length, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
    prefix = b"\x61" + len(runtime).to_bytes(2, "big") + b"\x80\x60\x0a\x5f\x39\x5f\xf3"
    data = "0x" + (prefix + runtime).hex()
    sent = {"from": web3.eth.accounts[0], "data": data, "gas": 6_000_000}
    hashed = web3.eth.send_transaction(sent)
    return str(web3.eth.wait_for_transaction_receipt(hashed)["contractAddress"])


def test_deploy_takes_what_the_package_ships(suite: Deployment, web3: Web3) -> None:
    assert suite.chain_id == web3.eth.chain_id
    assert tuple(suite.addresses()) == NAMES
    for name, address in suite.addresses().items():
        assert artifact(name).matches(bytes(web3.eth.get_code(address)))
        for other in set(NAMES) - {name}:
            assert not artifact(other).matches(bytes(web3.eth.get_code(address)))


def test_populus_deploys_the_same() -> None:
    settings = json.loads((Path(__file__).parents[2] / "populus.json").read_text())
    assert tuple(settings["deployment"]["contracts"]) == NAMES


def test_deploy_from_a_key(web3: Web3) -> None:
    key = perun.new_key()
    rich, poor = web3.eth.accounts[0], perun.checksum(key)
    web3.eth.send_transaction({"from": rich, "to": poor, "value": 10**18, "gas": 21_000})
    perun.deploy(web3, key, gas=6_000_000)
    assert web3.eth.get_transaction_count(poor) == len(NAMES)


def test_what_is_saved_can_be_loaded(suite: Deployment, web3: Web3, tmp_path: Path) -> None:
    path = tmp_path / "deployments.json"
    save(suite, path)
    found = load(web3, path)
    assert found.addresses() == suite.addresses()
    assert found.ms_contract.domain == suite.ms_contract.domain


def test_suite_of_before_there_were_games_is_loaded_without(
    suite: Deployment, web3: Web3, tmp_path: Path
) -> None:
    path = tmp_path / "deployments.json"
    known = {name: at for name, at in suite.addresses().items() if name in NAMES[:4]}
    path.write_text(json.dumps({"format": 1, "deployments": {str(suite.chain_id): known}}))
    found = load(web3, path)
    assert found.addresses() == known
    assert found.find(VPM) is found.vpm
    assert found.find(CoinFlip) is None
    with pytest.raises(UnknownDeployment) as caught:
        found.of(CoinFlip)
    assert (caught.value.chain_id, caught.value.missing) == (web3.eth.chain_id, "CoinFlip")


def test_other_chains_stay_in_the_file(suite: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "deployments.json"
    other = {"VPM": "0x" + "11" * 20}
    path.write_text(json.dumps({"format": 1, "deployments": {"5": other}}))
    save(suite, path)
    assert json.loads(path.read_text())["deployments"]["5"] == other


def test_populus_registrar_is_read(chain: TesterChain, tmp_path: Path) -> None:
    suite, path = perun.deploy(chain.web3, gas=6_000_000), tmp_path / "registrar.json"
    registrar = Registrar(chain.web3, path)
    for name, address in suite.addresses().items():
        registrar.set_contract_address(name, address)
    # A later entry that is no contract is passed over.
    registrar.set_contract_address("VPM", "0x" + "11" * 20)
    assert load(chain.web3, path).addresses() == suite.addresses()


def test_a_chain_that_no_file_knows(suite: Deployment, web3: Web3, tmp_path: Path) -> None:
    path = tmp_path / "deployments.json"
    path.write_text(json.dumps({"format": 1, "deployments": {"5": suite.addresses()}}))
    with pytest.raises(UnknownDeployment) as caught:
        load(web3, path)
    assert (caught.value.chain_id, caught.value.missing) == (web3.eth.chain_id, "LibSignatures")


def test_a_contract_that_the_file_lacks(suite: Deployment, web3: Web3, tmp_path: Path) -> None:
    addresses = {name: it for name, it in suite.addresses().items() if name != "VPM"}
    with pytest.raises(UnknownDeployment) as caught:
        load(web3, _file(web3, tmp_path, addresses))
    assert caught.value.missing == "VPM"


def test_other_code_is_refused(suite: Deployment, web3: Web3, tmp_path: Path) -> None:
    addresses = suite.addresses()
    code = bytearray(web3.eth.get_code(addresses["MSContract"]))
    code[1000] ^= 1
    wrong = creating(web3, bytes(code))
    for claimed, found in ((wrong, "other code"), (web3.eth.accounts[0], "no code")):
        with pytest.raises(WrongCode) as caught:
            load(web3, _file(web3, tmp_path, {**addresses, "MSContract": claimed}))
        assert (caught.value.name, caught.value.address) == ("MSContract", perun.address(claimed))
        assert caught.value.found == found


def test_the_right_code_with_another_domain_is_refused(
    suite: Deployment, web3: Web3, tmp_path: Path
) -> None:
    """A copy of the code keeps the first one's domain: signatures would not be taken there."""
    addresses = suite.addresses()
    copy = creating(web3, bytes(web3.eth.get_code(addresses["MSContract"])))
    with pytest.raises(WrongCode) as caught:
        load(web3, _file(web3, tmp_path, {**addresses, "MSContract": copy}))
    assert suite.ms_contract.domain.separator.hex() in caught.value.found


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"deployments": []}', '{"deployments": {"5": {"VPM": 6}}}', "{"]
)
def test_files_that_are_none(web3: Web3, tmp_path: Path, text: str) -> None:
    path = tmp_path / "deployments.json"
    path.write_text(text)
    with pytest.raises(BadDeploymentFile):
        load(web3, path)


def test_text_that_is_no_address(suite: Deployment, web3: Web3, tmp_path: Path) -> None:
    with pytest.raises(BadDeploymentFile):
        load(web3, _file(web3, tmp_path, {**suite.addresses(), "VPM": "0x12"}))


def test_no_file(web3: Web3, tmp_path: Path) -> None:
    with pytest.raises(BadDeploymentFile):
        load(web3, tmp_path / "nothing.json")


def test_a_registrar_is_not_written_over(suite: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "registrar.json"
    path.write_text('{"deployments": {}}')
    with pytest.raises(BadDeploymentFile):
        save(suite, path)
    assert path.read_text() == '{"deployments": {}}'


def _file(web3: Web3, folder: Path, addresses: dict[str, str]) -> Path:
    path = folder / "deployments.json"
    content = {"format": 1, "deployments": {str(web3.eth.chain_id): addresses}}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("text", [b'{"a":' * 200_000, b"\xff\xfe", b'{"deployments":{"\xff":{}}}'])
def test_file_of_a_stranger_ends_nothing(web3: Web3, tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "deployments.json"
    path.write_bytes(text)
    with pytest.raises(BadDeploymentFile):
        load(web3, path)
