"""`submit`: the same as `submitStatements`, out of bytes that anybody may have made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.testing.owners import Owner
from populus.exceptions import ContractReverted
from tests.support import plain
from tests.support.contracts import Receipt
from tests.support.instances import PaymentMachine, new_machine
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, Stage

NOBODY = bytes(20)
LEAST = 11 * 32  # the machine, two totals, two offsets
SIGNATURE_HEADS = {"Alice's": 8, "Bob's": 10}  # words with the offsets


def submit(stage: Stage, evidence: bytes) -> Receipt:
    return stage.vpm.send(stage.carol, "submit", evidence)


def with_word(evidence: bytes, index: int, value: int) -> bytes:
    return evidence[: 32 * index] + plain.word(value) + evidence[32 * (index + 1) :]


def test_submit_takes_the_encoding_of_submit_statements(machine: PaymentMachine) -> None:
    receipt = submit(machine.stage, machine.evidence(7, 4))
    deadline = receipt.timestamp + HOUR
    assert machine.totals() == (7, 4, deadline)
    totals = {"paidByAlice": 7, "paidByBob": 4, "deadline": deadline}
    assert receipt.events == (("Submitted", {"id": machine.id, **totals}),)


def test_one_side_may_have_nothing_to_show(machine: PaymentMachine) -> None:
    submit(machine.stage, machine.evidence(0, 4))
    assert machine.totals()[:2] == (0, 4)


@pytest.mark.parametrize("length", [0, 1, 32, LEAST - 1])
def test_evidence_shorter_than_its_head_is_refused(machine: PaymentMachine, length: int) -> None:
    with reverts("MalformedEvidence", length):
        submit(machine.stage, machine.evidence(7, 4)[:length])


def test_evidence_cut_off_anywhere_is_refused(machine: PaymentMachine) -> None:
    """Only the padding behind the last signature may be missing."""
    evidence = machine.evidence(7, 4)
    needed = len(evidence) - 31  # 65 bytes fill two words and one byte of a third
    for length in range(LEAST, needed, 13):
        with reverts("MalformedEvidence", length):
            machine.stage.vpm.ask("submit", evidence[:length])
    submit(machine.stage, evidence[:needed])
    assert machine.totals()[:2] == (7, 4)


@pytest.mark.parametrize("head", SIGNATURE_HEADS.values(), ids=SIGNATURE_HEADS)
@pytest.mark.parametrize("offset", ["behind the end", "at the end", "2**64", "2**255", "all ones"])
def test_signature_outside_the_evidence_is_refused(
    machine: PaymentMachine, head: int, offset: str
) -> None:
    evidence = machine.evidence(7, 4)
    places = {
        "behind the end": len(evidence) - 31,
        "at the end": len(evidence),
        "2**64": 2**64,
        "2**255": 2**255,
        "all ones": 2**256 - 1,
    }
    with reverts("MalformedEvidence", len(evidence)):
        submit(machine.stage, with_word(evidence, head, places[offset]))


@pytest.mark.parametrize("length", [2**64, 2**255, 2**256 - 1, 2**256 - 32])
@pytest.mark.parametrize("side", SIGNATURE_HEADS)
def test_signature_longer_than_the_evidence_is_refused(
    machine: PaymentMachine, side: str, length: int
) -> None:
    evidence = machine.evidence(7, 4)
    head = SIGNATURE_HEADS[side]
    start = int.from_bytes(evidence[32 * head : 32 * head + 32], "big")
    with reverts("MalformedEvidence", len(evidence)):
        submit(machine.stage, with_word(evidence, start // 32, length))


def test_signatures_may_lie_anywhere_inside(machine: PaymentMachine) -> None:
    """Odd places and a shared one: what counts is what stands there."""
    by_alice = machine.statements(7)[1]
    head = machine.evidence(7)[:LEAST]
    evidence = with_word(head, 8, LEAST + 5) + b"-odd-" + plain.word(65) + by_alice
    submit(machine.stage, with_word(evidence, 10, LEAST + 5))
    assert machine.totals()[:2] == (7, 0)


def test_length_word_may_be_the_last_word(machine: PaymentMachine) -> None:
    evidence = machine.evidence(7)[: LEAST + 32]
    with reverts("MalformedEvidence", len(evidence)):  # 65 bytes are promised
        submit(machine.stage, evidence)
    with reverts("WrongSigner", machine.alice.key.address, NOBODY):  # none are
        submit(machine.stage, with_word(with_word(evidence, 11, 0), 10, LEAST))


@pytest.mark.parametrize("head", [7, 9])
@pytest.mark.parametrize("paid", [2**111, 2**112 + 7, 2**255, 2**256 - 1])
def test_total_out_of_range_is_refused(machine: PaymentMachine, head: int, paid: int) -> None:
    """No high bit is cut off."""
    with reverts("TotalTooLarge", paid):
        submit(machine.stage, with_word(machine.evidence(7, 4), head, paid))


@pytest.mark.parametrize(("field", "bits"), enumerate((160, 160, 112, 112, 40, 32)))
def test_machine_out_of_its_types_is_refused(
    machine: PaymentMachine, field: int, bits: int
) -> None:
    evidence = machine.evidence(7, 4)
    value = int.from_bytes(evidence[32 * field : 32 * field + 32], "big")
    for dirty in (value | 1 << bits, value | 1 << 255):
        with reverts_without_data():
            submit(machine.stage, with_word(evidence, field, dirty))


@given(evidence=st.binary(max_size=800))
def test_garbage_is_refused(stage: Stage, evidence: bytes) -> None:
    with pytest.raises(ContractReverted):
        stage.vpm.ask("submit", evidence)


@given(index=st.integers(0, 17), value=st.integers(0, 2**256 - 1))
def test_changed_word_is_refused_or_means_the_same(stage: Stage, index: int, value: int) -> None:
    """Records nothing that the payers have not signed, whatever word is changed."""
    machine = new_machine(stage)
    changed = with_word(machine.evidence(7, 4), index, value)
    with stage.chain.isolated():
        try:
            submit(stage, changed)
        except ContractReverted:
            return
        assert machine.totals()[:2] in {(0, 0), (7, 0), (0, 4), (7, 4)}


def test_errors_are_those_of_submit_statements(machine: PaymentMachine, carol: Owner) -> None:
    wrong = machine.changed(alice=carol.key.address)
    with reverts("WrongSigner", carol.key.address, machine.alice.key.address):
        submit(machine.stage, wrong.evidence(7))
    machine.stage.at(machine.terms.validity + 1)
    with reverts("TooLate", machine.terms.validity, machine.terms.validity + 1):
        submit(machine.stage, machine.evidence(7))
