"""Hosts a guest in the node's turns: routes what is for it, and collects what it wants done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from perun.core.books import Books
from perun.core.config import Policy
from perun.core.effects import Effect, Notify, Send, Sign, SignItem
from perun.core.inputs import Command, Input, Received, Signed
from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.encoding.messages import GuestMessage, Note, Noted
from perun.encoding.records import Extra, NumberedExtra
from perun.encoding.requests import PaymentRequest, Receipt
from perun.node.guest import Guest
from perun.ports import Store
from perun.types import Record

__all__ = ["Asked", "Host"]

N = TypeVar("N", bound=NumberedExtra)


_MESSAGES: Final[frozenset[type]] = frozenset({Note, Noted})
_SIGNED: Final[frozenset[type]] = frozenset({PaymentRequest, Receipt})


class Asked(Record, frozen=True):
    """Something posted for the guest."""

    item: object


_ROUTINE: Final[frozenset[type]] = frozenset({Received, Signed, Asked})
"""Of which the guest is only told what the core says of it."""


class Host:
    """Between a node and its guest; see `perun.node.guest.Desk`."""

    def __init__(
        self, guest: Guest, books: Books, store: Store, carry_out: Callable[[Command], None]
    ) -> None:
        """Args:
        carry_out: has the core take a command, or raises what it refuses it with.
        """
        self._guest = guest
        self.books = books
        """See `Desk`."""
        self._store = store
        self._carry_out = carry_out
        self._told: deque[Notice] = deque()
        self._before: list[Callable[[], None]] = []
        self._after: list[Callable[[], None]] = []
        self._messages: list[Effect] = []
        self._writes: list[Extra] = []
        self._drops: dict[tuple[type, bytes], Extra] = {}
        self._signings: list[Sign] = []

    # ------------------------------------------------------------------------------- for the node

    def takes(self, input: Input | Asked) -> bool:
        """Whether it is for the guest, and not for the core."""
        # By the very type: every input comes here.
        kind = type(input)
        if kind is Received:
            return type(input.message) in _MESSAGES  # type: ignore[union-attr]
        if kind is Signed:
            return type(input.sign.items[0].message) in _SIGNED  # type: ignore[union-attr]
        return kind is Asked

    def hand_over(self, input: Input | Asked) -> None:
        """Gives the guest what it `takes`.

        Raises:
            PeerFault: a message that no correct guest sends.
        """
        if type(input) is Asked:
            self._guest.asked(self, input.item)
        elif type(input) is Received:
            message: Any = input.message
            self._guest.heard(self, input.sender, input.via, message)
        elif type(input) is Signed:
            for item, signature in zip(input.sign.items, input.signatures, strict=True):
                self._guest.signed(self, item, signature)

    def hear(self, effects: tuple[Effect, ...]) -> None:
        """Keeps what the core has told our user until `tell`."""
        for effect in effects:
            if type(effect) is Notify:
                self._told.append(effect.notice)

    def tell(self, input: Input | Asked) -> None:
        """Once the core has taken something: what came of it, as far as the guest is told."""
        while self._told:
            self._guest.noticed(self, self._told.popleft())
        if type(input) not in _ROUTINE:
            self._guest.passed(self, input)  # type: ignore[arg-type]
            while self._told:
                self._guest.noticed(self, self._told.popleft())

    def end_turn(self) -> None:
        """Everything is taken; the guest's last rows of this turn."""
        self._guest.ended(self)

    def take_rows(self) -> tuple[list[Extra], dict[tuple[type, bytes], Extra]]:
        """What the guest wants stored with this turn, and what forgotten."""
        writes, self._writes = self._writes, []
        drops, self._drops = self._drops, {}
        return writes, drops

    def take_wishes(self) -> list[Sign]:
        """What the guest wants signed."""
        signings, self._signings = self._signings, []
        return signings

    def take_messages(self) -> list[Effect]:
        """What the guest has said in this turn."""
        messages, self._messages = self._messages, []
        return messages

    def before_messages(self) -> None:
        """The turn is on disk; nothing has left yet."""
        before, self._before = self._before, []
        for call in before:
            call()

    def finish(self) -> None:
        """The turn is on disk, its messages have left."""
        after, self._after = self._after, []
        for call in after:
            call()

    # ------------------------------------------------------------------------------ for the guest

    def do(self, command: Command) -> None:
        """See `Desk`."""
        self._carry_out(command)

    def agree_to(self, policy: Policy) -> None:
        """See `Desk`."""
        self.books.config = replace(self.books.config, policy=policy)

    def put(self, row: Extra) -> None:
        """See `Desk`."""
        # What is put again is not dropped; what is dropped last is, since drops are done last.
        if self._drops:
            self._drops.pop((type(row), row.row_key), None)
        self._writes.append(row)

    def drop(self, row: Extra) -> None:
        """See `Desk`."""
        self._drops[type(row), row.row_key] = row

    def send(self, to: PeerId, message: GuestMessage, via: PeerId = b"") -> None:
        """See `Desk`."""
        self._messages.append(Send(to, message, via))

    def sign(self, item: SignItem) -> None:
        """See `Desk`."""
        self._signings.append(Sign((item,)))

    def before(self, call: Callable[[], None]) -> None:
        """See `Desk`."""
        self._before.append(call)

    def after(self, call: Callable[[], None]) -> None:
        """See `Desk`."""
        self._after.append(call)

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `Desk`."""
        return self._store.bounds(kind)

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `Desk`."""
        return self._store.numbered(kind, after, most)
