"""What is deployed: small enough, and without the instructions that could change or end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web3 import Web3

from tests.support.stage import Stage

MOST_CODE = 24_576  # bytes, EIP-170
MOST_INIT_CODE = 49_152  # bytes, EIP-3860

CREATE, CALLCODE, DELEGATECALL, CREATE2, SELFDESTRUCT = 0xF0, 0xF2, 0xF4, 0xF5, 0xFF
FORBIDDEN = {CREATE, CALLCODE, DELEGATECALL, CREATE2, SELFDESTRUCT}

CONTRACTS = [
    *("MSContract", "VPM", "HashTimeLock", "LibSignatures", "CoinFlip", "TurnGame", "Escrow"),
    *("HashChain", "PriceBet", "RockPaperScissors", "Gate"),
]


def instructions(code: bytes) -> Iterator[int]:
    """Opcodes in a row; the data behind a PUSH is none."""
    place = 0
    while place < len(code):
        opcode = code[place]
        yield opcode
        place += 1 + (opcode - 0x5F if 0x60 <= opcode <= 0x7F else 0)


def test_disassembly_skips_the_data_of_pushes() -> None:
    assert list(instructions(bytes.fromhex("60f4 61f0ff 01 7f") + b"\xff" * 32 + b"\xf1")) == [
        0x60, 0x61, 0x01, 0x7F, 0xF1,
    ]  # fmt: skip


def deployed(stage: Stage, name: str) -> bytes:
    contracts = {c.interface.name: c for c in (stage.ms, stage.vpm, stage.locks, stage.signatures)}
    contract = contracts.get(name) or stage.deploy(name)
    return bytes(stage.web3.eth.get_code(Web3.to_checksum_address(contract.address)))


@pytest.mark.parametrize("name", CONTRACTS)
def test_code_fits_its_limits(stage: Stage, name: str) -> None:
    creation = bytes.fromhex(stage.compiled(name)["bytecode"].removeprefix("0x"))
    assert 0 < len(deployed(stage, name)) <= MOST_CODE
    assert len(creation) <= MOST_INIT_CODE


@pytest.mark.parametrize("name", CONTRACTS)
def test_code_cannot_borrow_create_or_end_code(stage: Stage, name: str) -> None:
    assert FORBIDDEN.isdisjoint(instructions(deployed(stage, name)))


def test_search_would_find_them(stage: Stage) -> None:
    """The mock that forces ether on others ends itself."""
    creation = bytes.fromhex(stage.compiled("Forcer")["bytecode"].removeprefix("0x"))
    assert SELFDESTRUCT in instructions(creation)
