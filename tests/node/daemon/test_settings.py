"""Settings: a file, the environment over it, and one message for whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from perun.app.settings import KnownToken
from perun.core.config import Worth
from perun.daemon.policies import policy_of, tokens_of
from perun.daemon.settings import (
    Amount,
    BadSettings,
    ChainSettings,
    HubSettings,
    Settings,
    TokenSettings,
    read_settings,
    write_settings,
)
from perun.types import ETH, Address, Asset, Wei

LEAST = '[chain]\nrpc = ["http://127.0.0.1:8545"]\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "perun.toml"


def test_file_needs_to_name_a_node_only(file: Path) -> None:
    file.write_text(LEAST)
    assert read_settings(file, {}) == Settings(ChainSettings(("http://127.0.0.1:8545",)))


def test_what_is_written_is_read_again(file: Path) -> None:
    settings = Settings(
        ChainSettings(("http://a", "http://b"), since=7, finality_blocks=3),
        hub=HubSettings(base_fee=Amount(10**15), amount_ppm=5, faucet=Amount(1)),
    )
    write_settings(file, settings)
    assert read_settings(file, {}) == settings
    assert 'base_fee = "0.001 ether"' in file.read_text()


def test_hub_without_settings_of_its_own_is_a_hub(file: Path) -> None:
    write_settings(file, Settings(ChainSettings(("http://a",)), hub=HubSettings()))
    assert read_settings(file, {}).hub == HubSettings()


def test_environment_goes_before_the_file(file: Path) -> None:
    file.write_text(LEAST + '[hub]\nbase_fee = "1 gwei"\n')
    environment = {
        "PERUN_CHAIN_RPC": "http://x, http://y",
        "PERUN_CHAIN_SINCE": "12",
        "PERUN_HUB_BASE_FEE": "2 gwei",
        "PERUN_POLICY_SMALL_CHANNELS": "true",
        "PERUN_HOME": "/elsewhere",
        "PERUN_PASSWORD": "secret",
        "OTHER": "x",
    }
    found = read_settings(file, environment)
    assert found.chain == ChainSettings(("http://x", "http://y"), since=12)
    assert found.hub == HubSettings(base_fee=Amount(2 * 10**9))
    assert found.policy.small_channels is True


@pytest.mark.parametrize(
    ("text", "environment", "message"),
    [
        ("", {}, "chain"),
        ("[chain]\n", {}, "rpc"),
        (LEAST + "colour = 1\n", {}, "colour"),
        (LEAST + "[wires]\n", {}, "wires"),
        (LEAST + "since = -1\n", {}, "chain.since"),
        (LEAST + 'since = "x"\n', {}, "chain.since"),
        (LEAST + '[hub]\nbase_fee = "5"\n', {}, "hub.base_fee"),
        (LEAST + '[hub]\nbase_fee = "5 dollars"\n', {}, "hub.base_fee"),
        (LEAST + '[hub]\nbase_fee = "0.1 wei"\n', {}, "hub.base_fee"),
        (LEAST + "[hub]\namount_ppm = 1000001\n", {}, "hub.amount_ppm"),
        ("[chain", {}, "perun.toml"),
        ("\x00", {}, "perun.toml"),
        ("x = " + "[" * 100_000, {}, "perun.toml"),
        (LEAST, {"PERUN_COLOUR": "1"}, "PERUN_COLOUR"),
        (LEAST, {"PERUN_CHAIN_COLOUR": "1"}, "PERUN_CHAIN_COLOUR"),
        (LEAST, {"PERUN_CHAIN_SINCE": "soon"}, "chain.since"),
        ("chain = 1\n", {"PERUN_CHAIN_SINCE": "1"}, "PERUN_CHAIN_SINCE"),
    ],
)
def test_what_is_wrong_is_named(
    file: Path, text: str, environment: dict[str, str], message: str
) -> None:
    file.write_text(text)
    with pytest.raises(BadSettings, match=message.replace(".", r"\.")):
        read_settings(file, environment)


def test_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(BadSettings, match=f"{file.parent}: no node is here; make one by"):
        read_settings(file, {})


def test_policy_is_what_the_settings_say(file: Path) -> None:
    file.write_text(
        LEAST
        + '[policy]\ngreatest_deposit = "2 ether"\n'
        + '[hub]\ngreatest_share = "1 ether"\nopen_fee = "3 wei"\namount_day_ppm = 7\n'
    )
    policy = policy_of(read_settings(file, {}))
    assert policy.greatest_deposit == 2 * 10**18
    assert policy.greatest_deposits is None
    assert policy.hub is not None
    assert (policy.hub.greatest_draw, policy.hub.open_fee) == (10**18, 3)
    assert policy.hub.amount_day_ppm == 7


USDC = "0x" + "ab" * 20
OWN = "0x" + "cd" * 20


def test_tokens_have_names_a_price_or_none(file: Path) -> None:
    named = {
        "USDC": TokenSettings(USDC, 6, "3000"),
        "OWN": TokenSettings(OWN, 0),
    }
    settings = Settings(ChainSettings(("http://a",)), tokens=named)
    write_settings(file, settings)
    assert read_settings(file, {}) == settings
    usdc, own = (Asset(Address(bytes.fromhex(text[2:]))) for text in (USDC, OWN))
    policy = policy_of(settings)
    assert policy.assets == (ETH, usdc, own)
    assert policy.worths == (Worth(usdc, 3_000 * 10**6, Wei(10**18)),)
    assert policy.unpriced == (own,)
    assert tokens_of(settings) == (KnownToken(usdc, "USDC", 6), KnownToken(own, "OWN", 0))


@pytest.mark.parametrize(
    "text",
    [
        f'[tokens.ETH]\naddress = "{USDC}"\ndecimals = 18\n',
        f'[tokens.X]\naddress = "0x{"0" * 40}"\ndecimals = 18\n',
        f'[tokens.X]\naddress = "{USDC}"\ndecimals = 6\nfor_one_ether = "many"\n',
        f'[tokens.X]\naddress = "{USDC}"\ndecimals = 6\nfor_one_ether = "0"\n',
        f'[tokens."a b"]\naddress = "{USDC}"\ndecimals = 6\n',
        '[tokens.X]\naddress = "here"\ndecimals = 6\n',
    ],
)
def test_a_token_that_cannot_be_meant_is_refused(file: Path, text: str) -> None:
    file.write_text(LEAST + text)
    with pytest.raises(BadSettings):
        policy_of(read_settings(file, {}))


def test_tokens_are_not_in_the_environment(file: Path) -> None:
    file.write_text(LEAST)
    for name in ("PERUN_TOKENS_KEYS", "PERUN_TOKENS_USDC"):
        with pytest.raises(BadSettings, match="in the file only"):
            read_settings(file, {name: "x"})
