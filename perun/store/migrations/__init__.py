"""Schema versions of a store, applied in order, all in one transaction; never edited, only added.

`MIGRATIONS[n]` brings a file from schema n to n + 1. The version is SQLite's `user_version`. The
store defines for them `checked(name, body)`: `body` with its checksum in that table; and
`one_kind(name, at, body)`: the row with one item for the two at that place, a machine or a lock;
and `recorded(name, at, body)`: the row with nothing at that place where everything was empty.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MIGRATIONS"]

_KINDS = (
    "totals",
    "channels",
    "instances",
    "crossings",
    "invitations",
    "credits",
    "marks",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        *(f"CREATE TABLE {kind} (row INTEGER PRIMARY KEY, body BLOB NOT NULL)" for kind in _KINDS),
    ),
    # Records say what takes whose place, and what goes to a hub unasked. Older ones read as before;
    # an older program must not write newer ones, since it would leave that out.
    (),
    # Rows and small values carry checksums.
    (
        "UPDATE meta SET value = checked('meta ' || name, value) "
        "WHERE name NOT IN ('count', 'tally')",
        *(f"UPDATE {kind} SET body = checked('{kind}', body)" for kind in _KINDS),  # noqa: S608
    ),
    # The terms of an instance are one value that says its kind; before, one of two was empty.
    (
        "UPDATE instances SET body = one_kind('instances', 1, body)",
        "UPDATE invitations SET body = one_kind('invitations', 2, body)",
    ),
    # What the chain says of an instance is a record of its kind; before, one record served all.
    (
        "UPDATE instances SET body = recorded('instances', 11, body)",
        "UPDATE instances SET body = recorded('instances', 12, body)",
    ),
)
