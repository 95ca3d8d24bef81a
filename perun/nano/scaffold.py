"""A project to begin a game with: rules, how they look, and a test, all of which already work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Final

from perun.errors import Misuse

__all__ = ["BadName", "create", "file_name"]

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,39}")
_FILES: Final = {
    "populus.json": "populus.json",
    "IRules.sol": "contracts/IRules.sol",
    "MyGame.sol": "contracts/MyGame.sol",
    "my_game.py": "my_game.py",
    "test_my_game.py": "tests/test_my_game.py",
}


@dataclass(eq=False)
class BadName(Misuse):
    """A game cannot be called so, or its folder is taken."""

    name: str
    reason: str

    template: ClassVar[str] = "{name!r}: {reason}"
    hint: ClassVar[str] = "choose another name, such as MyGame"


def create(folder: Path, name: str) -> list[Path]:
    """Writes the project into a new folder of the game's name.

    Returns:
        The files, in the order in which to read them.

    Raises:
        BadName: it is no name of a contract, or the folder is there.
    """
    if not _NAME.fullmatch(name):
        raise BadName(name, "a game is called by letters and digits, a capital first")
    root = folder / name
    try:
        root.mkdir(parents=True)
    except OSError as error:
        raise BadName(name, f"{root}: {error.strerror}") from None
    written = []
    for asset, path in _FILES.items():
        text = (files("perun.nano") / "assets" / f"{asset}.txt").read_text(encoding="utf-8")
        target = root / _named(path, name)
        target.parent.mkdir(exist_ok=True)
        target.write_text(_named(text, name), encoding="utf-8")
        written.append(target)
    return written


def file_name(name: str) -> str:
    """The name of a module for a contract's: `my_game` for `MyGame`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _named(text: str, name: str) -> str:
    spoken = file_name(name).replace("_", " ")
    text = text.replace("my game", spoken).replace("my_game", file_name(name))
    return text.replace("MyGame", name)
