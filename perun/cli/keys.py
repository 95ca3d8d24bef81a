"""`perun keys`: encrypted keyfiles."""

from __future__ import annotations

from pathlib import Path

import click

from perun.cli.passwords import password_for
from perun.crypto.interop import checksum, secret_key
from perun.randomness import new_key
from perun.wallet import read_keyfile, write_keyfile

__all__ = ["COMMANDS", "keys"]


@click.group()
def keys() -> None:
    """Make and look at encrypted keyfiles (the format that Ethereum wallets share).

    Passwords are asked for, or taken from PERUN_PASSWORD.
    """


@keys.command("new")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new(file: Path) -> None:
    """Draw a fresh key and keep it in FILE, encrypted."""
    key = secret_key(new_key())
    write_keyfile(file, key, password_for("the new key", confirm=True))
    click.echo(f"{checksum(key.address)} in {file}")


@keys.command("show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """Show the address of the key in FILE."""
    click.echo(checksum(read_keyfile(file, password_for(str(file))).address))


COMMANDS = (keys,)
