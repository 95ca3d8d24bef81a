"""Says where a node's interface is: written when it starts, gone when it ends in order."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from perun.api.place import PLACE_NAME, Place, tokens_folder
from perun.api.tokens import OWNER, make_token
from perun.app.methods import Scope

__all__ = ["publish_place", "withdraw_place"]


def publish_place(home: Path, url: str, name: str = PLACE_NAME) -> Place:
    """Says where the interface is; makes the owner's token if there is none.

    Args:
        name: of the file, for another interface than that for programs.
    """
    place = Place(url, make_token(tokens_folder(home), OWNER, Scope.ALL))
    new = home / f"{name}.new"
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, msgspec.json.encode(place))
    finally:
        os.close(fd)
    os.replace(new, home / name)
    return place


def withdraw_place(home: Path, name: str = PLACE_NAME) -> None:
    """The interface is gone."""
    with contextlib.suppress(FileNotFoundError):
        (home / name).unlink()
