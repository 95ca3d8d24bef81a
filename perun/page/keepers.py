"""Who watches while a page is closed, and who has copies: towers and places."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from perun.app import values as v
from perun.backup.feed import Feed, Source
from perun.backup.keys import BackupKeys
from perun.backup.remote import RemotePlace
from perun.bindings.failures import Garbled, NodeUnreachable
from perun.core.books import Row
from perun.core.config import Config
from perun.core.inputs import Input, Outdated
from perun.nesting import is_deep_msgpack
from perun.node.profile import Profile
from perun.node.settings import contracts_of
from perun.page.lent import Lent
from perun.tower.client import TowerClient
from perun.tower.hired import shown, watchers
from perun.types import ChannelId
from perun.wallet.phrase import StoreKeys

__all__ = ["Keepers", "PageAsker", "profile_of"]

A = TypeVar("A", bound=msgspec.Struct)


_FIRST_LOOK: Final = 10.0
"""Seconds."""
_PAUSE: Final = 0.02


class PageAsker:
    """`perun.node.at_once.Asker` over what the page lends, which bounds time and size."""

    def __init__(self, lent: Lent) -> None:
        self._lent = lent

    async def ask(
        self, url: str, question: msgspec.Struct, kind: type[A], *, seconds: float, most: int
    ) -> A:
        """See `Asker`."""
        status, body = await self._lent.exchange(url, msgspec.msgpack.encode(question))
        if status == 0:
            raise NodeUnreachable(f"nobody answers, or not in {seconds:g} s")
        try:
            if len(body) > most or is_deep_msgpack(body):
                raise ValueError("too long, or nested too deep")
            return msgspec.msgpack.decode(body, type=kind)
        except (msgspec.MsgspecError, ValueError):
            raise Garbled(f"HTTP {status}, and no answer that we know") from None

    def close(self) -> None:
        """See `Asker`."""


def profile_of(config: Config, key: bytes) -> Profile:
    """What a store of the page is about.

    Args:
        key: the node's public key, 64 bytes.
    """
    contract = config.deployment.contract
    return Profile(
        contract.chain_id,
        contracts_of(config.deployment),
        config.identity.account,
        key,
        config.seed,
        0,
        config.limits,
    )


class Keepers:
    """All of them."""

    def __init__(
        self,
        lent: Lent,
        config: Config,
        keys: StoreKeys,
        towers: Sequence[str],
        places: Sequence[str],
        count: int,
        rows: Iterable[Row],
        post: Callable[[Sequence[Input]], None],
    ) -> None:
        """Asks nobody yet.

        Args:
            towers, places: `host[:port]` or `perun1…@host`.
            count: how many writes the store has had.
            rows: what it holds.
        """
        rows, profile = tuple(rows), profile_of(config, keys.node.public_key.data)
        asker = PageAsker(lent)
        self._post, self._report = post, lent.report

        def tell(fault: object) -> None:
            lent.report(str(fault))

        self._towers = [
            TowerClient(tower, keys.node, profile, rows, asker, tell) for tower in towers
        ]
        backup = BackupKeys(keys.backup)
        source = Source(backup, keys.number, profile, "")
        self._feeds = [
            Feed(RemotePlace(place, backup, asker), source, count, rows, self._is_old, tell)
            for place in places
        ]

        self._all: tuple[TowerClient | Feed, ...] = (*self._towers, *self._feeds)

    def note(self, count: int, rows: Sequence[Row], drops: Sequence[Row]) -> None:
        """See `perun.node.told.Follower`."""
        for one in self._all:
            one.note(count, rows, drops)

    async def live(self) -> None:
        """Tells them what there is, and what is new, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for one in self._all:
                tasks.create_task(self._keep(one))

    async def _keep(self, one: TowerClient | Feed) -> None:
        try:
            await one.live()
        except Exception as error:
            # A keeper that fails is one less; nothing that is signed waits for it.
            self._report(f"keeper: {type(error).__name__}: {error}")

    # Rule store-4.
    async def looked(self) -> None:
        """Returns once every place has said what it has, or does not answer: then peers alone tell
        whether the store is old."""
        end = time.monotonic() + _FIRST_LOOK
        while time.monotonic() < end and any(
            not feed.looked.is_set() and not feed.state.trouble for feed in self._feeds
        ):
            await asyncio.sleep(_PAUSE)

    def watchers(self, channel: ChannelId) -> list[v.Watcher]:
        """Those who have acknowledged a channel, and see the chain."""
        return watchers(self._towers, channel)

    def towers(self) -> tuple[v.Tower, ...]:
        """How things stand with each tower."""
        return shown(self._towers)

    def places(self) -> tuple[v.Backup, ...]:
        """… and each place."""
        return tuple(feed.state.shown() for feed in self._feeds)

    def _is_old(self, place: str, theirs: int, ours: int) -> None:
        reason = f"backup place {place} has entry {theirs} of it, this store has written {ours}"
        self._post((Outdated(reason),))
