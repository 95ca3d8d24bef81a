"""The command line: what it prints, and that every refusal is one message."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import solcx
from click.testing import CliRunner

from populus import Project
from populus.cli import main
from populus.verification import verification
from tests.tools.populus.conftest import Run, refused

URL_SETTINGS = {"class": "web3.providers.rpc.HTTPProvider"}


def external(uri: str, **eth: str) -> dict[str, Any]:
    provider = {**URL_SETTINGS, "settings": {"endpoint_uri": uri}}
    return {
        "chain": {"class": "populus.chain.ExternalChain", "settings": {"chain_id": 4242}},
        "web3": {"provider": provider, "eth": eth},
    }


def configure(folder: Path, **keys: Any) -> None:
    path = folder / "populus.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def test_init_makes_a_project_and_spoils_none(empty: Path, run: Run) -> None:
    assert run(empty, "init").exit_code == 0
    assert json.loads((empty / "populus.json").read_text())["version"] == "9"
    (empty / "contracts" / "Greeter.sol").write_text("mine")
    again = run(empty, "init")
    assert "contracts/Greeter.sol exists" in again.output
    assert (empty / "contracts" / "Greeter.sol").read_text() == "mine"


def test_a_new_project_compiles_and_deploys(
    empty: Path, solc: Path, run: Run, pytester: pytest.Pytester
) -> None:
    tools = {"SOLC_BINARY": str(solc)}
    assert run(empty, "init").exit_code == 0
    compiled = run(empty, "compile", **tools)
    assert "contracts/Greeter.sol:Greeter" in compiled.output
    assert "Wrote compiled assets to: build/contracts.json" in compiled.output
    deployed = run(empty, "deploy", "--chain", "tester", "--no-wait-for-sync", "Greeter", **tools)
    assert deployed.exit_code == 0
    for part in ("Deploying Greeter", "Transaction: 0x", "Gas:", "Fee:", "Address:     0x"):
        assert part in deployed.output
    assert deployed.output.endswith("Deployment Successful.\n")
    tested = pytester.runpytest_inprocess(f"--rootdir={empty}", empty / "tests", "-p", "no:xdist")
    tested.assert_outcomes(passed=3)


def test_deploy_takes_what_the_configuration_lists(sample: Path, run: Run) -> None:
    result = run(sample, "deploy", "-c", "tester")
    lines = result.output.splitlines()
    names = [line.split()[1] for line in lines if line.startswith("Deploying")]
    assert names == ["Library13", "Multiply13", "Math", "Token"]


def test_arguments_come_from_the_command_line_too(sample: Path, run: Run) -> None:
    wrong = run(sample, "deploy", "-c", "tester", "--args", 'Token=["Gold", -1, "Math"]', "Token")
    refused(wrong, "Token, supply: -1 is no uint256")
    assert (
        run(
            sample, "deploy", "-c", "tester", "--args", 'Token=["Gold", 1, "Math"]', "Token"
        ).exit_code
        == 0
    )


def test_chains_are_listed(sample: Path, run: Run) -> None:
    configure(sample, chains={"far": external("http://127.0.0.1:1")})
    output = run(sample, "chain", "list").output
    assert [line.split()[0] for line in output.splitlines()] == ["anvil", "far", "tester"]


def test_a_project_of_populus_2_goes_on(sample: Path, run: Run, solc: Path) -> None:
    backends = "populus.contracts.backends"
    memory = {"Memory": {"class": f"{backends}.memory.MemoryBackend", "priority": 50}}
    configuration = {
        "version": "8",
        "chains": {
            "mainnet": {"chain": {"class": "populus.chain.geth.MainnetChain"}},
            "tester": {
                "chain": {"class": "populus.chain.tester.TesterChain"},
                "contracts": {"backends": memory},
                "web3": {"$ref": "web3.Tester"},
            },
        },
        "compilation": {
            "contract_source_dirs": ["./contracts"],
            "import_remappings": [],
            "backend": {
                "class": "populus.compilation.backends.SolcCombinedJSONBackend",
                "settings": {"optimize": True, "output_values": ["abi", "bin", "bin-runtime"]},
            },
        },
        "contracts": {"backends": {"Stored": {"$ref": "contracts.backends.JSONFile"}}},
    }
    (sample / "populus.json").write_text(json.dumps(configuration))
    for name in ("Token.sol", "Refuser.sol"):
        (sample / "contracts" / name).unlink()
    listed = run(sample, "chain", "list").output
    assert re.search(r"^tester +populus\.chain\.TesterChain$", listed, re.MULTILINE)
    assert re.search(r"^mainnet .* geth ", listed, re.MULTILINE)
    deployed = run(sample, "deploy", "-c", "tester", "Multiply13", SOLC_BINARY=str(solc))
    assert deployed.output.endswith("Deployment Successful.\n"), deployed.output


def test_settings_are_shown_and_secrets_are_not(sample: Path, run: Run) -> None:
    configure(sample, chains={"far": external("${FAR_RPC}", private_key="${FAR_KEY}")})
    shown = run(sample, "config", "list", FAR_KEY="0xsecret", FAR_RPC="http://secret").output
    assert "chains.far.web3.eth.private_key: ${FAR_KEY}" in shown
    assert "secret" not in shown
    assert run(sample, "config", "get", "compilation.contracts_source_dirs").output == (
        '["./contracts"]\n'
    )


def test_the_module_is_the_command(empty: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "populus", "-p", "nowhere", "compile"],
        cwd=empty,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "Error: There is no project folder 'nowhere'."


def test_console_has_the_chain_and_the_contracts(sample: Path, run: Run) -> None:
    lines = "print(Math.contract_name, web3.eth.block_number, chain.chain_name)\n"
    result = CliRunner().invoke(main, ["-p", str(sample), "console"], input=lines)
    assert result.exit_code == 0, result.output
    assert "Math 0 tester" in result.output


def test_standard_json_compiles_to_the_same_code(sample: Path, run: Run, solc: Path) -> None:
    result = run(sample, "standard-json", "Multiply13")
    assert result.exit_code == 0, result.output
    assert "Contract: contracts/Math.sol:Multiply13" in result.output
    assert re.search(r"Compiler: v0\.8\.37\+commit\.[0-9a-f]{8}", result.output)
    content = json.loads((sample / "build" / "standard-json" / "Multiply13.json").read_text())
    assert list(content["sources"]) == ["contracts/Math.sol"]
    answer = solcx.compile_standard(content, solc_binary=solc)
    code = answer["contracts"]["contracts/Math.sol"]["Math"]["evm"]["bytecode"]["object"]
    assert "0x" + code == Project(sample).compiled_contract_data["Math"]["bytecode"]


def test_standard_json_names_linked_libraries(sample: Path, run: Run) -> None:
    told = verification(Project(sample), "Multiply13", {"Library13": "0x" + 40 * "1"})
    libraries = told.standard_json["settings"]["libraries"]
    assert libraries == {"contracts/Math.sol": {"Library13": "0x" + 40 * "1"}}
    refused(run(sample, "standard-json", "Nothing"), "'Nothing'")
    refused(run(sample, "standard-json", "IToken"), "nothing to verify")


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "culprits"),
    [
        (["deploy", "-c", "tester", "Maths"], ["'Maths'", "'Math'"]),
        (["deploy", "-c", "testr", "Math"], ["'testr'", "'tester'"]),
        (["deploy", "Math"], ["No chain was named"]),
        (["deploy", "-c", "tester", "--args", "Math", "Math"], ["NAME=JSON"]),
        (["chain", "run", "tester"], ["'tester'"]),
        (["chain", "run", "nowhere"], ["'nowhere'"]),
        (["config", "get", "compilation.backend.clas"], ["compilation.backend.class"]),
        (["-l", "loud", "compile"], ["loud"]),
    ],
)
def test_wrong_names_are_told(sample: Path, run: Run, args: list[str], culprits: list[str]) -> None:
    refused(run(sample, *args), *culprits)


def test_without_names_and_terminal_deploy_asks_for_them(sample: Path, run: Run) -> None:
    configure(sample, deployment={})
    refused(run(sample, "deploy", "-c", "tester"), "No contract to deploy was named")


def test_on_a_terminal_deploy_asks(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(sample, deployment={})
    monkeypatch.setattr("populus.cli._on_terminal", lambda: True)
    answers = "1\nLibrary13\n"  # of anvil and tester the second; or by name
    result = CliRunner().invoke(main, ["-p", str(sample), "deploy"], input=answers)
    assert result.exit_code == 0, result.output
    assert "1: tester" in result.output
    assert "1: Library13" in result.output
    assert "Deploying Library13" in result.output
    assert "IToken" not in result.output  # nothing to deploy in an interface


@pytest.mark.parametrize("command", [("compile",), ("deploy", "-c", "tester", "Math")])
def test_a_broken_file_is_told_with_its_place(sample: Path, run: Run, command: Any) -> None:
    (sample / "populus.json").write_text('{"version": "9",')
    refused(run(sample, *command), "populus.json", "line 1")


def test_a_misspelt_key_is_told_with_the_right_one(sample: Path, run: Run) -> None:
    configure(sample, deploiment={})
    refused(run(sample, "compile"), "'deploiment'", "'deployment'")


def test_a_syntax_error_is_told_as_by_the_compiler(sample: Path, run: Run) -> None:
    (sample / "contracts" / "Math.sol").write_text("contract Math {")
    for command in (("compile",), ("deploy", "-c", "tester", "Math")):
        refused(run(sample, *command), "ParserError", "contracts/Math.sol:1:")


def test_a_missing_variable_is_named(sample: Path, run: Run) -> None:
    configure(sample, chains={"far": external("${NO_SUCH_VARIABLE}")})
    refused(run(sample, "deploy", "-c", "far", "Math"), "NO_SUCH_VARIABLE", "chains.far.web3")


def test_an_unreachable_node_is_named_without_its_path(sample: Path, run: Run) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        uri = f"http://127.0.0.1:{unused.getsockname()[1]}/secret"
        configure(sample, chains={"far": external(uri)})
        said = refused(run(sample, "deploy", "-c", "far", "Math"), "'far'", "connection refused")
    assert "secret" not in said


@pytest.mark.parametrize(
    ("chain", "culprit"),
    [
        ({"chain": {"class": "populus.chain.geth.LocalGethChain"}}, "geth"),
        ({"chain": {"class": "populus.chain.NoChain"}}, "NoChain"),
        ({"chain": {"class": "populus.Project"}}, "populus.Project"),
        ({"web3": {"provider": {"class": "web3.NoProvider"}}}, "web3.NoProvider"),
        (
            {"web3": {"provider": {**URL_SETTINGS, "settings": {"endpoint_url": "x"}}}},
            "'endpoint_uri'",
        ),
        ({"chain": {"settings": {"chainid": 1}}}, "'chain_id'"),
    ],
)
def test_chains_that_cannot_be_meant_are_refused(
    sample: Path, run: Run, chain: dict[str, Any], culprit: str
) -> None:
    configure(sample, chains={"far": chain})
    refused(run(sample, "deploy", "-c", "far", "Math"), culprit)
