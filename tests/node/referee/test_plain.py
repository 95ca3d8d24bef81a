"""The EVM of plain Python beside revm: the same bytes, the same gas, the same ends."""

from __future__ import annotations

import random

import pytest

from perun.games import VIEWS
from perun.referee import Board, Referee, RulesRefused, plain, revm
from perun.referee.admission import _ALLOWED as ALLOWED
from perun.referee.evm import Failed, Run
from tests.node.referee.test_admission import code_of

PUSHES = range(0x5F, 0x80)
GAS = 200_000


def answer(run: Run, code: bytes, call: bytes) -> tuple[object, ...]:
    """What came back and what it used; of a failure how it failed."""
    try:
        return run(code, call, GAS)
    except Failed as failed:
        return failed.output, failed.halted


def program(dice: random.Random) -> bytes:
    """Instructions that rules may have, after numbers of all kinds on the stack, and a result."""
    code = bytearray()
    for _ in range(dice.randrange(1, 25)):
        for _ in range(dice.randrange(4)):
            number = dice.choice(
                [dice.randrange(4), dice.randrange(300), dice.getrandbits(256), 2**256 - 1, 2**255]
            )
            size = max(1, (number.bit_length() + 7) // 8)
            code += bytes([0x5F + size]) + number.to_bytes(size, "big")
        code.append(dice.choice(sorted(ALLOWED - set(PUSHES))))
    # The newest number, the memory's size and what lies at its beginning.
    return bytes(code) + bytes.fromhex("5f52595f5260805ff3")


def test_single_instructions_agree_on_all_arguments() -> None:
    interesting = [0, 1, 2, 29, 30, 31, 32, 33, 255, 256, 2**255 - 1, 2**255, 2**256 - 1, 0x8081]
    for opcode in (*range(0x01, 0x0C), *range(0x10, 0x1E)):
        for a in interesting:
            for b in interesting:
                words = b"".join(b"\x7f" + n.to_bytes(32, "big") for n in (7, b, a))
                code = words + bytes([opcode]) + bytes.fromhex("5f5260205ff3")
                found = answer(plain.run, code, b"")
                assert found == answer(revm.run, code, b""), (hex(opcode), a, b)


@pytest.mark.parametrize("opcode", [0x37, 0x39, 0x3E, 0x5E])
def test_copies_agree_from_anywhere_to_anywhere(opcode: int) -> None:
    places = (0, 1, 31, 40, 3_000, 2**40)
    for to in places:
        for start in places:
            for size in (0, 1, 32, 100, 5_000):
                words = b"".join(b"\x7f" + n.to_bytes(32, "big") for n in (size, start, to))
                code = words + bytes([opcode]) + bytes.fromhex("595f5260805ff3")
                found = answer(plain.run, code, bytes(range(100)))
                assert found == answer(revm.run, code, bytes(range(100))), (to, start, size)


@pytest.mark.parametrize("seed", range(4))
def test_programs_at_random_agree(seed: int) -> None:
    dice = random.Random(seed)
    ends = set()
    for _ in range(400):
        code, call = program(dice), dice.randbytes(dice.randrange(70))
        found = answer(plain.run, code, call)
        assert found == answer(revm.run, code, call), (code.hex(), call.hex())
        ends.add(len(found) == 2 and found[1])
    assert True in ends, "some must halt"
    assert len(ends) > 5, "and most must not"


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_games_at_random_agree_in_every_move_and_its_gas(name: str) -> None:
    dice = random.Random(name)
    here, there = (Referee(code_of(name), run) for run in (revm.run, plain.run))
    assert here.limits() == there.limits()
    board = here.start(bytes(32))
    assert board == there.start(bytes(32))
    for _ in range(25):
        tries = list(VIEWS[name].tries(board.position) or ())[:-1]
        dice.shuffle(tries)
        following = None
        for move in tries[:40]:
            answers: list[object] = []
            for one in (here, there):
                try:
                    answers.append(one.play(board, move))
                except RulesRefused as refusal:
                    answers.append((refusal.reason, refusal.broken))
            assert answers[0] == answers[1]
            if not isinstance(answers[0], tuple):
                following = answers[0]
        if following is None or not following.turn:
            break
        board = Board(following.position, following.turn)


@pytest.mark.parametrize("kind", range(9))
def test_rules_that_misbehave_fail_alike(kind: int) -> None:
    from tests.node.referee.test_play import strange

    said = []
    for run in (revm.run, plain.run):
        try:
            said.append(repr(strange(run).play(Board(bytes([kind]), 1), b"")))
        except RulesRefused as refusal:
            said.append(f"{refusal.reason} {refusal.broken}")
    assert said[0] == said[1]
