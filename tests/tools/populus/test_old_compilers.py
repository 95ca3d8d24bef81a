"""Compilers chosen by `pragma`, old ones included, several in one project."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from populus import Project
from populus.exceptions import CompilerError
from populus.pragmas import by_version, fits, newest, ranges_of
from populus.solc import find_solc, version_for
from populus.sources import SourceSet
from tests.tools.populus.test_solc import bare, module, program, require_node

__all__ = ["bare"]  # a fixture


@pytest.mark.parametrize(
    ("pragma", "ranges"),
    [
        ("pragma solidity ^0.4.11;", {"^0.4.11"}),
        ("pragma solidity >= 0.4.22 < 0.6.0;", {">=0.4.22 <0.6.0"}),
        ("pragma solidity >=0.7.0<0.9.0;", {">=0.7.0 <0.9.0"}),
        ("pragma solidity 0.4.24;\npragma solidity ^0.4.0;", {"0.4.24", "^0.4.0"}),
        ("// pragma solidity ^0.8.0;\ncontract C {}", set()),
        ("pragma experimental ABIEncoderV2;", set()),
        ("pragma solidity whatever;", set()),
    ],
)
def test_ranges_are_read_as_the_compiler_reads_them(pragma: str, ranges: set[str]) -> None:
    assert ranges_of(pragma) == ranges


@pytest.mark.parametrize(
    ("ranges", "version"),
    [
        (["^0.4.11"], "0.4.26"),
        (["^0.4.11", "0.4.18"], "0.4.18"),
        ([">=0.4.22 <0.6.0"], "0.5.17"),
        (["^0.5.0 || ^0.6.0"], "0.6.12"),
        ([], "0.8.37"),
        (["^0.4.0", "^0.5.0"], None),
    ],
)
def test_newest_that_suits_is_taken(ranges: list[str], version: str | None) -> None:
    assert newest(ranges) == version
    assert version is None or fits(version, ranges)


def test_one_version_for_all_if_one_suits_all() -> None:
    sources = SourceSet({"a.sol": "pragma solidity >=0.4.0;", "b.sol": "pragma solidity ^0.5;"}, {})
    assert by_version(sources, [], newest) == {"0.5.17": sources}


def test_each_file_its_own_with_all_it_imports() -> None:
    old, new, shared = "pragma solidity ^0.4.0; import './s.sol';", "pragma solidity ^0.8.0;", ""
    sources = SourceSet({"old.sol": old, "new.sol": new}, {"s.sol": shared})
    found = by_version(sources, [], newest)
    assert {version: set(part.own) for version, part in found.items()} == {
        "0.4.26": {"old.sol"},
        "0.8.37": {"new.sol"},
    }
    assert set(found["0.4.26"].contents) == {"old.sol", "s.sol"}
    assert set(found["0.8.37"].contents) == {"new.sol"}


def test_installed_one_that_suits_comes_before_a_newer_one(bare: Path, tmp_path: Path) -> None:
    require_node()
    program(tmp_path / "tools", "0.7.1")
    module(bare, "0.4.24")
    assert version_for(bare, ["^0.4.11"]) == "0.4.24"
    assert version_for(bare, [">=0.4.0"]) == "0.7.1"
    assert version_for(bare, ["^0.5.0"]) == "0.5.17"
    assert find_solc(bare, "0.4.24").version == "0.4.24+commit.0000node"


# -- with real compilers -------------------------------------------------------------------

OLD = """pragma solidity ^0.4.18;
library Sums { function twice(uint x) public pure returns (uint) { return 2 * x; } }
contract Old {
    uint public kept;
    function Old(uint start) public { kept = Sums.twice(start); }
}
"""
NEW = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract New { uint public immutable kept = 5; }
"""


@pytest.fixture(scope="session")
def npm_solc(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The npm package of a version, where `POPULUS_TEST_SOLC` keeps it already or fetches it."""
    kept = os.environ.get("POPULUS_TEST_SOLC")

    def fetched(version: str) -> Path:
        if kept is None:
            pytest.skip("POPULUS_TEST_SOLC names no folder for old compilers")
        folder = Path(kept) / f"solc-{version}"
        if not (folder / "node_modules" / "solc").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true}')
            command = ["npm", "install", "--no-audit", "--no-fund", "-s", f"solc@{version}"]
            subprocess.run(command, cwd=folder, check=True, timeout=300)
        return folder

    return fetched


@pytest.mark.parametrize(
    "version", ["0.4.11", "0.4.18", "0.4.26", "0.5.17", "0.6.12", "0.7.6", "0.8.19"]
)
def test_every_line_of_compilers_compiles(
    empty: Path, monkeypatch: pytest.MonkeyPatch, npm_solc: Callable[[str], Path], version: str
) -> None:
    monkeypatch.delenv("SOLC_BINARY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(empty / "cache"))
    (empty / "node_modules").symlink_to(npm_solc(version) / "node_modules")
    (empty / "contracts").mkdir()
    (empty / "contracts" / "A.sol").write_text(
        f"pragma solidity {version};\ncontract A {{ uint x; function f() public {{ x = 7; }} }}"
    )
    with Project(empty).get_chain("tester") as chain:
        contract, _ = chain.provider.get_or_deploy_contract("A")
        contract.transact().f()


def test_two_versions_in_one_project(
    sample: Path, monkeypatch: pytest.MonkeyPatch, npm_solc: Callable[[str], Path], solc: Path
) -> None:
    monkeypatch.delenv("SOLC_BINARY")
    monkeypatch.setenv("PATH", f"{solc.parent}{os.pathsep}{os.environ['PATH']}")
    (sample / "node_modules").symlink_to(npm_solc("0.4.26") / "node_modules")
    for path in (sample / "contracts").iterdir():
        path.unlink()
    (sample / "contracts" / "Old.sol").write_text(OLD)
    (sample / "contracts" / "New.sol").write_text(NEW)
    (sample / "populus.json").write_text(json.dumps({"version": "9"}))
    with Project(sample).get_chain("tester") as chain:
        assert chain.provider.get_or_deploy_contract("New")[0].call().kept() == 5
        old, _ = chain.provider.get_or_deploy_contract("Old", deploy_args=[21])
        assert old.call().kept() == 42


# -- hints ---------------------------------------------------------------------------------


def test_missing_package_is_told_how_to_get(sample: Path) -> None:
    (sample / "contracts" / "Lost.sol").write_text(
        'import "@openzeppelin/contracts/token/ERC20/ERC20.sol";'
    )
    with pytest.raises(CompilerError, match=r"npm install @openzeppelin/contracts"):
        Project(sample).compile()


@pytest.mark.parametrize("first", ["A", "Z"])
def test_interface_of_one_name_in_two_files_is_one(sample: Path, first: str) -> None:
    head = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
    for name in (f"{first}.sol", "M.sol"):
        (sample / "contracts" / name).write_text(
            head + "interface IOne { function f() external; }\n"
        )
    assert Project(sample).compile()["IOne"]["bytecode"] == "0x"


def test_contract_beats_an_interface_of_its_name(sample: Path) -> None:
    head = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
    (sample / "contracts" / "A.sol").write_text(head + "interface Math { function f() external; }")
    assert Project(sample).compile()["Math"]["source_path"] == "contracts/Math.sol"
