"""Where a running node's interface is, for clients of the same user: `<home>/api.json`.

Written when the node starts, gone when it ends in order. Only the owner can read it, since it names
the owner's token.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from perun.api.tokens import OWNER, TokenUnsafe, make_token
from perun.app.methods import Scope

__all__ = [
    "DEFAULT_HOME",
    "Place",
    "publish_place",
    "read_place",
    "tokens_folder",
    "withdraw_place",
]

DEFAULT_HOME: Final = Path.home() / ".perun"
_NAME: Final = "api.json"


class Place(msgspec.Struct, frozen=True):
    """Where, and the token that may do everything."""

    url: str
    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"Place({self.url})"


def tokens_folder(home: Path) -> Path:
    """Where a node's tokens are."""
    return home / "tokens"


def publish_place(home: Path, url: str, name: str = _NAME) -> Place:
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


def read_place(home: Path, name: str = _NAME) -> Place:
    """Raises OSError if no node has said where it is, `TokenUnsafe` if others can read it."""
    path = home / name
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise TokenUnsafe(str(path))
    return msgspec.json.decode(path.read_bytes(), type=Place)


def withdraw_place(home: Path, name: str = _NAME) -> None:
    """The interface is gone."""
    with contextlib.suppress(FileNotFoundError):
        (home / name).unlink()
