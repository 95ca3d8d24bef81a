"""Where a running node's interface is, for clients of the same user: `<home>/api.json`.

Only the owner can read it, since it names the owner's token. `perun.api.publishing` writes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from perun.errors import StoreFault
from perun.nesting import read_json

__all__ = [
    "DEFAULT_HOME",
    "PLACE_NAME",
    "Place",
    "TokenUnsafe",
    "read_place",
    "tokens_folder",
]

DEFAULT_HOME: Final = Path.home() / ".perun"
PLACE_NAME: Final = "api.json"


@dataclass(eq=False)
class TokenUnsafe(StoreFault):
    """Others can read a token's file."""

    path: str

    template: ClassVar[str] = "{path} can be read by others"
    hint: ClassVar[str] = "delete it and make a new token: whoever has read it can use it"


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


def read_place(home: Path, name: str = PLACE_NAME) -> Place:
    """Raises OSError if no node has said where it is, `TokenUnsafe` if others can read it."""
    path = home / name
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise TokenUnsafe(str(path))
    return read_json(path.read_bytes(), Place)
