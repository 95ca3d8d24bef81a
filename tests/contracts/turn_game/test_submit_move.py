"""`submitMove`: after the challenge, moves against two clocks."""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak

from perun.referee import Board, Referee, RulesRefused, here
from populus.exceptions import ContractReverted
from tests.contracts.turn_game.table import ALICE, BOB, EMPTY, WHOLE, Table, board, new_table
from tests.support import plain
from tests.support.reverts import reverts
from tests.support.stage import HOUR, MOST, Stage

RESIGN = b"\xff"


def cell(number: int) -> bytes:
    return bytes([number])


@pytest.fixture
def start(table: Table) -> int:
    """The empty board stands, Alice to move; the last second of the challenge."""
    return table.submit(table.signed(0, ALICE, EMPTY)).timestamp + HOUR


def fields(word: int) -> dict[str, int]:
    return {
        "turn": word >> 254, "live": word >> 253 & 1, "start": word >> 219 & 2**34 - 1,
        "version": word >> 200 & 2**19 - 1, "alice": word >> 180 & 2**20 - 1,
        "bob": word >> 160 & 2**20 - 1,
    }  # fmt: skip


def test_move_takes_its_time_off_the_bank(table: Table, start: int) -> None:
    table.stage.at(start + 100)
    receipt = table.move(ALICE, 0, EMPTY, cell(4))
    assert receipt.events == (
        ("Moved", {
            "id": table.id, "version": 1, "turn": BOB, "shift": 0, "position": board(16, 0),
            "clockFrom": start + 100, "aliceLeft": 500, "bobLeft": 1200,
        }),
    )  # fmt: skip
    assert fields(table.word()) == {
        "turn": BOB, "live": 1, "start": start + 100, "version": 1, "alice": 500, "bob": 1200,
    }  # fmt: skip
    table.stage.at(start + 150)
    table.move(BOB, 1, board(16, 0), cell(0))
    assert fields(table.word())["bob"] == 1150
    assert fields(table.word())["alice"] == 500


def test_move_before_the_challenge_is_over_is_refused(table: Table, start: int) -> None:
    table.stage.at(start)
    with reverts("TooEarly", start, start):
        table.move(ALICE, 0, EMPTY, cell(4))


def test_first_move_may_come_in_the_second_after(table: Table, start: int) -> None:
    table.stage.at(start + 1)
    table.move(ALICE, 0, EMPTY, cell(4))
    assert fields(table.word())["alice"] == 599


def test_move_may_use_the_whole_bank(table: Table, start: int) -> None:
    table.stage.at(start + 600)
    table.move(ALICE, 0, EMPTY, cell(4))
    assert fields(table.word())["alice"] == 0


def test_move_after_the_bank_is_refused_and_the_game_lost(table: Table, start: int) -> None:
    table.stage.wait_until(start + 600)
    assert table.outcome() == (False, 0)
    table.stage.at(start + 601)
    with reverts("TooLate", start + 600, start + 601):
        table.move(ALICE, 0, EMPTY, cell(4))
    assert table.outcome() == (True, WHOLE)


def test_bob_out_of_time_loses_his_whole_lock(table: Table, start: int) -> None:
    table.stage.at(start + 1)
    moved = table.move(ALICE, 0, EMPTY, cell(4)).timestamp
    table.stage.wait_until(moved + 1200)
    assert table.outcome() == (False, 0)
    table.stage.wait_until(moved + 1201)
    assert table.outcome() == (True, -WHOLE)
    table.stage.wait_until(2**35)
    assert table.outcome() == (True, -WHOLE)


def test_later_move_after_its_bank_is_refused_and_changes_nothing(table: Table, start: int) -> None:
    """The game is lost by then, and what is done never changes."""
    table.stage.at(start + 1)
    limit = table.move(ALICE, 0, EMPTY, cell(4)).timestamp + 1200
    table.stage.at(limit + 1)
    with reverts("TooLate", limit, limit + 1):
        table.move(BOB, 1, board(16, 0), cell(0))
    assert table.outcome() == (True, -WHOLE)


def play_alice_wins(table: Table, start: int) -> None:
    """X in the upper row; O in the middle one."""
    table.stage.at(start + 1)
    alice = bob = 0
    for version, (turn, where) in enumerate(((1, 0), (2, 3), (1, 1), (2, 4), (1, 2))):
        table.move(turn, version, board(alice, bob), cell(where))
        alice |= 1 << where if turn == 1 else 0
        bob |= 1 << where if turn == 2 else 0


def test_won_game_is_decided_at_once(table: Table, start: int) -> None:
    play_alice_wins(table, start)
    assert table.outcome() == (True, -20)
    assert fields(table.word())["turn"] == 0


def test_resigning_loses_the_whole_lock_of_the_terms(table: Table, start: int) -> None:
    table.stage.at(start + 1)
    receipt = table.move(ALICE, 0, EMPTY, RESIGN)
    assert receipt.only("Moved")["shift"] == 10
    assert table.outcome() == (True, 10)


def test_no_move_counts_after_the_end(table: Table, start: int) -> None:
    play_alice_wins(table, start)
    with reverts("Finished", table.id):
        table.move(BOB, 5, board(7, 24), cell(5))


