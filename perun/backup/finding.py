"""From twelve words to what places keep of a phrase: the newest of each store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perun.backup.contents import Image
from perun.backup.entries import BadEntry, chain, open_entry
from perun.backup.keys import BackupKeys
from perun.backup.remote import AwaitedPlace
from perun.errors import PeerFault

__all__ = ["Found", "find"]


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


async def find(
    keys: BackupKeys,
    places: Sequence[AwaitedPlace],
    tell: Callable[[PeerFault], None] = lambda _: None,
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
            slots = await place.slots()
        except PeerFault as error:
            tell(error)
            continue
        for shelved in slots:
            try:
                image = await _read(keys, place, shelved.slot)
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


async def _read(keys: BackupKeys, place: AwaitedPlace, slot: bytes) -> Image:
    """Raises `PeerFault`: what the place has there is none of ours."""
    image = Image()
    entries = chain(await place.read(slot))
    if not entries:
        raise BadEntry(f"{place.name} shows nothing that begins with a snapshot")
    for entry in entries:
        image.take(open_entry(keys, slot, entry))
        if image.number != entry.number or keys.slot(image.store) != slot:
            raise BadEntry(f"{place.name} shows it in another's place")
    return image
