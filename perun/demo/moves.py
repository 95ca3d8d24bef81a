"""What the cast does again and again, each until it has really happened; for examples too."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perun.core.inputs import (
    CommandAddMachine,
    CommandOffer,
)
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
)
from perun.core.notices import ChannelEnded, InstanceAdded
from perun.core.state import LegStatus
from perun.demo.chains import open_chain
from perun.demo.character import Character
from perun.demo.stage import Stage
from perun.types import (
    ETH,
    ChannelId,
    InstanceId,
    MachineId,
    Nonce,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["add_lock", "add_machine", "has_ended", "open_channel", "playground", "wait_removed"]

CHALLENGE = Seconds(600)


@contextmanager
def playground(chain: str = "tester", seed: int = 1) -> Iterator[Stage]:
    """A chain with the contracts, ready for a cast; gone at the end."""
    with open_chain(chain) as world, tempfile.TemporaryDirectory() as folder:
        stage = Stage(world, Path(folder), seed)
        try:
            yield stage
        finally:
            for party in stage.cast:
                if party.alive:
                    party.cut_power()


def open_channel(
    stage: Stage,
    opener: Character,
    other: Character,
    own: Wei,
    theirs: Wei,
    *,
    draw: bool = False,
    fee: Wei = Wei(0),  # noqa: B008  # an int
) -> ChannelId:
    """A channel in ETH, funded by both in final blocks.

    Args:
        draw: by one `openBoth`, the other's share out of its credit, for `fee`.
    """
    known = set(opener.books.channels)
    nonce = Nonce(int.from_bytes(stage.secret(f"nonce {len(known)} {opener.name}")[:8], "big"))
    opener.do(
        CommandOffer(
            other.peer, other.address, ETH, CHALLENGE, nonce, own, theirs, draw=draw, fee=fee
        )
    )

    def funded() -> bool:
        fresh = [id for id in opener.books.channels if id not in known]
        finals = [
            (party.books.channels[id].final.alice, party.books.channels[id].final.bob)
            for id in fresh
            for party in (opener, other)
            if id in party.books.channels
        ]
        return finals == [(own, theirs)] * 2

    stage.until(funded, f"the funding by {opener.name} and {other.name}")
    return next(id for id in opener.books.channels if id not in known)


def add_machine(
    stage: Stage,
    opener: Character,
    other: Character,
    channel: ChannelId,
    lock: Wei,
    lasts: int,
    *,
    virtual: bool = False,
) -> MachineId:
    """A payment machine in which both have locked the same, and both may pay.

    Args:
        channel: the opener's, with the other or with the hub between them.
        lasts: seconds from now.
        virtual: whether it crosses a hub.
    """
    known = _listed(opener)
    salt = Salt(stage.secret(f"salt {len(known)} {opener.name}"))
    validity = UnixTime(stage.now + lasts)
    end = other.peer if virtual else b""
    opener.do(CommandAddMachine(channel, lock, lock, validity, CHALLENGE, salt, end))

    def usable() -> list[InstanceId]:
        return [
            id
            for id in _listed(opener) - known
            if all(
                view.watched and (not virtual or view.ready)
                for view in (opener.books.instances[id], other.books.instances[id])
            )
        ]

    stage.patient(lambda: bool(usable()), f"the machine of {opener.name} and {other.name}")
    return MachineId(usable()[0])


def add_lock(
    stage: Stage,
    payer: Character,
    payee: Character,
    channel: ChannelId,
    amount: Wei,
    hashed: bytes,
    lasts: int,
    *,
    virtual: bool = False,
) -> InstanceId:
    """A payment that happens if the secret behind `hashed` is revealed within `lasts` seconds."""
    known = _listed(payer)
    salt = Salt(stage.secret(f"lock {len(known)} {payer.name}"))
    deadline = UnixTime(stage.now + lasts)
    end = payee.peer if virtual else b""
    payer.do(CommandLock(channel, amount, hashed, deadline, salt, end))

    def locked() -> set[InstanceId]:
        return (_listed(payer) - known) & _listed(payee)

    stage.patient(lambda: bool(locked()), f"the lock of {payer.name}")
    return locked().pop()


def _listed(party: Character) -> set[InstanceId]:
    return {notice.instance for notice in party.heard(InstanceAdded)}


def wait_removed(stage: Stage, id: InstanceId) -> None:
    """Until no channel of anybody lists the instance any more."""

    def gone() -> bool:
        return all(
            leg.status is LegStatus.REMOVED
            for party in stage.cast
            if id in party.books.instances
            for leg in party.books.instances[id].legs
        )

    stage.patient(gone, "the removal")


def has_ended(party: Character, channel: ChannelId) -> bool:
    """Whether a final block has shown the party that the channel is over."""
    return any(notice.channel == channel for notice in party.heard(ChannelEnded))
