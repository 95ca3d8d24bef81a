"""The file that names a daemon's contracts: with and without the coin flip."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from web3 import EthereumTesterProvider, Web3

import perun
from perun.bindings.rules import RULES
from perun.daemon.contracts import (
    contracts_in,
    of_deployment,
    prove,
    read_contracts,
    write_contracts,
)
from perun.daemon.settings import BadSettings
from perun.deployments import WrongCode
from perun.encoding.cards import card_name
from perun.encoding.coin_flip import CoinFlipDomain
from perun.encoding.hash_lock import HashTimeLockDomain
from tests.node.encoding.test_cards import CARD


@pytest.fixture(scope="module")
def web3() -> Web3:
    return Web3(EthereumTesterProvider())


@pytest.fixture(scope="module")
def suite(web3: Web3) -> perun.Deployment:
    return perun.deploy(web3, gas=6_000_000)


def text(names: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": "{at}"' for name, at in names.items()) + "}"


@pytest.mark.parametrize("flips", [False, True])
def test_file_with_or_without_coin_flip_is_proved_and_written_as_it_was(
    web3: Web3, suite: perun.Deployment, tmp_path: Path, flips: bool
) -> None:
    names = suite.addresses()
    del names["LibSignatures"], names["Gate"]
    if not flips:
        del names["CoinFlip"]
    file = tmp_path / "contracts.json"
    file.write_text(text(names), encoding="utf-8")
    contracts = read_contracts(file)
    deployment = prove(web3, contracts)
    assert (deployment.find(CoinFlipDomain) is not None) is flips
    assert deployment.find(HashTimeLockDomain) == suite.hash_time_lock.domain
    assert of_deployment(deployment) == {k: v for k, v in contracts.items() if k not in RULES}
    write_contracts(file, contracts)
    assert ("CoinFlip" in file.read_text(encoding="utf-8")) is flips


def test_coin_flip_with_other_code_is_refused(
    web3: Web3, suite: perun.Deployment, tmp_path: Path
) -> None:
    names = suite.addresses()
    del names["LibSignatures"], names["Gate"]
    file = tmp_path / "contracts.json"
    file.write_text(text({**names, "CoinFlip": names["VPM"]}), encoding="utf-8")
    with pytest.raises(WrongCode):
        prove(web3, read_contracts(file))


def test_unknown_contract_is_no_settings(tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    file.write_text('{"MSContract": "0x", "VPM": "0x", "Other": "0x"}', encoding="utf-8")
    with pytest.raises(BadSettings, match="Other"):
        read_contracts(file)


@pytest.mark.parametrize("damage", [b"", b'{"\xff": "0x"}', b'{"VPM": "\xff"}', b"[" * 9_999])
def test_damaged_file_is_one_message(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "contracts.json"
    file.write_bytes(damage)
    with pytest.raises(BadSettings):
        read_contracts(file)


@pytest.mark.parametrize("missing", ["MSContract", "VPM"])
def test_what_every_channel_needs_must_be_named(tmp_path: Path, missing: str) -> None:
    file = tmp_path / "contracts.json"
    names = {name: "0x" + "01" * 20 for name in ("MSContract", "VPM") if name != missing}
    file.write_text(text(names), encoding="utf-8")
    with pytest.raises(BadSettings, match=missing):
        read_contracts(file)
    with pytest.raises(BadSettings, match=missing):
        contracts_in(replace(CARD, contracts={card_name(name): "0x" for name in names}))


def test_card_names_contracts_that_this_node_knows_and_others() -> None:
    known = {"MSContract": "0x1", "VPM": "0x2", "HashTimeLock": "0x3"}
    card = replace(CARD, contracts={card_name(n): at for n, at in known.items()} | {"later": "0x4"})
    assert set(card.contracts) == {"msContract", "vpm", "hashTimeLock", "later"}
    assert contracts_in(card) == known
