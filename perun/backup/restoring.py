"""From twelve words to stores: everything that places keep of a phrase, the newest of each store.

What is written is exit only, for ever: it registers, answers, submits, settles and claims, and
signs nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from perun.backup.contents import Image
from perun.backup.entries import BadEntry, chain, open_entry
from perun.backup.keys import BackupKeys
from perun.backup.places import Place
from perun.core.state import StoreMark
from perun.encoding.records import Extra
from perun.errors import PeerFault, StoreFault
from perun.node.profile import write_profile
from perun.store import SqliteStore

__all__ = ["Found", "look_for", "write_store"]

_WHY = "restored from a backup: what was signed since is not known here"


@dataclass(frozen=True, slots=True)
class Found:
    """A store, as the places know it."""

    image: Image
    place: str
    """Which of them has the newest entry."""
    others: dict[str, int]
    """Number of the newest entry at each of the others that has the store: less is behind, or a
    liar."""
    idle: int
    """Seconds since the store itself was heard of, at the place that heard of it last."""


def look_for(
    keys: BackupKeys, places: Sequence[Place], tell: Callable[[PeerFault], None] = lambda _: None
) -> list[Found]:
    """All stores of a phrase, the newest state of each; a place that fails keeps out nobody else.

    Args:
        tell: hears what a place does wrong.
    """
    best: dict[int, tuple[Image, str]] = {}
    numbers: dict[int, dict[str, int]] = {}
    idle: dict[int, int] = {}
    for place in places:
        try:
            slots = place.slots()
        except PeerFault as error:
            tell(error)
            continue
        for shelved in slots:
            try:
                image = _read(keys, place, shelved.slot)
            except PeerFault as error:
                tell(error)
                continue
            store = image.store
            numbers.setdefault(store, {})[place.name] = image.number
            idle[store] = min(idle.get(store, shelved.idle), shelved.idle)
            if store not in best or best[store][0].number < image.number:
                best[store] = image, place.name
    return [
        Found(
            image,
            place,
            {name: number for name, number in numbers[store].items() if name != place},
            idle[store],
        )
        for store, (image, place) in sorted(best.items())
    ]


def _read(keys: BackupKeys, place: Place, slot: bytes) -> Image:
    """Raises `PeerFault`: what the place has there is none of ours."""
    image = Image()
    entries = chain(place.read(slot))
    if not entries:
        raise BadEntry(f"{place.name} shows nothing that begins with a snapshot")
    for entry in entries:
        image.take(open_entry(keys, slot, entry))
        if image.number != entry.number or keys.slot(image.store) != slot:
            raise BadEntry(f"{place.name} shows it in another's place")
    return image


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
