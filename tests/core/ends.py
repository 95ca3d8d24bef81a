"""What the tests of one instance, between two or over a hub, ask of its ends and do to them."""

from __future__ import annotations

from perun.core.state import InstanceView, LegStatus
from perun.testing.parties import Party, World
from perun.types import ChannelId, InstanceId

__all__ = ["net", "only", "seen", "shares", "silence", "status", "wait"]


def only(party: Party) -> InstanceId:
    """The only instance that it knows."""
    (id,) = party.node.books.instances
    return id


def seen(party: Party) -> InstanceView:
    """The same, as its books have it."""
    return party.node.books.instances[only(party)]


def status(party: Party) -> LegStatus:
    """Of the same, in the first channel."""
    return seen(party).legs[0].status


def net(party: Party, channel: ChannelId) -> int:
    """What the channel's Alice has paid its Bob by the newest fully signed state."""
    agreed = party.node.books.channels[channel].agreed
    return int(agreed.state.net) if agreed else 0


def silence(world: World) -> None:
    """From now on no message arrives."""
    world.network.rule = lambda _letter: ()


def wait(world: World, *parties: Party, seconds: int = 13_000) -> None:
    """Until everything about the instance must have happened; these saw no fault by then."""
    for _ in range(seconds // 24):
        world.advance(24)
    for party in parties:
        assert party.faults == []


def shares(world: World, *parties: Party) -> list[int]:
    """What the contract has paid out to each; everybody began with nothing."""
    return [world.ledger.paid[party.account.address] for party in parties]
