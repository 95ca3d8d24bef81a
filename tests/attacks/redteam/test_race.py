"""No race (property 10): whatever is mined first, an answer to a dispute goes through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from perun.types import ETH
from populus.exceptions import ContractReverted
from tests.support.channels import BasicChannel, new_channel, sorted_nanos
from tests.support.instances import (
    PaymentMachine,
    lock_id,
    new_lock,
    new_machine,
    new_nano,
    reveal_evidence,
)
from tests.support.stage import FOREVER, HOUR, MOST, Stage

Attack = Callable[["Scene"], object]
PREIMAGE = b"\x05" * 32
ANSWER_GAS = 2 * 300_000 * 64 // 63 + 40_000 + 250_000
"""Section 5, Gas: both calls may fail; the rest of the transaction on top."""


class Scene:
    """Mallory has registered v2; Alice's tower is about to answer with v9 and evidence for both."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.mallory, self.alice = stage.mallory, stage.alice
        self.channel: BasicChannel = new_channel(stage, bob=stage.mallory).fund(20, 20)
        self.machine: PaymentMachine = new_machine(stage, bob=stage.mallory)
        self.lock = new_lock(stage, 3, PREIMAGE)
        locked = new_nano(stage.locks, lock_id(stage, self.lock), 3, 0, self.lock.deadline)
        self.nanos = sorted_nanos(self.machine.nano(), locked)
        self.signed = self.channel.state(9, net=4, nanos=self.nanos)
        self.evidence = tuple(
            self.machine.evidence(2, 7)
            if nano.app == stage.vpm.address
            else reveal_evidence(self.lock, PREIMAGE)
            for nano in self.nanos
        )
        self.channel.register(self.mallory, 2, net=8)

    def register(self, version: int, **more: object) -> None:
        """By Mallory."""
        self.channel.register(self.mallory, version, **more)  # type: ignore[arg-type]

    def tell(self, *evidence: bytes) -> None:
        """Evidence with a version that is not higher, over garbage."""
        self.channel.register(
            self.stage.carol, 0, 77, self.nanos, signatures=(b"x", b"y"), evidence=evidence
        )


ATTACKS: dict[str, Attack] = {
    "a stale state": lambda s: s.register(1),
    "many stale states": lambda s: [s.register(v, net=-v) for v in range(3, 9)],
    "the same state without evidence": lambda s: s.register(
        9, net=4, nanos=s.nanos, signatures=s.signed
    ),
    "the same state with the same evidence": lambda s: s.register(
        9, net=4, nanos=s.nanos, signatures=s.signed, evidence=s.evidence
    ),
    "the evidence alone": lambda s: s.tell(*s.evidence),
    "garbage evidence": lambda s: s.tell(*(b"\xff" * 400 for _ in s.nanos)),
    "a higher state that is signed": lambda s: s.register(10, net=4, nanos=s.nanos),
    "the highest state that is signed": lambda s: s.register(2**48 - 1, net=4, nanos=s.nanos),
    "an older total of hers": lambda s: s.machine.submit(s.mallory, by_alice=1),
    "a higher total of his own": lambda s: s.machine.submit(s.mallory, by_bob=10),
    "his greatest total": lambda s: s.machine.submit(s.mallory, by_bob=MOST),
    "both totals": lambda s: s.machine.submit(s.mallory, 2, 7),
    "the preimage": lambda s: s.stage.locks.send(s.mallory, "reveal", s.lock, PREIMAGE),
    "a deposit": lambda s: s.stage.ms.send(
        s.mallory, "deposit", ETH, s.channel.id, True, 1, FOREVER, value=1
    ),
    "an opening": lambda s: s.stage.ms.send(
        s.mallory, "open", s.channel.terms, 1, FOREVER, value=1
    ),
    "a settlement": lambda s: s.channel.settle(s.mallory, net=8),
    "a batch": lambda s: s.stage.ms.send(s.mallory, "settleMany", ((s.channel.terms, 8, ()),) * 3),
    "an offer that was never signed": lambda s: s.channel.close(
        s.mallory, 20, signatures=(b"\1" * 65, b"")
    ),
}


@pytest.mark.parametrize("last_second", [False, True], ids=["", "last-second"])
@pytest.mark.parametrize("name", ATTACKS)
def test_answer_goes_through(stage: Stage, name: str, last_second: bool) -> None:
    scene = Scene(stage)
    if last_second:  # the attack one second, the answer in the last one
        stage.at(scene.channel.dispute().deadline - 1 - 6 * (name == "many stale states"))
    with suppress(ContractReverted):  # refused attacks are mined all the same
        ATTACKS[name](scene)
    if last_second:
        stage.at(scene.channel.dispute().deadline)

    receipt = scene.channel.register(
        stage.carol, 9, 4, scene.nanos, scene.signed, scene.evidence, gas=ANSWER_GAS
    )

    assert receipt.count("EvidenceFailed") == 0
    assert scene.channel.dispute().version >= 9
    by_alice, by_bob, _ = scene.machine.totals()
    assert (by_alice, by_bob >= 7) == (2, True)
    assert stage.locks.ask("outcome", lock_id(stage, scene.lock)) == (True, 3)


def test_nobody_moves_the_deadline(stage: Stage) -> None:
    scene = Scene(stage)
    deadline = scene.channel.dispute().deadline
    for version in (3, 3, 2, 9, 11, 0):
        scene.register(version)
        assert scene.channel.dispute().deadline == deadline
    stage.at(deadline + 1)
    with pytest.raises(ContractReverted, match="TooLate"):
        scene.register(12)


def test_submission_cannot_be_started_to_shut_others_out(stage: Stage) -> None:
    """The machine's own clock: started early or late, it leaves a whole challenge."""
    machine = new_machine(stage, bob=stage.mallory, validity=stage.now + 50)
    stage.at(machine.terms.validity)
    machine.submit(stage.mallory, by_alice=1)
    stage.at(machine.terms.validity + HOUR)
    machine.submit(stage.carol, by_alice=2, by_bob=9)
    assert machine.outcome() == (False, 0)
    stage.wait_until(machine.terms.validity + HOUR + 1)
    assert machine.outcome() == (True, -7)
    machine.submit(stage.mallory, by_alice=2)  # old news, even now no error
    with pytest.raises(ContractReverted, match="TooLate"):
        machine.submit(stage.mallory, by_alice=10)
    assert machine.outcome() == (True, -7)


def test_one_way_machine_only_rises(stage: Stage) -> None:
    machine = new_machine(stage, alice_lock=10, bob_lock=0, bob=stage.mallory)
    machine.submit(stage.carol, by_alice=6, by_bob=10)
    machine.submit(stage.mallory, by_bob=MOST)
    assert machine.totals()[:2] == (6, 0)
    never = new_machine(stage, alice_lock=0, bob_lock=0)
    never.submit(stage.mallory, MOST, MOST)
    assert never.totals() == (0, 0, 0)
