"""What stands inside an entry: rows as the store has them, and in a snapshot what the store says of
itself.

Everything with which money can be got out is in it: states, proposals, statements, secrets. What
the chain says is left to the chain, and what our user noted (contacts, texts) is not money.
"""

from __future__ import annotations

from collections.abc import Iterable
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
from perun.encoding.nesting import is_deep_json, is_deep_msgpack
from perun.encoding.records import CorruptRow, RowCodec
from perun.errors import Misuse
from perun.node.profile import Profile, profile_of

__all__ = ["Image", "KINDS", "Kept", "kept"]

KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (ChannelView, InstanceView, Totals, HubInstance, Invitation)
}
_CODECS: Final[dict[str, RowCodec[Any]]] = {name: RowCodec(kind) for name, kind in KINDS.items()}

Key = tuple[str, bytes]
"""A row's kind and what it is found by."""


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
    names = tuple((type(row).__name__, _CODECS[type(row).__name__].encode(row)) for row in rows)
    about = b"" if profile is None else msgspec.json.encode(profile)
    return msgspec.msgpack.encode(Kept(store, number, about, keyfile, names, tuple(drops)))


class Image:
    """A store, as one entry after the other makes it."""

    def __init__(self) -> None:
        self.store = 0
        self.number = 0
        self.keyfile = ""
        self._profile = b""
        self._rows: dict[Key, Row] = {}

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
            self._profile, self.keyfile = found.profile, found.keyfile
        self.store, self.number = found.store, found.number
        for name, row in rows:
            self._rows[name, row_key(row)] = row
        for key in found.drops:
            self._rows.pop(key, None)

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

    @property
    def rows(self) -> tuple[Row, ...]:
        """All of them."""
        return tuple(self._rows.values())
