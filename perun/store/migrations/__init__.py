"""Schema versions of a store, applied in order, all in one transaction; never edited, only added.

`MIGRATIONS[n]` brings a file from schema n to n + 1. The version is SQLite's `user_version`. The
store defines `checked(name, body)` for them: `body` with its checksum in that table.
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
)
