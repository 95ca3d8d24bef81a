"""`submitPosition` and form 0 of `submit`: the newest co-signed position stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.contracts.turn_game.table import ALICE, BOB, EMPTY, Signed, Table, board, new_table
from tests.support import plain
from tests.support.contracts import Receipt
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

Submit = Callable[[Table, Signed], Receipt]
WRONG = board(1, 0)


@pytest.fixture(params=["submitPosition", "submit"])
def submit(request: pytest.FixtureRequest, stage: Stage) -> Submit:
    """Both ways in."""
    if request.param == "submitPosition":
        return lambda table, signed: table.submit(signed)
    return lambda table, signed: table.contract.send(stage.carol, "submit", table.evidence(signed))


def word_of(turn: int, live: int, start: int, version: int, low: int) -> int:
    return turn << 254 | live << 253 | start << 219 | version << 200 | low


@pytest.mark.parametrize("turn", [ALICE, BOB])
def test_first_position_starts_the_challenge(table: Table, submit: Submit, turn: int) -> None:
    signed = table.signed(4, turn, board(3, 4), shift=7)
    receipt = submit(table, signed)
    start = receipt.timestamp + HOUR
    place = int.from_bytes(keccak(plain.words((table.id, keccak(board(3, 4))))), "big") % 2**160
    assert table.word() == word_of(turn, 0, start, 4, 600 << 180 | 1200 << 160 | place)
    assert receipt.events == (
        ("PositionSubmitted", {
            "id": table.id, "version": 4, "turn": turn, "shift": 0,
            "position": keccak(board(3, 4)), "deadline": start,
        }),
    )  # fmt: skip
    assert table.outcome() == (False, 0)


@pytest.mark.parametrize(
    ("shift", "cut"), [(0, 0), (10, 10), (11, 10), (MOST, 10), (-20, -20), (-21, -20), (-MOST, -20)]
)
def test_finished_position_is_cut_to_the_locks(
    table: Table, submit: Submit, shift: int, cut: int
) -> None:
    receipt = submit(table, table.signed(9, 0, b"", shift))
    start = receipt.timestamp + HOUR
    assert receipt.only("PositionSubmitted")["shift"] == cut
    assert table.word() == word_of(0, 0, start, 9, cut % 2**112)
    table.stage.wait_until(start)
    assert table.outcome() == (False, 0)
    table.stage.wait_until(start + 1)
    assert table.outcome() == (True, cut)


@pytest.mark.parametrize("shift", [2**111 - 1, -(2**111)])
def test_greatest_shift_of_a_finished_position_counts(stage: Stage, shift: int) -> None:
    table = new_table(stage, alice_lock=MOST, bob_lock=MOST)
    table.submit(table.signed(1, 0, b"", shift))
    stage.wait_until(table.final_time)
    assert table.outcome() == (True, max(shift, -MOST))


def test_newer_position_replaces_and_never_extends(table: Table, submit: Submit) -> None:
    start = submit(table, table.signed(1, ALICE)).timestamp + HOUR
    table.stage.at(start)
    receipt = submit(table, table.signed(2, BOB, board(1, 0)))
    assert receipt.only("PositionSubmitted")["deadline"] == start
    assert table.word() >> 219 & 2**34 - 1 == start
    assert table.word() >> 200 & 2**19 - 1 == 2


@pytest.mark.parametrize("version", [0, 4, 5])
@pytest.mark.parametrize("late", [False, True])
def test_position_that_is_not_newer_changes_nothing(
    table: Table, submit: Submit, version: int, late: bool
) -> None:
    start = submit(table, table.signed(5, ALICE)).timestamp + HOUR
    before = table.word()
    table.stage.at(start + 1 if late else start)
    signed = table.signed(version, BOB, WRONG)._replace(signature_bob=b"")
    assert submit(table, signed).events == ()
    assert table.word() == before


def test_newer_position_after_the_challenge_is_refused(table: Table, submit: Submit) -> None:
    start = submit(table, table.signed(1, ALICE)).timestamp + HOUR
    table.stage.at(start + 1)
    with reverts("TooLate", start, start + 1):
        submit(table, table.signed(2, BOB))


def test_first_position_comes_until_validity(table: Table, submit: Submit) -> None:
    table.stage.at(table.terms.validity)
    submit(table, table.signed(1, ALICE))
    assert table.word() != 0


def test_first_position_after_validity_is_refused(table: Table, submit: Submit) -> None:
    limit = table.terms.validity
    table.stage.at(limit + 1)
    with reverts("TooLate", limit, limit + 1):
        submit(table, table.signed(1, ALICE))


@pytest.mark.parametrize("wrong", ["signature_alice", "signature_bob"])
def test_both_must_have_signed(table: Table, submit: Submit, wrong: str) -> None:
    signed = table.signed(1, ALICE)
    by_carol = table.stage.carol.sign(table.position_digest(signed.position))
    expected = table.terms.alice if wrong == "signature_alice" else table.terms.bob
    with reverts("WrongSigner", expected, table.stage.carol.key.address):
        submit(table, signed._replace(**{wrong: by_carol}))


@pytest.mark.parametrize("field", range(4))
def test_every_field_is_signed(table: Table, field: int) -> None:
    signed = table.signed(1, ALICE, EMPTY, 3)
    changed: list[Any] = list(signed.position)
    changed[field] = bytes(32) if field == 3 else changed[field] + 1
    with pytest.raises(Exception, match="WrongSigner"):
        table.submit(signed._replace(position=tuple(changed)))


def test_signatures_of_another_game_do_not_count(table: Table) -> None:
    signed = table.signed(1, ALICE)
    other = table.changed(salt=bytes(32))
    with pytest.raises(Exception, match="WrongSigner"):
        other.submit(signed)


def test_signatures_exchanged_do_not_count(table: Table) -> None:
    signed = table.signed(1, ALICE)
    with reverts("WrongSigner", table.terms.alice, table.terms.bob):
        table.submit(Signed(signed.position, signed.signature_bob, signed.signature_alice))


@pytest.mark.parametrize("turn", [3, 255])
def test_turn_of_nobody_is_refused(table: Table, submit: Submit, turn: int) -> None:
    with reverts("BadTurn", turn):
        submit(table, table.signed(1, turn))


@pytest.mark.parametrize("version", [2**18, 2**32 - 1])
def test_version_above_the_greatest_is_refused(table: Table, submit: Submit, version: int) -> None:
    with reverts("VersionTooHigh", version):
        submit(table, table.signed(version, ALICE))


@pytest.mark.parametrize(
    ("fields", "error", "values"),
    [
        ({"alice_lock": 2**111}, "AmountTooLarge", (2**111,)),
        ({"bob_lock": 2**112 - 1}, "AmountTooLarge", (2**112 - 1,)),
        ({"alice_bank": 2**20}, "BankTooLong", (2**20,)),
        ({"bob_bank": 2**32 - 1}, "BankTooLong", (2**32 - 1,)),
        ({"validity": 2**34 - 3600 - 1800}, "FinalTimeTooFar", (2**34,)),
    ],
)
def test_terms_that_the_word_cannot_hold_are_refused(
    stage: Stage, submit: Submit, fields: dict[str, Any], error: str, values: tuple[int, ...]
) -> None:
    table = new_table(stage, **fields)
    with reverts(error, *values):
        submit(table, table.signed(1, ALICE))
    assert table.word() == 0


def test_broken_rules_cannot_stop_a_co_signed_position(stage: Stage) -> None:
    table = new_table(stage, rules_hash=bytes(32))
    table.submit(table.signed(1, ALICE))
    assert table.word() != 0


@pytest.mark.parametrize("form", [2, 2**256 - 1])
def test_unknown_form_is_refused(table: Table, form: int) -> None:
    evidence = plain.word(form) + table.evidence(table.signed(1, ALICE))[32:]
    with reverts("UnknownForm", form):
        table.contract.send(table.stage.carol, "submit", evidence)


@pytest.mark.parametrize("length", [0, 31, 32, 64, 400])
def test_evidence_that_is_too_short_is_refused(table: Table, length: int) -> None:
    evidence = table.evidence(table.signed(1, ALICE))[:length]
    with reverts_without_data():
        table.contract.send(table.stage.carol, "submit", evidence)


def test_domain_and_id_are_plain_hashes(table: Table) -> None:
    assert table.contract.ask("DOMAIN_SEPARATOR") == table.separator
    assert table.contract.ask("gameId", table.terms) == table.id
