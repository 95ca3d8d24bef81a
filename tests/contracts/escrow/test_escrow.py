"""`Escrow`: an arbiter or both parties share out two locks, or a clock does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from unittest.mock import ANY

import eth_abi
import pytest

from perun.testing.owners import Owner
from populus.exceptions import ContractReverted
from tests.support import plain
from tests.support.contracts import Deployed, Receipt
from tests.support.instances import new_salt
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

AWARD = "Award(bytes32 deal,int112 shift)"
DEAL = "(address,address,address,uint112,uint112,int112,uint40,uint40,uint32,bytes32)"
LATE, AWARDED, CONFLICT, AGREED = range(4)
WORDS = {0: ["int112", "bytes"], 1: ["int112", "bytes", "bytes"], 2: []}


class Deal(NamedTuple):
    """`IEscrow.Deal`, field by field."""

    alice: bytes
    bob: bytes
    arbiter: bytes
    alice_lock: int
    bob_lock: int
    late_shift: int
    due: int
    validity: int
    challenge: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """One deal, and the way its evidence is brought; Carol is the arbiter."""

    stage: Stage
    contract: Deployed
    terms: Deal
    direct: bool

    @property
    def separator(self) -> bytes:
        return plain.domain_separator("Perun Escrow", self.stage.chain_id, self.contract.address)

    @property
    def id(self) -> bytes:
        return plain.record_id(self.separator, self.terms)

    def sign(self, owner: Owner, shift: int) -> bytes:
        return owner.sign(plain.typed(self.separator, AWARD, self.id, shift))

    def award(self, shift: int, by: Owner | None = None) -> Receipt:
        return self._bring(0, shift, self.sign(by or self.stage.carol, shift))

    def agree(self, shift: int, alice: Owner | None = None, bob: Owner | None = None) -> Receipt:
        stage = self.stage
        both = self.sign(alice or stage.alice, shift), self.sign(bob or stage.bob, shift)
        return self._bring(1, shift, *both)

    def late(self) -> Receipt:
        return self._bring(2)

    def _bring(self, form: int, *arguments: Any) -> Receipt:
        if self.direct:
            name = ("award", "agree", "late")[form]
            return self.contract.send(self.stage.carol, name, self.terms, *arguments)
        body = eth_abi.encode([DEAL, *WORDS[form]], [tuple(self.terms), *arguments])
        return self.contract.send(self.stage.carol, "submit", plain.word(form) + body)

    def outcome(self) -> Any:
        return self.contract.ask("outcome", self.id)

    def word(self) -> int:
        return int(self.contract.ask("record", self.id))

    def changed(self, **fields: Any) -> Desk:
        return replace(self, terms=self.terms._replace(**fields))


@pytest.fixture(params=["direct", "submit"])
def desk(request: pytest.FixtureRequest, stage: Stage) -> Desk:
    """Locks 10 and 20, late 4 to Bob, due in an hour, valid for a day, an hour's challenge."""
    terms = Deal(
        stage.alice.key.address, stage.bob.key.address, stage.carol.key.address, 10, 20, 4,
        stage.now + HOUR, stage.now + 24 * HOUR, HOUR, new_salt(),
    )  # fmt: skip
    return Desk(stage, stage.deploy("Escrow"), terms, request.param == "direct")


def word_of(rank: int, deadline: int, shift: int) -> int:
    return rank << 254 | deadline << 112 | shift % 2**112


@pytest.mark.parametrize("shift", [10, 3, 0, -7, -20])
@pytest.mark.parametrize(("rank", "way"), [(AWARDED, "award"), (AGREED, "agree")])
def test_any_part_of_the_locks_moves_when_the_challenge_is_over(
    desk: Desk, rank: int, way: str, shift: int
) -> None:
    receipt = getattr(desk, way)(shift)
    deadline = receipt.timestamp + HOUR
    assert receipt.events == (
        ("Decided", {"id": desk.id, "rank": rank, "shift": shift, "deadline": deadline}),
    )
    assert desk.word() == word_of(rank, deadline, shift)
    desk.stage.wait_until(deadline)
    assert desk.outcome() == (False, 0)
    desk.stage.wait_until(deadline + 1)
    assert desk.outcome() == (True, shift)


