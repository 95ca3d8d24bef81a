"""P9: what somebody can make an honest party pay in gas, on the real bytecode.

Each test is a row of the table in `docs/security.md`. Gas is compared with `perun.chain.costs`, by
which nodes refuse what is not worth it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from perun.bindings import ms_contract_calls, vpm
from perun.bindings.calls import Call
from perun.chain import costs
from perun.core.inputs import CommandDispute, CommandPay, CommandTransfer
from perun.core.state import SignedState, Totals
from perun.demo.character import Character
from perun.demo.moves import has_ended
from perun.testing.pool import PooledTransaction
from perun.types import ETH, ChannelId, MachineId, Signature, UnixTime, Wei
from tests.support.scene import KEYS, Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


class Duel:
    """Alice keeps the rules; Bob's node is off, and he sends what he likes."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.alice, self.bob = scene.enter("alice"), scene.enter("bob")
        self.channel: ChannelId = scene.open(self.alice, self.bob)
        self._paid = 0

    def agreed(self) -> SignedState:
        """Bob's newest state."""
        agreed = self.bob.channel(self.channel).agreed
        assert agreed is not None
        return agreed

    def begin(self) -> None:
        """From now on Bob is alone with what he has collected, and Alice's gas counts."""
        self.bob.cut_power()
        self.scene.block(3)
        self._paid = len(self.alice.transactions)

    def bobs(self, call: Call) -> PooledTransaction:
        """A transaction of his in the pool."""
        before = set(self.scene.chain.pool)
        self.scene.by_hand(KEYS["bob"], call)
        (name,) = set(self.scene.chain.pool) - before
        return self.scene.chain.pool[name]

    def alone(self, transactions: Sequence[PooledTransaction]) -> None:
        """A block that has these, and leaves whatever Alice sends in the pool."""
        self.scene.chain.mine(transactions)
        self.scene.look()

    def register(self, state: SignedState, evidence: Sequence[bytes] = ()) -> Call:
        return ms_contract_calls.register(
            self.scene.deployment.contract.contract,
            self.alice.channel(self.channel).channel,
            state.state,
            state.peer,
            state.own,
            evidence,
        )

    def mined(self) -> Counter[str]:
        """Alice's transactions since the beginning, by kind."""
        return Counter(paid.kind for paid in self.alice.transactions[self._paid :])

    def gas(self, kind: str) -> int:
        """The dearest of a kind."""
        paid = self.alice.transactions[self._paid :]
        return max(item.gas_used for item in paid if item.kind == kind)

    def finish(self) -> None:
        """Until the channel has ended and all that Alice sent is final."""
        scene, alice = self.scene, self.alice
        dispute = alice.channel(self.channel).head.dispute
        assert dispute is not None
        if scene.chain.now <= dispute.deadline:
            scene.block(at=UnixTime(dispute.deadline + 1))
        scene.block(3)
        left = alice.channel(self.channel).head.dispute
        if left is not None:
            scene.block(at=UnixTime(max(nano.expiry for nano in left.nanos) + 1))
        scene.until(lambda: has_ended(alice, self.channel) and alice.chain.submitter.idle)


def test_any_number_of_stale_registrations_cost_one_answer(scene: Scene) -> None:
    duel = Duel(scene)
    old = []
    for _ in range(6):
        duel.alice.do(CommandTransfer(duel.channel, Wei(100)))
        scene.settle()
        old.append(duel.agreed())
    newest = old.pop()
    duel.begin()

    # A newer old state in every block, and each time in front of Alice's answer.
    for state in old:
        duel.alone([duel.bobs(duel.register(state))])
    scene.block(2)
    dispute = duel.alice.channel(duel.channel).head.dispute
    assert dispute is not None
    assert dispute.version == newest.state.version
    duel.finish()

    assert duel.mined() == {"Register": 1, "Settle": 1}
    assert duel.gas("Register") <= costs.register_gas(0)
    assert duel.gas("Settle") <= costs.settle_gas(0)


def test_any_number_of_submissions_cost_one_answer(scene: Scene) -> None:
    duel = Duel(scene)
    machine = scene.machine(duel.alice, duel.channel)
    held: list[Totals] = []
    for _ in range(5):
        duel.alice.do(CommandPay(machine, Wei(10)))
        duel.bob.do(CommandPay(machine, Wei(20)))
        scene.settle()
        held.append(duel.bob.books.totals[machine])
    duel.begin()

    # A statement at a time, the next one in front of whatever Alice says to the last.
    for totals in held:
        duel.alone([duel.bobs(submission(duel, machine, totals))])
    scene.block(3)
    on = duel.alice.books.instances[machine].head
    assert (on.paid_by_alice, on.paid_by_bob) == (50, 100)
    assert duel.mined() == {"SubmitEvidence": 1}
    assert duel.gas("SubmitEvidence") <= costs.SUBMIT_GAS


def submission(duel: Duel, machine: MachineId, totals: Totals) -> Call:
    terms = duel.alice.books.instances[machine].machine
    assert terms is not None
    signature = totals.received_signature
    return vpm.submit_statements(
        duel.scene.deployment.vpm.contract,
        terms,
        totals.received,
        signature,
        Wei(0),
        Signature(b""),
    )


@pytest.mark.parametrize("machines", [0, 3])
def test_leaving_a_silent_peer_costs_what_the_node_reckons_with(
    scene: Scene, machines: int
) -> None:
    duel = Duel(scene)
    for _ in range(machines):
        machine = scene.machine(duel.alice, duel.channel, lock=10**15)
        scene.pay(duel.bob, machine, 10)
    duel.begin()
    duel.alice.do(CommandDispute(duel.channel))
    scene.until(lambda: duel.alice.channel(duel.channel).head.dispute is not None)
    duel.finish()

    # Statements travel with the register, and are over when it is: nothing is sent beside it.
    assert duel.mined() == {"Register": 1, "Settle": 1}
    gas = duel.gas("Register") + duel.gas("Settle")
    assert gas <= costs.leaving_gas(machines, machines)


def test_evidence_that_means_nothing_costs_nobody_else_anything(scene: Scene) -> None:
    duel = Duel(scene)
    machine = scene.machine(duel.alice, duel.channel, lock=10**15)
    newest = duel.agreed()
    duel.begin()
    duel.bobs(duel.register(newest, [b"\x01" * 1_000]))
    scene.block(4)
    dispute = duel.alice.channel(duel.channel).head.dispute
    assert dispute is not None
    assert duel.alice.books.instances[machine].head is None
    assert duel.mined() == {}


def test_deposits_of_strangers_cost_no_transaction_and_no_row(scene: Scene) -> None:
    duel = Duel(scene)
    duel.begin()
    before = rows(duel.alice)
    contract = scene.deployment.contract.contract
    for _ in range(5):
        soon = scene.later(300)
        for to_bob in (False, True):
            duel.bobs(
                ms_contract_calls.deposit(contract, ETH, duel.channel, Wei(1), soon, to_bob=to_bob)
            )
        scene.block()
    scene.block(3)
    final = duel.alice.channel(duel.channel).final
    assert (final.alice, final.bob) == (10**18 + 5, 10**18 + 5)
    assert duel.mined() == {}
    assert rows(duel.alice) == before


def rows(party: Character) -> int:
    books = party.books
    return len(books.channels) + len(books.instances) + len(books.totals) + len(books.invitations)
