"""What a channel is said to be worth, once nobody can change it any more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.chain_view import Dispute
from perun.core.inputs import CommandTransfer
from perun.node.owed import owed_by
from perun.types import UnixTime, Version, Wei
from tests.support.scene import ETHER, Scene


@pytest.mark.parametrize(("late", "owed"), [(0, 0), (1, ETHER)])
def test_newer_state_counts_only_until_the_deadline(scene: Scene, late: int, owed: int) -> None:
    """What was decided over our newer state is said and fetched, even where ours leaves nothing."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(ETHER)))
    scene.settle()
    books = alice.books
    view = books.channels[channel]
    deadline = UnixTime(books.chain.head_time - late)
    stale = replace(view.head, dispute=Dispute(Version(0), Wei(0), (), deadline))
    books.channels[channel] = replace(view, head=stale)
    assert [one.amount for one in owed_by(books)] == ([owed] if owed else [])
