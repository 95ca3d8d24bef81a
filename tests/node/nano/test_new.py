"""A new game works before anything in it is changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from perun.cli.main import cli
from perun.errors import Misuse
from perun.games import BadMove, BadView, load_views
from perun.nano import BadName, NoRulesThere, NotMade, check, create, rules_of

ROOT = Path(__file__).parents[3]


def test_new_game_passes_its_check_and_its_own_test(tmp_path: Path) -> None:
    made = CliRunner().invoke(cli, ["nano", "new", "LastStone", "--in", str(tmp_path)])
    assert made.exit_code == 0, made.output
    folder = tmp_path / "LastStone"
    assert (folder / "contracts" / "LastStone.sol").is_file()

    checked = CliRunner().invoke(cli, ["nano", "check", "LastStone", "--in", str(folder)])
    assert checked.exit_code == 0, checked.output
    assert "every position, 42 of them; the longest game had 21 moves" in checked.output
    assert "Nothing wrong was found." in checked.output

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    tested = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout

    # What is wrong is named, and ends with the code that scripts look at.
    rules = folder / "contracts" / "LastStone.sol"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("return (next, 0, wins);", "return (next, 0, 2 * wins);"))
    checked = CliRunner().invoke(cli, ["nano", "check", "LastStone", "--in", str(tmp_path)])
    assert checked.exit_code == 1
    assert "a payout of" in checked.output

    rules.write_text(text.replace("uint8 left =", "uint8 right ="))
    checked = CliRunner().invoke(cli, ["nano", "check", "LastStone", "--in", str(tmp_path)])
    assert checked.exit_code == 1
    # As the compiler says it, line by line.
    assert "\nDeclarationError: Undeclared identifier" in "\n" + checked.output
    assert "does not compile" in checked.output


CONSTRUCTORS = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LastStone} from "./LastStone.sol";

abstract contract Kept is LastStone {
    uint256 internal immutable KEPT;

    function kept() external view returns (uint256) {
        return KEPT;
    }
}

contract Constant is Kept {
    constructor() {
        KEPT = 0x0123456789abcdef;
    }
}

contract Other is LastStone {
    constructor() {
        assembly {
            mstore(0, 0x4260005260206000f3) // TIMESTAMP, and eight bytes that answer with it
            return(23, 9)
        }
    }
}

contract Late is Kept {
    constructor() {
        KEPT = block.timestamp;
    }
}

contract Asking is Kept {
    constructor(uint256 kept_) {
        KEPT = kept_;
    }
}
"""


def test_code_that_a_constructor_makes_is_what_is_looked_at(tmp_path: Path) -> None:
    """Not what the compiler says: a constructor returns what it likes."""
    create(tmp_path, "LastStone")
    folder = tmp_path / "LastStone"
    (folder / "contracts" / "Constructors.sol").write_text(CONSTRUCTORS, encoding="utf-8")

    assert bytes.fromhex("0123456789abcdef") in rules_of("Constant", folder).code
    (fault,) = check(rules_of("Other", folder)).faults
    assert "TIMESTAMP at byte 0" in fault
    with pytest.raises(NotMade, match="TIMESTAMP at byte"):
        rules_of("Late", folder)
    with pytest.raises(NotMade, match="arguments"):
        rules_of("Asking", folder)


def test_view_of_a_new_game_reads_and_draws(tmp_path: Path) -> None:
    create(tmp_path, "LastStone")
    (view,) = load_views(tmp_path / "LastStone" / "last_stone.py").values()
    assert (view.name, view.title, view.read("3")) == ("LastStone", "last stone", b"\x03")
    assert view.draw(b"\x02") == "oo (2)"
    with pytest.raises(BadMove):
        view.read("three")


@pytest.mark.parametrize("name", ["", "chess", "../Up", "My Game", "A" * 41, "Ünder"])
def test_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName):
        create(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    create(tmp_path, "LastStone")
    with pytest.raises(BadName):
        create(tmp_path, "LastStone")


@pytest.mark.parametrize("name", ["Nothing", "0x" + 40 * "1", "no.hex"])
def test_rules_that_are_nowhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoRulesThere):
        rules_of(name, tmp_path)


def test_rules_come_from_a_file_of_bytecode(tmp_path: Path) -> None:
    (tmp_path / "Odd.hex").write_text("0x6001\n")
    assert rules_of("Odd.hex", tmp_path).code == b"\x60\x01"


def test_rules_of_the_package_are_known_everywhere(tmp_path: Path) -> None:
    assert rules_of("TicTacToe", tmp_path).view is not None


@pytest.mark.parametrize("text", ["", "1 / 0", "import perun.no_such_thing"])
def test_file_without_a_view_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(BadView) as refused:
        load_views(tmp_path / "broken.py")
    assert isinstance(refused.value, Misuse)


def test_interface_in_the_scaffold_is_that_of_the_contracts() -> None:
    ours = (ROOT / "contracts" / "interfaces" / "IRules.sol").read_text(encoding="utf-8")
    theirs = ROOT / "perun" / "nano" / "assets" / "IRules.sol.txt"
    assert theirs.read_text(encoding="utf-8") == ours
