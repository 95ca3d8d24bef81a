"""What the node needs of the world outside, as small protocols; each has an in-memory twin.

The core never calls these. `perun.node.runtime` stores what a step changed, then carries out its
effects through them; `perun.chain`, `wire`, `store` and `wallet` implement them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from perun.core.books import Row
from perun.core.effects import Sign, Submit, Watch
from perun.core.inputs import Input
from perun.core.state import PeerId
from perun.encoding.records import NumberedExtra
from perun.types import Signature, UnixTime

__all__ = [
    "BatchSigner",
    "Chain",
    "Clock",
    "CountingClock",
    "Inbox",
    "Network",
    "Member",
    "Signer",
    "Store",
    "Wire",
]

N = TypeVar("N", bound=NumberedExtra)

Inbox = Callable[[Sequence[Input]], None]
"""Where an edge puts what happened; may be called from any thread, returns at once."""


class Chain(Protocol):
    """The chain, seen through one RPC endpoint: a follower and a submitter.

    It puts `ChainBlock`, then `ChainChannel`, `ChainInstance`, `ChainCredit`, `ChainAnnounced` into
    the inbox it was started with. Both methods return at once and never raise for what the chain
    or the network does: that is retried, and reported where `perun.chain` says.
    """

    def watch(self, watch: Watch) -> None:
        """Report this channel or instance: once as it stands, then whenever it changes. The same
        wish again is the same wish."""

    def submit(self, submit: Submit) -> None:
        """Bring this to the chain, with higher fees if need be, until its effect is final. The same
        key and transaction again is the same wish; a transaction that can no longer succeed is
        dropped. Survives restarts: the core asks again after `Restarted`."""


class Wire(Protocol):
    """Carries bytes to peers; may lose, never forges: the receiver is told the true sender."""

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """Hand over whole messages in order; returns at once, from any thread. What an unreachable
        peer misses is sent again by the core when the wire reports `Connected`. `via` is the hub
        over which the two have something: where that is reached, the peer may be too."""


class Member(Protocol):
    """Whom a network serves, such as a `Node`; its methods may be called from any thread."""

    @property
    def peer(self) -> PeerId:
        """Who it is."""

    @property
    def waiting(self) -> int:
        """How much it has been handed and not taken up: a wire then lets its peers wait."""

    def receive(self, sender: PeerId, frames: Sequence[bytes]) -> None:
        """Messages have come."""

    def meet(self, peer: PeerId) -> None:
        """A peer has been reached, for the first time or again."""

    def knows(self, peer: PeerId) -> bool:
        """Whether it has a channel with this peer, or something over a hub."""


class Network(Protocol):
    """Something that a node can join."""

    def enter(self, member: Member) -> Wire:
        """Becomes reachable; returns the member's wire."""


class Signer(Protocol):
    """Holds keys and signs typed data; may be a file, a device, a browser."""

    def sign(self, sign: Sign) -> tuple[Signature, ...] | None:
        """The signatures, each 65 bytes, in order; or None if they will come later, as `Signed`
        through the inbox. Refuses by never answering: what was asked counts as signed."""


@runtime_checkable
class BatchSigner(Signer, Protocol):
    """A signer that is quicker with many requests at once."""

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        """What `sign` would return for each, in order."""


class Clock(Protocol):
    """Our own clock."""

    def now(self) -> UnixTime:
        """Unix seconds, as it is set at the moment."""


@runtime_checkable
class CountingClock(Clock, Protocol):
    """A clock that also counts seconds, whatever it is set to. Without that, only what it moves
    ahead counts as time that has passed."""

    def counted(self) -> float:
        """Seconds since some moment; never goes back."""


class Store(Protocol):
    """Durable rows, one writer. See `perun.store`."""

    @property
    def exit_only(self) -> bool:
        """Restored or copied: nothing new may be signed (protocol, section 5, Store)."""

    def records(self) -> Iterable[Row]:
        """All rows as they were last written, in no order; asked for once, before any `write`.

        Numbered ones are not among them: they are asked for by `numbered`.
        """

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """The least and the greatest number of a kind; `(1, 0)` if there is none."""

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """Rows of a kind with numbers above `after`, ascending, at most so many."""

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All of these or none; on disk, whatever the power does, when this returns. A row that
        comes twice counts as it came last.

        Raises:
            StoreFault: it is not known to be on disk; the node must stop.
        """

    def close(self) -> None:
        """Lets the lock go."""
