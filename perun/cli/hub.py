"""`perun hub`: running a hub, and looking after one."""

from __future__ import annotations

from typing import Final

import click

from perun.cli.commands import Commands, Listed

__all__ = ["COMMANDS", "hub"]

_RUN: Final = "perun.cli.hub_running"
_STORE: Final = "perun.cli.hub_store"
_ASK: Final = "perun.cli.hub_admin"
_SECTIONS: Final[dict[str, tuple[Listed, ...]]] = {
    "Run one": (
        ("up", _RUN, "Put one up on a test network, and run it."),
        ("run", _RUN, "Run the hub here, until Ctrl-C or SIGTERM."),
    ),
    "Look after it": (
        ("status", _ASK, "Show how the hub fares."),
        ("channels", _ASK, "Show all channels that have not ended."),
        ("peers", _ASK, "Show whoever has a channel with the hub."),
        ("fees", _ASK, "Show what the hub charges, and has earned."),
        ("audit", _RUN, "Compare chain and store to the wei."),
        ("pause", _ASK, "Take no new channels and instances."),
        ("resume", _ASK, "Take new channels again."),
        ("store", _STORE, "Move the store to PostgreSQL, or back."),
        ("drain", _ASK, "Take nothing new, finish, and stop."),
    ),
}


@click.group(cls=Commands, sections=_SECTIONS)
def hub() -> None:
    """Run a hub, and look after it."""


COMMANDS: Final = (hub,)