@pytest.mark.parametrize("way", ["award", "agree"])
@pytest.mark.parametrize("shift", [11, -21, MOST, -(2**111)])
def test_more_than_a_lock_cannot_be_shared_out(desk: Desk, way: str, shift: int) -> None:
    with reverts("ShiftTooLarge", shift):
        getattr(desk, way)(shift)
    assert desk.word() == 0


@pytest.mark.parametrize("order", [(3, -7), (-7, 3)])
def test_two_awards_that_differ_give_everything_back_in_either_order(
    desk: Desk, order: tuple[int, int]
) -> None:
    deadline = desk.award(order[0]).timestamp + HOUR
    receipt = desk.award(order[1])
    assert receipt.only("Decided") == {
        "id": desk.id, "rank": CONFLICT, "shift": 0, "deadline": deadline
    }  # fmt: skip
    for again in (*order, 5):
        assert desk.award(again).events == ()
    desk.stage.wait_until(deadline + 1)
    assert desk.outcome() == (True, 0)


@pytest.mark.parametrize("late", [False, True])
def test_same_award_again_changes_nothing(desk: Desk, late: bool) -> None:
    deadline = desk.award(3).timestamp + HOUR
    if late:
        desk.stage.at(deadline + 1)
    assert desk.award(3).events == ()
    assert desk.word() == word_of(AWARDED, deadline, 3)


def test_award_of_nothing_contradicts_too(desk: Desk) -> None:
    deadline = desk.award(0).timestamp + HOUR
    desk.award(10)
    assert desk.word() == word_of(CONFLICT, deadline, 0)


def test_higher_rank_replaces_and_never_extends(desk: Desk) -> None:
    desk.stage.at(desk.terms.due + 1)
    deadline = desk.late().timestamp + HOUR
    assert desk.word() == word_of(LATE, deadline, 4)
    desk.award(-7)
    assert desk.word() == word_of(AWARDED, deadline, -7)
    desk.award(1)
    assert desk.word() == word_of(CONFLICT, deadline, 0)
    desk.stage.at(deadline)
    desk.agree(9)
    assert desk.word() == word_of(AGREED, deadline, 9)
    for bring in (desk.late, lambda: desk.award(-7), lambda: desk.agree(-1)):
        assert bring().events == ()
    assert desk.outcome() == (True, 9)


@pytest.mark.parametrize("first", ["late", "award", "agree"])
def test_outcome_never_changes_after_done(desk: Desk, first: str) -> None:
    desk.stage.at(desk.terms.due + 1)
    shift = 4 if first == "late" else 6
    brought = desk.late() if first == "late" else getattr(desk, first)(shift)
    deadline = brought.timestamp + HOUR
    desk.stage.at(deadline + 1)
    for bring in (lambda: desk.award(-7), lambda: desk.agree(-7), desk.late):
        try:
            assert bring().events == ()  # old news is silent
        except ContractReverted as refused:
            assert refused.name == "TooLate"  # noqa: PT017
        assert desk.outcome() == (True, shift)


def test_late_counts_from_the_second_after_due_until_validity(desk: Desk) -> None:
    terms = desk.terms
    desk.stage.at(terms.due)
    with reverts("TooEarly", terms.due, terms.due):
        desk.late()
    desk.stage.at(terms.validity + 1)
    with reverts("TooLate", terms.validity, terms.validity + 1):
        desk.late()
    assert desk.outcome() == (False, 0)


def test_without_a_late_rule_lateness_says_nothing(desk: Desk) -> None:
    plainly = desk.changed(late_shift=0)
    desk.stage.at(desk.terms.due + 1)
    assert plainly.late().events == ()
    assert plainly.word() == 0


@pytest.mark.parametrize("shift", [11, -21])
def test_late_rule_cannot_move_more_than_a_lock(desk: Desk, shift: int) -> None:
    desk.stage.at(desk.terms.due + 1)
    with reverts("ShiftTooLarge", shift):
        desk.changed(late_shift=shift).late()


