"""What a hub shows its operator, as records; `views` makes them, the command line reads them."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["ADMIN_PLACE", "ChannelLine", "Fees", "PeerLine", "Status"]

ADMIN_PLACE: Final = "admin.json"
"""The file that says where it is asked."""


class ChannelLine(msgspec.Struct, frozen=True):
    """A channel; amounts in the asset's smallest unit, as text."""

    id: str
    peer: str
    asset: str
    phase: str
    ours: str
    """Ours and free."""
    locked: str
    theirs: str
    """Of the peer, all of it."""
    instances: int
    online: bool


class PeerLine(msgspec.Struct, frozen=True):
    """Somebody with channels."""

    peer: str
    channels: int
    online: bool


class Fees(msgspec.Struct, frozen=True):
    """What we charge, and have earned; ETH in wei."""

    base: str
    amount_ppm: int
    amount_day_ppm: int
    opening: str
    """For the next card."""
    share_ppm: int
    earned: str


class Status(msgspec.Struct, frozen=True):
    """The whole at a glance; ETH in wei."""

    id: str
    account: str
    network: str
    paused: bool
    draining: bool
    exit_only: bool
    channels: dict[str, int]
    """By phase."""
    instances: dict[str, int]
    """That cross us, by stage."""
    online: int
    block: int
    final: int
    gas_price: str
    balance: str | None
    """Of the account; None: not seen yet."""
    gas_needed: str
    """What leaving all channels could cost."""
    credit: str | None
    deposits: str
    """Ours in all channels."""
    deposits_most: str
    locked: str
    waiting: int
    """Offers that wait for their turn."""
    opens: int
    """Signed, and not used yet."""
    strikes: int
    """Addresses that have let one lapse."""
    fees: str
