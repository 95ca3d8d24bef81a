"""A party that was away counts on nothing that its store says of the chain (protocol, section 5).

What happened meanwhile counts, from the first word that a peer says.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from perun.bindings import ms_contract_calls, vpm
from perun.core.notices import PaymentReceived, TransferDone
from perun.core.signing import digest
from perun.core.state import SignedState, Totals
from perun.crypto import sign
from perun.demo.character import Character
from perun.encoding.messages import Message, Pay, Propose, encode
from perun.types import MachineId, Signature, State, Statement, Version, Wei
from tests.support.scene import KEYS, Scene

NOTHING = Signature(b"")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def says(scene: Scene, sender: Character, receiver: Character, message: Message) -> None:
    """Bytes that a node which keeps the rules would not send."""
    receiver.node.receive(sender.peer, [encode(message)])
    scene.settle()


def comes_back(scene: Scene, party: Character) -> None:
    """Its node has restarted, and hears its peers before another round of looking at the chain."""
    party.switch_on()
    scene.settle()


def test_payment_in_a_machine_that_is_decided_does_not_count(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob))
    scene.pay(alice, machine, 10)
    terms = bob.books.instances[machine].machine
    assert terms is not None
    bob.cut_power()
    old = bob.books.totals[machine].received_signature
    wish = vpm.submit_statements(
        scene.deployment.vpm.contract, terms, Wei(10), old, Wei(0), NOTHING
    )
    scene.by_hand(KEYS["alice"], wish)
    scene.block()
    scene.block(at=scene.later(terms.challenge + 1))
    comes_back(scene, bob)

    late = Statement(machine, Wei(1_000))
    signature = sign(digest(scene.deployment, late), KEYS["alice"])
    says(scene, alice, bob, Pay(machine, late.paid, signature))
    assert bob.books.totals[machine].received == 10
    scene.look()
    says(scene, alice, bob, Pay(machine, late.paid, signature))
    assert bob.books.totals[machine].received == 10
    assert [notice.amount for notice in bob.heard(PaymentReceived)] == [10]


def test_state_of_a_channel_in_dispute_is_not_signed(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    view = bob.channel(channel)
    bob.cut_power()
    empty = SignedState(State(channel, Version(0), Wei(0)))
    register = ms_contract_calls.register(
        scene.deployment.contract.contract, view.channel, empty.state, NOTHING, NOTHING, ()
    )
    scene.by_hand(KEYS["alice"], register)
    scene.block()
    comes_back(scene, bob)

    version = Version(max(view.signed, view.seen) + 2)
    state = State(channel, Version(version + version % 2), Wei(1_000))
    signature = sign(digest(scene.deployment, state), KEYS["alice"])
    says(scene, alice, bob, Propose(state, signature, 0))
    assert bob.channel(channel).signed == view.signed
    assert not bob.heard(TransferDone)
    scene.look()
    says(scene, alice, bob, Propose(state, signature, 0))
    assert bob.channel(channel).signed == view.signed


def test_what_has_not_changed_counts_again_after_one_look(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = MachineId(scene.machine(alice, scene.open(alice, bob)))
    scene.pay(alice, machine, 10)
    bob.cut_power()
    scene.block(3)
    comes_back(scene, bob)
    scene.look()
    scene.pay(alice, machine, 5)
    totals = bob.books.totals[machine]
    assert isinstance(totals, Totals)
    assert totals.received == 15
