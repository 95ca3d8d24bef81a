"""The store in a SQLite file: copies that know they are copies [B11], and what a disk refuses.

What holds for every engine is in `test_engines.py`.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from perun.core.state import Invitation, Totals
from perun.errors import StoreFault
from perun.store import (
    SqliteStore,
    StoreDamaged,
    StoreFull,
    StoreInUse,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)
from perun.store.faults import fault_of
from perun.types import ChannelId, InstanceId, Lock, Salt, Signature, UnixTime, Wei

LOCK = Lock(Wei(1), False, bytes(32), UnixTime(0), Salt(bytes(32)))


def totals(number: int, sent: int) -> Totals:
    id = InstanceId(number.to_bytes(32, "big"))
    return Totals(id, Wei(sent), Wei(sent), Signature(b"\x01" * 65))


def invitation(number: int) -> Invitation:
    return Invitation(Salt(bytes([number]) * 32), ChannelId(bytes(32)), LOCK, b"", b"")


def reopen(store: SqliteStore) -> SqliteStore:
    store.close()
    return SqliteStore(store.path)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    store = SqliteStore(tmp_path / "node.db")
    list(store.records())
    return store


def _copy(source: Path, target: Path) -> None:
    for suffix in ("", "-wal", "-shm", ".seal", ".lock"):
        if source.with_name(source.name + suffix).exists():
            shutil.copy2(
                source.with_name(source.name + suffix), target.with_name(target.name + suffix)
            )


def test_copied_store_opens_exit_only_and_stays_so(store: SqliteStore, tmp_path: Path) -> None:
    store.write([totals(1, 5)])
    store.close()
    other = tmp_path / "copy.db"
    _copy(store.path, other)
    copy = SqliteStore(other)

    assert copy.exit_only
    assert list(copy.records()) == [totals(1, 5)]
    assert reopen(copy).exit_only
    original = SqliteStore(store.path)
    assert not original.exit_only
    original.close()


def test_backup_put_back_in_place_opens_exit_only(store: SqliteStore, tmp_path: Path) -> None:
    store.write([totals(1, 5)])
    backup = tmp_path / "backup.db"
    store.backup(backup)
    store.write([totals(1, 6)])
    store.close()
    for suffix in ("-wal", "-shm"):
        store.path.with_name(store.path.name + suffix).unlink(missing_ok=True)
    # The same file, inode and seal; only the content is older.
    store.path.write_bytes(backup.read_bytes())
    restored = SqliteStore(store.path)

    assert restored.exit_only
    restored.close()


def test_directory_put_back_as_a_whole_opens_exit_only(store: SqliteStore, tmp_path: Path) -> None:
    store.close()
    keep = tmp_path / "keep"
    keep.mkdir()
    _copy(store.path, keep / "node.db")
    SqliteStore(store.path).close()
    for suffix in ("", ".seal", ".lock"):
        store.path.with_name(store.path.name + suffix).unlink()
    _copy(keep / "node.db", store.path)
    restored = SqliteStore(store.path)

    assert restored.exit_only
    restored.close()


@pytest.mark.parametrize("moment", ["next seal", "seal"])
def test_crash_while_renewing_the_seal_makes_no_copy(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    store.close()

    class PowerCut(Exception):
        pass

    put = SqliteStore.put

    def cut(self: SqliteStore, name: str, value: bytes) -> None:
        if name == moment:
            self._db.close()
            raise PowerCut
        put(self, name, value)

    monkeypatch.setattr(SqliteStore, "put", cut)
    with pytest.raises(PowerCut):
        SqliteStore(store.path)
    monkeypatch.undo()
    again = SqliteStore(store.path)

    assert not again.exit_only
    again.close()


def test_store_is_readable_by_its_owner_only(store: SqliteStore) -> None:
    assert store.path.stat().st_mode & 0o077 == 0


def test_another_name_of_the_same_store_is_the_same_store(
    store: SqliteStore, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(store.path)
    with pytest.raises(StoreInUse):
        SqliteStore(link)
    store.close()
    again = SqliteStore(link)
    assert not again.exit_only
    again.close()


def test_backup_is_never_readable_by_others(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    true = sqlite3.connect

    def connect(path: Path) -> sqlite3.Connection:
        modes.append(path.stat().st_mode & 0o777)
        return true(path)

    monkeypatch.setattr(sqlite3, "connect", connect)
    store.backup(tmp_path / "backup.db")
    assert modes == [0o600]


# ---------------------------------------------------------------------- other programs, bad media


class Holder:
    """A program that holds the database, until it is told that somebody waits."""

    def __init__(self, path: Path) -> None:
        self.told: list[StoreLocked] = []
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("BEGIN IMMEDIATE")

    def hear(self, locked: StoreLocked) -> None:
        self.told.append(locked)
        if len(self.told) == 3:
            self.let_go()

    def let_go(self) -> None:
        self._db.execute("ROLLBACK")
        self._db.close()


def test_write_waits_for_whoever_holds_the_database_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node.db"
    SqliteStore(path).close()
    monkeypatch.setattr("perun.store.sqlite._PATIENCE", 0.01)
    waiting: list[Callable[[StoreLocked], None]] = []
    store = SqliteStore(path, waiting=lambda locked: waiting[0](locked))
    holder = Holder(path)
    waiting.append(holder.hear)
    store.write([totals(1, 5)])

    assert len(holder.told) == 3
    assert str(path) in str(holder.told[-1])
    assert list(store.records()) == [totals(1, 5)]
    store.close()


def test_write_of_which_nobody_is_told_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node.db"
    SqliteStore(path).close()
    monkeypatch.setattr("perun.store.sqlite._PATIENCE", 0.01)
    monkeypatch.setattr("perun.store.sqlite._LONGEST", 0.03)
    store = SqliteStore(path)
    holder = Holder(path)
    with pytest.raises(StoreLocked) as caught:
        store.write([totals(1, 5)])
    assert caught.value.retry
    with pytest.raises(StoreLocked):
        store.put("name", b"value")
    holder.let_go()
    store.write([totals(1, 6)])
    assert list(store.records()) == [totals(1, 6)]
    store.close()


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_error(sqlite3.SQLITE_FULL), StoreFull),
        (OSError(errno.ENOSPC, "no space"), StoreFull),
        (OSError(errno.EDQUOT, "quota"), StoreFull),
        (_error(sqlite3.SQLITE_READONLY), StoreReadOnly),
        (_error(sqlite3.SQLITE_READONLY_DBMOVED), StoreReadOnly),
        (OSError(errno.EROFS, "read-only"), StoreReadOnly),
        (PermissionError(errno.EACCES, "denied"), StoreReadOnly),
        (_error(sqlite3.SQLITE_BUSY), StoreLocked),
        (_error(sqlite3.SQLITE_BUSY_SNAPSHOT), StoreLocked),
        (_error(sqlite3.SQLITE_IOERR_WRITE), StoreUnreachable),
        (OSError(errno.EIO, "input/output error"), StoreUnreachable),
        (FileNotFoundError(errno.ENOENT, "no such file"), StoreUnreachable),
        (_error(sqlite3.SQLITE_CORRUPT), StoreDamaged),
        (_error(sqlite3.SQLITE_NOTADB), StoreDamaged),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_error_gets_its_own_words(
    tmp_path: Path, error: Exception, expected: type[StoreFault]
) -> None:
    fault = fault_of(tmp_path / "node.db", error)
    assert type(fault) is expected
    assert ("restore a backup" in str(fault)) is (expected is StoreDamaged)


@pytest.mark.parametrize("free", [0, 4096])
def test_io_error_on_a_full_disk_speaks_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    room = os.statvfs(tmp_path)
    full = SimpleNamespace(f_flag=0, f_bavail=free, f_frsize=1, f_files=9, f_favail=9)
    assert type(fault_of(tmp_path / "x", _error(sqlite3.SQLITE_IOERR_SHMSIZE))) is StoreUnreachable
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    assert type(fault_of(tmp_path / "x", _error(sqlite3.SQLITE_IOERR_SHMSIZE))) is StoreFull
    full.f_flag = os.ST_RDONLY
    assert type(fault_of(tmp_path / "x", _error(sqlite3.SQLITE_CANTOPEN))) is StoreReadOnly
    assert room.f_bavail


def test_write_that_had_no_room_can_be_made_again(store: SqliteStore) -> None:
    store.write([totals(1, 5)])
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    many = [totals(number, number) for number in range(1, 2_000)]
    with pytest.raises(StoreFull):
        store.write(many)
    assert list(store.records()) == [totals(1, 5)]

    store._db.execute("PRAGMA max_page_count = 1000000")
    store.write(many)
    store.write([], many[:5])
    again = reopen(store)
    assert len(list(again.records())) == len(many) - 5
    assert not again.exit_only
    again.close()


@pytest.mark.parametrize("name", ["write", "fsync", "replace", "open"])
def test_disk_that_refuses_at_opening_costs_nothing(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store.write([totals(1, 5)])
    store.close()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, name, refuse)
    for _ in range(3):
        with pytest.raises(StoreFull):
            SqliteStore(store.path)
    monkeypatch.undo()
    again = SqliteStore(store.path)
    assert not again.exit_only
    assert list(again.records()) == [totals(1, 5)]
    again.close()


def test_package_needs_no_sqlite_until_it_is_asked_for() -> None:
    code = "import sys; sys.modules['sqlite3'] = None; from perun.store import MemoryStore"
    subprocess.run([sys.executable, "-c", code], check=True)
