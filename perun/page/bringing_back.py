"""From twelve words in an empty browser to the money of a store that is gone: what the hub keeps.

What is brought back is exit only, for ever: it goes to the chain with what was signed, and signs
nothing new (protocol, section 5, Store). It calls nobody: the store that it comes of may live on
another device, and the newer link of an id throws out the older.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from perun.app.rows import NOTED
from perun.backup.contents import Image
from perun.backup.finding import Found, find
from perun.backup.keys import BackupKeys
from perun.backup.remote import RemotePlace
from perun.core.books import Row
from perun.core.config import Policy
from perun.core.state import StoreMark
from perun.crypto.interop import checksum
from perun.errors import Misuse
from perun.node.owed import owed_by
from perun.node.recovery import open_books
from perun.node.settings import config_for
from perun.page.keepers import PageAsker
from perun.page.lent import Lent
from perun.page.network import NetworkOf
from perun.store.memory import MemoryStore
from perun.types import Address
from perun.wallet.phrase import StoreKeys

__all__ = ["Kept", "NothingKept", "OtherAccount", "brought_back", "kept_at"]

_WHY: Final = "restored from a backup: what was signed since is not known here"


@dataclass(eq=False)
class NothingKept(Misuse):
    """The place does not have that store any more."""

    place: str
    store: int

    template: ClassVar[str] = "{place} shows nothing of store {store} now"
    hint: ClassVar[str] = "look again, or at another hub"


@dataclass(eq=False)
class OtherAccount(Misuse):
    """The store's money belongs to the account of a wallet, and another is chosen."""

    wanted: str

    template: ClassVar[str] = "the money of this store belongs to account {wanted}"
    hint: ClassVar[str] = "go back, choose the wallet that has that account, and type the words"


class Kept(msgspec.Struct, frozen=True):
    """A store of these words, as a place knows it; for people."""

    store: int
    channels: int
    """That had not ended."""
    amounts: dict[str, str]
    """What the chain would pay, by asset."""
    idle: int
    """Seconds since the store itself was heard of."""


async def kept_at(lent: Lent, phrase: str, place: str) -> list[Kept]:
    """All stores of a phrase that a place has.

    Raises:
        PeerFault: it does not answer.
    """
    return [_shown(phrase, found) for found in await _found(lent, phrase, place)]


async def _found(lent: Lent, phrase: str, place: str) -> list[Found]:
    keys = BackupKeys(StoreKeys.of(phrase, 1).backup)
    asked = RemotePlace(place, keys, PageAsker(lent))
    # That it does not answer is another thing than that it has nothing.
    await asked.slots()
    return await find(keys, [asked], lambda fault: lent.report(str(fault)))


def _shown(phrase: str, found: Found) -> Kept:
    profile, keys = found.image.profile, StoreKeys.of(phrase, found.image.store)
    config = config_for(
        profile.deployment,
        keys.node.public_key,
        profile.seed,
        profile.account,
        Policy(),
        profile.own_limits,
    )
    store = MemoryStore()
    store.write(_rows(found.image))
    books = open_books(config, store)
    amounts: dict[str, int] = {}
    for owed in owed_by(books):
        asset = checksum(owed.asset)
        amounts[asset] = amounts.get(asset, 0) + owed.amount
    return Kept(
        found.image.store,
        sum(not view.final.ended for view in books.channels.values()),
        {asset: str(amount) for asset, amount in amounts.items()},
        found.idle,
    )


def _rows(image: Image) -> Iterable[Row]:
    return (*image.rows, StoreMark(reason=_WHY))


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What a new store begins with."""

    contracts: dict[str, Address]
    rows: tuple[Row, ...]


# Rule store-5.
async def brought_back(
    lent: Lent, phrase: str, place: str, number: int, network: NetworkOf, account: Address
) -> BroughtBack:
    """The rows of a store, and what it is about.

    Args:
        account: that can be used here: of the words, or of a wallet.

    Raises:
        NothingKept: the place does not have it.
        OtherAccount: its money is another account's.
        PeerFault: the place does not answer, or shows what is none.
    """
    for found in await _found(lent, phrase, place):
        about = found.image.profile
        if found.image.store == number and about.chain_id == network.chain:
            break
    else:
        raise NothingKept(place, number)
    if about.account != account:
        raise OtherAccount(checksum(about.account))
    rows = (*_rows(found.image), *found.image.noted(NOTED))
    return BroughtBack(dict(about.contracts), rows)
