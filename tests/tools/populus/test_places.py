"""Where compilers and locks lie when the user has no cache: nobody else may put them there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from populus.exceptions import PopulusError
from populus.places import own_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, of a user without a home."""

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_user_without_a_home_and_without_a_name_has_a_folder(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in containers that run under some number."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    found = own_folder("locks")
    assert found.is_dir()
    assert found.parent.parent == temporary
    assert found.parent.stat().st_mode & 0o077 == 0
    assert own_folder("locks") == found


def linked(folder: Path) -> None:
    other = folder.with_name("of-somebody")
    other.mkdir()
    folder.symlink_to(other)


def shared(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def foreign(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users by number")
@pytest.mark.parametrize("prepared", [linked, shared, foreign])
def test_folder_that_somebody_else_has_made_is_not_taken(
    temporary: Path, prepared: Callable[[Path], None]
) -> None:
    """The compiler that lies in it would be run."""
    if prepared is foreign and os.getuid() != 0:
        pytest.skip("only root gives folders away")
    prepared(temporary / f"populus-{os.getuid()}")
    with pytest.raises(PopulusError, match="not a folder of yours alone"):
        own_folder()
