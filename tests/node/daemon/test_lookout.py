"""What places can keep a restored wallet from by what they say: nothing that they cannot show."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from perun.backup.entries import Entry, seal_entry
from perun.backup.keys import BackupKeys
from perun.backup.places import FolderPlace
from perun.daemon.backups import Lookout

ROOT = bytes(31) + b"\x09"
KEYS, STRANGER = BackupKeys(ROOT), BackupKeys(bytes(32)[:31] + b"\x08")
NUMBER = 3
SLOT = KEYS.slot(NUMBER)
OURS = 5


def looked(folder: Path) -> str:
    """Why a wallet that was restored at entry 5 may not close, after it has asked."""
    keyring = SimpleNamespace(backup=ROOT, number=NUMBER)
    store = SimpleNamespace(get=lambda _: OURS.to_bytes(8, "big"))
    assembly = SimpleNamespace(store=store)
    lookout = Lookout(cast("Any", assembly), cast("Any", keyring), (str(folder),), lambda: None)
    return lookout._look(FolderPlace(folder, KEYS))


def shown(folder: Path, entry: Entry) -> str:
    """The same, if a place shows this entry, whose store was not heard of for long."""
    place = FolderPlace(folder, KEYS)
    place.put(SLOT, entry)
    seen = folder / KEYS.name.hex() / SLOT.hex() / "seen"
    os.utime(seen, (0, 0))
    return looked(folder)


def test_a_later_entry_of_ours_keeps_us_from_closing(tmp_path: Path) -> None:
    assert "later backup" in shown(tmp_path, seal_entry(KEYS, SLOT, 9, None, b"of ours"))


def test_a_number_that_a_place_has_made_up_does_not(tmp_path: Path) -> None:
    """Attack: a place keeps a wallet from ever closing by agreement."""
    assert shown(tmp_path, seal_entry(STRANGER, SLOT, 9, None, b"of nobody")) == ""
