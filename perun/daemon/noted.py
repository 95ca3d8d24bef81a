"""What people have noted, out of the backups of their twelve words, for a node made anew.

Money comes back by stores that are exit only; names for nodes may go on in a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from perun.app.rows import NOTED, Contact
from perun.backup.keys import BackupKeys
from perun.backup.places import place_of
from perun.backup.restoring import look_for
from perun.daemon.keyring import Keyring
from perun.errors import PeerFault
from perun.store import SqliteStore

__all__ = ["begin_with", "contacts_kept"]


def contacts_kept(
    keyring: Keyring, places: Sequence[str], tell: Callable[[PeerFault], None]
) -> tuple[Contact, ...]:
    """Names in all stores of a phrase, by what the store last heard of says.

    Args:
        places: as people name them.
        tell: hears what a place does wrong.
    """
    keys = BackupKeys(keyring.backup)
    asked = [place_of(text, keys) for text in places]
    found = look_for(keys, asked, tell)
    for place in asked:
        place.close()
    names: dict[str, Contact] = {}
    for one in sorted(found, key=lambda one: -one.idle):
        for row in one.image.noted(NOTED):
            if isinstance(row, Contact):
                names[row.name] = row
    by_node = {row.peer: row for row in names.values()}  # A node has one name.
    return tuple(by_node.values())


def begin_with(store: Path, contacts: Sequence[Contact]) -> None:
    """Makes a store that holds them and nothing else. Raises `StoreFault`."""
    made = SqliteStore(store, NOTED)
    try:
        made.write(contacts)
    finally:
        made.close()
