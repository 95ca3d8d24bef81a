"""What a node takes up again when it starts, and for how long it remembers what is over."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.effects import OpenBoth, Submit, Watch
from perun.core.inputs import CommandRemove, Restarted
from perun.core.nanocontracts.instances import end_time
from perun.core.state import ChannelView, OpenOffer
from perun.core.step import step
from perun.testing.parties import LIMITS
from perun.testing.stories import add_machine
from perun.types import Open, Signature, UnixTime, Wei
from tests.core.conftest import Pair


def started_with(pair: Pair, **changes: object) -> tuple[ChannelView, tuple[object, ...]]:
    """Alice's channel as her store has it, and what she does first."""
    books = pair.alice.node.books
    view = replace(books.channels[pair.channel], **changes)
    books.load(view)
    return view, step(books, Restarted()).effects


def test_leave_to_draw_that_was_given_before_a_start_is_used_after_it(pair: Pair) -> None:
    until = UnixTime(pair.world.ledger.time + 100)
    given = OpenOffer(
        Open(pair.channel, Wei(1), Wei(2), until), Signature(b"\x01" * 65), ours=False
    )
    _, effects = started_with(pair, opens=(given,))
    sent = [made.transaction for made in effects if isinstance(made, Submit)]
    assert [type(transaction) for transaction in sent] == [OpenBoth]


def test_end_that_is_not_final_is_followed_after_a_start(pair: Pair) -> None:
    """It may be taken back, with the money."""
    head = replace(pair.alice.node.books.channels[pair.channel].head, ended=True)
    view, effects = started_with(pair, head=head)
    assert not view.final.ended
    watched = [made.channel for made in effects if isinstance(made, Watch)]
    assert pair.channel in watched


def test_instance_is_remembered_a_margin_longer_than_it_can_move_anything(pair: Pair) -> None:
    id = add_machine(pair.world, pair.alice, pair.channel, 100, 50, life=1_000)
    pair.alice.do(CommandRemove(id))
    pair.world.settle()
    last = end_time(pair.bob.node.books.instances[id].terms) + LIMITS.margin
    while pair.world.ledger.time < last:
        pair.world.advance(min(50, last - pair.world.ledger.time))
    assert id in pair.bob.node.books.instances
    pair.world.advance(1)
    assert id not in pair.bob.node.books.instances
