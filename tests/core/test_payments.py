"""Payments in a machine: what is paid, what is accepted, what is refused [A2, A3, A4, A10, A11]."""

from __future__ import annotations

import pytest

from perun.core.effects import Sign, SignItem
from perun.core.faults import NotAllowedNow, NotEnoughMoney
from perun.core.inputs import (
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandShow,
    CommandTransfer,
    Signed,
)
from perun.core.notices import PaymentDelivered, PaymentReceived, TransferDone
from perun.core.state import LegStatus
from perun.encoding.messages import (
    AnswerState,
    MalformedMessage,
    NotPaid,
    Pay,
    Propose,
    encode,
)
from perun.errors import BadSignature
from perun.testing.parties import Party
from perun.testing.stories import add_machine, instance
from perun.types import MAX_AMOUNT, MachineId, Statement, Wei

from .conftest import Pair


def statement(party: Party, machine: MachineId, paid: int) -> Pay:
    """What a party's key signs, whatever its node would say to that."""
    item = SignItem(party.key.address, Statement(machine, Wei(paid)))
    return Pay(machine, Wei(paid), party.signer.sign_now(Sign((item,)))[0])


def received(party: Party, machine: MachineId) -> int:
    totals = party.node.books.totals.get(machine)
    return totals.received if totals else 0


def offer(pair: Pair, message: Pay) -> str:
    """Alice's statement reaches Bob; why he refuses it, or ''."""
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, message)
    before = len(pair.world.network.said(NotPaid))
    pair.bob.node.turn()
    said = pair.world.network.said(NotPaid)[before:]
    return said[0].reason if said else ""  # type: ignore[attr-defined]


def test_a_lost_statement_is_said_again_on_command(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 100)
    pair.world.network.lose(Pay)
    pair.alice.do(CommandPay(machine, Wei(5)))
    pair.world.settle()
    pair.world.network.lose()
    pair.alice.do(CommandShow(machine))
    pair.world.settle()
    assert pair.bob.node.books.totals[machine].received == 5
    assert pair.alice.told(PaymentDelivered) == [PaymentDelivered(machine, Wei(5))]


def test_payments_go_both_ways_at_once(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.node.post([CommandPay(machine, Wei(7)), CommandPay(machine, Wei(5))])
    pair.bob.node.post([CommandPay(machine, Wei(2))])
    pair.world.settle()

    assert (received(pair.bob, machine), received(pair.alice, machine)) == (12, 2)
    assert [n.amount for n in pair.bob.told(PaymentReceived)] == [7, 5]  # type: ignore[attr-defined]
    assert pair.alice.told(PaymentDelivered)[-1] == PaymentDelivered(machine, Wei(12))


def test_room_grows_with_what_comes_back(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.do(CommandPay(machine, Wei(100)))
    with pytest.raises(NotEnoughMoney):
        pair.alice.do(CommandPay(machine, Wei(1)))
    pair.world.settle()
    pair.bob.do(CommandPay(machine, Wei(30)))
    pair.world.settle()
    pair.alice.do(CommandPay(machine, Wei(30)))
    pair.world.settle()

    assert received(pair.bob, machine) == 130


@pytest.mark.parametrize("amount", [0, -1, True, 1.0])
def test_amount_must_be_a_positive_int(pair: Pair, amount: object) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 0)
    with pytest.raises(NotEnoughMoney):
        pair.alice.do(CommandPay(machine, amount))  # type: ignore[arg-type]


def test_side_without_lock_neither_pays_nor_is_believed(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 0)
    pair.alice.do(CommandPay(machine, Wei(50)))
    pair.world.settle()
    with pytest.raises(NotEnoughMoney):
        pair.bob.do(CommandPay(machine, Wei(1)))
    refund = statement(pair.bob, machine, 10)
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, refund)
    pair.alice.node.turn()

    assert received(pair.alice, machine) == 0


def test_more_than_the_lock_covers_is_refused(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)

    assert "covers" in offer(pair, statement(pair.alice, machine, 101))
    assert offer(pair, statement(pair.alice, machine, 100)) == ""
    assert received(pair.bob, machine) == 100


