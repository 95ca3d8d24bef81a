"""Some wrong effects, each noticed by the core; `python -m tests.games.planted.core` plants all."""

from __future__ import annotations

import pytest

from tests.games.planted.bugs import planted
from tests.games.planted.core import CORE, noticed
from tests.games.planted.effects import BUGS, passed_through

NO_BUG = passed_through(lambda effect: (effect,))
BY_NAME = {bug.name: bug for bug in BUGS}

SOME = [
    (
        "Register with signature_alice and signature_bob exchanged",
        "test_effects.py::test_each_side_registers_the_newest_state_with_both_signatures",
    ),
    (
        "Register without Alice's signature",
        "test_effects.py::test_each_side_registers_the_newest_state_with_both_signatures",
    ),
    (
        "Register with evidence in another order",
        "test_effects.py::test_register_carries_the_evidence_of_each_nano_in_its_place",
    ),
    ("Settle at net 0", "test_disputes.py::test_old_state_is_answered_with_the_newest"),
    (
        "SubmitEvidence of statements with totals exchanged",
        "test_effects.py::test_payee_submits_the_payers_total_in_the_payers_place",
    ),
    (
        "SubmitEvidence with a last second later",
        "test_disputes.py::test_hash_lock_is_revealed_on_chain_when_the_payer_is_gone",
    ),
    (
        "OpenBoth with alice_amount and bob_amount exchanged",
        "test_offers.py::test_open_both_funds_both_sides_and_pays_the_fee",
    ),
    (
        "DepositMoney to the other side",
        "test_offers.py::test_top_up_adds_to_its_side_without_a_new_state",
    ),
    (
        "WithdrawMoney of another index",
        "test_offers.py::test_withdraw_pays_out_and_the_channel_goes_on",
    ),
    ("CloseChannel under another key", "test_offers.py::test_close_pays_both_in_one_transaction"),
    (
        "ClaimCredit to somebody else",
        "test_effects.py::test_claim_takes_exactly_that_much_credit_out",
    ),
    (
        "Paid not sent over the hub",
        "test_effects.py::test_payments_over_a_hub_are_acknowledged_or_refused_over_the_hub",
    ),
    ("watch of another asset", "test_effects.py::test_money_is_told_once_by_side"),
    ("Stuck not told", "test_effects.py::test_user_hears_of_a_proposal_that_stays_unanswered"),
]


@pytest.mark.parametrize(("name", "test"), SOME, ids=[name for name, _ in SOME])
def test_wrong_effect_is_noticed(name: str, test: str) -> None:
    assert noticed(BY_NAME[name], f"{CORE}/{test}") is not None


def test_the_same_tests_pass_without_a_bug() -> None:
    tests = {f"{CORE}/{test}" for _, test in SOME}
    assert noticed(NO_BUG, *sorted(tests)) is None


def test_every_wrong_effect_has_its_name() -> None:
    assert len(BY_NAME) == len(BUGS) >= 150
    for bug in BUGS:
        with planted(bug):
            pass