def test_co_signed_position_does_not_count_after_a_move(table: Table, start: int) -> None:
    """Attack 8 of the design: a draw offer kept in the pocket until the move is seen."""
    draw = table.signed(1000, 0, b"", 0)
    table.stage.at(start + 1)
    table.move(ALICE, 0, EMPTY, cell(4))
    before = table.word()
    assert table.submit(draw).events == ()
    assert table.word() == before


def test_move_without_a_position_is_refused(table: Table) -> None:
    with reverts("NotBegun", table.id):
        table.move(ALICE, 0, EMPTY, cell(4))


def test_move_of_an_agreed_end_is_refused(table: Table) -> None:
    start = table.submit(table.signed(3, 0, EMPTY)).timestamp + HOUR
    table.stage.at(start + 1)
    with reverts("Finished", table.id):
        table.move(ALICE, 3, EMPTY, cell(4))


@pytest.mark.parametrize("other", ["Bob", "Carol"])
def test_only_the_side_to_move_moves(table: Table, start: int, other: str) -> None:
    signer = table.stage.bob if other == "Bob" else table.stage.carol
    table.stage.at(start + 1)
    with reverts("WrongSigner", table.terms.alice, signer.key.address):
        table.move(ALICE, 0, EMPTY, cell(4), by=signer)


def test_move_from_another_position_is_refused(table: Table, start: int) -> None:
    table.stage.at(start + 1)
    with reverts("WrongPosition", table.id, keccak(board(1, 0))):
        table.move(ALICE, 0, board(1, 0), cell(4))


def test_move_signed_for_another_version_does_not_count(table: Table, start: int) -> None:
    table.stage.at(start + 1)
    with pytest.raises(Exception, match="WrongSigner"):
        table.move(ALICE, 1, EMPTY, cell(4))


def test_move_signed_for_another_game_does_not_count(table: Table, start: int) -> None:
    other = table.changed(salt=bytes(32))
    signature = table.stage.alice.sign(other.move_digest(0, EMPTY, cell(4)))
    table.stage.at(start + 1)
    with pytest.raises(Exception, match="WrongSigner"):
        table.contract.send(table.stage.carol, "submitMove", table.terms, EMPTY, cell(4), signature)


def test_illegal_move_changes_nothing(table: Table, start: int) -> None:
    before = table.word()
    table.stage.at(start + 1)
    with pytest.raises(Exception, match="RulesFailed"):
        table.move(ALICE, 0, EMPTY, cell(9))
    assert table.word() == before


def test_move_as_evidence_is_the_same_move(table: Table, start: int) -> None:
    table.stage.at(start + 7)
    evidence = table.move_evidence(ALICE, 0, EMPTY, cell(4))
    receipt = table.contract.send(table.stage.carol, "submit", evidence)
    assert receipt.only("Moved")["aliceLeft"] == 593


def test_refused_evidence_says_why(table: Table, start: int) -> None:
    table.stage.at(start)
    with reverts("TooEarly", start, start):
        table.contract.send(
            table.stage.carol, "submit", table.move_evidence(ALICE, 0, EMPTY, cell(4))
        )


def test_final_time_is_never_passed(stage: Stage) -> None:
    """The first position in the last second, both banks used up: done one second after F."""
    table = new_table(stage, alice_bank=50, bob_bank=70)
    stage.at(table.terms.validity)
    start = table.submit(table.signed(0, ALICE, EMPTY)).timestamp + HOUR
    stage.at(start + 50)
    table.move(ALICE, 0, EMPTY, cell(4))
    stage.wait_until(table.final_time)
    assert table.final_time == start + 120
    assert table.outcome() == (False, 0)
    stage.wait_until(table.final_time + 1)
    assert table.outcome() == (True, -WHOLE)


def test_outcome_answers_within_a_tenth_of_its_allowance(table: Table, start: int) -> None:
    table.stage.wait_until(start + 601)
    transaction = 21_000 + 36 * 16
    assert table.contract.ask("outcome", table.id, gas=transaction + 12_000) == (True, WHOLE)


# ------------------------------------------------------------------------- rules of strangers


def strange(stage: Stage, kind: int, **terms: Any) -> tuple[Table, int]:
    """A game by rules that do what their setup says; the board is one byte."""
    table = new_table(stage, "StrangeRules", **terms)
    start = table.submit(table.signed(0, ALICE, bytes([kind]))).timestamp + HOUR
    stage.at(start + 1)
    return table, start


@pytest.mark.parametrize(
    ("kind", "why"),
    [(0, "reverts"), (1, "loops"), (2, "turn 3"), (3, "200 kB"), (4, "nothing"), (5, "garbage"),
     (6, "long position")],
)  # fmt: skip
def test_rules_that_misbehave_change_nothing(stage: Stage, kind: int, why: str) -> None:
    table, start = strange(stage, kind)
    before = table.word()
    with pytest.raises(Exception, match=r"RulesFailed|reverted"):
        table.move(ALICE, 0, bytes([kind]), b"", gas=5_000_000)
    assert table.word() == before
    stage.wait_until(start + 601)
    assert table.outcome() == (True, WHOLE), why


