"""A turn that never ends is told from outside it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from perun.core.books import Row
from perun.core.inputs import CommandTransfer
from perun.node.stalls import LONG, Stalls, TurnHangs
from perun.store import MemoryStore
from perun.testing.parties import World
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import Wei


class Scripted:
    turning_for = 0.0


def test_it_is_told_after_ten_seconds_twenty_forty_and_anew_in_the_next_turn() -> None:
    node, told = Scripted(), list[TurnHangs]()
    stalls = Stalls(node, told.append)
    for second in (1, 9, 10, 11, 19, 20, 30, 41, 0, 5, 12):
        node.turning_for = float(second)
        stalls.look()
    assert [hangs.seconds for hangs in told] == [10, 20, 41, 12]


def test_node_that_waits_for_its_disk_is_seen_to() -> None:
    class Hanging(MemoryStore):
        asked, answers = threading.Event(), threading.Event()

        def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
            self.asked.set()
            self.answers.wait()
            super().write(rows, drops)

    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    store = Hanging()
    alice.node._store = store
    assert alice.node.turning_for == 0.0
    alice.node.post((CommandTransfer(channel, Wei(1)),))
    turning = threading.Thread(target=alice.node.turn)
    turning.start()
    store.asked.wait()
    told: list[TurnHangs] = []
    since = alice.node._turning_since
    assert since is not None
    alice.node._turning_since = since - LONG
    Stalls(alice.node, told.append).look()
    assert len(told) == 1
    store.answers.set()
    turning.join()
    assert alice.node.turning_for == 0.0
