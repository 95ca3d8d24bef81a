"""The heart of a node: take what happened, step, store, then act. One thread at a time.

    inbox ──► core.step ──► rows, effects ──► signer ──► core.step … ──► store.write ──► effects

*Write before you send* is the order of three lines in `turn`. A turn takes everything that has come
in since the last one and stores it in one transaction: group commit across all channels. A step
that raises has changed nothing; what a peer or our user got wrong is reported and the turn goes on.
If the store fails the node stops for good, since memory is then ahead of the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from perun.core.books import Books, Row, Step, row_key
from perun.core.claims import channels_of
from perun.core.effects import Effect, Sign
from perun.core.inputs import Connected, Input, Received, Restarted, Signed, Tick
from perun.core.notices import Notice
from perun.core.state import ChainView, ChannelView, PeerId, Totals
from perun.core.transitions import step
from perun.encoding.messages import Relay, decode
from perun.errors import BrokenInvariant, Misuse, PeerFault
from perun.node.ahead import check_ahead
from perun.node.executor import Executor
from perun.ports import BatchSigner, Chain, Clock, Sealer, Signer, Store, Wire
from perun.types import ChannelId, InstanceId

__all__ = ["Node"]

MOST_PER_TURN = 256
"""Inputs in one transaction: enough to share an fsync even of a slow disk, few enough to keep
latency low (docs/performance.md)."""

Fault = Callable[[object, Exception], None]
"""Told what was refused and why: an input, or the sender of bytes that are no message."""


_Drops = dict[tuple[type, bytes], Row]
"""Rows to forget, by what they are found by: what is written again is not."""


def _ignore(*_: object) -> None:
    """Nobody listens."""


class Node:
    """One party: books, and the ports they act through."""

    def __init__(
        self,
        books: Books,
        store: Store,
        signer: Signer,
        chain: Chain,
        clock: Clock,
        sealer: Sealer | None = None,
        notify: Callable[[Notice], None] = _ignore,
        fault: Fault = _ignore,
    ) -> None:
        self.books = books
        self.peer: PeerId = books.config.identity.peer
        self.failed: Exception | None = None
        self._store = store
        self._signer = signer
        self._batch_signer = signer if isinstance(signer, BatchSigner) else None
        self._chain = chain
        self._clock = clock
        self._sealer = sealer
        self._notify = notify
        self._fault = fault
        self._executor: Executor | None = None
        self._wire: Wire | None = None
        self._inbox: deque[Input | tuple[PeerId, Sequence[bytes]]] = deque()
        self._asked: dict[InstanceId, int] = {}
        """Where this turn's rows have a payment that is not signed yet."""
        self._peers = {view.peer for view in books.channels.values()}
        # Where the rows of the input at hand begin: every payment has a record of its own.
        self.wake: Callable[[], None] = _ignore

    # ------------------------------------------------------------------------- from any thread

    def connect(self, wire: Wire) -> None:
        """Gives the node its wire; before anything is posted."""
        self._wire = wire
        self._executor = Executor(self.peer, wire, self._chain, self._sealer, self._notify)

    def post(self, inputs: Sequence[Input]) -> None:
        """Something happened; see `perun.ports.Inbox`."""
        self._inbox.extend(inputs)
        self.wake()

    def receive(self, sender: PeerId, frames: Sequence[bytes]) -> None:
        """Bytes have come from a peer whose name the wire vouches for."""
        self._inbox.append((sender, frames))
        self.wake()

    def meet(self, peer: PeerId) -> None:
        """The wire has reached a peer, for the first time or again."""
        self.post((Connected(peer),))

    def start(self) -> None:
        """After a restart: asks again for what was asked, and watches everything again."""
        self.post((Restarted(),))

    @property
    def busy(self) -> bool:
        """Whether a turn would find something to do."""
        return bool(self._inbox)

    # ------------------------------------------------------------------------- from one thread

    def turn(self) -> bool:
        """Takes what is there, up to a limit. False if there was nothing.

        Raises:
            BrokenInvariant: the node has failed before, or has no wire.
            StoreFault: the store has; the node has failed.
        """
        if self.failed is not None or self._executor is None:
            raise BrokenInvariant("the node has failed, or was never connected")
        effects: list[Effect] = []
        try:
            taken = self._decide_and_store(effects)
        except Exception as error:
            # Memory is ahead of the disk.
            self.failed = error
            raise
        self._executor.carry_out(effects)
        return taken > 0

    def _decide_and_store(self, effects: list[Effect]) -> int:
        """How much was taken; what is to be done is on disk when it returns."""
        rows: list[Row] = []
        drops: _Drops = {}
        self._asked.clear()
        now = self._clock.now()
        if now > self.books.chain.clock:
            self._sign(self._take(Tick(now), rows, drops, effects), rows, drops, effects)
        inputs, taken = self._open_inbox()
        check_ahead(self.books, inputs)
        wishes: list[Sign] = []
        waiting: set[ChannelId] = set()
        for input in inputs:
            about = channels_of(self.books, input)
            if wishes and (not about or not waiting.isdisjoint(about)):
                self._sign(wishes, rows, drops, effects)
                waiting.clear()
            asked = self._take(input, rows, drops, effects)
            if asked:
                wishes += asked
                waiting.update(about)
                if not about:
                    self._sign(wishes, rows, drops, effects)
        self._sign(wishes, rows, drops, effects)
        if rows or drops:
            self._store.write(rows, drops.values())
        return taken

    def _open_inbox(self) -> tuple[list[Input], int]:
        """What has come in, up to a limit, and how much that was before garbage was sorted out."""
        inputs: list[Input] = []
        taken = 0
        inbox = self._inbox
        while inbox and taken < MOST_PER_TURN:
            item = inbox.popleft()
            if isinstance(item, tuple):
                sender, frames = item
                taken += len(frames)
                for frame in frames:
                    received = self._open_frame(sender, frame)
                    if received is not None:
                        inputs.append(received)
            else:
                taken += 1
                inputs.append(item)
        return inputs, taken

    def _take(
        self, input: Input, rows: list[Row], drops: _Drops, effects: list[Effect]
    ) -> list[Sign]:
        """One input, all or nothing, and the signatures it asks for."""
        try:
            result = step(self.books, input)
        except (Misuse, PeerFault) as error:
            self._fault(input, error)
            return []
        except Exception as error:
            if not isinstance(input, Received):
                raise
            # A bug that a message has found: the step changed nothing, so the node goes on.
            self._fault(input, BrokenInvariant(f"{type(error).__name__}: {error}"))
            return []
        return self._absorb(result, rows, drops, effects)

    def _sign(
        self, wishes: list[Sign], rows: list[Row], drops: _Drops, effects: list[Effect]
    ) -> None:
        """Has our signer sign all of these, and what comes of it, until nothing more is asked."""
        while wishes:
            asked = tuple(wishes)
            wishes.clear()
            if self._batch_signer is not None:
                answers = self._batch_signer.sign_all(asked)
            else:
                answers = [self._signer.sign(wish) for wish in asked]
            for wish, signatures in zip(asked, answers, strict=True):
                if signatures is not None:
                    wishes += self._take(Signed(wish, signatures), rows, drops, effects)

    def _absorb(
        self, result: Step, rows: list[Row], drops: _Drops, effects: list[Effect]
    ) -> list[Sign]:
        """Memory first: nothing is acted upon until the same rows are on disk."""
        self.books.apply(result)
        if drops:
            # A batch is written first and dropped from last: what is back again must not go.
            for row in result.writes:
                drops.pop((type(row), row_key(row)), None)
        for row in result.writes:
            if type(row) is Totals:
                # A payment asks and signs in one turn: two versions of one row, one is stored.
                place = self._asked.pop(row.machine, None)
                if place is not None and row.sent == row.asked:
                    rows[place] = row
                else:
                    rows.append(row)
                    if row.asked > row.sent:
                        self._asked[row.machine] = len(rows) - 1
            elif type(row) is ChannelView:
                rows.append(row)
                self._peers.add(row.peer)
            elif type(row) is not ChainView:
                # A restarted node asks the chain before it believes anything of it.
                rows.append(row)
        for row in result.drops:
            drops[type(row), row_key(row)] = row
        wishes: list[Sign] = []
        for effect in result.effects:
            if type(effect) is Sign:
                wishes.append(effect)
            else:
                effects.append(effect)
        return wishes

    def _open_frame(self, sender: PeerId, frame: bytes) -> Received | None:
        """The message for us in a frame, if there is one; what a hub relays goes on at once."""
        try:
            message = decode(frame)
            via = b""
            if type(message) is Relay:
                if message.receiver != self.peer:
                    self._forward(sender, message, frame)
                    return None
                if self._sealer is None:
                    return None
                end = message.sender
                message = decode(self._sealer.open(end, message.box))
                if type(message) is Relay:
                    return None
                sender, via = end, sender
        except PeerFault as error:
            self._fault(sender, error)
            return None
        return Received(sender, message, via)

    def _forward(self, sender: PeerId, message: Relay, frame: bytes) -> None:
        """A hub passes on, unread, what one of its peers has sealed for another."""
        if (
            self._wire is not None
            and self.books.config.policy.hub is not None
            and message.sender == sender
            and {sender, message.receiver} <= self._peers
        ):
            self._wire.send(message.receiver, (frame,))
