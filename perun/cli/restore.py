"""`perun restore`: twelve words, and everything that places keep of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from perun.app.rows import NOTED
from perun.backup.finding import Found
from perun.backup.keys import BackupKeys
from perun.backup.places import place_of
from perun.backup.restoring import look_for, write_store
from perun.cli.homes import HOME_OPTION, JSON_OPTION, home_of
from perun.cli.outcome import FAILED
from perun.cli.passwords import password_for
from perun.cli.render import amount, console, say
from perun.daemon.contracts import of_deployment, write_contracts
from perun.daemon.keyring import Keyring, write_keyring
from perun.daemon.settings import (
    FILE_NAME,
    BackupSettings,
    ChainSettings,
    NodeSettings,
    Settings,
    WireSettings,
    write_settings,
)
from perun.errors import PeerFault
from perun.node.backup import open_copy
from perun.node.owed import owed_by
from perun.wallet import encrypt

__all__ = ["COMMANDS", "restore"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ALIVE = 180
_OWNER_ONLY = 0o700


@click.command()
@HOME_OPTION
@click.option(
    "--from",
    "places",
    multiple=True,
    required=True,
    help="Who keeps backups: host[:port], perun1…@host, or a folder; give all that you know.",
)
@click.option("--words-file", type=_FILE, help="File with the twelve words; else they are typed.")
@click.option("--password-file", type=_FILE, help="File with the password for what is written.")
@click.option("--rpc", multiple=True, help="An Ethereum node, for `perun node` with a store.")
@JSON_OPTION
def restore(
    home: Path,
    places: tuple[str, ...],
    words_file: Path | None,
    password_file: Path | None,
    rpc: tuple[str, ...],
    as_json: bool,
) -> None:
    """Get back, from twelve words, every store that was backed up.

    Each is written below the folder's `restored`, and is exit only: it gets its money out and signs
    nothing new. For new business make a node with `perun init --restore`.
    """
    shown = console(stderr=as_json)
    if words_file is not None:
        typed = words_file.read_text(encoding="utf-8")
    else:
        typed = click.prompt("Your twelve words", hide_input=True)
    keyring = Keyring.of(typed)
    keys = BackupKeys(keyring.backup)

    def tell(fault: PeerFault) -> None:
        say(shown, fault, "yellow")

    asked = [place_of(text, keys) for text in places]
    found = look_for(keys, asked, tell)
    for place in asked:
        place.close()
    if not found:
        say(shown, "No place has a store of these words.", "red")
        raise click.exceptions.Exit(FAILED)
    if password_file is not None:
        password = password_file.read_text(encoding="utf-8").strip()
    else:
        password = password_for("what is restored", confirm=True)
    folder = home_of(home) / "restored"
    table = Table(title="Found", title_justify="left")
    for heading in ("store", "channels", "yours, at least", "entry", "at", "last heard of"):
        table.add_column(heading, overflow="fold")
    written = [_write(folder, keyring, one, password, places, rpc, table) for one in found]
    shown.print(table)
    for one in found:
        _warn(shown, one)
    if as_json:
        pairs = zip(found, written, strict=True)
        click.echo(json.dumps([_plain(one, path) for one, path in pairs], indent=2))
        return
    url = rpc[0] if rpc else "URL"
    for path in written:
        say(shown, f"Next: perun exit {path} --rpc {url}", "bold")


def _write(
    folder: Path,
    keyring: Keyring,
    found: Found,
    password: str,
    places: tuple[str, ...],
    rpc: tuple[str, ...],
    table: Table,
) -> Path:
    """A folder as `perun node` wants it, around an exit-only store."""
    image = found.image
    home = folder / f"{image.store}-{image.number}"
    store = home / NodeSettings().store
    if not store.exists():
        home.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        write_store(store, found, encrypt(keyring.account, password), NOTED)
        own = Keyring.of(keyring.phrase, image.store)
        if not (home / NodeSettings().keys).exists():
            write_keyring(home / NodeSettings().keys, own, password)
        profile = image.profile
        write_contracts(
            home / ChainSettings(()).contracts,
            of_deployment(profile.deployment),
        )
        if rpc:
            chain = ChainSettings(rpc, since=profile.since)
            hubs = tuple(place for place in places if "@" in place)
            settings = Settings(chain, wire=WireSettings(hubs=hubs), backup=BackupSettings(places))
            write_settings(home / FILE_NAME, settings)
    _, books = open_copy(store)
    owed = owed_by(books)
    table.add_row(
        str(image.store),
        str(sum(not view.final.ended for view in books.channels.values())),
        ", ".join(amount(claim.asset, claim.amount) for claim in owed) or "unknown",
        str(image.number),
        found.place,
        f"{found.idle} s ago",
    )
    return store


def _plain(found: Found, store: Path) -> dict[str, object]:
    """For programs: amounts in the smallest unit, as text."""
    _, books = open_copy(store)
    return {
        "store": found.image.store,
        "file": str(store),
        "channels": sum(not view.final.ended for view in books.channels.values()),
        "owed": [
            {"asset": "0x" + claim.asset.hex(), "amount": str(claim.amount)}
            for claim in owed_by(books)
        ],
        "entry": found.image.number,
        "place": found.place,
        "idle": found.idle,
    }


def _warn(shown: Console, found: Found) -> None:
    store, number = found.image.store, found.image.number
    for place, theirs in found.others.items():
        if theirs < number:
            say(
                shown,
                f"{place} has only entry {theirs} of store {store}, {found.place} has {number}: "
                f"it is behind, or gives old ones out",
                "yellow",
            )
    if found.idle < _ALIVE:
        say(
            shown,
            f"Store {store} was alive {found.idle} s ago: if that is your device, go on there. "
            "An exit from here goes against what it does.",
            "bold yellow",
        )


COMMANDS: Final[list[click.Command]] = [restore]
