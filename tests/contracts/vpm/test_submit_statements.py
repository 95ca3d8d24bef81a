"""`submitStatements`: totals rise, from the first submission until its challenge is over."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from tests.support.contracts import Receipt
from tests.support.instances import PaymentMachine, new_machine
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

NOBODY = bytes(20)


def submitted(machine: PaymentMachine, by_alice: int, by_bob: int, deadline: int) -> object:
    """The event."""
    totals = {"paidByAlice": by_alice, "paidByBob": by_bob, "deadline": deadline}
    return ("Submitted", {"id": machine.id, **totals})


@pytest.mark.parametrize(("by_alice", "by_bob"), [(7, 0), (0, 4), (7, 4), (100, 3), (MOST, MOST)])
def test_first_submission_records_totals_and_starts_the_clock(
    machine: PaymentMachine, carol: Owner, by_alice: int, by_bob: int
) -> None:
    receipt = machine.submit(carol, by_alice, by_bob)
    deadline = receipt.timestamp + HOUR
    assert receipt.events == (submitted(machine, by_alice, by_bob, deadline),)
    assert machine.totals() == (by_alice, by_bob, deadline)


def test_totals_rise_one_by_one_and_the_clock_runs_on(
    machine: PaymentMachine, carol: Owner
) -> None:
    deadline = machine.submit(carol, 7, 0).timestamp + HOUR
    for step, totals in enumerate([(7, 2), (9, 2), (10, 5)]):
        machine.stage.at(deadline - 1000 + step)
        receipt = machine.submit(carol, *totals)
        assert receipt.events == (submitted(machine, *totals, deadline),)
        assert machine.totals() == (*totals, deadline)


@pytest.mark.parametrize("totals", [(0, 0), (6, 0), (7, 0), (0, 3), (7, 4), (6, 3)])
def test_old_news_changes_nothing(
    machine: PaymentMachine, carol: Owner, totals: tuple[int, int]
) -> None:
    machine.submit(carol, 7, 4)
    before = machine.totals()
    assert machine.submit(carol, *totals).events == ()
    assert machine.totals() == before


def test_lower_total_does_not_take_the_higher_one_with_it(
    machine: PaymentMachine, carol: Owner
) -> None:
    machine.submit(carol, 7, 4)
    machine.submit(carol, 3, 6)
    assert machine.totals()[:2] == (7, 6)


def test_submission_of_nothing_starts_no_clock(machine: PaymentMachine, carol: Owner) -> None:
    assert machine.submit(carol, 0, 0).events == ()
    assert machine.totals() == (0, 0, 0)


def test_signature_of_a_total_that_does_not_rise_is_not_looked_at(
    machine: PaymentMachine, carol: Owner
) -> None:
    machine.submit(carol, 7, 0)
    statements = (7, b"no signature", 4, machine.statements(0, 4)[3])
    machine.stage.vpm.send(carol, "submitStatements", machine.terms, *statements)
    assert machine.totals()[:2] == (7, 4)


# ---------------------------------------------------------------------- time


@pytest.mark.parametrize("early", [1, 0])
def test_first_submission_comes_until_validity(
    machine: PaymentMachine, carol: Owner, early: int
) -> None:
    moment = machine.terms.validity - early
    machine.stage.at(moment)
    machine.submit(carol, 7, 0)
    assert machine.totals() == (7, 0, moment + HOUR)


def test_first_submission_after_validity_is_refused(machine: PaymentMachine, carol: Owner) -> None:
    validity = machine.terms.validity
    machine.stage.at(validity + 1)
    with reverts("TooLate", validity, validity + 1):
        machine.submit(carol, 7, 0)


@pytest.mark.parametrize("early", [1, 0])
def test_later_submission_comes_until_the_deadline(
    machine: PaymentMachine, carol: Owner, early: int
) -> None:
    deadline = machine.submit(carol, 7, 0).timestamp + HOUR
    machine.stage.at(deadline - early)
    machine.submit(carol, 8, 3)
    assert machine.totals() == (8, 3, deadline)


def test_later_submission_after_the_deadline_is_refused(
    machine: PaymentMachine, carol: Owner
) -> None:
    deadline = machine.submit(carol, 7, 0).timestamp + HOUR
    machine.stage.at(deadline + 1)
    with reverts("TooLate", deadline, deadline + 1):
        machine.submit(carol, 8, 0)


def test_deadline_may_lie_beyond_validity(machine: PaymentMachine, carol: Owner) -> None:
    validity = machine.terms.validity
    machine.stage.at(validity)
    machine.submit(carol, 7, 0)
    machine.stage.at(validity + HOUR)
    machine.submit(carol, 8, 0)
    assert machine.totals() == (8, 0, validity + HOUR)


def test_old_news_is_no_error_however_late(machine: PaymentMachine, carol: Owner) -> None:
    machine.submit(carol, 7, 4)
    machine.stage.at(machine.final_time + 10)
    assert machine.submit(carol, 7, 4).events == ()


def test_machine_without_challenge_is_over_in_its_own_block(stage: Stage, carol: Owner) -> None:
    machine = new_machine(stage, challenge=0)
    deadline = machine.submit(carol, 7, 0).timestamp
    assert machine.totals() == (7, 0, deadline)
    stage.at(deadline + 1)
    with reverts("TooLate", deadline, deadline + 1):
        machine.submit(carol, 8, 0)


@pytest.mark.parametrize(
    ("validity", "challenge"), [(2**34 - HOUR, HOUR), (2**34 - 2**32 + 1, 2**32 - 1)]
)
def test_final_time_beyond_34_bits_is_refused(
    stage: Stage, carol: Owner, validity: int, challenge: int
) -> None:
    machine = new_machine(stage, validity=validity, challenge=challenge)
    with reverts("FinalTimeTooFar", 2**34):
        machine.submit(carol, 7, 0)


def test_greatest_final_time_is_kept(stage: Stage, carol: Owner) -> None:
    challenge = 2**32 - 1
    validity = 2**34 - 2**32
    machine = new_machine(stage, validity=validity, challenge=challenge)
    stage.at(validity)
    machine.submit(carol, MOST, MOST)
    assert machine.totals() == (MOST, MOST, 2**34 - 1)


# ---------------------------------------------------------------------- one-way machines


@pytest.mark.parametrize(
    ("locks", "recorded"), [((10, 0), (7, 0)), ((0, 10), (0, 4)), ((0, 0), (0, 0))]
)
def test_side_without_lock_pays_nothing(
    stage: Stage, carol: Owner, locks: tuple[int, int], recorded: tuple[int, int]
) -> None:
    machine = new_machine(stage, alice_lock=locks[0], bob_lock=locks[1])
    machine.submit(carol, 7, 4)
    assert machine.totals()[:2] == recorded


def test_side_without_lock_starts_no_clock(stage: Stage, carol: Owner) -> None:
    machine = new_machine(stage, bob_lock=0)
    assert machine.submit(carol, 0, 4).events == ()
    assert machine.totals() == (0, 0, 0)


def test_signature_of_a_side_without_lock_is_not_looked_at(stage: Stage, carol: Owner) -> None:
    machine = new_machine(stage, bob_lock=0)
    statements = (7, machine.statements(7)[1], MOST, b"")
    stage.vpm.send(carol, "submitStatements", machine.terms, *statements)
    assert machine.totals()[:2] == (7, 0)


# ---------------------------------------------------------------------- signatures and values


def submit_with(
    machine: PaymentMachine, by_alice: int, signed: bytes, by_bob: int = 0, signed_b: bytes = b""
) -> Receipt:
    arguments = (machine.terms, by_alice, signed, by_bob, signed_b)
    return machine.stage.vpm.send(machine.stage.carol, "submitStatements", *arguments)


def test_statement_of_the_other_side_is_refused(machine: PaymentMachine) -> None:
    by_bob = machine.bob.sign(machine.digest(7))
    with reverts("WrongSigner", machine.alice.key.address, machine.bob.key.address):
        submit_with(machine, 7, by_bob)


def test_statement_of_the_account_is_refused(machine: PaymentMachine) -> None:
    by_account = machine.bob.sign_with_account(machine.digest(7))
    with reverts("WrongSigner", machine.bob.key.address, machine.bob.account):
        submit_with(machine, 0, b"", 7, by_account)


@pytest.mark.parametrize("signature", [b"", b"\x02" * 65, bytes(65), bytes(64)])
def test_malformed_signature_is_refused(machine: PaymentMachine, signature: bytes) -> None:
    with reverts("WrongSigner", machine.alice.key.address, NOBODY):
        submit_with(machine, 7, signature)


def test_one_bad_statement_refuses_both(machine: PaymentMachine) -> None:
    good = machine.statements(7)[1]
    with reverts("WrongSigner", machine.bob.key.address, NOBODY):
        submit_with(machine, 7, good, 4, b"")
    assert machine.totals() == (0, 0, 0)


def test_sender_gets_no_credit_for_being_a_party(machine: PaymentMachine) -> None:
    """Unlike in a channel: evidence carries its own signatures."""
    arguments = (machine.terms, 7, b"", 0, b"")
    with reverts("WrongSigner", machine.alice.key.address, NOBODY):
        machine.stage.vpm.send(machine.alice.key, "submitStatements", *arguments)


def test_key_zero_signs_nothing(machine: PaymentMachine) -> None:
    nobody = machine.changed(alice=NOBODY)
    with reverts("WrongSigner", NOBODY, NOBODY):
        submit_with(nobody, 7, bytes(65))


@pytest.mark.parametrize("side", ["alice", "bob"])
@pytest.mark.parametrize("paid", [2**111, 2**112 - 1])
def test_total_above_the_greatest_amount_is_refused(
    machine: PaymentMachine, side: str, paid: int
) -> None:
    totals = {"by_alice": paid} if side == "alice" else {"by_bob": paid}
    with reverts("TotalTooLarge", paid):
        machine.submit(machine.stage.carol, **totals)


@pytest.mark.parametrize(
    ("field", "bits"),
    [(0, 160), (1, 160), (2, 112), (3, 112), (4, 40), (5, 32), (7, 112), (9, 112)],
    ids=[
        "alice", "bob", "aliceLock", "bobLock", "validity", "challenge", "paidByAlice", "paidByBob",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dirt", ["lowest", "highest"])
def test_values_out_of_their_types_are_refused(
    machine: PaymentMachine, field: int, bits: int, dirt: str
) -> None:
    vpm = machine.stage.vpm
    statements = machine.statements(7, 4)
    data = bytearray(vpm.call_data("submitStatements", machine.terms, *statements))
    start = 4 + 32 * field
    value = int.from_bytes(data[start : start + 32], "big")
    value |= 1 << (bits if dirt == "lowest" else 255)
    data[start : start + 32] = value.to_bytes(32, "big")
    with reverts_without_data():
        vpm.send_raw(machine.stage.carol, bytes(data))
