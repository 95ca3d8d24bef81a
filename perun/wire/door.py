"""Who may come in: how many connections an address may have, and how long they may take.

A connection is *new* until it has attached or asked for a page, and new ones are few and short.
Where there is no room, one goes that comes from the address with most of them: so those of one
address never keep out another's (an IPv6 /64 is one address). No I/O; time is an argument.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from perun.wire.codes import Code

__all__ = ["Door", "DoorLimits", "Seat", "door_for", "group_of"]


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What whoever dials may cost a listener."""

    seconds: float = 10
    """For a new connection to attach, or to ask for a page."""
    grace: float = 0.5
    """Seconds that a new connection is left alone when others of its own address want its place,
    or when no address has more than others: so of a thousand that come back at once all get a
    turn."""
    new: int = 1_024
    new_per_address: int = 64
    """An eighth of an address's links: when all come back at once most wait for a turn."""
    links: int = 8_192
    links_per_address: int = 512
    messages_each_second: float = 10_000
    """Of one link; it is read no faster. As many at once after a second's rest."""
    bytes_each_second: float = 32 * 2**20
    queued_per_link: int = 256 * 1024
    """Bytes that wait for a link to take them; then it is closed."""
    queued: int = 64 * 2**20
    """… and for all together."""
    ping_seconds: float = 20
    """How often a link is asked whether it is there."""


def door_for(links: int, links_per_address: int) -> DoorLimits:
    """Limits for so many links, and so many of an address: those that are new in proportion."""
    usual = DoorLimits()
    new_per_address = max(usual.new_per_address, links_per_address // 8)
    return DoorLimits(
        new=max(usual.new, new_per_address),
        new_per_address=new_per_address,
        links=links,
        links_per_address=links_per_address,
    )


class Visitor(Protocol):
    """A connection, as the door sees it."""

    def leave(self, code: Code, reason: str) -> None:
        """Must go, now."""


def group_of(address: str) -> str:
    """What counts as one address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


@dataclass(eq=False, slots=True)
class Seat:
    """A connection that was let in."""

    visitor: Visitor
    group: str
    since: float


class _Room:
    """Seats of one kind, oldest first in each group."""

    def __init__(self, most: int, most_of_a_group: int) -> None:
        self._most = most
        self._most_of_a_group = most_of_a_group
        self._count = 0
        self._groups: dict[str, OrderedDict[Seat, None]] = {}

    def __len__(self) -> int:
        return self._count

    def of(self, group: str) -> int:
        return len(self._groups.get(group, ()))

    def why_full(self, group: str) -> Code | None:
        """Why somebody has to go before a seat of this group comes in."""
        if self.of(group) >= self._most_of_a_group:
            return Code.CROWDED
        return Code.FULL if self._count >= self._most else None

    def largest(self) -> str:
        return max(self._groups, key=lambda group: len(self._groups[group]))

    def oldest(self, group: str) -> Seat:
        return next(iter(self._groups[group]))

    def newest(self, group: str) -> Seat:
        return next(reversed(self._groups[group]))

    def add(self, seat: Seat) -> None:
        self._groups.setdefault(seat.group, OrderedDict())[seat] = None
        self._count += 1

    def remove(self, seat: Seat) -> bool:
        group = self._groups.get(seat.group)
        if group is None or seat not in group:
            return False
        del group[seat]
        self._count -= 1
        if not group:
            del self._groups[seat.group]
        return True

    def late(self, before: float) -> list[Seat]:
        found = []
        for group in self._groups.values():
            for seat in group:
                if seat.since > before:
                    break
                found.append(seat)
        return found


@dataclass(slots=True)
class Door:
    """Counts who is in."""

    limits: DoorLimits = field(default_factory=DoorLimits)
    turned_away: int = 0
    """How many had to go because of a limit; for metrics."""
    _new: _Room = field(init=False)
    _links: _Room = field(init=False)

    def __post_init__(self) -> None:
        self._new = _Room(self.limits.new, self.limits.new_per_address)
        self._links = _Room(self.limits.links, self.limits.links_per_address)

    @property
    def new(self) -> int:
        """Connections that have neither attached nor asked for a page."""
        return len(self._new)

    @property
    def links(self) -> int:
        """Connections that have."""
        return len(self._links)

    def arrive(self, visitor: Visitor, address: str, now: float) -> Seat:
        """A new connection comes in, for which another may have to go; or is sent away itself."""
        seat = Seat(visitor, group_of(address), now)
        full = self._new.why_full(seat.group)
        if full is not None:
            group = seat.group if full is Code.CROWDED else self._new.largest()
            oldest = self._new.oldest(group)
            greedy = self._new.of(group) > self._new.of(seat.group) + 1
            if not greedy and now - oldest.since < self.limits.grace:
                oldest = seat
            self._turn_away(oldest, full, "too many that have not attached")
            if oldest is seat:
                return seat
        self._new.add(seat)
        return seat

    def rename(self, seat: Seat, address: str) -> None:
        """It turns out that it comes from another address: a proxy says so."""
        for room in (self._new, self._links):
            if room.remove(seat):
                seat.group = group_of(address)
                room.add(seat)

    def attach(self, seat: Seat) -> tuple[Code, str] | None:
        """It stays; or why it must go."""
        full = self._links.why_full(seat.group)
        if full is Code.CROWDED:
            return full, f"more than {self.limits.links_per_address} links from your address"
        if full is Code.FULL:
            largest = self._links.largest()
            if self._links.of(largest) <= self._links.of(seat.group) + 1:
                return full, f"more than {self.limits.links} links"
            self._turn_away(self._links.newest(largest), full, "others come in too")
        self._new.remove(seat)
        self._links.add(seat)
        return None

    def renew(self, seat: Seat, now: float) -> None:
        """It has got its page, and may ask for another."""
        if self._links.remove(seat):
            seat.since = now
            self._new.add(seat)

    def leave(self, seat: Seat) -> None:
        """It has gone."""
        if not self._new.remove(seat):
            self._links.remove(seat)

    def sweep(self, now: float) -> None:
        """Those who are late must go; about once a second."""
        for seat in self._new.late(now - self.limits.seconds):
            self._turn_away(seat, Code.LATE, f"not attached in {self.limits.seconds:g} seconds")

    def _turn_away(self, seat: Seat, code: Code, reason: str) -> None:
        self.turned_away += 1
        self.leave(seat)
        seat.visitor.leave(code, reason)
