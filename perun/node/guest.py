"""A program above the node that lives in its turns: what it writes is stored with the turn.

    something posted for it ─┐              ┌─► rows of its own ─┐
    what the core tells ─────┼─► guest ─────┼─► commands ────────┼─► one transaction
    messages between guests ─┘              └─► messages, calls ─┘   … then messages and calls

So whatever it remembers of a payment is on disk with the payment, or neither is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from perun.core.books import Books
from perun.core.config import Policy
from perun.core.effects import SignItem
from perun.core.inputs import Command, Input
from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.encoding.messages import GuestMessage
from perun.encoding.records import Extra, NumberedExtra
from perun.types import Signature

__all__ = ["Desk", "Guest"]

N = TypeVar("N", bound=NumberedExtra)


class Desk(Protocol):
    """What a guest can do during a turn."""

    @property
    def books(self) -> Books:
        """What the core knows; to be read."""

    def do(self, command: Command) -> None:
        """Has the core carry out a command of our user, now.

        Raises:
            Misuse: it cannot be done, and nothing was changed.
        """

    def agree_to(self, policy: Policy) -> None:
        """From now on the core goes by this; it forgets it with the process."""

    def put(self, row: Extra) -> None:
        """Stores a row with this turn."""

    def drop(self, row: Extra) -> None:
        """Forgets a row with this turn."""

    def send(self, to: PeerId, message: GuestMessage, via: PeerId = b"") -> None:
        """A message to another node's guest, once the turn is on disk."""

    def sign(self, item: SignItem) -> None:
        """Asks our signer; comes back to `Guest.signed`."""

    def before(self, call: Callable[[], None]) -> None:
        """Calls this once the turn is on disk, before its messages leave: where they go to."""

    def after(self, call: Callable[[], None]) -> None:
        """Calls this once the turn is on disk and its messages have left."""

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """The least and the greatest number stored; `(1, 0)` if there is none."""

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """Stored rows with numbers above `after`, as before this turn."""


class Guest(Protocol):
    """Called by the node, in its thread, one call after the other.

    Whatever one of these raises but a `PerunError` of `asked` or `heard` ends the node, as a bug of
    the core would: memory and disk would no longer agree.
    """

    kinds: Sequence[type[Extra]]
    """Its kinds of rows."""

    def load(self, row: Extra) -> None:
        """One of its rows, when the store is read."""

    def asked(self, desk: Desk, item: object) -> None:
        """What was posted for it by `Node.ask`."""

    def heard(self, desk: Desk, sender: PeerId, via: PeerId, message: GuestMessage) -> None:
        """A message from another node's guest.

        Raises:
            PeerFault: nothing that a correct one says; nothing was changed.
        """

    def noticed(self, desk: Desk, notice: Notice) -> None:
        """The core has told our user something."""

    def signed(self, desk: Desk, item: SignItem, signature: Signature) -> None:
        """Our signer has signed what the guest asked for."""

    def passed(self, desk: Desk, input: Input) -> None:
        """The core has taken in something about time, chain, connections or a restart."""

    def ended(self, desk: Desk) -> None:
        """The turn is about to be stored; rows put now are stored with it. Commands nothing."""
