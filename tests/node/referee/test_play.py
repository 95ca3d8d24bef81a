"""Rules in an EVM of this process: two EVMs, one answer."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from perun.referee import (
    RULES_GAS,
    Board,
    Limits,
    NotAdmitted,
    Referee,
    RulesRefused,
    here,
    pyevm,
    revm,
)
from perun.referee.evm import Run
from tests.node.referee.test_admission import code_of

STRANGE = Path(__file__).parents[2] / "contracts" / "artifacts" / "StrangeRules.json"


@pytest.fixture(params=["revm", "py-evm"])
def run(request: pytest.FixtureRequest) -> Run:
    return revm.run if request.param == "revm" else pyevm.run


@pytest.fixture
def referee(run: Run) -> Referee:
    return Referee(code_of("TicTacToe"), run)


def strange(run: Run) -> Referee:
    content = json.loads(STRANGE.read_text(encoding="utf-8"))
    return Referee(bytes.fromhex(content["deployedBytecode"].removeprefix("0x")), run)


@pytest.mark.parametrize(("setup", "turn"), [(0, 1), (1, 2)])
def test_start_is_what_both_sign_first(referee: Referee, setup: int, turn: int) -> None:
    assert referee.start(setup.to_bytes(32, "big")) == Board(bytes(4), turn)


def test_unknown_setup_is_refused_with_the_rules_word(referee: Referee) -> None:
    with pytest.raises(RulesRefused, match="unknown setup"):
        referee.start(b"\xff" * 32)


def test_move_is_judged(referee: Referee) -> None:
    played = referee.play(Board(bytes.fromhex("00030018"), 1), b"\x02")
    assert (played.position.hex(), played.turn, played.result) == ("00070018", 0, -(10**9))


def test_illegal_move_is_refused_with_the_rules_word(referee: Referee) -> None:
    with pytest.raises(RulesRefused, match="cell taken"):
        referee.play(Board(bytes.fromhex("00030018"), 1), b"\x00")


def test_limits_are_told(referee: Referee) -> None:
    assert referee.limits() == Limits(9, 4, 1)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(0, "never"), (1, "run out of gas"), (2, "turn 3"), (3, "200000|run out of gas"),
     (4, "cannot be read"), (5, "cannot be read"), (6, "4097")],
)  # fmt: skip
def test_rules_that_misbehave_are_refused_as_on_chain(run: Run, kind: int, reason: str) -> None:
    with pytest.raises(RulesRefused, match=reason):
        strange(run).play(Board(bytes([kind]), 1), b"")


def test_result_of_a_move_that_ends_nothing_does_not_count(run: Run) -> None:
    played = strange(run).play(Board(b"\x08", 1), b"")
    assert (played.turn, played.result) == (1, 0)


def test_both_evms_give_the_same_bytes_and_gas() -> None:
    dice = random.Random(7)
    referees = [Referee(code_of("TicTacToe"), run) for run in (revm.run, pyevm.run)]
    for _ in range(30):
        board = referees[0].start(bytes(32))
        while board.turn:
            move = bytes([dice.randrange(9)])
            answers = []
            for one in referees:
                try:
                    answers.append(one.play(board, move))
                except RulesRefused as refusal:
                    answers.append(refusal.reason)
            assert answers[0] == answers[1]
            if not isinstance(answers[0], str):
                assert 0 < answers[0].gas < RULES_GAS
                board = Board(answers[0].position, answers[0].turn)


def test_code_that_is_not_pure_has_no_referee() -> None:
    with pytest.raises(NotAdmitted):
        Referee(code_of("VPM"), revm.run)


def test_fast_evm_is_taken_where_it_is() -> None:
    assert here.run is revm.run
