"""Logs of many blocks, asked for in pieces as long as the node takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from perun.bindings.failures import AnswerTooBig, NodeBusy, NodeRefused, NodeUnreachable
from perun.bindings.logs import Log
from perun.errors import ChainFault

__all__ = ["MOST_NUMBER", "Pieces", "knows_not"]

_MOST_PIECES: Final = 256
"""Questions that one range of blocks is asked for by."""

_TRUSTED: Final = 32
"""Questions of one length after which one of twice the length is tried."""

_SLOWER: Final = 4
"""How much shorter a range is asked for after one that took too long."""

MOST_NUMBER: Final = 2**63
"""Above any block number, time and price."""


class Pieces:
    """How long a piece may be: learned from what one node refuses."""

    def __init__(self) -> None:
        self._span = MOST_NUMBER
        """Blocks that the node takes at once in a question for logs."""
        self._taken = 0
        """How often in a row it has taken so many."""

    @property
    def reach(self) -> int:
        """Blocks that are asked for in one go at most."""
        return self._span * _MOST_PIECES

    def logs(
        self, ask: Callable[[int, int], Sequence[Log]], first: int, last: int
    ) -> tuple[Log, ...]:
        """What `ask` answers for all blocks from `first` to `last`, both included.

        Raises:
            NodeBusy: too many blocks for pieces as short as the node wants them.
            ChainFault: what `ask` raises, unless shorter pieces may help.
        """
        found: list[Log] = []
        before = self._span
        while first <= last:
            if last - first >= self.reach:
                raise NodeBusy(f"so many blocks that pieces of {self._span} take too long")
            until = min(last, first + self._span - 1)
            try:
                found += ask(first, until)
            except (NodeRefused, NodeUnreachable) as error:
                slow = _too_slow(error)
                if first == until or not (slow or _too_much(error)):
                    self._span = before  # the length was not the reason
                    raise
                self._span = max(1, (until - first + 1) // (_SLOWER if slow else 2))
                self._taken = 0
                if slow:
                    raise  # what a round has waited for once it does not wait for again
                continue
            self._stretch(until - first + 1)
            first = until + 1
        return tuple(found)

    def _stretch(self, blocks: int) -> None:
        """A node that has taken a length many times may have refused more for another reason."""
        self._taken += blocks == self._span
        if self._taken >= _TRUSTED:
            self._span, self._taken = self._span * 2, 0


def knows_not(error: NodeRefused) -> bool:
    """Whether the node does not know this kind of question at all."""
    if not isinstance(error, NodeBusy):
        return True
    words = error.reason.lower()
    return any(word in words for word in ("invalid", "fromblock", "blockhash", "not supported"))


def _too_slow(error: ChainFault) -> bool:
    """Whether the node took too long, or too much came: asked for less, it may come in time."""
    if isinstance(error, NodeUnreachable) and error.status is None:
        return isinstance(error, AnswerTooBig) or "Timeout" in error.reason
    return False


def _too_much(error: ChainFault) -> bool:
    """Whether fewer blocks may help: an error in words, or one of HTTP about the question or of a
    gateway that gave up. Not a quota: it needs time."""
    if isinstance(error, NodeUnreachable):
        return error.status in (400, 408, 413, 414, 500, 502, 503, 504, 520, 522, 524)
    return isinstance(error, NodeRefused)
