"""Which nonce of an account carries which wish, journalled before anything leaves.

Nonces are what the chain excludes by: of all transactions under one of them a single one can be
mined. A wish is *served* by one nonce at a time; other entries of its key are past hope, or done.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from perun.chain.journal import Entry, Journal
from perun.errors import BrokenInvariant

__all__ = ["MOST_GAPS", "Nonces"]

MOST_GAPS: Final = 64
"""No node keeps more transactions of one account that wait behind others: a nonce beyond was never
the account's next one."""


class Nonces:
    """One account's, as the journal has them. This is the only place that writes it."""

    def __init__(self, journal: Journal) -> None:
        """Takes up what the journal holds."""
        self._journal = journal
        self._entries: dict[int, Entry] = {entry.nonce: entry for entry in journal.load()}
        self._serving: dict[bytes, int] = {}
        for entry in self.all():
            self._serving[entry.wish.key] = entry.nonce
        # Block numbers of the newest and of the first bid, by nonce.
        self._bid_at: dict[int, int] = {}
        self._first_at: dict[int, int] = {}

    def all(self) -> list[Entry]:
        """Every entry, the lowest nonce first."""
        return [self._entries[nonce] for nonce in sorted(self._entries)]

    def get(self, nonce: int) -> Entry | None:
        """What stands under a nonce."""
        return self._entries.get(nonce)

    def serving(self, key: bytes) -> Entry | None:
        """What carries a wish now."""
        nonce = self._serving.get(key)
        return None if nonce is None else self._entries.get(nonce)

    def serves(self, entry: Entry) -> bool:
        """Whether this entry is the one that carries its wish."""
        return self._serving.get(entry.wish.key) == entry.nonce

    def release(self, key: bytes) -> None:
        """Nothing carries the wish any more: it may be given another nonce."""
        self._serving.pop(key, None)

    def put(self, entry: Entry) -> None:
        """Writes an entry, which carries its wish from now on.

        Raises:
            StoreFault: it is not known to be on disk; nothing of it may leave.
            BrokenInvariant: what stands there keeps a deposit from being made a second time.
        """
        old = self._entries.get(entry.nonce)
        if old is not None and old.wish.key != entry.wish.key:
            if old.done:
                raise BrokenInvariant(f"nonce {entry.nonce} is that of a deposit that was made")
            if self.serves(old):
                self.release(old.wish.key)
        self._journal.put(entry)
        self._entries[entry.nonce] = entry
        self._serving[entry.wish.key] = entry.nonce

    def forget(self, entry: Entry) -> None:
        """A final block has decided this nonce."""
        self._journal.drop(entry.nonce)
        self._entries.pop(entry.nonce, None)
        self._bid_at.pop(entry.nonce, None)
        self._first_at.pop(entry.nonce, None)
        if self.serves(entry):
            self.release(entry.wish.key)

    # --------------------------------------------------------------------------------- which next

    def behind(self, nonce: int) -> list[Entry]:
        """What carries a wish and cannot be mined before this nonce is used, in no order."""
        return [self._entries[other] for other in self._live() if other > nonce]

    def _live(self) -> set[int]:
        """Nonces that carry a wish."""
        return {nonce for nonce in self._serving.values() if not self._entries[nonce].done}

    def _done(self) -> set[int]:
        """Nonces that guard against a second deposit: used for good, whatever a node says."""
        return {nonce for nonce, entry in self._entries.items() if entry.done}

    def free(self, mined: int, pool: Callable[[], int]) -> int:
        """The first nonce that no living transaction of ours has, behind foreign waiting ones.

        Args:
            mined: the first one that the newest block has not used.
            pool: asks the node for the first one that nothing waits under.
        """
        taken = self._live() | self._done()
        nonce = mined
        while nonce in taken:
            nonce += 1
        if nonce in self._entries:
            return nonce  # ours, its wish is gone: replace it
        nonce = max(nonce, pool())
        while nonce in taken:
            nonce += 1
        return nonce

    def gaps(self, mined: int) -> list[int]:
        """Nonces that carry no wish and stand before one that does; the first `MOST_GAPS` + 1."""
        live = self._live()
        taken = live | self._done()
        every = (nonce for nonce in range(mined, max(live, default=mined)) if nonce not in taken)
        return list(islice(every, MOST_GAPS + 1))

    # ------------------------------------------------------------------------------------ how long

    def bid(self, nonce: int, height: int) -> None:
        """A block has passed since which this nonce's newest transaction waits."""
        self._bid_at[nonce] = height
        self._first_at.setdefault(nonce, height)

    def waits_since(self, nonce: int, height: int) -> int:
        """Block number of the newest bid; a restart counts as one."""
        return self._bid_at.setdefault(nonce, height)

    def first_bid(self, nonce: int, height: int) -> int:
        """Block number of its first bid; a restart counts as one."""
        return self._first_at.setdefault(nonce, height)

    def held_up_since(self, nonce: int, height: int) -> int:
        """Block number of the first bid that stands behind this nonce."""
        behind = (self._first_at.get(other.nonce, height) for other in self.behind(nonce))
        return min(behind, default=height)
