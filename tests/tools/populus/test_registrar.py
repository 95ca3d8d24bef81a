"""Addresses by chain, in memory and on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from populus import Project
from populus.chain import TesterChain
from populus.contracts.exceptions import NoKnownAddress
from populus.exceptions import ConfigError, PopulusError
from populus.registrar import Registrar

ONE, TWO = "0x" + 39 * "0" + "1", "0x" + 39 * "0" + "2"


@pytest.fixture
def registrar(tester: TesterChain, tmp_path: Path) -> Registrar:
    return Registrar(tester.web3, tmp_path / "registrar.json")


def test_the_newest_address_comes_first(registrar: Registrar) -> None:
    for address in (ONE, TWO, ONE):
        registrar.set_contract_address("Math", address)
    assert registrar.get_contract_addresses("Math") == (ONE, TWO)


def test_addresses_are_kept_under_the_genesis_identity(
    tester: TesterChain, registrar: Registrar
) -> None:
    registrar.set_contract_address("Math", ONE)
    assert registrar.path is not None
    content = json.loads(registrar.path.read_text())
    genesis = tester.web3.eth.get_block(0)["hash"].hex()
    assert content == {"deployments": {f"blockchain://{genesis}/block/{genesis}": {"Math": [ONE]}}}


def test_another_chain_has_other_addresses(sample: Path, registrar: Registrar) -> None:
    registrar.set_contract_address("Math", ONE)
    path = sample / "populus.json"
    chains = {"tester": {"chain": {"settings": {"genesis_timestamp": 1_700_000_000}}}}
    path.write_text(json.dumps({**json.loads(path.read_text()), "chains": chains}))
    with Project(sample).get_chain("tester") as other:
        elsewhere = Registrar(other.web3, registrar.path)
        with pytest.raises(NoKnownAddress, match="Math"):
            elsewhere.get_contract_addresses("Math")


def test_addresses_populus_wrote_are_read(tester: TesterChain, registrar: Registrar) -> None:
    tester.web3.eth.send_transaction({"to": ONE, "value": 1})
    genesis = tester.web3.eth.get_block(0)["hash"].hex()
    recent = tester.web3.eth.get_block("latest")["hash"].hex()
    assert registrar.path is not None
    deployments = {
        f"blockchain://{genesis}/block/{recent}": {"Math": ONE},
        f"blockchain://{genesis}/block/{64 * 'a'}": {"Math": TWO},  # a block of another fork
    }
    registrar.path.write_text(json.dumps({"deployments": deployments}))
    assert registrar.get_contract_addresses("Math") == (ONE,)


def test_what_is_no_address_is_refused(registrar: Registrar) -> None:
    with pytest.raises(ConfigError, match="0x12"):
        registrar.set_contract_address("Math", "0x12")


def test_a_broken_file_is_named(registrar: Registrar) -> None:
    assert registrar.path is not None
    registrar.path.write_text("{")
    with pytest.raises(PopulusError, match=r"registrar\.json is not JSON"):
        registrar.get_contract_addresses("Math")


def test_only_chains_that_last_write_a_file(sample: Path) -> None:
    with Project(sample).get_chain("tester") as chain:
        chain.provider.get_or_deploy_contract("Math")
    assert not (sample / "registrar.json").exists()


def test_a_configured_file_is_used(sample: Path) -> None:
    path = sample / "populus.json"
    config = json.loads(path.read_text())
    config["contracts"] = {
        "backends": {
            "JSONFile": {
                "class": "populus.contracts.backends.filesystem.JSONFileBackend",
                "settings": {"file_path": "./addresses.json"},
            }
        }
    }
    config["chains"] = {
        "tester": {"contracts": {"backends": {"Mine": {"$ref": "contracts.backends.JSONFile"}}}}
    }
    path.write_text(json.dumps(config))
    with Project(sample).get_chain("tester") as chain:
        math, _ = chain.provider.get_or_deploy_contract("Math")
        assert math.address in (sample / "addresses.json").read_text()
