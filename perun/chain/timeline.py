"""Which blocks have been read, and from where on they must be read again.

Remembers the newest blocks of earlier rounds by number and hash. The last few are read again in
every round, whatever counts as final: some nodes have a block before they have its logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from perun.bindings.logs import Log
from perun.chain.aside import Aside
from perun.chain.endpoint import Block, Inconsistent, Reading

__all__ = ["DEPTH", "OLD_BLOCKS", "Timeline"]

OLD_BLOCKS: Final = "old blocks"

DEPTH: Final = 12
"""Blocks behind the newest that are read again in every round."""

_REMEMBERED: Final = 256
"""Blocks of earlier rounds; should all of them be gone, everything is read again."""


_CHECKED: Final = 64
"""Logs of one answer whose blocks are looked up."""


class Timeline:
    """The chain as earlier rounds have seen it."""

    def __init__(self, reading: Reading, aside: Aside, since: int) -> None:
        """Has seen nothing yet.

        Args:
            since: first block that can hold a log.
        """
        self._reading = reading
        self._aside = aside
        self._since = since
        self._read: dict[int, bytes] = {}
        """Hashes of newest blocks of earlier rounds, oldest first."""
        self._hashes: dict[int, bytes] = {}
        """Hashes of blocks with logs, as they were asked for."""
        self._begun: int | None = None

    def clear(self) -> None:
        """Nothing of it is believed any more."""
        self._read.clear()
        self._hashes.clear()
        self._begun = None

    def begin(self, head: Block) -> int:
        """Starts here: the block until which everything is history."""
        self.clear()
        self._begun = max(self._since - 1, head.number - DEPTH)
        return self._begun

    def add(self, head: Block) -> None:
        """All logs until this block have been read."""
        # Lower ones stay: a reorganisation does not change what was read before it.
        self._read = {number: seen for number, seen in self._read.items() if number < head.number}
        self._read[head.number] = head.hash
        while len(self._read) > _REMEMBERED:
            del self._read[next(iter(self._read))]

    def start(self, head: Block) -> int | None:
        """The newest block that need not be read again; None: there is none, begin anew."""
        if self._begun is None:
            return None
        # What was near the newest block when it was read last may have come without its logs,
        # however far the chain has gone since.
        last = max(self._read, default=0)
        whole = True
        for number in sorted(self._read, reverse=True):
            if number > min(last, head.number) - DEPTH:
                continue
            # Unanswered, it counts as unchanged: then at least the last blocks are read.
            known = Block(number, self._read[number], head.time, head.base_fee)
            found = self._ask(number, known)
            if found is not None and found.hash == known.hash:
                self._forget_after(number)
                return number if head.number - number <= self._reading.reach else None
            del self._read[number]
            whole = False
        far = self._reading.reach if whole else 3 * DEPTH
        return self._begun if 0 <= head.number - self._begun <= far else None

    def _ask(self, number: int, otherwise: Block | None) -> Block | None:
        return self._aside.ask(OLD_BLOCKS, partial(self._reading.block, number), otherwise)

    def _forget_after(self, number: int) -> None:
        """Hashes of blocks that may be others by now are asked for again."""
        self._hashes = {at: seen for at, seen in self._hashes.items() if at <= number}

    def check(self, logs: Sequence[Log], head: Block | None = None) -> None:
        """Compares what logs say of their blocks with the blocks; of many, the newest.

        Args:
            head: the newest block, which need not be asked for.

        Raises:
            Inconsistent: a log is from another block than that of its number.
        """
        for log in logs[-_CHECKED:]:
            newest = head is not None and log.block == head.number
            known = head.hash if head is not None and newest else self._hashes.get(log.block)
            if known is None or (known != log.block_hash and not newest):
                # Never asked for, or asked for before the chain was reorganised.
                found = self._ask(log.block, None)
                known = log.block_hash if found is None else found.hash
                self._hashes[log.block] = known
            if known != log.block_hash:
                self._hashes.pop(log.block, None)
                raise Inconsistent(f"a log says that it is of another block {log.block}")
