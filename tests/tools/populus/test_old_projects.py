"""Projects as Populus 2.2 left them: `project.json`, its defaults, its references."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from populus import Project
from populus.places import config_file
from tests.tools.populus.conftest import Run, refused

_BACKEND = "populus.contracts.backends"
_COMPILER = "populus.compilation.backends"

# What `populus init` of 2.2.0 wrote: its defaults, every one of them.
WHOLE: dict[str, Any] = {
    "version": "9",
    "chains": {
        "mainnet": {
            "chain": {"class": "populus.chain.geth.MainnetChain"},
            "web3": {"provider": {"class": "web3.providers.ipc.IPCProvider"}},
        },
        "tester": {
            "chain": {"class": "populus.chain.tester.TesterChain"},
            "web3": {
                "provider": {"class": "web3.providers.eth_tester.EthereumTesterProvider"},
            },
            "contracts": {
                "backends": {"Memory": {"class": f"{_BACKEND}.memory.MemoryBackend", "priority": 9}}
            },
        },
    },
    "compilation": {
        "contracts_source_dirs": ["./contracts"],
        "import_remappings": [],
        "backend": {
            "class": f"{_COMPILER}.SolcCombinedJSONBackend",
            "settings": {"optimize": True, "output_values": ["abi", "bin", "bin-runtime"]},
        },
    },
    "contracts": {
        "backends": {
            "JSONFile": {
                "class": f"{_BACKEND}.filesystem.JSONFileBackend",
                "priority": 10,
                "settings": {"file_path": "./registrar.json"},
            }
        }
    },
    "web3": {"GethIPC": {"provider": {"class": "web3.providers.ipc.IPCProvider"}}},
}

# As its own plugin's tests had it: no version, and a section that is no more.
PART = {
    "compilation": {"import_remappings": []},
    "locations": {"contracts_source_dir": "./contracts/", "tests_dir": "./tests/"},
}


@pytest.fixture
def old(sample: Path) -> Path:
    """The sample, its file to be written anew."""
    (sample / "populus.json").unlink()
    for name in ("Token.sol", "Refuser.sol"):
        (sample / "contracts" / name).unlink()
    return sample


def write(folder: Path, content: Any) -> None:
    (folder / "project.json").write_text(json.dumps(content))


@pytest.mark.parametrize("content", [WHOLE, PART], ids=["whole", "part"])
def test_project_of_2_2_is_read_and_said(
    old: Path, run: Run, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    write(old, content)
    deployed = run(old, "deploy", "-c", "tester", "Math")
    assert deployed.output.endswith("Deployment Successful.\n"), deployed.output
    (said,) = {text for text in caplog.messages if "project.json" in text}
    assert "populus config convert" in said
    assert "without" not in said


def test_account_of_web3_tester_is_the_built_in_chains(old: Path) -> None:
    """Populus's own `tester` referred to `web3.Tester`, and projects changed that alone."""
    account = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    write(old, {"version": "9", "web3": {"Tester": {"eth": {"default_account": account}}}})
    with Project(old).get_chain("tester") as chain:
        assert chain.web3.eth.default_account == account


def test_populus_json_beats_it(old: Path) -> None:
    write(old, {"compilation": {"contracts_source_dirs": ["./elsewhere"]}})
    (old / "populus.json").write_text("{}")
    assert Project(old).contracts_source_dirs == ["./contracts"]


@pytest.mark.parametrize("content", [{"name": "app", "targets": {}}, [], "text"])
def test_file_of_another_tool_is_none_of_ours(old: Path, content: Any) -> None:
    write(old, content)
    assert config_file(old) is None


def test_key_without_meaning_is_left_out_and_said(
    old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(old, {"compilation": {"contracts_source_dirs": ["./contracts"], "colour": "red"}})
    assert Project(old).config.get("compilation.colour") is None
    assert "without compilation.colour" in caplog.text


def test_it_is_converted_on_request(old: Path, run: Run) -> None:
    write(old, {**PART, "packaging": {}})
    done = run(old, "config", "convert")
    assert done.output.splitlines()[0] == "Wrote populus.json"
    assert "left out: packaging" in done.output
    converted = json.loads((old / "populus.json").read_text())
    assert converted["version"] == "9"
    assert converted["compilation"]["contracts_source_dirs"] == ["./contracts/"]
    assert json.loads((old / "project.json").read_text()) == {**PART, "packaging": {}}
    refused(run(old, "config", "convert"), "no project.json to convert")
