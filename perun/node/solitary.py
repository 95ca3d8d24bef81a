"""A node with nobody to talk to, which signs nothing: for leaving, and for watching.

It runs the same core as every node. What the core asks its signer for is never answered, what it
says to peers goes nowhere; what is left is what can be done on chain with signatures that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from perun.chain.costs import gas_price
from perun.chain.endpoint import Endpoint
from perun.chain.fees import FeePolicy
from perun.chain.journal import Journal
from perun.chain.reports import Report
from perun.chain.service import ChainService
from perun.chain.submitter import Account
from perun.core.books import Books
from perun.core.config import Config
from perun.core.effects import Sign, Submit, Watch
from perun.core.inputs import Input
from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.ports import Store
from perun.types import Signature, UnixTime, Wei

__all__ = ["Solitary"]


class _NoSigner:
    def sign(self, sign: Sign) -> tuple[Signature, ...] | None:  # noqa: ARG002
        """Never."""
        return None


class _NoWire:
    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """Nobody is there."""


class _Selected:
    """A chain port that lets only some transactions through."""

    def __init__(self, chain: ChainService, allowed: Callable[[Submit], bool]) -> None:
        self._chain = chain
        self._allowed = allowed

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        self._chain.watch(watch)

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        if self._allowed(submit):
            self._chain.submit(submit)


class _ChainClock:
    """The newest block's time; nothing here depends on our own clock."""

    def __init__(self) -> None:
        self.chain: ChainService | None = None

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        head = None if self.chain is None else self.chain.follower.head
        return UnixTime(0) if head is None else head.time


class Solitary:
    """Books, a chain, and rounds."""

    def __init__(
        self,
        config: Config,
        store: Store,
        endpoint: Endpoint,
        account: Account,
        *,
        allowed: Callable[[Submit], bool],
        journal: Journal | None = None,
        since: int = 0,
        policy: FeePolicy | None = None,
        report: Callable[[Report], None] = lambda _: None,
        notify: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        """Reads the store; asks the chain nothing yet.

        Args:
            account: sends and pays for transactions.
            allowed: which transactions are sent at all.
        """
        self.books: Books = open_books(config, store)
        self._endpoint = endpoint
        clock = _ChainClock()
        self.chain = ChainService(
            endpoint,
            config.deployment,
            account,
            self._post,
            limits=config.limits,
            journal=journal,
            since=since,
            policy=policy,
            report=report,
        )
        clock.chain = self.chain
        chain = _Selected(self.chain, allowed)
        self.node = Node(self.books, store, _NoSigner(), chain, clock, notify=notify)
        self.node.connect(_NoWire())
        self.node.start()
        self._turn()

    @property
    def gas_price(self) -> Wei:
        """What gas costs now, in wei; 0 before the first round."""
        head = self.chain.follower.head
        return Wei(0) if head is None else gas_price(self._endpoint, head.base_fee)

    def _post(self, inputs: Sequence[Input]) -> None:
        self.node.post(inputs)

    def do(self, *commands: Input) -> None:
        """Carries commands out, as a user's."""
        self.node.post(commands)
        self._turn()

    def round(self) -> None:
        """Looks at the chain once, and does what follows from it.

        Raises:
            ChainFault: the node failed; the next round starts over.
            StoreFault: the store failed; do not go on.
        """
        try:
            self.chain.poll()
        finally:
            # What was seen is acted upon, whatever could not be.
            self._turn()
        # What this round has decided leaves in this round.
        self.chain.poll()

    def _turn(self) -> None:
        while self.node.turn():
            pass
