"""What a hub remembers beside its channels, stored with the turn that it belongs to.

Fields are only ever added, at the end.
"""

from __future__ import annotations

from typing import ClassVar, Final

from perun.encoding.records import Extra
from perun.types import Address, ChannelId, UnixTime, Wei

__all__ = ["KINDS", "Filling", "Granted", "Mode", "Strikes"]


class Granted(Extra, frozen=True, array_like=True):
    """An `Open` that we have signed, until it is used or has lapsed in a final block."""

    table: ClassVar[str] = "hub_granted"
    channel: ChannelId
    account: Address
    group: str
    """The network address that asked (an IPv6 /64 is one)."""
    asset: Address
    amount: Wei

    @property
    def row_key(self) -> bytes:
        """One for a channel."""
        return self.channel


class Strikes(Extra, frozen=True, array_like=True):
    """A network address that has let an `Open` lapse unused."""

    table: ClassVar[str] = "hub_strikes"
    group: str
    count: int
    until: UnixTime
    """Nothing is signed for it before, by our clock."""

    @property
    def row_key(self) -> bytes:
        """The address."""
        return self.group.encode()


class Mode(Extra, frozen=True, array_like=True):
    """What the operator has told the hub, for good."""

    table: ClassVar[str] = "hub_mode"
    paused: bool = False

    @property
    def row_key(self) -> bytes:
        """There is one."""
        return b"mode"


class Filling(Extra, frozen=True, array_like=True):
    """Credit that we are adding from our account, until a final block shows it or it is too late.

    Its number is part of what the chain port knows the wish by: asked for again it is the same.
    """

    table: ClassVar[str] = "hub_filling"
    number: int
    amount: Wei
    until: UnixTime
    """Last second at which it may be mined."""
    over: bool = False
    """Only its number counts any more."""

    @property
    def row_key(self) -> bytes:
        """One at a time."""
        return b"filling"


KINDS: Final = (Granted, Strikes, Mode, Filling)
"""All of them."""
