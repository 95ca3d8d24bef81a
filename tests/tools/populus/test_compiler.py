"""Compiling: what comes out, when it is done again, and what a refusal looks like."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import pytest

from populus import Project
from populus.artifacts import write_artifacts
from populus.config import Config
from populus.exceptions import CompilerError, ConfigError
from populus.settings import compiler_settings


def configure(folder: Path, **compilation: Any) -> None:
    path = folder / "populus.json"
    content = json.loads(path.read_text())
    content["compilation"].update(compilation)
    path.write_text(json.dumps(content))


def test_contract_data_has_populus_keys(compiled_sample: Path) -> None:
    data = Project(compiled_sample).compiled_contract_data["Multiply13"]
    assert data["name"] == "Multiply13"
    assert data["source_path"] == "contracts/Math.sol"
    assert [entry["name"] for entry in data["abi"]] == ["multiply13"]
    assert data["direct_dependencies"] == data["ordered_full_dependencies"] == ["Library13"]
    assert [reference["name"] for reference in data["linkrefs_runtime"]] == ["Library13"]
    start = data["linkrefs_runtime"][0]["start"]
    assert data["bytecode_runtime"][2 + 2 * start :].startswith(40 * "0")
    assert json.loads(data["metadata"])["language"] == "Solidity"


def test_immutables_are_known_by_their_places(compiled_sample: Path) -> None:
    data = Project(compiled_sample).compiled_contract_data["Token"]
    assert data["immutable_references"]
    assert {hole["length"] for hole in data["immutable_references"]} == {32}


def test_compile_writes_contracts_json(sample: Path) -> None:
    contracts = Project(sample).compile()
    assert json.loads((sample / "build" / "contracts.json").read_text()) == contracts


def test_unchanged_sources_start_no_compiler(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLC_BINARY", "/nonexistent")
    assert "Math" in Project(sample).compiled_contract_data


@pytest.fixture
def tiny(sample: Path) -> Path:
    """The sample without all but one contract: quick to compile."""
    for name in ("Token.sol", "Refuser.sol"):
        (sample / "contracts" / name).unlink()
    return sample


def test_a_changed_source_is_compiled_again(tiny: Path) -> None:
    before = Project(tiny).compiled_contract_data["Math"]["bytecode"]
    source = tiny / "contracts" / "Math.sol"
    source.write_text(source.read_text().replace("a * 7", "a * 8"))
    assert Project(tiny).compiled_contract_data["Math"]["bytecode"] != before


def test_a_syntax_error_is_shown_as_the_compiler_shows_it(sample: Path) -> None:
    (sample / "contracts" / "Broken.sol").write_text("contract Broken { uint x }")
    with pytest.raises(CompilerError, match=r"ParserError(.|\n)*contracts/Broken\.sol:1:26"):
        Project(sample).compile()


def test_warnings_are_shown_when_they_are_new(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tiny / "contracts" / "Math.sol").write_text("contract Loose {}")
    for times in (2, 0):  # no licence, no pragma; then from the cache
        caplog.clear()
        Project(tiny).compile()
        assert len(caplog.messages) == times
        assert all("Warning" in text and "Math.sol" in text for text in caplog.messages)


def test_a_missing_import_is_named(sample: Path) -> None:
    (sample / "contracts" / "Lost.sol").write_text('import "@shared/Gone.sol";')
    with pytest.raises(CompilerError, match=r"@shared/Gone\.sol|node_modules/@shared/Gone\.sol"):
        Project(sample).compile()


def test_two_contracts_of_one_name_are_refused(tiny: Path) -> None:
    (tiny / "contracts" / "Again.sol").write_text(
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0; contract Math {}"
    )
    with pytest.raises(CompilerError, match=r"Math.*contracts/Again\.sol.*contracts/Math\.sol"):
        Project(tiny).compile()


def test_linked_libraries_of_packages_become_deployable(tiny: Path) -> None:
    library = tiny / "node_modules" / "@shared" / "Far.sol"
    library.parent.mkdir(parents=True)
    head = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
    library.write_text(
        head + "library Far { function f() external pure returns (uint) { return 1; } }\n"
        "contract Unused {}"
    )
    (tiny / "contracts" / "Near.sol").write_text(
        head + 'import {Far} from "@shared/Far.sol";\n'
        "contract Near { function g() external pure returns (uint) { return Far.f(); } }"
    )
    contracts = Project(tiny).compile()
    assert contracts["Near"]["ordered_full_dependencies"] == ["Far"]
    assert contracts["Far"]["source_path"] == "node_modules/@shared/Far.sol"


def test_two_processes_at_once_compile_once(
    tiny: Path, solc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tiny / "log"
    counting = tiny / "solc"
    counting.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {solc} "$@"\n')
    counting.chmod(0o755)
    monkeypatch.setenv("SOLC_BINARY", str(counting))
    source = tiny / "contracts" / "Math.sol"
    source.write_text("// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0; contract A {}")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=Project(tiny).compile) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text().count("--standard-json") == 1


def test_an_empty_project_compiles_to_nothing(empty: Path) -> None:
    assert Project(empty).compile() == {}


# -- committed artifacts -------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled_with_artifacts(
    compiled_sample: Path, solc: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    sample = tmp_path_factory.mktemp("artifacts") / "project"
    shutil.copytree(compiled_sample, sample)
    configure(sample, artifacts_dir="./artifacts", test_artifacts_dir="./mocks/artifacts")
    configure(sample, test_source_dirs=["./mocks"])
    (sample / "mocks").mkdir()
    (sample / "mocks" / "Thief.sol").write_text(
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
        'import {Math} from "../contracts/Math.sol";\n'
        "contract Thief { Math public math; }"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOLC_BINARY", str(solc))
        Project(sample).compile()
    return sample


@pytest.fixture
def committed(compiled_with_artifacts: Path, sample: Path) -> Path:
    shutil.rmtree(sample)
    shutil.copytree(compiled_with_artifacts, sample)
    return sample


@pytest.fixture
def no_compiler(committed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for entry in (committed / "build" / "cache").iterdir():
        entry.unlink()
    monkeypatch.setenv("SOLC_BINARY", "/nonexistent")
    return committed


def test_matching_artifacts_need_no_compiler(no_compiler: Path) -> None:
    project = Project(no_compiler)
    data = project.compiled_contract_data
    assert data["Multiply13"]["ordered_full_dependencies"] == ["Library13"]
    assert "Thief" not in data


def test_mocks_are_offered_to_tests_only(no_compiler: Path) -> None:
    project = Project(no_compiler)
    project.use_test_contracts()
    assert {"Math", "Thief"} <= set(project.compiled_contract_data)
    assert "Thief" not in json.loads((no_compiler / "build" / "contracts.json").read_text())


@pytest.mark.parametrize("change", ["source", "setting", "new file", "lost artifact"])
def test_artifacts_that_do_not_match_are_not_used(no_compiler: Path, change: str) -> None:
    if change == "source":
        source = no_compiler / "contracts" / "Math.sol"
        source.write_text(source.read_text() + "// changed\n")
    elif change == "setting":
        configure(no_compiler, backend={"settings": {"version": "0.8.37"}})
    elif change == "new file":
        (no_compiler / "contracts" / "New.sol").write_text("contract New {}")
    else:
        (no_compiler / "artifacts" / "Math.json").unlink()
    with pytest.raises(CompilerError, match="SOLC_BINARY"):
        _ = Project(no_compiler).compiled_contract_data


def test_artifacts_of_contracts_that_are_gone_are_removed(committed: Path) -> None:
    project = Project(committed)
    contracts = {"Math": project.compiled_contract_data["Math"]}
    folder = committed / "artifacts"
    assert (folder / "Refuser.json").exists()
    write_artifacts(folder, contracts, project.sources, project.compiler_settings, "0.8.37")
    assert sorted(path.name for path in folder.iterdir()) == ["Math.json", "manifest.json"]


def test_library_sources_may_be_absent_own_ones_not(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tiny / "node_modules" / "@shared" / "L.sol"
    library.parent.mkdir(parents=True)
    library.write_text("// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0; library L {}")
    (tiny / "contracts" / "Math.sol").write_text(
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
        'import "@shared/L.sol"; contract User {}'
    )
    configure(tiny, artifacts_dir="./artifacts")
    Project(tiny).compile()
    library.unlink()
    monkeypatch.setenv("SOLC_BINARY", "/nonexistent")
    assert "User" in Project(tiny).compiled_contract_data
    (tiny / "contracts" / "Math.sol").unlink()
    (tiny / "contracts" / "Other.sol").write_text("contract Other {}")
    with pytest.raises(CompilerError):
        _ = Project(tiny).compiled_contract_data


# -- settings ------------------------------------------------------------------------------


def settings_of(backend: dict[str, Any]) -> dict[str, Any]:
    config = Config({"compilation": {"backend": backend}})
    return compiler_settings(config, []).settings


def test_settings_of_old_backends_mean_standard_json() -> None:
    old = {"class": "populus.compilation.backends.SolcCombinedJSONBackend"}
    assert settings_of({**old, "settings": {"optimize": True, "output_values": ["abi"]}}) == {
        "optimizer": {"enabled": True, "runs": 200},
        "evmVersion": "prague",
    }
    inner = {"stdin": {"optimizer": {"enabled": True, "runs": 500}, "outputSelection": {}}}
    assert settings_of({"settings": inner})["optimizer"]["runs"] == 500


@pytest.mark.parametrize(
    ("backend", "wrong", "right"),
    [
        ({"settings": {"viaIr": True}}, "viaIr", "viaIR"),
        ({"class": "x.SolcStandardJson"}, "SolcStandardJson", "SolcStandardJSONBackend"),
    ],
)
def test_unknown_compiler_settings_are_refused(
    backend: dict[str, Any], wrong: str, right: str
) -> None:
    with pytest.raises(ConfigError, match=f"{wrong}(.|\n)*{right}"):
        settings_of(backend)
