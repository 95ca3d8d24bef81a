"""The heart of a node: take what happened, step, store, then act. One thread at a time.

    inbox ──► core.step ──► rows, effects ──► signer ──► core.step … ──► store.write ──► effects

*Write before you send* is the order of three lines in `turn`. A turn takes everything that has come
in since the last one and stores it in one transaction: group commit across all channels. A step
that raises has changed nothing; what a peer or our user got wrong is reported and the turn goes on.
If the store fails the node stops for good, since memory is then ahead of the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from perun.core.books import Books, Row, Step, row_key
from perun.core.effects import Effect, Sign
from perun.core.inputs import Command, Connected, Input, Received, Restarted, Signed
from perun.core.notices import Notice
from perun.core.preverify import channels_of
from perun.core.state import ChainView, ChannelView, PeerId, Totals
from perun.core.step import step
from perun.encoding.messages import MalformedMessage, Over, decode
from perun.errors import BrokenInvariant, Misuse, PeerFault
from perun.node.ahead import check_ahead
from perun.node.clocks import Ticker
from perun.node.desk import Asked, Host
from perun.node.executor import Executor
from perun.node.guest import Guest
from perun.node.inbox import Inbox
from perun.ports import BatchSigner, Chain, Clock, Signer, Store, Wire
from perun.types import ChannelId, InstanceId

__all__ = ["Node"]

MOST_PER_TURN = 256
"""Inputs in one transaction: enough to share an fsync even of a slow disk, few enough to keep
latency low (docs/performance.md)."""

In = TypeVar("In", bound=Input | Asked)
T = TypeVar("T")

Fault = Callable[[object, Exception], None]
"""Told what was refused and why: an input, or the sender of bytes that are no message."""


_Drops = dict[tuple[type, bytes], Row]
"""Rows to forget, by what they are found by: what is written again is not."""

_Open = tuple[list[Row], _Drops, list[Effect], list[Sign]]


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
        notify: Callable[[Notice], None] = _ignore,
        fault: Fault = _ignore,
        guest: Guest | None = None,
    ) -> None:
        """Args:
        guest: a program above that lives in the turns; its rows have been loaded.
        """
        self.books = books
        self.peer: PeerId = books.config.identity.peer
        self.failed: Exception | None = None
        self._store = store
        self._signer = signer
        self._batch_signer = signer if isinstance(signer, BatchSigner) else None
        self._chain = chain
        self._ticker = Ticker(clock)
        self._notify = notify
        self._fault = fault
        self._executor: Executor | None = None
        self._inbox: Inbox[Input | Asked] = Inbox(fault)
        self._asked: dict[InstanceId, int] = {}
        """Where this turn's rows have a payment that is not signed yet."""
        self.wake: Callable[[], None] = _ignore
        self._host = None if guest is None else Host(guest, books, store, self._carry_out)
        self._open: _Open = ([], {}, [], [])
        """What the turn at hand has come to, while the guest works on it."""
        self._commanded = False
        """Whether the guest has commanded something with the last input, in whatever channel."""

    # ------------------------------------------------------------------------- from any thread

    def connect(self, wire: Wire) -> None:
        """Gives the node its wire; before anything is posted."""
        self._executor = Executor(wire, self._chain, self._notify)

    def post(self, inputs: Sequence[Input]) -> None:
        """Something happened; see `perun.ports.Inbox`."""
        self._inbox.put(inputs)
        self.wake()

    def receive(self, sender: PeerId, frames: Sequence[bytes]) -> None:
        """Bytes have come from a peer whose name the wire vouches for; lost if it is too much."""
        if self._inbox.put_frames(sender, frames):
            self.wake()

    def ask(self, item: object) -> None:
        """Something for the guest; dropped if there is none."""
        if self._host is not None:
            self._inbox.put((Asked(item),))
            self.wake()

    def meet(self, peer: PeerId) -> None:
        """The wire has reached a peer, for the first time or again."""
        self.post((Connected(peer),))

    def start(self) -> None:
        """After a restart: asks again for what was asked, and watches everything again."""
        self.post((Restarted(),))

    @property
    def waiting(self) -> int:
        """See `perun.ports.Party`; one for each packet or input."""
        return len(self._inbox)

    def knows(self, peer: PeerId) -> bool:
        """See `perun.ports.Party`."""
        books = self.books
        return peer in books.indexes.of_peer or peer in books.ends

    @property
    def busy(self) -> bool:
        """Whether a turn would find something to do."""
        return len(self._inbox) > 0

    # ------------------------------------------------------------------------- from one thread

    # Rule write-1.
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
        if self._host is not None:
            self._host.before_messages()
        self._executor.carry_out(effects)
        if self._host is not None:
            self._host.finish()
        return taken > 0

    def _decide_and_store(self, effects: list[Effect]) -> int:
        """How much was taken; what is to be done is on disk when it returns."""
        rows: list[Row] = []
        drops: _Drops = {}
        self._asked.clear()
        tick = self._ticker.tick()
        if tick is not None:
            self._sign(self._take(tick, rows, drops, effects), rows, drops, effects)
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
                if not about or self._commanded:
                    self._sign(wishes, rows, drops, effects)
        self._sign(wishes, rows, drops, effects)
        if self._host is not None:
            self._open = (rows, drops, effects, wishes)
            self._host.end_turn()
            self._keep(self._host)
            # After the core's: a note follows the payment that it is about.
            effects += self._host.take_messages()
        if rows or drops:
            self._store.write(rows, drops.values())
        return taken

    def _open_inbox(self) -> tuple[list[Input | Asked], int]:
        """What has come in, up to a limit, and how much that was before garbage was sorted out."""
        inputs: list[Input | Asked] = []
        items, taken = self._inbox.take(MOST_PER_TURN)
        for item in items:
            if isinstance(item, tuple):
                sender, frames, _ = item
                for frame in frames:
                    received = self._open_frame(sender, frame)
                    if received is not None:
                        inputs.append(received)
            else:
                inputs.append(item)
        return inputs, taken

    def _take(
        self, input: Input | Asked, rows: list[Row], drops: _Drops, effects: list[Effect]
    ) -> list[Sign]:
        """One input, all or nothing, and the signatures it asks for."""
        host = self._host
        wishes: list[Sign] = []
        self._commanded = False
        if host is None:
            return [] if isinstance(input, Asked) else self._step(input, rows, drops, effects)
        self._open = (rows, drops, effects, wishes)
        if host.takes(input):
            self._guarded(input, host.hand_over)
        else:
            assert not isinstance(input, Asked)
            wishes += self._step(input, rows, drops, effects)
        host.tell(input)
        self._keep(host)
        return wishes

    def _step(
        self, input: Input, rows: list[Row], drops: _Drops, effects: list[Effect]
    ) -> list[Sign]:
        """The core's part of an input."""
        result = self._guarded(input, partial(step, self.books))
        return [] if result is None else self._absorb(result, rows, drops, effects)

    def _guarded(self, input: In, act: Callable[[In], T]) -> T | None:
        """Does something that may be refused, which changes nothing then."""
        try:
            return act(input)
        except (Misuse, PeerFault) as error:
            self._fault(input, error)
            return None
        except Exception as error:
            if not isinstance(input, Received):
                raise
            # A bug that a message has found: the step changed nothing, so the node goes on.
            self._fault(input, BrokenInvariant(f"{type(error).__name__}: {error}"))
            return None

    def _carry_out(self, command: Command) -> None:
        """A command of the guest, in the midst of its turn; raises what refuses it."""
        rows, drops, effects, wishes = self._open
        self._commanded = True
        wishes += self._absorb(step(self.books, command), rows, drops, effects)

    def _keep(self, host: Host) -> None:
        """What the guest wants stored and signed joins the turn's."""
        rows, drops, _, wishes = self._open
        if drops:
            for row in host.writes:
                drops.pop((type(row), row.row_key), None)
        rows += host.writes
        drops.update(host.drops)
        wishes += host.wishes
        host.writes.clear()
        host.drops.clear()
        host.wishes.clear()

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
            elif type(row) is not ChainView:
                # A restarted node asks the chain before it believes anything of it.
                rows.append(row)
        for row in result.drops:
            drops[type(row), row_key(row)] = row
        if self._host is not None:
            self._host.hear(result.effects)
        wishes: list[Sign] = []
        for effect in result.effects:
            if type(effect) is Sign:
                wishes.append(effect)
            else:
                effects.append(effect)
        return wishes

    def _open_frame(self, sender: PeerId, frame: bytes) -> Received | None:
        """The message in a frame, if there is one."""
        try:
            message = decode(frame)
            if type(message) is not Over:
                return Received(sender, message)
            hub, message = message.hub, decode(message.message)
            if type(message) is Over or hub in (sender, self.peer):
                raise MalformedMessage("over a hub that is none", len(frame))
        except PeerFault as error:
            self._fault(sender, error)
            return None
        return Received(sender, message, hub)
