"""What waits for a node is bounded, each peer's apart and all together."""

from __future__ import annotations

import pytest

from perun.node import inbox as module
from perun.node.inbox import MOST_IN_ALL, MOST_OF_A_PEER, Inbox, TooMuch
from perun.testing.parties import World

MEGABYTE = (bytes(1 << 20),)


def peer(number: int) -> bytes:
    return bytes((2,)) + number.to_bytes(32, "big")


def test_peer_that_does_not_wait_loses_its_own_words_only() -> None:
    lost: list[tuple[bytes, object]] = []
    inbox: Inbox[str] = Inbox(lambda sender, fault: lost.append((sender, fault)))
    taken = sum(inbox.put_frames(peer(1), MEGABYTE) for _ in range(1_000))
    assert taken == MOST_OF_A_PEER // (1 << 20) - 1
    assert inbox.put_frames(peer(2), MEGABYTE)
    inbox.put(["ours"])
    assert [(sender, type(fault)) for sender, fault in lost] == [(peer(1), TooMuch)]

    # What is taken up makes room; who loses again is told of again.
    items, count = inbox.take(taken)
    assert [item[:2] for item in items] == [(peer(1), MEGABYTE)] * taken
    assert count == taken
    assert inbox.put_frames(peer(1), MEGABYTE)
    items, count = inbox.take(2)
    assert (items[0][:2], items[1], count) == ((peer(2), MEGABYTE), "ours", 2)
    inbox.clear()
    assert (len(inbox), inbox._of_peer, inbox._in_all, inbox._losing) == (0, {}, 0, set())


def test_many_peers_cannot_fill_it_for_others() -> None:
    inbox: Inbox[str] = Inbox(lambda _sender, _fault: None)
    for number in range(40):
        for _ in range(20):
            inbox.put_frames(peer(number), MEGABYTE)
    assert inbox._in_all <= MOST_IN_ALL + (1 << 20) + 64
    small = (bytes(100),)
    assert inbox.put_frames(peer(99), small)
    for number in range(1_000, 1_100):
        while inbox.put_frames(peer(number), (bytes(10_000),)):
            pass
    assert inbox._in_all <= MOST_IN_ALL + (1 << 20) + 64 + 102 * module._ALWAYS


@pytest.mark.parametrize("frames", [[b""] * 1_000, [bytes(65_000)]])
def test_node_that_is_not_turned_keeps_so_much_of_a_peer(frames: list[bytes]) -> None:
    world = World()
    bob = world.party("bob")
    for _ in range(1_000):
        bob.node.receive(peer(1), frames)
    assert bob.node._inbox._in_all <= MOST_OF_A_PEER
    (fault,) = [fault for _, fault in bob.faults]
    assert isinstance(fault, TooMuch)
    waiting = bob.node.waiting
    bob.node.turn()
    assert bob.node.waiting < waiting
