"""One session after its handshake: boxes in, messages out, and room for a peer that is slow.

Pure: no I/O, and time is an argument (seconds that never go back). A session is *open* once both
Hellos are there and agree. Each side may have `WINDOW` bytes of messages under way that the other
has not taken; the rest waits here. So what waits anywhere else is bounded, and a peer that takes
its time slows down who sends to it and nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.core.state import PeerId
from perun.errors import PeerFault
from perun.wire import parcels
from perun.wire.codes import Code
from perun.wire.noise import Transport
from perun.wire.packets import Kind, Packet
from perun.wire.parcels import BEAT, Beat, Bye, Hello, MalformedParcel, Messages, Taken

__all__ = ["BEAT_SECONDS", "Broken", "SILENCE_SECONDS", "Session", "WINDOW"]

WINDOW: Final = 131_072
"""Bytes of messages under way in one direction: two of the longest, and enough for 13,000 payments
a second at 100 ms there and back."""
BEAT_SECONDS: Final = 20
"""After so long without a word we say that we are here."""
SILENCE_SECONDS: Final = 45
"""After so long without a word the other side is gone: two beats and some seconds."""
_FULL_PARCEL: Final = 32_768
"""Messages are put together up to this; a longer one goes alone."""
MOST_WAITING: Final = 8 * 2**20
"""Bytes that wait for one peer's room. The core sends again what is dropped here."""
_MOST_HELD: Final = 2 * WINDOW


@dataclass(eq=False)
class Broken(PeerFault):
    """The session ends, and the peer is told why if it can still hear."""

    code: Code
    reason: str

    template: ClassVar[str] = "the session ends ({code}): {reason}"


class Session:
    """Ours with one peer, over one route."""

    __slots__ = (
        *("_hello", "_known", "_transport", "_waiting", "heard", "held", "peer", "route", "said"),
        *("sent", "tag", "taken", "theirs", "told", "waiting_bytes", "_taken_by_peer"),
    )

    def __init__(
        self,
        transport: Transport,
        route: object,
        tag: bytes,
        hello: Hello,
        known: frozenset[int],
        now: float,
    ) -> None:
        self._transport = transport
        self._hello = hello
        self._known = known
        self._waiting: deque[bytes] = deque()
        self._taken_by_peer = 0
        self.peer: PeerId = transport.peer
        self.route = route
        self.tag = tag
        self.theirs: Hello | None = None
        """What the peer said; the session is open."""
        self.waiting_bytes = 0
        self.sent = 0
        """Bytes of messages since the beginning, as `Taken` counts them …"""
        self.taken = 0
        """… and those that came and are out of our way …"""
        self.told = 0
        """… of which the peer knows …"""
        self.held = 0
        """… and those that came and are not."""
        self.heard = now
        self.said = now

    @property
    def open(self) -> bool:
        """Whether messages may pass."""
        return self.theirs is not None

    # ------------------------------------------------------------------------- outward

    def greet(self, now: float) -> bytes:
        """A box with our Hello: the first one."""
        return self._box(parcels.hello(self._hello), now)

    def put(self, frames: Sequence[bytes]) -> None:
        """Messages for the peer wait their turn.

        Raises:
            Broken: more waits than we keep.
        """
        self._waiting.extend(frames)
        self.waiting_bytes += sum(map(len, frames))
        if self.waiting_bytes > MOST_WAITING:
            raise Broken(Code.SLOW, f"{self.waiting_bytes} bytes wait for the peer to take them")

    def flush(self, now: float) -> list[bytes]:
        """The boxes for which there is room."""
        boxes = []
        waiting = self._waiting
        while waiting and self.open:
            room = WINDOW - (self.sent - self._taken_by_peer)
            if room < len(waiting[0]) + 2:
                break
            size = min(room, _FULL_PARCEL)
            chosen = [waiting.popleft()]
            used = len(chosen[0]) + 2
            while waiting and used + len(waiting[0]) + 2 <= size:
                chosen.append(waiting.popleft())
                used += len(chosen[-1]) + 2
            self.sent += used
            self.waiting_bytes -= used - 2 * len(chosen)
            boxes.append(self._box(parcels.join(chosen), now))
        return boxes

    def take(self, now: float) -> bytes | None:
        """What came is out of our way; a box that says so, if it is time for one."""
        self.taken += self.held
        self.held = 0
        if self.taken - self.told < WINDOW // 4:
            return None
        self.told = self.taken
        return self._box(Taken(self.taken).encode(), now)

    def beat(self, now: float) -> bytes | None:
        """A box that says that we are here, if it is time for one.

        Raises:
            Broken: the peer is not.
        """
        if now - self.heard >= SILENCE_SECONDS:
            raise Broken(Code.SILENT, f"nothing was heard for {SILENCE_SECONDS} seconds")
        return self._box(BEAT, now) if now - self.said >= BEAT_SECONDS else None

    def bye(self, code: Code, reason: str, now: float) -> bytes:
        """The last box."""
        return self._box(Bye(code, reason).encode(), now)

    def _box(self, parcel: bytes, now: float) -> bytes:
        self.said = now
        return self._transport.outward.seal(parcel)

    # ------------------------------------------------------------------------- inward

    def receive(self, box: bytes, now: float) -> list[bytes] | Hello | Bye | None:
        """Opens a box: messages to deliver, the peer's Hello, or its farewell.

        Raises:
            Broken: it does not open, or holds what is not allowed now.
        """
        data = self._transport.inward.open(box)
        if data is None:
            raise Broken(Code.GARBAGE, "a box does not open: lost, repeated or altered on the way")
        self.heard = now
        try:
            parcel = parcels.read(data)
        except MalformedParcel as error:
            raise Broken(Code.GARBAGE, str(error)) from None
        if type(parcel) is Messages and self.open:
            self.held += len(data) - 1
            if self.held > _MOST_HELD:
                raise Broken(Code.FLOOD, f"{self.held} bytes came, there is room for {WINDOW}")
            return parcel.frames
        if type(parcel) is Hello and not self.open:
            refusal = self._hello.why_not(parcel, self._known)
            if refusal is not None:
                raise Broken(Code(refusal.code), refusal.reason)
            self.theirs = parcel
            return parcel
        if type(parcel) is Taken and self._taken_by_peer <= parcel.total <= self.sent:
            self._taken_by_peer = parcel.total
            return None
        if type(parcel) is Beat:
            return None
        if type(parcel) is Bye:
            return parcel
        raise Broken(Code.GARBAGE, f"{type(parcel).__name__} has no place here")


def packet(sender: PeerId, session: Session, box: bytes) -> bytes:
    """A box as a link carries it."""
    return Packet(sender, session.peer, Kind.BOX, session.tag, box).encode()
