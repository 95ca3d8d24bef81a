"""Where things are: a project's file, and what belongs to no project.

That is compilers, locks, and builds of projects that cannot be written to.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from populus.reading import read_json

__all__ = ["CONFIG_NAME", "OLD_NAME", "build_folder", "config_file", "label", "own_folder"]

CONFIG_NAME = "populus.json"
OLD_NAME = "project.json"
"""What Populus 2.2 calls it; other tools have files of this name too."""

_OLD_SECTIONS = {"chains", "compilation", "contracts", "locations", "web3"}


def config_file(folder: Path) -> Path | None:
    """The file that makes a folder a project; None if there is none."""
    if (folder / CONFIG_NAME).exists():
        return folder / CONFIG_NAME
    try:
        old = read_json((folder / OLD_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    ours = isinstance(old, dict) and not _OLD_SECTIONS.isdisjoint(old)
    return folder / OLD_NAME if ours else None


def own_folder(name: str = "") -> Path:
    """A folder of the user's cache, or of the temporary files where there is none to write to.

    Raises:
        PopulusError: neither can be had.
    """
    cache = _cache()
    if cache is not None and _writable(cache / name):
        return cache / name
    folder = _among_temporary() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _cache() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "populus"
    except RuntimeError:  # a user without a home, as containers have them
        return None


def _among_temporary() -> Path:
    """Ours alone: compilers that lie in it are run, and everybody may write beside it."""
    if not hasattr(os, "getuid"):
        return Path(tempfile.gettempdir()) / f"populus-{getpass.getuser()}"
    folder = Path(tempfile.gettempdir()) / f"populus-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        # Not above: pytest loads this file in every project, and web3 would come along.
        from populus.exceptions import PopulusError

        raise PopulusError(
            f"{folder} is not a folder of yours alone.",
            "Remove it, or set XDG_CACHE_HOME to a folder that you can write to.",
        )
    return folder


def build_folder(root: Path) -> Path:
    """`build` of the project, or a folder of our own where the project cannot be written to."""
    folder = root / "build"
    return folder if _writable(folder) else own_folder(f"builds/{label(root)}")


def label(path: Path) -> str:
    """A short name for a path, without anything a file name may not have."""
    text = str(path.resolve())
    return f"{path.resolve().name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
