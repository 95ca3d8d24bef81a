"""Leaving through the chain: register, answer, submit, settle, alone against everybody."""

from __future__ import annotations

import pytest

from perun.core.effects import Settle, SubmitEvidence
from perun.core.faults import NotAllowedNow
from perun.core.inputs import (
    CommandDispute,
    CommandPay,
    CommandTransfer,
)
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.core.notices import ChannelDisputed, ChannelEnded
from perun.core.states.valuation import balance
from perun.crypto.hashing import keccak
from perun.encoding.messages import AnswerState, Propose
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, SECRET, add_lock, add_machine, open_channel
from perun.types import State, Version, Wei

from .conftest import Pair, Trio


def paid(world: World, party: Party) -> int:
    return world.ledger.paid.get(party.account.address, 0)


def mined(world: World, kind: type) -> int:
    return sum(isinstance(transaction, kind) for transaction in world.ledger.log)


def transfer(pair: Pair, amount: int) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(amount)))
    pair.world.settle()


def register_old(pair: Pair, version: int, net: int) -> None:
    """Bob registers a state that was fully signed once."""
    channel = pair.bob.channel(pair.alice).channel
    stale = State(pair.channel, Version(version), Wei(net))
    assert pair.world.register(channel, stale, pair.bob.account.address)


def test_deposit_comes_back_from_somebody_who_never_answers(pair: Pair) -> None:
    pair.alice.do(CommandDispute(pair.channel))
    pair.world.network.leave(pair.bob.peer)
    for _ in range(60):
        pair.world.ledger.advance()
        pair.alice.node.turn()

    assert paid(pair.world, pair.alice) == 1_000


def test_old_state_is_answered_with_the_newest(pair: Pair) -> None:
    transfer(pair, 100)
    transfer(pair, 200)
    register_old(pair, 2, 100)
    # It is Alice's loss to be at the newer state, so Bob could only win; the other way round:
    pair.world.advance()
    dispute = pair.alice.channel(pair.bob).head.dispute
    assert dispute is not None
    assert pair.alice.told(ChannelDisputed)[0].own_version == 4  # type: ignore[attr-defined]
    assert dispute.version == 2
    pair.world.advance()
    head = pair.alice.channel(pair.bob).head.dispute
    assert head is not None
    assert (head.version, head.net) == (4, 300)
    pair.world.until(lambda: bool(pair.alice.told(ChannelEnded)))
    assert (paid(pair.world, pair.alice), paid(pair.world, pair.bob)) == (700, 1_300)


def test_answer_is_asked_for_again_until_the_chain_has_it(pair: Pair) -> None:
    transfer(pair, 100)
    register_old(pair, 0, 0)
    pair.bob.chain.mining = False
    pair.alice.chain.mining = False
    pair.world.advance()
    assert any(key.startswith(b"r") for key in pair.bob.chain.pool)
    pair.bob.chain.pool.clear()
    pair.world.advance()
    assert any(key.startswith(b"r") for key in pair.bob.chain.pool)


def test_nothing_is_signed_in_a_disputed_channel(pair: Pair) -> None:
    transfer(pair, 100)
    pair.alice.do(CommandDispute(pair.channel))
    pair.world.advance()
    for party in (pair.alice, pair.bob):
        with pytest.raises(NotAllowedNow):
            party.do(CommandTransfer(pair.channel, Wei(1)))


def test_statement_is_submitted_a_margin_before_the_end(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200, life=1_000)
    pair.alice.do(CommandPay(machine, Wei(30)))
    pair.world.settle()
    pair.world.network.leave(pair.alice.peer)
    pair.world.advance(930)
    pair.world.advance(9)
    assert mined(pair.world, SubmitEvidence) == 0
    pair.world.advance(12)
    pair.world.advance(12)

    assert pair.world.ledger.instances[machine].paid_by_alice == 30


def test_older_submission_is_answered_with_the_higher_total(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.alice.do(CommandPay(machine, Wei(30)))
    pair.world.settle()
    terms = pair.alice.node.books.instances[machine].machine
    assert terms is not None
    pair.world.submit_totals(terms, 10, 0)
    pair.world.advance()
    pair.world.advance()

    assert pair.world.ledger.instances[machine].paid_by_alice == 30


def test_dispute_pays_free_money_at_once_and_machines_later(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.alice.do(CommandPay(machine, Wei(30)))
    pair.world.settle()
    expected = [
        balance(p.node.books, p.node.books.channels[pair.channel]).guaranteed
        for p in (pair.alice, pair.bob)
    ]
    pair.alice.do(CommandDispute(pair.channel))
    pair.world.until(lambda: paid(pair.world, pair.alice) > 0)
    assert mined(pair.world, Settle) >= 1
    pair.world.until(lambda: bool(pair.bob.told(ChannelEnded)))

    assert [paid(pair.world, pair.alice), paid(pair.world, pair.bob)] == expected == [970, 1_030]


def test_unresolved_proposal_that_the_peer_registers_is_recognised(pair: Pair) -> None:
    transfer(pair, 50)
    pair.world.network.lose(AnswerState, Propose)
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    register_old(pair, 4, 150)
    pair.world.advance()
    pair.world.advance()

    full = pair.alice.channel(pair.bob).agreed
    assert full is not None
    assert (full.state.version, full.state.net) == (4, 150)
    assert not pair.alice.node.books.exit_only


def test_registered_state_that_we_do_not_know_makes_the_store_exit_only(pair: Pair) -> None:
    transfer(pair, 50)
    register_old(pair, 6, 10)
    pair.world.advance()

    assert pair.alice.node.books.exit_only


def test_unfinal_dispute_is_a_danger_and_no_news(pair: Pair) -> None:
    world = World(lag=3)
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance(blocks=4)
    channel = open_channel(world, alice, bob, 100, 100)
    alice.do(CommandTransfer(channel, Wei(10)))
    world.settle()
    register_old(Pair(world, alice, bob, channel), 6, 3)
    world.advance()

    assert alice.channel(bob).head.dispute is not None
    assert not alice.node.books.exit_only


def test_hash_lock_is_revealed_on_chain_when_the_payer_is_gone(pair: Pair) -> None:
    lock = add_lock(pair.world, pair.alice, pair.channel, 70, keccak(SECRET), life=1_000)
    pair.world.network.leave(pair.alice.peer)
    pair.bob.do(CommandReveal(lock, SECRET))
    for _ in range(100):
        pair.world.ledger.advance()
        pair.bob.node.turn()

    assert mined(pair.world, SubmitEvidence) == 1
    assert pair.world.ledger.instances[lock].preimage == SECRET


def test_virtual_channel_pays_the_same_in_both_channels_by_the_chain_alone(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    trio.world.network.rule = lambda _letter: ()
    trio.alice.do(CommandDispute(trio.left))
    trio.bob.do(CommandDispute(trio.right))
    trio.world.until(lambda: len(trio.ingrid.told(ChannelEnded)) == 2, step=60)

    shares = [paid(trio.world, p) for p in (trio.alice, trio.bob, trio.ingrid)]
    assert shares == [960, 1_040, 2_000]
