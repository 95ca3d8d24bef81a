"""`reveal` and `submit`: who knows the secret decides the instance, in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from perun.types import Lock
from tests.support import plain
from tests.support.contracts import Receipt
from tests.support.instances import lock_id, new_lock, new_salt, reveal_evidence
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import MOST, Stage

Reveal = Callable[[Any, bytes], Receipt]


@pytest.fixture(params=["reveal", "submit"])
def reveal(request: pytest.FixtureRequest, stage: Stage) -> Reveal:
    """Both ways in."""

    def by_reveal(lock: Any, preimage: bytes) -> Receipt:
        return stage.locks.send(stage.carol, "reveal", lock, preimage)

    def by_submit(lock: Any, preimage: bytes) -> Receipt:
        return stage.locks.send(stage.carol, "submit", reveal_evidence(lock, preimage))

    return by_reveal if request.param == "reveal" else by_submit


@pytest.mark.parametrize("amount", [0, 1, 5, MOST])
@pytest.mark.parametrize("bob_pays", [False, True])
def test_reveal_decides_at_once(
    stage: Stage, reveal: Reveal, preimage: bytes, amount: int, bob_pays: bool
) -> None:
    lock = new_lock(stage, amount, preimage, bob_pays)
    receipt = reveal(lock, preimage)
    identity = lock_id(stage, lock)
    assert receipt.events == (("Revealed", {"id": identity, "preimage": preimage}),)
    assert stage.locks.ask("outcome", identity) == (True, -amount if bob_pays else amount)


@pytest.mark.parametrize("early", [1, 0])
def test_reveal_comes_until_the_deadline(
    stage: Stage, reveal: Reveal, lock: Lock, preimage: bytes, early: int
) -> None:
    stage.at(lock.deadline - early)
    reveal(lock, preimage)
    assert stage.locks.ask("outcome", lock_id(stage, lock)) == (True, 5)


def test_reveal_after_the_deadline_is_refused(
    stage: Stage, reveal: Reveal, lock: Lock, preimage: bytes
) -> None:
    stage.at(lock.deadline + 1)
    with reverts("TooLate", lock.deadline, lock.deadline + 1):
        reveal(lock, preimage)
    assert stage.locks.ask("outcome", lock_id(stage, lock)) == (False, 0)


def test_wrong_preimage_is_refused(reveal: Reveal, lock: Lock) -> None:
    wrong = bytes(32)
    with reverts("WrongPreimage", lock.hash, keccak(wrong)):
        reveal(lock, wrong)


@pytest.mark.parametrize("amount", [2**111, 2**112 - 1])
def test_amount_above_the_greatest_is_refused(
    stage: Stage, reveal: Reveal, preimage: bytes, amount: int
) -> None:
    lock = (amount, False, keccak(preimage), stage.now + 100, new_salt())
    with reverts("AmountTooLarge", amount):
        reveal(lock, preimage)


@pytest.mark.parametrize("late", [False, True])
def test_revealing_again_changes_nothing_however_late(
    stage: Stage, reveal: Reveal, lock: Lock, preimage: bytes, late: bool
) -> None:
    reveal(lock, preimage)
    stage.at(lock.deadline + 1 if late else stage.now + 1)
    assert reveal(lock, bytes(32) if late else preimage).events == ()
    assert stage.locks.ask("outcome", lock_id(stage, lock)) == (True, 5)


def test_same_secret_opens_only_its_own_lock(
    stage: Stage, reveal: Reveal, lock: Lock, preimage: bytes
) -> None:
    other = new_lock(stage, 5, preimage)
    reveal(lock, preimage)
    assert stage.locks.ask("outcome", lock_id(stage, other)) == (False, 0)


def test_outcome_before_the_reveal_is_not_done(stage: Stage, lock: Lock) -> None:
    assert stage.locks.ask("outcome", lock_id(stage, lock)) == (False, 0)
    stage.wait_until(lock.deadline + 1)
    assert stage.locks.ask("outcome", lock_id(stage, lock)) == (False, 0)


def test_outcome_answers_within_a_tenth_of_its_allowance(
    stage: Stage, reveal: Reveal, lock: Lock, preimage: bytes
) -> None:
    reveal(lock, preimage)
    transaction = 21_000 + 36 * 16
    identity = lock_id(stage, lock)
    assert stage.locks.ask("outcome", identity, gas=transaction + 12_000) == (True, 5)


@pytest.mark.parametrize(
    ("field", "bits"), [(0, 112), (1, 1), (3, 40)], ids=["amount", "bobPays", "deadline"]
)
@pytest.mark.parametrize("function", ["reveal", "submit", "lockId"])
def test_lock_out_of_its_types_is_refused(
    stage: Stage, lock: Lock, preimage: bytes, function: str, field: int, bits: int
) -> None:
    clean = plain.words((lock,))
    start = 32 * field
    value = int.from_bytes(clean[start : start + 32], "big") | 1 << bits
    dirty = clean[:start] + plain.word(value) + clean[start + 32 :]
    calls = {
        "reveal": stage.locks.call_data("reveal", lock, preimage),
        "submit": stage.locks.call_data("submit", reveal_evidence(lock, preimage)),
        "lockId": stage.locks.call_data("lockId", lock),
    }
    with reverts_without_data():
        stage.locks.send_raw(stage.carol, calls[function].replace(clean, dirty))


@pytest.mark.parametrize("length", [0, 31, 160, 191])
def test_evidence_that_is_too_short_is_refused(
    stage: Stage, lock: Lock, preimage: bytes, length: int
) -> None:
    with reverts_without_data():
        stage.locks.send(stage.carol, "submit", reveal_evidence(lock, preimage)[:length])


def test_domain_is_that_of_this_chain_and_contract(stage: Stage) -> None:
    expected = plain.domain_separator("Perun HashTimeLock", stage.chain_id, stage.locks.address)
    assert stage.locks.ask("DOMAIN_SEPARATOR") == expected


@given(
    lock=st.builds(
        Lock, st.integers(0, MOST), st.booleans(), st.binary(min_size=32, max_size=32),
        st.integers(0, 2**40 - 1), st.binary(min_size=32, max_size=32),
    )
)  # fmt: skip
def test_lock_id_is_the_hash_of_domain_and_lock(stage: Stage, lock: Lock) -> None:
    assert stage.locks.ask("lockId", lock) == lock_id(stage, lock)
