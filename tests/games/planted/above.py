"""More bugs: of the wire's sessions, of the program above the node, and of copies of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perun.app import following, incomes, wanting
from perun.app.rows import Payment
from perun.app.shelf import Shelf
from perun.core.books import Books
from perun.node.desk import Host
from perun.types import Wei
from perun.wire.noise import Sealed

Plan = tuple[str, str, Sequence[tuple[object, str, object]]]
"""Name, rule and replacements, as of a `Bug`."""


def _opens_twice(self: Any, box: bytes) -> bytes | None:
    data: bytes | None = self._cipher.open(self._number, box)
    if data is not None:
        self._next()
        return data
    before = range(max(0, self._number - 20), self._number)
    again = (self._cipher.open(number, box) for number in before)
    return next((data for data in again if data is not None), None)


def _seals_nothing(self: Sealed, data: bytes) -> bytes:
    return b"\x00" * 16 + data


def _opens_anything(self: Sealed, box: bytes) -> bytes:
    return box[16:]


_take_rows = Host.take_rows


def _without_payments(self: Host) -> tuple[list[Any], dict[Any, Any]]:
    writes, drops = _take_rows(self)
    return [row for row in writes if not isinstance(row, Payment)], drops


_begin = Shelf.begin


def _forgets_keys(self: Shelf, reader: Any) -> None:
    _begin(self, reader)
    self.by_key.clear()


_books = Books.__init__


def _takes_a_copy_for_the_original(self: Books, config: Any, **_: Any) -> None:
    _books(self, config)


PLANS: Sequence[Plan] = (
    (
        "a packet of before opens again",
        "10: what is in a session comes in order and once, whatever is repeated on the way",
        ((Sealed, "open", _opens_twice),),
    ),
    (
        "boxes are not sealed",
        "10: who carries packets reads nothing",
        ((Sealed, "seal", _seals_nothing), (Sealed, "open", _opens_anything)),
    ),
    (
        "a payment's row is lost",
        "11: what the program above remembers is written with the turn, or neither is",
        ((Host, "take_rows", _without_payments),),
    ),
    (
        "keys are forgotten with the process",
        "11: the same wish again is the same payment, after a crash too",
        ((Shelf, "begin", _forgets_keys),),
    ),
    (
        "a note is said once",
        "11: a note is said again until it is answered",
        (
            (following, "say_notes", lambda *_: None),
            (following, "say_unanswered", lambda *_: None),
        ),
    ),
    (
        "a request is credited twice",
        "11: a request is paid once",
        ((incomes, "_why_not", lambda *_: None),),
    ),
    (
        "refunds without end",
        "11: all refunds of a payment together give back no more than came",
        ((wanting, "given_back", lambda *_: Wei(0)),),
    ),
    (
        "a copy signs",
        "store-2: a copied store signs nothing [B11]",
        ((Books, "__init__", _takes_a_copy_for_the_original),),
    ),
)

__all__ = ["PLANS"]
