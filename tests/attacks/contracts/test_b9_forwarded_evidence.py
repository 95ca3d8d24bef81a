"""B9: a register made to fail, or its evidence made to vanish."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

from populus.exceptions import ContractReverted
from tests.support.channels import BasicChannel
from tests.support.instances import lock_id, new_lock, new_machine, new_nano, reveal_evidence
from tests.support.reverts import reverts


@pytest.mark.parametrize("ahead", [(9, 0), (12, 0), (9, 3), (12, 8)])
def test_same_statement_submitted_first_does_not_fail_the_register(
    funded: BasicChannel, ahead: tuple[int, int]
) -> None:
    """Also with higher totals: old news is no error."""
    stage = funded.stage
    machine = new_machine(stage)
    machine.submit(stage.mallory, *ahead)
    receipt = funded.register(
        stage.bob, 2, 0, (machine.nano(),), evidence=(machine.evidence(9, 3),)
    )
    assert receipt.count("EvidenceFailed") == 0
    assert machine.totals()[:2] == (max(9, ahead[0]), max(3, ahead[1]))


def test_submission_that_is_over_does_not_fail_the_register(funded: BasicChannel) -> None:
    stage = funded.stage
    machine = new_machine(stage, challenge=60)
    deadline = machine.submit(stage.mallory, 1).timestamp + 60
    stage.at(deadline + 1)
    receipt = funded.register(stage.bob, 2, 0, (machine.nano(),), evidence=(machine.evidence(9),))
    assert receipt.only("EvidenceFailed") == {"id": funded.id, "index": 0}
    assert funded.dispute().version == 2


def test_secret_revealed_first_does_not_fail_the_register(funded: BasicChannel) -> None:
    stage, preimage = funded.stage, b"\x07" * 32
    lock = new_lock(stage, 4, preimage)
    nano = new_nano(stage.locks, lock_id(stage, lock), 4, 0, lock.deadline)
    stage.locks.send(stage.mallory, "reveal", lock, preimage)
    receipt = funded.register(stage.bob, 2, 0, (nano,), evidence=(reveal_evidence(lock, preimage),))
    assert receipt.count("EvidenceFailed") == 0


def test_no_gas_limit_registers_without_the_evidence(funded: BasicChannel) -> None:
    """Gas estimators look for exactly that limit."""
    stage = funded.stage
    machine = new_machine(stage)
    signatures = funded.state(2, 0, (machine.nano(),))
    evidence = (machine.evidence(9, 3),)
    succeeded = 0
    for gas in range(60_000, 260_000, 7_000):
        with stage.chain.isolated():
            try:
                funded.register(stage.bob, 2, 0, (machine.nano(),), signatures, evidence, gas=gas)
            except ContractReverted:
                assert not funded.holdings().disputed
                continue
            assert machine.totals()[:2] == (9, 3), f"evidence vanished at {gas}"
            succeeded += 1
    assert succeeded > 0


def test_callee_that_gives_up_early_does_not_beat_the_check(funded: BasicChannel) -> None:
    """It reverts at once if it is left less than it wants, which leaves much gas afterwards."""
    stage = funded.stage
    thrifty = stage.deploy("ThriftyNanocontract", 290_000)
    nanos = (new_nano(thrifty, 1),)
    signatures = funded.state(2, 0, nanos)
    for gas in (200_000, 280_000, 340_000):
        with reverts("NotEnoughGas", ANY, 300_000):
            funded.register(stage.bob, 2, 0, nanos, signatures, (b"evidence",), gas=gas)
    receipt = funded.register(stage.bob, 2, 0, nanos, signatures, (b"evidence",), gas=500_000)
    assert receipt.count("Heard") == 1


def test_nanocontract_sees_the_contract_as_sender(funded: BasicChannel) -> None:
    """So whoever sends a register gives no power of its own to evidence."""
    stage = funded.stage
    liar = stage.deploy("LiarNanocontract")
    receipt = funded.register(stage.bob, 2, 0, (new_nano(liar, 1),), evidence=(b"x",))
    assert receipt.only("Heard") == {"evidence": b"x", "sender": stage.ms.address}
