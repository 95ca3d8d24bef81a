"""A node that signs nothing and talks to nobody: for leaving, and for watching.

It runs the same core as every node. What the core asks its signer for is never answered, what it
says to peers goes nowhere; what is left is what can be done on chain with signatures that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from perun.core.books import Books, Row
from perun.core.config import Config
from perun.core.effects import Sign, Watch
from perun.core.inputs import Input
from perun.core.notices import Notice
from perun.core.starting import watches
from perun.core.state import InstanceView, PeerId
from perun.node.newer import newer
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.ports import Chain, Clock, Store
from perun.types import Signature

__all__ = ["QuietNode"]


class _NoSigner:
    def sign(self, sign: Sign) -> tuple[Signature, ...] | None:  # noqa: ARG002
        """Never."""
        return None


class _NoWire:
    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """Nobody is there."""


class QuietNode:
    """Books and a node on a store and a chain port."""

    def __init__(
        self,
        config: Config,
        store: Store,
        chain: Chain,
        clock: Clock,
        notify: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        """Reads the store, and watches everything in it."""
        self.books: Books = open_books(config, store)
        self._store, self._chain = store, chain
        self.node = Node(self.books, store, _NoSigner(), chain, clock, notify=notify)
        self.node.connect(_NoWire())
        self.node.start()
        self.turn()

    def post(self, inputs: Sequence[Input]) -> None:
        """Something has happened; `turn` takes it up."""
        self.node.post(inputs)

    def turn(self) -> None:
        """Takes up everything that has happened."""
        while self.node.turn():
            pass

    def learn(self, rows: Iterable[Row]) -> None:
        """Takes over what the owner knows by now; what the chain has told stays.

        Raises:
            StoreFault: the store failed; do not go on.
        """
        step = newer(self.books, rows)
        self._store.write(step.writes, step.drops)
        self.books.apply(step)
        for row in step.drops:
            if isinstance(row, InstanceView):
                self._chain.watch(Watch(instance=row.id, over=True))
        for watch in watches(self.books):
            self._chain.watch(watch)
