"""From twelve words to stores: everything that places keep of a phrase, the newest of each store.

What is written is exit only, for ever: it registers, answers, submits, settles and claims, and
signs nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from perun.backup.finding import Found, find
from perun.backup.keys import BackupKeys
from perun.backup.places import AtOnce, Place
from perun.core.state import StoreMark
from perun.encoding.records import Extra
from perun.errors import PeerFault, StoreFault
from perun.node.at_once import finish
from perun.node.profile import write_profile
from perun.store import SqliteStore

__all__ = ["look_for", "write_store"]

_WHY = "restored from a backup: what was signed since is not known here"


def look_for(
    keys: BackupKeys, places: Sequence[Place], tell: Callable[[PeerFault], None] = lambda _: None
) -> list[Found]:
    """See `find`."""
    return finish(find(keys, [AtOnce(place) for place in places], tell))


# Rule store-5.
def write_store(path: Path, found: Found, keyfile: str, kinds: Sequence[type[Extra]] = ()) -> None:
    """Writes an exit-only store.

    Args:
        path: must not exist.
        keyfile: the account's encrypted key, for exits.
        kinds: of what programs above the node have noted, which comes back, too.

    Raises:
        StoreFault: it cannot be written; nothing is left.
        BadEntry: the backup does not say what it is about.
    """
    profile, noted = found.image.profile, found.image.noted(kinds)
    if path.exists():
        raise FileExistsError(path)
    store = SqliteStore(path, kinds)
    try:
        write_profile(store, profile, found.image.keyfile or keyfile)
        store.write((*found.image.rows, *noted, StoreMark(reason=_WHY)))
        store.put("restored", found.image.number.to_bytes(8, "big"))
    except StoreFault:
        store.close()
        with suppress(OSError):
            path.unlink()
        raise
    store.close()
