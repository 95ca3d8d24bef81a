"""What code may be the rules of a game, by the bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perun.referee import NotAdmitted, admit

ARTIFACTS = Path(__file__).parents[3] / "perun" / "artifacts"

REFUSED = {
    0x30: "ADDRESS", 0x31: "BALANCE", 0x32: "ORIGIN", 0x33: "CALLER", 0x3A: "GASPRICE",
    0x3B: "EXTCODESIZE", 0x3C: "EXTCODECOPY", 0x3F: "EXTCODEHASH", 0x40: "BLOCKHASH",
    0x41: "COINBASE", 0x42: "TIMESTAMP", 0x43: "NUMBER", 0x44: "PREVRANDAO", 0x45: "GASLIMIT",
    0x46: "CHAINID", 0x47: "SELFBALANCE", 0x48: "BASEFEE", 0x49: "BLOBHASH", 0x4A: "BLOBBASEFEE",
    0x54: "SLOAD", 0x55: "SSTORE", 0x5A: "GAS", 0x5C: "TLOAD", 0x5D: "TSTORE", 0x1E: "CLZ",
    0xA0: "LOG0", 0xA4: "LOG4", 0xF0: "CREATE", 0xF1: "CALL", 0xF2: "CALLCODE",
    0xF4: "DELEGATECALL", 0xF5: "CREATE2", 0xFA: "STATICCALL", 0xFF: "SELFDESTRUCT",
    0x0C: "the undefined 0x0c", 0x21: "the undefined 0x21", 0xF6: "the undefined 0xf6",
}  # fmt: skip


def code_of(name: str) -> bytes:
    content = json.loads((ARTIFACTS / f"{name}.json").read_text(encoding="utf-8"))
    return bytes.fromhex(content["deployedBytecode"].removeprefix("0x"))


@pytest.mark.parametrize("opcode", REFUSED)
def test_what_looks_beyond_its_input_is_refused(opcode: int) -> None:
    with pytest.raises(NotAdmitted) as refusal:
        admit(bytes([0x60, 0x00, opcode, 0x00]))
    assert (refusal.value.what, refusal.value.offset) == (REFUSED[opcode], 2)


def test_every_other_byte_is_an_instruction_of_the_list() -> None:
    """Counted from the yellow paper's tables: no opcode slips in by a range that is too long."""
    admitted = {opcode for opcode in range(256) if _is_admitted(opcode)}
    expected = {
        *range(0x0C), *range(0x10, 0x1E), 0x20, *range(0x34, 0x3A), 0x3D, 0x3E,
        *range(0x50, 0x54), *range(0x56, 0x5A), 0x5B, *range(0x5E, 0xA0), 0xF3, 0xFD, 0xFE,
    }  # fmt: skip
    assert admitted == expected


def _is_admitted(opcode: int) -> bool:
    try:
        admit(bytes([0x5B, opcode]))
    except NotAdmitted:
        return False
    return True


@pytest.mark.parametrize(
    ("code", "offset"),
    [
        ("60545b5456", 3),  # pushed bytes are no instructions; behind them is one
        ("6003565b54", 4),  # behind a jump, reached by its JUMPDEST
        ("fe5b5a", 2),  # a hidden block
        ("00005bff", 3),
        ("5754", 1),  # JUMPI goes straight on too
        ("60", -1),  # a push that the code's end cuts off pushes zeros
    ],
)
def test_what_can_be_reached_counts(code: str, offset: int) -> None:
    if offset < 0:
        admit(bytes.fromhex(code))
        return
    with pytest.raises(NotAdmitted) as refusal:
        admit(bytes.fromhex(code))
    assert refusal.value.offset == offset


@pytest.mark.parametrize(
    "code",
    [
        "6054",  # the byte of SLOAD, pushed
        "00545a",  # behind STOP, no JUMPDEST
        "56a1", "f3ff", "fdf1", "fe5a",
        "00615b54",  # JUMPDEST inside pushed bytes is none
    ],
)  # fmt: skip
def test_what_cannot_be_reached_does_not_count(code: str) -> None:
    admit(bytes.fromhex(code))


@pytest.mark.parametrize("code", ["", "ef00", "ef0100" + "11" * 20])
def test_no_code_and_other_formats_are_refused(code: str) -> None:
    with pytest.raises(NotAdmitted):
        admit(bytes.fromhex(code))


def test_code_longer_than_a_contract_is_refused() -> None:
    admit(bytes(0x6000))
    with pytest.raises(NotAdmitted):
        admit(bytes(0x6001))


def test_compiled_rules_are_admitted_and_other_contracts_not() -> None:
    admit(code_of("TicTacToe"))
    for name in ("VPM", "TurnGame", "CoinFlip", "HashTimeLock", "MSContract"):
        with pytest.raises(NotAdmitted, match="LOAD"):
            admit(code_of(name))
