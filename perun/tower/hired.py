"""The towers that watch for a node, together: what it says of them."""

from __future__ import annotations

from collections.abc import Sequence

from perun.app import values as v
from perun.tower.client import TowerClient
from perun.types import ChannelId

__all__ = ["shown", "watchers"]


def watchers(clients: Sequence[TowerClient], channel: ChannelId) -> list[v.Watcher]:
    """Those who have acknowledged a channel, and see the chain."""
    found = [(client.host, client.version(channel)) for client in clients]
    return [v.Watcher(name=host, version=has) for host, has in found if has is not None]


def shown(clients: Sequence[TowerClient]) -> tuple[v.Tower, ...]:
    """How things stand with each, for people."""
    return tuple(
        v.Tower(
            name=one.tower,
            channels=one.channels,
            sees=one.sees,
            trouble=one.trouble[: v.MOST_TEXT],
        )
        for one in (client.state for client in clients)
    )
