"""`perun hub store`: where a hub keeps its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.render import console, say
from perun.daemon.moving import move_store
from perun.daemon.places import store_of
from perun.daemon.settings import FILE_NAME, NodeSettings, read_settings
from perun.store.postgres.place import is_postgres

__all__ = ["COMMANDS"]


@click.group("store")
def store() -> None:
    """Move the store to PostgreSQL, or back."""


@store.command("copy")
@HOME_OPTION
@click.argument("target")
@click.option("--witness", default="", help="Its witness, postgresql://user@host/name.")
def copy(home: Path, target: str, witness: str) -> None:
    """Copy everything to TARGET, a new file or postgresql://user@host/name; the old store is exit
    only from then on.

    Refused while the hub runs. Run again after a crash, it goes on.
    """
    home = home_of(home)
    settings = read_settings(home / FILE_NAME)
    file = target if is_postgres(target) else str(Path(target).absolute())
    wanted = NodeSettings(store=file, witness=witness)
    move_store(home, store_of(home, settings.node), store_of(home, wanted))
    shown = console()
    say(shown, "copied; the old store signs nothing new any more")
    say(shown, f"now write below [node] in {home / FILE_NAME}:")
    say(shown, f'store = "{file}"')
    if witness:
        say(shown, f'witness = "{witness}"')


COMMANDS: Final = (store,)