@pytest.mark.parametrize("way", ["award", "agree"])
def test_first_evidence_counts_until_validity(desk: Desk, way: str) -> None:
    validity = desk.terms.validity
    desk.stage.at(validity + 1)
    with reverts("TooLate", validity, validity + 1):
        getattr(desk, way)(1)
    assert desk.outcome() == (False, 0)


def test_evidence_in_the_last_second_is_done_one_after_the_final_time(desk: Desk) -> None:
    desk.stage.at(desk.terms.validity)
    desk.award(2)
    final = desk.terms.validity + HOUR
    desk.stage.wait_until(final)
    assert desk.outcome() == (False, 0)
    desk.stage.wait_until(final + 1)
    assert desk.outcome() == (True, 2)


def test_nobody_but_the_arbiter_awards(desk: Desk) -> None:
    for wrong in (desk.stage.alice, desk.stage.bob):
        with reverts("WrongSigner", desk.terms.arbiter, wrong.key.address):
            desk.award(1, by=wrong)


def test_award_without_an_arbiter_counts_from_nobody(desk: Desk) -> None:
    nobody = desk.changed(arbiter=bytes(20))
    with reverts("WrongSigner", bytes(20), bytes(20)):
        nobody._bring(0, 1, b"")
    with reverts("WrongSigner", bytes(20), ANY):
        nobody.award(1)


def test_agreement_needs_both_parties(desk: Desk) -> None:
    stage = desk.stage
    with reverts("WrongSigner", desk.terms.alice, ANY):
        desk.agree(1, alice=stage.bob)
    with reverts("WrongSigner", desk.terms.bob, ANY):
        desk.agree(1, bob=stage.alice)
    with reverts("WrongSigner", desk.terms.alice, ANY):
        desk.agree(1, alice=stage.carol, bob=stage.carol)


def test_award_for_one_deal_counts_in_no_other(desk: Desk) -> None:
    other = desk.changed(salt=new_salt())
    signature = other.sign(desk.stage.carol, 1)
    with reverts("WrongSigner", desk.terms.arbiter, ANY):
        desk._bring(0, 1, signature)


def test_terms_that_do_not_fit_are_never_done(desk: Desk) -> None:
    for fields, error in (
        ({"alice_lock": MOST + 1}, "AmountTooLarge"),
        ({"bob_lock": MOST + 1}, "AmountTooLarge"),
        ({"validity": 2**34 - HOUR}, "FinalTimeTooFar"),
    ):
        broken = desk.changed(**fields)
        for bring in (lambda deal=broken: deal.award(1), lambda deal=broken: deal.agree(1)):
            with reverts(error, ANY):
                bring()
        assert broken.word() == 0
    widest = desk.changed(alice_lock=MOST, bob_lock=MOST, validity=2**34 - 1 - HOUR)
    widest.award(-MOST)
    assert widest.word() & 2**112 - 1 == -MOST % 2**112


def test_gas_does_not_differ_by_caller(desk: Desk) -> None:
    stage = desk.stage
    senders, signature = (stage.alice, stage.bob, stage.carol), desk.sign(stage.carol, 1)
    assert len(desk.contract.estimates(senders, "award", desk.terms, 1, signature)) == 1


def test_id_is_the_hash_of_domain_and_terms(desk: Desk) -> None:
    assert desk.contract.ask("dealId", desk.terms) == desk.id
    assert desk.contract.ask("DOMAIN_SEPARATOR") == desk.separator


@pytest.mark.parametrize("form", [3, 2**256 - 1])
def test_unknown_form_is_refused(desk: Desk, form: int) -> None:
    with reverts("UnknownForm", form):
        desk.contract.send(desk.stage.carol, "submit", plain.word(form))


@pytest.mark.parametrize("evidence", [b"", plain.word(0), plain.word(1) + bytes(9), plain.word(2)])
def test_garbage_is_refused(desk: Desk, evidence: bytes) -> None:
    with reverts_without_data():
        desk.contract.send(desk.stage.carol, "submit", evidence)
