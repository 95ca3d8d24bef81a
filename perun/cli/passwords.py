"""Where a password comes from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from perun.daemon.settings import BadSettings

__all__ = ["PASSWORD", "password_for", "password_of"]

PASSWORD = "PERUN_PASSWORD"  # noqa: S105  # the name of the variable, not a password


def password_for(what: str, *, confirm: bool = False) -> str:
    """The password from the environment, else from the terminal."""
    found = os.environ.get(PASSWORD)
    if found is not None:
        return found
    return str(click.prompt(f"Password of {what}", hide_input=True, confirmation_prompt=confirm))


def password_of(home: Path, file: str) -> str:
    """The password of the node in a folder; from a file, if its settings name one.

    Raises:
        BadSettings: the file cannot be read.
    """
    if not file:
        return password_for(str(home))
    try:
        return (home / file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSettings(str(home / file), error.strerror or type(error).__name__) from None
