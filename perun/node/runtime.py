"""The heart of a node: take what happened, step, store, then act. One thread at a time.

    inbox ──► core.step ──► rows, effects ──► signer ──► core.step … ──► store.write ──► effects

*Write before you send* is the order of three lines in `turn`. A turn takes everything that has come
in since the last one and stores it in one transaction: group commit across all channels. A step
that raises has changed nothing; what a peer or our user got wrong is reported and the turn goes on.
If the store fails the node stops for good, since memory is then ahead of the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from perun.core.books import Books, Step
from perun.core.effects import Effect, Sign
from perun.core.inputs import Command, Connected, Input, Received, Restarted, Signed
from perun.core.notices import Notice
from perun.core.preverify import channels_of
from perun.core.state import PeerId
from perun.core.step import step
from perun.encoding.messages import MalformedMessage, Over, decode
from perun.errors import BrokenInvariant, Misuse, PeerFault
from perun.node.clocks import Ticker
from perun.node.coalescing import joined
from perun.node.desk import Asked, Host
from perun.node.executor import Executor
from perun.node.guest import Guest
from perun.node.inbox import Inbox
from perun.node.preverify import preverify
from perun.node.turn import Turn
from perun.ports import BatchSigner, Chain, Clock, Signer, Store, Wire
from perun.types import ChannelId

__all__ = ["Node"]

MOST_PER_TURN = 256
"""Inputs in one transaction: enough to share an fsync even of a slow disk, few enough to keep
latency low (docs/performance.md)."""

Fault = Callable[[object, Exception], None]
"""Told what was refused and why: an input, or the sender of bytes that are no message."""


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
        self.wake: Callable[[], None] = _ignore
        self._host = None if guest is None else Host(guest, books, store, self._carry_out)
        self._turn = Turn()
        """The one at hand."""
        self._turning_since: float | None = None
        """Of `time.monotonic`."""

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
        """See `perun.ports.Member`; one for each packet or input."""
        return len(self._inbox)

    @property
    def turning_for(self) -> float:
        """Seconds for which the present turn has lasted; 0: there is none."""
        since = self._turning_since
        return 0.0 if since is None else time.monotonic() - since

    def knows(self, peer: PeerId) -> bool:
        """See `perun.ports.Member`."""
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
        self._turning_since = time.monotonic()
        try:
            effects, taken = self._decide_and_store()
        except Exception as error:
            # Memory is ahead of the disk.
            self.failed = error
            raise
        finally:
            self._turning_since = None
        if self._host is not None:
            self._host.before_messages()
        self._executor.carry_out(effects)
        if self._host is not None:
            self._host.finish()
        return taken > 0

    def _decide_and_store(self) -> tuple[list[Effect], int]:
        """What is to be done, all of it on disk when this returns; and how much was taken."""
        turn = self._turn = Turn()
        tick = self._ticker.tick()
        if tick is not None:
            self._take(tick)
            self._sign()
        inputs, taken = self._open_inbox()
        preverify(self.books, inputs)
        for input in joined(self.books, inputs):
            self._take(input)
        self._sign()
        host = self._host
        if host is not None:
            host.end_turn()
            turn.join(*host.take_rows())
            # After the core's: a note follows the payment that it is about.
            turn.effects += host.take_messages()
        if turn.rows or turn.drops:
            self._store.write(turn.rows, turn.drops.values())
        return turn.effects, taken

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

    def _take(self, input: Input | Asked) -> None:
        """One input, all or nothing; what it asks to be signed waits, if nothing needs it before.

        What a guest is given is about no channel: each of its commands is looked at by itself.
        """
        host = self._host
        if host is not None and host.takes(input):
            if self._turn.is_busy:
                self._sign()
            self._hand_over(host, input)
        elif not isinstance(input, Asked):
            about = channels_of(self.books, input)
            if self._turn.in_the_way(input, about):
                self._sign()
            self._step(input, about)
        if host is not None:
            host.tell(input)

    def _step(self, input: Input, about: tuple[ChannelId, ...]) -> None:
        """The core's part of an input."""
        try:
            result = step(self.books, input)
        except Exception as error:
            self._refuse(input, error)
        else:
            self._absorb(input, about, result)

    def _hand_over(self, host: Host, input: Input | Asked) -> None:
        """The guest's part of an input."""
        try:
            host.hand_over(input)
        except Exception as error:
            self._refuse(input, error)

    def _refuse(self, input: Input | Asked, error: Exception) -> None:
        """Something that was refused has changed nothing; raises again what was no refusal."""
        if isinstance(error, Misuse | PeerFault):
            self._fault(input, error)
        elif isinstance(input, Received):
            # A bug that a message has found: the step changed nothing, so the node goes on.
            self._fault(input, BrokenInvariant(f"{type(error).__name__}: {error}"))
        else:
            raise error

    def _carry_out(self, command: Command) -> None:
        """A command of the guest, in the midst of its turn; raises what refuses it."""
        about = channels_of(self.books, command)
        while self._turn.in_the_way(command, about):
            # Of what comes of it the guest is told when it has done what it is at.
            for signed in self._ask_signer(self._turn.take_wishes()):
                self._step(signed, ())
        self._absorb(command, about, step(self.books, command))

    def _sign(self) -> None:
        """Has our signer sign what is asked for, and what comes of it, until nothing more is."""
        turn, host = self._turn, self._host
        while True:
            signings = turn.take_wishes()
            if host is not None:
                signings += host.take_wishes()
            if not signings:
                return
            for signed in self._ask_signer(signings):
                if host is not None and host.takes(signed):
                    self._hand_over(host, signed)
                else:
                    self._step(signed, ())
                if host is not None:
                    host.tell(signed)

    def _ask_signer(self, signings: list[Sign]) -> list[Signed]:
        """What it signs at once."""
        if self._batch_signer is not None:
            answers = self._batch_signer.sign_all(signings)
        else:
            answers = [self._signer.sign(signing) for signing in signings]
        return [
            Signed(signing, signatures)
            for signing, signatures in zip(signings, answers, strict=True)
            if signatures is not None
        ]

    def _absorb(self, input: Input, about: tuple[ChannelId, ...], result: Step) -> None:
        """Memory first: nothing is acted upon until the same rows are on disk."""
        self.books.apply(result)
        if self._host is not None:
            self._host.hear(result.effects)
        self._turn.absorb(input, about, result)

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
