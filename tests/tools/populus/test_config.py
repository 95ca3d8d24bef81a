"""populus.json: what is read, what is refused, and how helpful the refusal is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from populus.config import Config, load_config
from populus.exceptions import ConfigError
from populus.schema import check
from tests.tools.populus.conftest import REPOSITORY


def written(folder: Path, content: Any) -> Path:
    path = folder / "populus.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def test_keys_are_dotted_paths() -> None:
    config = Config({"chains": {"tester": {"chain": {"class": "X"}}}})
    assert config["chains.tester.chain.class"] == "X"
    assert config["chains"]["tester"]["chain"]["class"] == "X"
    assert config.get("chains.other.chain") is None


@pytest.mark.parametrize("version", ["8", "9", 9])
def test_versions_8_and_9_are_read(empty: Path, version: Any) -> None:
    assert load_config(written(empty, {"version": version}))["version"] == version


@pytest.mark.parametrize("version", ["7", "10"])
def test_other_versions_are_refused(empty: Path, version: str) -> None:
    with pytest.raises(ConfigError, match=f"version {version}"):
        load_config(written(empty, {"version": version}))


def test_no_file_means_the_defaults(empty: Path) -> None:
    assert dict(load_config(empty / "populus.json")) == {"version": "9"}


def test_broken_json_is_told_with_its_line(empty: Path) -> None:
    with pytest.raises(ConfigError, match="line 2, column 3"):
        load_config(written(empty, '{"version": "9",\n  oops}'))


@pytest.mark.parametrize(
    ("content", "wrong", "right"),
    [
        ({"compilaton": {}}, "compilaton", "compilation"),
        ({"compilation": {"import_remapings": []}}, "import_remapings", "import_remappings"),
        ({"chains": {"x": {"chian": {}}}}, "chian", "chain"),
        ({"chains": {"x": {"web3": {"provder": {}}}}}, "provder", "provider"),
        ({"deployment": {"contract": []}}, "contract", "contracts"),
    ],
)
def test_a_misspelt_key_gets_the_nearest_right_one(
    content: dict[str, Any], wrong: str, right: str
) -> None:
    with pytest.raises(ConfigError, match=f"{wrong}(.|\n)*{right!r}"):
        check(content, "populus.json")


@pytest.mark.parametrize(
    "content",
    [
        {"chains": []},
        {"compilation": {"import_remappings": "a=b"}},
        {"chains": {"x": {"chain": {"class": 3}}}},
        [],
    ],
)
def test_a_value_of_a_wrong_kind_is_refused(content: Any) -> None:
    with pytest.raises(ConfigError, match="must"):
        check(content, "populus.json")


def test_references_are_followed_at_any_depth() -> None:
    config = Config(
        {
            "web3": {"Node": {"provider": {"settings": {"endpoint_uri": "http://x"}}}},
            "chains": {"far": {"web3": {"$ref": "web3.Node"}}},
        }
    )
    assert config["chains.far.web3.provider.settings.endpoint_uri"] == "http://x"
    assert config.to_dict()["chains"]["far"]["web3"]["provider"]["settings"] == {
        "endpoint_uri": "http://x"
    }


def test_references_reach_populus_own_defaults() -> None:
    config = Config({"compilation": {"backend": {"$ref": "compilation.backends.SolcAutoBackend"}}})
    assert config["compilation.backend.class"].endswith("SolcAutoBackend")


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"web3\.Nobody"):
        Config({"chains": {"$ref": "web3.Nobody"}})["chains"]


def test_references_in_a_circle_are_refused() -> None:
    with pytest.raises(ConfigError, match="circles"):
        Config({"web3": {"$ref": "contracts"}, "contracts": {"$ref": "web3"}})["web3"]


def test_variables_are_filled_when_a_value_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config({"chains": {"far": {"uri": "http://${SOMEWHERE}:8545"}}})
    monkeypatch.setenv("SOMEWHERE", "node")
    assert config["chains.far.uri"] == "http://${SOMEWHERE}:8545"
    assert config.filled("chains.far") == {"uri": "http://node:8545"}


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOMEWHERE", raising=False)
    with pytest.raises(ConfigError, match=r"SOMEWHERE.*chains\.far\.uri"):
        Config({"chains": {"far": {"uri": "${SOMEWHERE}"}}}).filled("chains.far.uri")


def test_the_suite_is_what_this_repository_deploys() -> None:
    config = load_config(REPOSITORY / "populus.json")
    contracts = {"LibSignatures", "MSContract", "VPM", "HashTimeLock"}
    assert contracts <= set(config["deployment.contracts"])
    assert {"tester", "anvil", "hoodi", "sepolia", "mainnet"} <= set(config["chains"])


def test_no_secret_stands_in_this_repository() -> None:
    chains = load_config(REPOSITORY / "populus.json")["chains"].to_dict()
    for name in ("hoodi", "sepolia", "mainnet"):
        web3 = chains[name]["web3"]
        assert web3["eth"]["private_key"].startswith("${")
        assert web3["provider"]["settings"]["endpoint_uri"].startswith("${")
