"""A store moves from one engine to the other, and only one of the two ever signs.

    target: unfinished ──► rows, journal, costs ──► source: moved, exit only ──► target: finished

A crash at any moment leaves one of them able to sign, or none; the same command again goes on.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.errors import Misuse, StoreFault
from perun.hub.gasbook_beside import book_of
from perun.node.keeping import Place, journal_of, open_store
from perun.node.profile import read_profile
from perun.store.kept import KeptStore
from perun.store.postgres.place import BadPlace

__all__ = ["MovedElsewhere", "NotEmpty", "move_store"]

_MOVED: Final = b"moved: "
"""Before a token, as the reason why a store is exit only; the target has the same token."""
_UNFINISHED: Final = "unfinished"
_EXIT_ONLY: Final = "exit only"


@dataclass(eq=False)
class NotEmpty(Misuse):
    """The target holds something already."""

    place: str

    template: ClassVar[str] = "{place} is not empty"
    hint: ClassVar[str] = "name a file that is not there yet, or an empty database"


@dataclass(eq=False)
class MovedElsewhere(StoreFault):
    """The source was moved before, to another place."""

    place: str

    template: ClassVar[str] = "{place} has moved, and not to there"
    hint: ClassVar[str] = "move it on from where it is now"


def move_store(home: Path, source: Place, target: Place) -> None:
    """Moves a store; from then on the source is exit only, and the target is what it was.

    Raises:
        StoreInUse: a node runs on one of them.
        NotEmpty, MovedElsewhere: there is another store, or the source has gone elsewhere.
        StoreFault: one of them cannot be read or written.
    """
    if isinstance(source, Path) and not source.exists():
        raise BadPlace(str(source), "is not there")
    with ExitStack() as stack:
        old = open_store(source, (), _nobody)
        stack.callback(old.close)
        moved = _moved(old)
        new = open_store(target, (), _nobody, unfinished=True)
        stack.callback(new.close)
        token = new.get(_UNFINISHED)
        if not token and (new.count or new.get("profile") or any(new.dump().tables.values())):
            raise NotEmpty(str(new.path))
        if moved is not None and moved != token:
            raise MovedElsewhere(str(old.path))
        if not token:
            token = os.urandom(16)
            new.put(_UNFINISHED, token)
        _carry(home, old, new)
        if not old.exit_only:
            old.put(_EXIT_ONLY, _MOVED + token)
        new.put(_UNFINISHED, b"")


def _moved(store: KeptStore) -> bytes | None:
    """The token of where a store has moved to, if it has."""
    why = store.get(_EXIT_ONLY) or b""
    return why.removeprefix(_MOVED) if why.startswith(_MOVED) else None


def _nobody(_: StoreFault) -> None:
    """Whoever waits sees it."""


def _carry(home: Path, old: KeptStore, new: KeptStore) -> None:
    """Everything; again is the same."""
    old.records()  # Raises for what is not as it was written.
    dump = old.dump()
    if _moved(old) is not None:
        # Exit only for no other reason.
        values = {name: value for name, value in dump.values.items() if name != _EXIT_ONLY}
        dump = replace(dump, values=values)
    new.fill(dump)
    account = read_profile(old).account
    with ExitStack() as stack:
        sent, sending = journal_of(old, account), journal_of(new, account)
        stack.callback(sent.close)
        stack.callback(sending.close)
        for entry in sent.load():
            sending.put(entry)
        book, booking = book_of(old, home), book_of(new, home)
        stack.callback(book.close)
        stack.callback(booking.close)
        costs = book.costs()
        if costs.begun is not None and not booking.has_begun:
            booking.begin(costs.begun)
        for paid in costs.paid:
            booking.put(paid)
