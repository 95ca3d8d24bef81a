"""What waits for a node's next turn: without bound from its own side, within bounds from peers.

A wire that asks `Node.waiting` lets its peers wait before a bound is reached. Where one does not,
what is too much is lost, as on any wire: the core says it again, and so does an honest peer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar, Final, Generic, TypeVar

from perun.core.state import PeerId
from perun.errors import PeerFault

__all__ = ["MOST_IN_ALL", "MOST_OF_A_PEER", "Inbox", "TooMuch"]

T = TypeVar("T")

_Frames = tuple[PeerId, Sequence[bytes], int]
"""Who said what, and what it takes to keep that."""

MOST_OF_A_PEER: Final = 1 << 24
"""Bytes of one peer that may wait: some seconds of payments of a node that can do no more."""
MOST_IN_ALL: Final = 1 << 26
"""… and of all peers together: then of each only `_ALWAYS`, so that nobody fills it for others."""

_ALWAYS: Final = 1 << 18

_FRAME: Final = 64
"""What keeping a frame takes besides its bytes."""


@dataclass(eq=False)
class TooMuch(PeerFault):
    """A peer says more than we can take in; what it said is lost."""

    frames: int
    waiting: int

    template: ClassVar[str] = (
        "messages lost, {frames} to begin with: {waiting} bytes of this peer wait already"
    )
    hint: ClassVar[str] = "the peer, or the wire, does not wait for us"


class Inbox(Generic[T]):
    """In order of arrival; filled from any thread, emptied by one."""

    def __init__(self, lost: Callable[[PeerId, PeerFault], None]) -> None:
        """Args:
        lost: told when a peer begins to be too much, in the thread of its wire.
        """
        self._items: deque[T | _Frames] = deque()
        self._of_peer: dict[PeerId, int] = {}
        self._in_all = 0
        self._losing: set[PeerId] = set()
        self._lock = Lock()
        self._lost = lost

    def __len__(self) -> int:
        return len(self._items)

    def put(self, items: Iterable[T]) -> None:
        """Something of our own side."""
        self._items.extend(items)

    def put_frames(self, sender: PeerId, frames: Sequence[bytes]) -> bool:
        """Bytes of a peer. False: they were too much, and are lost."""
        size = sum(map(len, frames)) + _FRAME * len(frames)
        with self._lock:
            waiting = self._of_peer.get(sender, 0)
            if waiting + size <= (MOST_OF_A_PEER if self._in_all < MOST_IN_ALL else _ALWAYS):
                self._of_peer[sender] = waiting + size
                self._in_all += size
                self._items.append((sender, frames, size))
                return True
            begins = sender not in self._losing
            self._losing.add(sender)
        if begins:
            self._lost(sender, TooMuch(len(frames), waiting))
        return False

    def take(self, most: int) -> tuple[list[T | _Frames], int]:
        """The oldest, until they hold so many things of ours and frames of peers; and how many."""
        items, taken, count = self._items, [], 0
        read: dict[PeerId, int] = {}
        while items and count < most:
            item = items.popleft()
            taken.append(item)
            if isinstance(item, tuple):
                sender, frames, size = item
                count += len(frames)
                read[sender] = read.get(sender, 0) + size
            else:
                count += 1
        if read:
            self._make_room(read)
        return taken, count

    def _make_room(self, read: dict[PeerId, int]) -> None:
        with self._lock:
            for sender, size in read.items():
                self._in_all -= size
                left = self._of_peer[sender] - size
                if left:
                    self._of_peer[sender] = left
                else:
                    del self._of_peer[sender]
                    self._losing.discard(sender)

    def clear(self) -> None:
        """Forgets everything."""
        while self._items:
            self.take(len(self._items))
