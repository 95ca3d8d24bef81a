"""What stands inside an entry: rows as the store has them, and in a snapshot what the store says of
itself.

Everything with which money can be got out is in it: states, proposals, statements, secrets; and of
what programs above the node note, what they want kept (`Extra.kept`: contacts), which is carried
without a look inside. What the chain says is left to the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from perun.backup.entries import BadEntry
from perun.core.books import Row, row_key
from perun.core.state import (
    ChannelView,
    HubInstance,
    InstanceView,
    Invitation,
    Totals,
)
from perun.encoding.records import CorruptRow, Extra, RowCodec
from perun.errors import Misuse
from perun.nesting import is_deep_json, is_deep_msgpack
from perun.node.profile import Profile, profile_of

__all__ = ["Image", "Kept", "kept", "key_in"]

KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (ChannelView, InstanceView, Totals, HubInstance, Invitation)
}
_CODECS: Final[dict[str, RowCodec[Any]]] = {name: RowCodec(kind) for name, kind in KINDS.items()}

Key = tuple[str, bytes]
"""A row's kind and what it is found by."""


def key_in(row: Row) -> Key | None:
    """What a row is found by in backups; None: it is not kept."""
    name = row.table if isinstance(row, Extra) else type(row).__name__
    is_kept = row.kept if isinstance(row, Extra) else name in KINDS
    return (name, row_key(row)) if is_kept else None


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """The content of an entry."""

    store: int
    """The store's number."""
    number: int
    """The entry's."""
    profile: bytes
    """JSON; empty but in a snapshot."""
    keyfile: str
    """The account's encrypted key, in a snapshot and only if the phrase does not give it."""
    rows: tuple[tuple[str, bytes], ...]
    drops: tuple[Key, ...] = ()
    noted: tuple[tuple[str, bytes, bytes], ...] = ()
    """Rows of programs above the node: the store's table, the key, the row."""


_decoder: Final = msgspec.msgpack.Decoder(Kept)


def kept(
    store: int,
    number: int,
    rows: Iterable[Row],
    drops: Iterable[Key] = (),
    profile: Profile | None = None,
    keyfile: str = "",
) -> bytes:
    """The content with these rows."""
    names, noted = [], []
    for row in rows:
        if isinstance(row, Extra):
            noted.append((row.table, row_key(row), RowCodec(type(row)).encode(row)))
        else:
            name = type(row).__name__
            names.append((name, _CODECS[name].encode(row)))
    about = b"" if profile is None else msgspec.json.encode(profile)
    content = Kept(store, number, about, keyfile, tuple(names), tuple(drops), tuple(noted))
    return msgspec.msgpack.encode(content)


class Image:
    """A store, as one entry after the other makes it."""

    def __init__(self) -> None:
        self.store = 0
        self.number = 0
        self.keyfile = ""
        self._profile = b""
        self._rows: dict[Key, Row] = {}
        self._noted: dict[Key, bytes] = {}

    def take(self, content: bytes) -> None:
        """One entry's content.

        Raises:
            BadEntry: it is none.
        """
        try:
            if is_deep_msgpack(content):
                raise ValueError("nested too deep")
            found = _decoder.decode(content)
            rows = [(name, _CODECS[name].decode(body)) for name, body in found.rows]
        except (ValueError, KeyError, msgspec.MsgspecError, Misuse, CorruptRow) as error:
            raise BadEntry(f"{type(error).__name__}: {error}") from None
        if found.profile:
            self._rows.clear()
            self._noted.clear()
            self._profile, self.keyfile = found.profile, found.keyfile
        self.store, self.number = found.store, found.number
        for name, row in rows:
            self._rows[name, row_key(row)] = row
        for table, key, body in found.noted:
            self._noted[table, key] = body
        for dropped in found.drops:
            self._rows.pop(dropped, None)
            self._noted.pop(dropped, None)

    @property
    def profile(self) -> Profile:
        """Which chain, contracts and account it is about.

        Raises:
            BadEntry: it does not say.
        """
        try:
            if is_deep_json(self._profile):
                raise ValueError("nested too deep")
            return profile_of(msgspec.json.decode(self._profile))
        except (ValueError, msgspec.MsgspecError, Misuse) as error:
            raise BadEntry(f"no profile: {error}") from None

    def noted(self, kinds: Sequence[type[Extra]]) -> tuple[Extra, ...]:
        """What programs above the node wanted kept, of these kinds.

        Raises:
            BadEntry: a row is none of its kind.
        """
        codecs: dict[str, RowCodec[Any]] = {kind.table: RowCodec(kind) for kind in kinds}
        rows = [(codecs.get(table), body) for (table, _), body in self._noted.items()]
        try:
            return tuple(codec.decode(body) for codec, body in rows if codec is not None)
        except CorruptRow as error:
            raise BadEntry(str(error)) from None

    @property
    def rows(self) -> tuple[Row, ...]:
        """All of them."""
        return tuple(self._rows.values())