def answer(*words: int, rest: bytes = b"") -> bytes:
    return b"".join((word % 2**256).to_bytes(32, "big") for word in words) + rest


ANSWERS = {
    "as it is written": answer(96, 2, 7, 1, rest=b"x".ljust(32, b"\0")),
    "no padding": answer(96, 2, 0, 1, rest=b"x"),
    "padding that is none": answer(96, 2, 0, 1, rest=b"x" * 32),
    "more behind it": answer(96, 2, 0, 1, rest=b"x" * 77),
    "bytes cut off": answer(96, 2, 0, 2, rest=b"x"),
    "bytes over the head": answer(32, 2, 0),
    "bytes over the head, too many": answer(32, 99, 0),
    "bytes from the first word": answer(0, 0, 0),
    "bytes farther away": answer(160, 1, -5, 7, 7, 1, rest=b"y"),
    "bytes behind the end": answer(97, 1, 0, 0),
    "bytes very far away": answer(2**64, 1, 0, 0),
    "an offset that wraps": answer(-32, 1, 0, 0),
    "a length that wraps": answer(96, 1, 0, -1, rest=bytes(32)),
    "a turn of nine bits": answer(96, 257, 0, 0),
    "a result of 33 bits": answer(96, 0, 2**31, 0),
    "the least result": answer(96, 0, -(2**31), 0),
    "a negative turn": answer(96, -1, 0, 0),
    "two words": answer(96, 1),
    "a head alone": answer(96, 1, 0),
}


@pytest.mark.parametrize("said", ANSWERS)
def test_answer_is_read_off_chain_as_on_chain(stage: Stage, said: str) -> None:
    """Else a move would be legal on one of the two only, whatever `IRules` says of encodings."""
    board, move = b"\x09", ANSWERS[said]
    table, _ = strange(stage, 9)
    code = str(stage.compiled("StrangeRules")["bytecode_runtime"])
    referee = Referee(bytes.fromhex(code.removeprefix("0x")), here.run)
    try:
        played = referee.play(Board(board, ALICE), move)
    except RulesRefused:
        with pytest.raises(Exception, match=r"RulesFailed|reverted"):
            table.move(ALICE, 0, board, move)
        return
    moved = table.move(ALICE, 0, board, move).only("Moved")
    assert (moved["position"], moved["turn"]) == (played.position, played.turn)
    lock = table.terms.alice_lock if played.result > 0 else table.terms.bob_lock
    assert moved["shift"] == int(lock * max(-(10**9), played.result) / 10**9)


@pytest.mark.parametrize(
    ("result", "shift"),
    [(10**9, 10), (2 * 10**9, 10), (5 * 10**8, 5), (1, 0), (-(10**9), -20), (-(2**31), -20),
     (-(10**8), -2), (-149_999_999, -2), (0, 0)],
)  # fmt: skip
def test_result_is_a_part_of_the_losers_lock(stage: Stage, result: int, shift: int) -> None:
    table, _ = strange(stage, 7)
    receipt = table.move(ALICE, 0, bytes([7]), result.to_bytes(4, "big", signed=True))
    assert receipt.only("Moved")["shift"] == shift
    assert table.outcome() == (True, shift)


@pytest.mark.parametrize(("result", "shift"), [(10**9, MOST), (-(10**9), -MOST)])
def test_result_of_the_greatest_locks_fits(stage: Stage, result: int, shift: int) -> None:
    table, _ = strange(stage, 7, alice_lock=MOST, bob_lock=MOST)
    table.move(ALICE, 0, bytes([7]), result.to_bytes(4, "big", signed=True))
    assert table.outcome() == (True, shift)


def test_side_to_move_may_move_twice(stage: Stage) -> None:
    table, start = strange(stage, 8)
    table.move(ALICE, 0, bytes([8]), b"")
    assert fields(table.word())["turn"] == ALICE
    stage.at(start + 11)
    table.move(ALICE, 1, bytes([8]), b"")
    assert fields(table.word())["alice"] == 589


def test_other_code_at_the_rules_address_is_refused(stage: Stage) -> None:
    table = new_table(stage, rules_hash=b"\x01" * 32)
    start = table.submit(table.signed(0, ALICE, EMPTY)).timestamp + HOUR
    stage.at(start + 1)
    with pytest.raises(Exception, match="WrongRules"):
        table.move(ALICE, 0, EMPTY, cell(4))


def test_gas_changes_nothing_but_whether_a_move_is_taken(table: Table, start: int) -> None:
    """Starved at any point it fails whole; what is taken is the same move."""
    before = table.word()
    for gas in range(40_000, 90_000, 1_000):
        table.stage.at(start + 1)
        try:
            table.move(ALICE, 0, EMPTY, cell(4), gas=gas)
        except ContractReverted:
            assert table.word() == before
            start += 1  # the failed one had its block
        else:
            break
    assert gas > 40_000
    place = keccak(plain.words((table.id, keccak(board(16, 0)))))[12:]
    assert table.word() % 2**160 == int.from_bytes(place, "big")
