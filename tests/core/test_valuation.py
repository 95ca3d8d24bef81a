"""What is ours: in all, at the worst, alone, and payable by a settle in the next block."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.inputs import CommandDispute, CommandPay, CommandTransfer
from perun.core.states.valuation import Balance, alone, balance, payable
from perun.testing.stories import add_machine
from perun.types import Wei

from .conftest import Pair


def test_what_we_were_paid_is_ours_and_what_we_paid_is_gone(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.alice.do(CommandPay(machine, Wei(30)))
    pair.world.settle()

    alice, bob = pair.alice.node.books, pair.bob.node.books
    before = {books: alone(books, books.channels[pair.channel]) for books in (alice, bob)}
    ours = balance(alice, alice.channels[pair.channel])
    theirs = balance(bob, bob.channels[pair.channel])
    assert (ours.locked, theirs.locked) == (300 - 30, 200 + 30)
    assert ours == Balance(ours.free, ours.locked, Wei(ours.free + ours.locked))
    assert before == {alice: ours.guaranteed, bob: theirs.guaranteed}


def test_proposal_without_an_answer_counts_in_the_worst_only(pair: Pair) -> None:
    pair.world.network.leave(pair.bob.peer)
    books = pair.alice.node.books
    before = balance(books, books.channels[pair.channel])
    pair.alice.do(CommandTransfer(pair.channel, Wei(7)))
    after = balance(books, books.channels[pair.channel])
    assert after == Balance(before.free, before.locked, Wei(before.guaranteed - 7))
    assert alone(books, books.channels[pair.channel]) == before.free


@pytest.mark.parametrize(("side", "ours"), [("alice", 700 + 50), ("bob", 50)])
def test_what_the_newest_block_shows_of_one_side_counts_alone_before_it_is_final(
    pair: Pair, side: str, ours: int
) -> None:
    pair.bob.do(CommandTransfer(pair.channel, Wei(50)))
    pair.world.settle()
    books = pair.alice.node.books
    view = books.channels[pair.channel]
    empty = replace(view.head, alice=Wei(0), bob=Wei(0))
    view = replace(view, head=replace(empty, **{side: Wei(700)}), final=empty)
    assert alone(books, view) == ours


def test_what_is_payable_in_the_end_is_what_was_said_to_come_alone(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.alice.do(CommandPay(machine, Wei(30)))
    pair.world.settle()
    books = pair.bob.node.books
    said = alone(books, books.channels[pair.channel])
    pair.world.network.leave(pair.alice.peer)
    pair.bob.do(CommandDispute(pair.channel))
    assert payable(Draft(books), books.channels[pair.channel]) == 0
    paid = 0
    for _ in range(400):
        paid = max(paid, payable(Draft(books), books.channels[pair.channel]))
        if books.channels[pair.channel].final.ended:
            break
        pair.world.advance(60)
    assert books.channels[pair.channel].final.ended
    assert pair.world.ledger.paid[pair.bob.account.address] == said
    assert 0 < paid <= said
