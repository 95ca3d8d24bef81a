"""What is planted in rules is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perun.bindings.artifacts import artifact
from perun.games import VIEWS
from perun.nano import Report, Rules, check
from perun.referee import pyevm
from perun.referee.evm import Run
from perun.referee.here import run as here

ARTIFACTS = Path(__file__).parents[2] / "contracts" / "artifacts"


def planted(name: str) -> Rules:
    content = json.loads((ARTIFACTS / f"{name}.json").read_text(encoding="utf-8"))
    return Rules(name, bytes.fromhex(content["deployedBytecode"].removeprefix("0x")))


def fault(report: Report) -> str:
    (only,) = report.faults
    return only


def test_honest_rules_are_searched_whole_and_nothing_is_wrong() -> None:
    report = check(planted("HonestSteps"))
    assert report.faults == ()
    assert report.found is not None
    assert (report.found.whole, report.found.positions, report.found.longest) == (True, 18, 10)
    assert 500 < report.found.gas < 5_000
    assert report.bank == 2 * 600 + 5 * 60


def test_storage_read_is_named_with_its_byte() -> None:
    rules = planted("StoredSteps")
    said = fault(check(rules))
    assert "SLOAD" in said
    assert rules.code[int(said.partition("at byte ")[2].partition(";")[0])] == 0x54


@pytest.mark.parametrize("run", [here, pyevm.run], ids=["revm", "py-evm"])
def test_endless_loop_is_named_with_position_and_move(run: Run) -> None:
    assert "run out of gas, or into nothing (position 0x03" in fault(
        check(planted("EndlessSteps"), effort=6_000, run=run)
    )


def test_absurd_payout_is_named() -> None:
    assert "a payout of 2000000000 parts" in fault(check(planted("GenerousSteps")))


def test_game_without_end_is_named() -> None:
    assert "a game can go on for ever" in fault(check(planted("RoundSteps")))


def test_position_without_a_move_is_named() -> None:
    assert "there is no legal move" in fault(check(planted("StuckSteps")))


def test_longer_game_than_said_is_named() -> None:
    assert "a game of 10 moves or more" in fault(check(planted("LongSteps")))


def test_dear_move_is_named() -> None:
    assert "gas, above 1,500,000" in fault(check(planted("DearSteps"), effort=3_000))


def behind_the_compiler(code: bytes, hidden: str) -> bytes:
    """Rules that do something before what the compiler wrote, which is moved and no longer works:
    what is looked for does not have to."""
    return bytes.fromhex(hidden) + code


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        # PUSH1 4 JUMP, PUSH2 (JUMPDEST SLOAD): a reader without pushes sees an instruction there.
        ("60045661" + "5b54", "it jumps at byte 2 into pushed data, byte 4"),
        ("6001600457" + "5b00", "it jumps at byte 4 to where no code begins, byte 4"),
        # The target is added up, swapped or copied before: PUSH1 3 PUSH1 4 ADD JUMP, …
        ("600360040156" + "615b54", "it jumps at byte 5 into pushed data, byte 7"),
        ("600a60098156" + "60545b605b", "it jumps at byte 5 into pushed data, byte 10"),
        ("6007600a9056" + "605b605b", "it jumps at byte 5 into pushed data, byte 7"),
        ("600a6002900356" + "605b605b", "it jumps at byte 6 into pushed data, byte 8"),
    ],
)
def test_secret_passage_is_named_with_both_ends(hidden: str, said: str) -> None:
    rules = planted("HonestSteps")
    report = check(Rules("Hidden", behind_the_compiler(rules.code, hidden)))
    assert said in report.faults


def test_passage_that_is_computed_breaks_whoever_goes_through_it() -> None:
    """PUSH1 3 PUSH1 4 ADD JUMP, into the data of a PUSH2."""
    report = check(Rules("Hidden", bytes.fromhex("600360040156" + "61" + "5b54" + "00")))
    assert any("run out of gas, or into nothing" in one for one in report.faults)


LOOKING = {
    "GAS": "5a", "ADDRESS": "30", "CALLER": "33", "ORIGIN": "32", "GASPRICE": "3a",
    "SELFBALANCE": "47", "BALANCE": "31", "TIMESTAMP": "42", "NUMBER": "43",
    "PREVRANDAO": "44", "CHAINID": "46", "COINBASE": "41", "BLOCKHASH": "40", "EXTCODESIZE": "3b",
    "EXTCODEHASH": "3f", "EXTCODECOPY": "3c", "SLOAD": "54", "TLOAD": "5c", "SSTORE": "55",
    "LOG0": "a0", "CREATE": "f0", "CREATE2": "f5", "CALL": "f1", "DELEGATECALL": "f4",
    "SELFDESTRUCT": "ff",
    # A precompile: STATICCALL to address 2, with all that PUSH0 can give.
    "STATICCALL": "fa",
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize(
    "way",
    [
        "5b",  # behind the compiler's trailer, at a JUMPDEST of its own
        "005b5f5f5f5f60025f",  # behind a STOP, with arguments
        "6001565b7f" + "5b" * 32 + "5f",  # behind pushed data that looks like code
        "61565b605b5b",  # the byte of JUMP, pushed: what stands behind is another instruction
    ],
)
def test_code_that_looks_about_is_named_wherever_it_is_hidden(name: str, way: str) -> None:
    """And no game has to go there: rules of which one part is never met are refused, too."""
    honest = planted("HonestSteps").code
    # The trailer's last bytes may be a push: what it swallows is told apart by what follows.
    hidden = bytes(33) + bytes.fromhex(way)
    report = check(Rules("Hidden", honest + hidden + bytes.fromhex(LOOKING[name])))
    assert f"has {name} at byte {len(honest + hidden)};" in fault(report)
    assert report.found is None


@pytest.mark.parametrize("name", ["SLOAD", "GAS", "STATICCALL"])
def test_what_is_data_only_is_not_taken_for_code(name: str) -> None:
    """Behind the last STOP without a JUMPDEST, or pushed: no EVM runs it."""
    honest = planted("HonestSteps").code
    for way in ("00", "5b60", "5b6f5b5b"):
        code = honest + bytes(33) + bytes.fromhex(way + LOOKING[name])
        assert check(Rules("Data", code), effort=400).faults == ()


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_rules_of_this_package_pass(name: str) -> None:
    report = check(Rules(name, artifact(name).runtime, VIEWS[name]), effort=4_000, seed=1)
    assert report.faults == ()
    assert not [note for note in report.notes if "view" in note]


def test_same_seed_plays_the_same_games() -> None:
    rules = Rules("TicTacToe", artifact("TicTacToe").runtime, VIEWS["TicTacToe"])
    one, other = (check(rules, effort=2_000, seed=7) for _ in range(2))
    assert one == other
    assert one.found is not None
    assert not one.found.whole
    assert one.found.games > 10