def test_a3_total_beyond_every_amount_is_no_message(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    greatest = encode(Pay(machine, MAX_AMOUNT, statement(pair.alice, machine, 1).signature))
    above = greatest.replace(MAX_AMOUNT.to_bytes(14, "big"), (MAX_AMOUNT + 1).to_bytes(14, "big"))
    assert above != greatest
    pair.bob.node.receive(pair.alice.peer, (above,))
    pair.bob.node.turn()

    assert [type(error) for _, error in pair.bob.faults] == [MalformedMessage]
    assert "covers" in offer(pair, statement(pair.alice, machine, MAX_AMOUNT))
    assert received(pair.bob, machine) == 0


def test_older_total_is_answered_with_the_newer(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    old = statement(pair.alice, machine, 5)
    offer(pair, statement(pair.alice, machine, 9))

    assert offer(pair, old) == ""
    assert received(pair.bob, machine) == 9


def test_statement_of_another_key_is_left_alone(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    forged = statement(pair.bob, machine, 9)
    offer(pair, forged)

    assert [type(error) for _, error in pair.bob.faults] == [BadSignature]
    assert received(pair.bob, machine) == 0


def test_a4_statement_too_late_to_enforce_is_refused(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50, life=1_000)
    pair.world.advance(960)

    assert "too late" in offer(pair, statement(pair.alice, machine, 9))
    with pytest.raises(NotAllowedNow, match="too late"):
        pair.alice.do(CommandPay(machine, Wei(9)))


def test_a4_statement_in_a_submitted_machine_is_refused(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    terms = instance(pair.alice, machine).machine
    assert terms is not None
    pair.world.submit_totals(terms, 1, 0)
    pair.world.advance()

    assert "submitted" in offer(pair, statement(pair.alice, machine, 9))
    with pytest.raises(NotAllowedNow, match="submitted"):
        pair.alice.do(CommandPay(machine, Wei(9)))


def test_a4_machine_that_was_prepared_is_not_locked(pair: Pair) -> None:
    """The salt holds Bob's half, which nobody knows before he has looked at the chain."""
    pair.world.network.lose(Propose)
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    terms = instance(pair.alice, machine).machine
    assert terms is not None
    pair.world.submit_totals(terms, 1, 0)
    pair.world.network.lose()
    pair.world.advance(20)

    assert instance(pair.bob, machine).legs[0].status is LegStatus.NEW
    full = pair.bob.node.books.channels[pair.channel].agreed
    assert full is not None
    assert full.state.nanos == ()


def test_statement_in_a_disputed_channel_is_refused(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.do(CommandDispute(pair.channel))
    pair.world.advance()

    assert "dispute" in offer(pair, statement(pair.alice, machine, 9))


def test_restarted_node_accepts_nothing_before_it_has_seen_a_block(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.bob.restart()
    pair.bob.node._inbox.clear()

    assert "the chain has not told yet" in offer(pair, statement(pair.alice, machine, 9))
    # A block makes the view fresh, and says nothing of the machine.
    pair.bob.node.post([pair.bob.chain.block()])
    assert "the chain has not told yet" in offer(pair, statement(pair.alice, machine, 9))
    pair.world.advance()
    assert offer(pair, statement(pair.alice, machine, 9)) == ""


def test_restarted_node_signs_no_state_before_the_chain_has_told_of_its_channel(
    pair: Pair,
) -> None:
    pair.bob.restart()
    pair.bob.node._inbox.clear()
    pair.bob.node.post([pair.bob.chain.block()])
    signed = pair.bob.node.books.channels[pair.channel].signed
    pair.alice.do(CommandTransfer(pair.channel, Wei(5)))
    pair.world.settle()

    assert pair.bob.node.books.channels[pair.channel].signed == signed
    pair.world.advance(20)
    assert [notice.amount for notice in pair.bob.told(TransferDone)] == [5]  # type: ignore[attr-defined]


def test_a11_signer_of_a_removal_neither_pays_nor_accepts(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.do(CommandPay(machine, Wei(10)))
    pair.world.settle()
    late = statement(pair.bob, machine, 20)
    pair.world.network.lose(Propose)
    pair.alice.do(CommandRemove(machine))

    assert instance(pair.alice, machine).legs[0].status is LegStatus.REMOVING
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, late)
    pair.alice.node.turn()
    assert received(pair.alice, machine) == 0
    with pytest.raises(NotAllowedNow):
        pair.alice.do(CommandPay(machine, Wei(1)))


def test_a11_removal_with_an_older_total_is_refused_and_the_newer_shown(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.do(CommandPay(machine, Wei(10)))
    pair.world.settle()
    # Bob's payment of 4 is on its way while Alice proposes the removal at (10, 0).
    pair.world.network.lose(Pay)
    pair.bob.do(CommandPay(machine, Wei(4)))
    pair.world.network.lose()
    pair.alice.do(CommandRemove(machine))
    pair.world.settle()

    assert received(pair.alice, machine) == 4
    for party in (pair.alice, pair.bob):
        assert instance(party, machine).legs[0].status is LegStatus.LISTED
    pair.alice.do(CommandRemove(machine))
    pair.world.settle()
    full = pair.bob.node.books.channels[pair.channel].agreed
    assert full is not None
    assert (full.state.net, full.state.nanos) == (6, ())


def test_removal_brings_the_payers_last_statement_along(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.world.network.lose(Pay)
    pair.alice.do(CommandPay(machine, Wei(10)))
    pair.world.network.lose()
    pair.alice.do(CommandRemove(machine))
    pair.world.settle()

    full = pair.bob.node.books.channels[pair.channel].agreed
    assert full is not None
    assert full.state.net == 10
    assert received(pair.bob, machine) == 10


def test_slow_signers_statement_does_not_leave_after_a_removal(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.signer.slow = []
    pair.alice.do(CommandPay(machine, Wei(10)))
    (wish,) = pair.alice.signer.slow
    pair.alice.signer.slow = None
    pair.world.network.lose(Propose, AnswerState)
    pair.alice.do(CommandRemove(machine))
    pair.alice.node.post([Signed(wish, pair.alice.signer.sign_now(wish))])
    pair.world.settle()

    assert received(pair.bob, machine) == 0
    assert not pair.world.network.said(Pay)


def test_statement_left_aside_for_a_removal_is_signed_when_that_comes_to_nothing(
    pair: Pair,
) -> None:
    """Found by the deep simulation: the payment stayed signed and was never paid, for nobody asked
    the signer again. Bob refuses the removal because a payment of his crosses it."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.signer.slow = []
    pair.alice.do(CommandPay(machine, Wei(10)))
    (wish,) = pair.alice.signer.slow
    pair.alice.signer.slow = None
    pair.world.network.held = []
    pair.bob.do(CommandPay(machine, Wei(5)))
    pair.alice.do(CommandRemove(machine))
    pair.alice.node.post([Signed(wish, pair.alice.signer.sign_now(wish))])
    pair.alice.node.turn()
    assert instance(pair.alice, machine).legs[0].status is LegStatus.REMOVING
    assert pair.alice.node.books.totals[machine].sent == 0
    pair.world.network.release()
    pair.world.settle()

    assert instance(pair.alice, machine).legs[0].status is LegStatus.LISTED
    assert received(pair.bob, machine) == 10
