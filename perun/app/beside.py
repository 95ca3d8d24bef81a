"""What the program asks of whoever runs beside it: towers, backups, games."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perun.app import values as v
from perun.app.routes import Path
from perun.app.settings import KnownGame
from perun.core.state import PeerId
from perun.types import ChannelId

__all__ = ["Beside"]


@dataclass(frozen=True, slots=True)
class Beside:
    """Each is called in the node's thread, and answers at once."""

    watchers: Callable[[ChannelId], Sequence[v.Watcher]] = lambda _: ()
    """Who has acknowledged that it watches a channel, and up to which state."""
    towers: Callable[[], tuple[v.Tower, ...]] = lambda: ()
    """How things stand with each tower."""
    backups: Callable[[], tuple[v.Backup, ...]] = lambda: ()
    """… and each backup place."""
    path: Callable[[PeerId], Path] = lambda _: ()
    """Over which hubs somebody is reached who is behind another one than ours."""
    why_no_close: Callable[[], str | None] = lambda: None
    """Why an exit-only store signs no Close now, whatever our user says."""
    unseen: Callable[[], str] = lambda: ""
    """Why the chain is not seen now, as its nodes say it; empty: it is, or nobody knows."""
    games: Callable[[], tuple[KnownGame, ...]] | None = None
    """The games that are known now; None: those of the start, for good."""
