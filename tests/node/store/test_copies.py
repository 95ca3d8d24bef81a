"""What is a copy never passes for the original; what is none is not taken for one [B11]."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perun.core.state import Totals
from perun.errors import StoreFault
from perun.store import AnotherName, SqliteStore, StoreForked, StoreInUse, StoreTaken
from perun.store.seal import path_of
from perun.types import InstanceId, Signature, Wei


def totals(sent: int) -> Totals:
    return Totals(InstanceId(b"\x01" * 32), Wei(sent), Wei(sent), Signature(b"\x01" * 65))


def beside(path: Path) -> list[Path]:
    """The store and all that belongs to it."""
    return sorted(found for found in path.parent.iterdir() if found.name.startswith(path.name))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a payment in it, in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    store = SqliteStore(folder / "node.perun")
    store.write([totals(1)])
    store.close()
    return folder / "node.perun"


def is_original(path: Path) -> bool:
    store = SqliteStore(path)
    try:
        return not store.exit_only
    finally:
        store.close()


def run_on(path: Path, payments: int = 3) -> None:
    """The original goes on, without being opened again in between."""
    store = SqliteStore(path)
    for sent in range(2, 2 + payments):
        store.write([totals(sent)])
    store.close()


# --------------------------------------------------------------------------- what is not a copy


def _chmod(path: Path) -> None:
    for found in beside(path):
        found.chmod(0o640)
    path.parent.chmod(0o750)


def _chown(path: Path) -> None:
    for found in beside(path):
        os.chown(found, os.getuid(), os.getgid())


def _touch(path: Path) -> None:
    for found in beside(path):
        os.utime(found, (1_000_000_000, 1_000_000_000))


def _snapshot(path: Path) -> None:
    folder = path.parent.with_name("snapshot")
    folder.mkdir()
    for found in beside(path):
        os.link(found, folder / found.name)


def _snapshot_and_forget(path: Path) -> None:
    _snapshot(path)
    shutil.rmtree(path.parent.with_name("snapshot"))


def _there_and_back(path: Path) -> None:
    for found in beside(path):
        away = found.with_name("away")
        found.rename(away)
        away.rename(found)


def _copied_elsewhere(path: Path) -> None:
    shutil.copytree(path.parent, path.parent.with_name("copy"))


def _backed_up(path: Path) -> None:
    for found in beside(path):
        found.read_bytes()


def _lock_removed(path: Path) -> None:
    path.with_name(path.name + ".lock").unlink()


def _count_removed(path: Path) -> None:
    for found in beside(path):
        if ".count-" in found.name:
            found.unlink()


HARMLESS = [
    *(_chmod, _chown, _touch, _snapshot, _snapshot_and_forget, _there_and_back),
    *(_copied_elsewhere, _backed_up, _lock_removed, _count_removed),
]


@pytest.mark.parametrize("happens", HARMLESS, ids=lambda f: f.__name__.strip("_"))
def test_what_leaves_the_files_in_place_makes_no_copy(
    path: Path, happens: Callable[[Path], None]
) -> None:
    happens(path)
    assert is_original(path)
    assert is_original(path)


def test_folder_under_another_name_is_no_copy(path: Path) -> None:
    new = path.parent.rename(path.parent.with_name("there"))
    assert is_original(new / path.name)
    assert is_original(new / path.name)


def test_store_under_another_name_is_no_copy(path: Path) -> None:
    for found in beside(path):
        found.rename(found.with_name("other" + found.name.removeprefix("node")))
    assert is_original(path.with_name("other.perun"))


def test_original_goes_on_beside_a_snapshot_of_hard_links(path: Path) -> None:
    _snapshot(path)
    run_on(path)
    assert is_original(path)


# ------------------------------------------------------------------------------- what is a copy


def _folder(path: Path) -> Path:
    return Path(shutil.copytree(path.parent, path.parent.with_name("copy"))) / path.name


def test_copied_folder_is_a_copy(path: Path) -> None:
    copy = _folder(path)
    assert not is_original(copy)
    assert not is_original(copy)
    assert is_original(path)


def test_folder_copied_back_is_a_copy(path: Path) -> None:
    copy = _folder(path)
    run_on(path)
    shutil.rmtree(path.parent)
    copy.parent.rename(path.parent)
    assert not is_original(path)


def _kill(store: SqliteStore) -> None:
    """What is left when the process ends at once."""
    store._db.close()
    store._lock.release()


def _in_place(source: Path, target: Path) -> None:
    """As `cp -p` does it: inode and birth of the target stay, its times are those of the source."""
    for found in beside(source):
        shutil.copy2(found, target.with_name(found.name))


def _as_rsync(source: Path, target: Path) -> None:
    """Files of the same size and time are left alone, others replaced as a whole."""
    for found in beside(source):
        there = target.with_name(found.name)
        if there.exists():
            a, b = found.stat(), there.stat()
            if (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns):
                continue
        shutil.copy2(found, there.with_name("part"))
        there.with_name("part").rename(there)


@pytest.mark.parametrize("restore", [_in_place, _as_rsync], ids=["cp", "rsync"])
@pytest.mark.parametrize("without", ["", ".lock", ".seal", ".count-"])
@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_copy_from_the_same_opening_put_back_is_a_copy(
    path: Path,
    restore: Callable[[Path, Path], None],
    without: str,
    killed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taken while the node ran, and put over its files after it has paid more."""
    monkeypatch.setattr("perun.store.count._NAMED_EVERY", 0.0)
    store = SqliteStore(path)
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = _folder(path)
    store.write([totals(2)])
    if killed:
        _kill(store)
    else:
        store.close()
    if without:
        for found in beside(copy):
            if without in found.name:
                found.unlink()
    restore(copy, path)
    assert not is_original(path)


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_older_database_is_a_copy_even_without_its_lock(path: Path, killed: bool) -> None:
    store = SqliteStore(path)
    backup = path.with_name("backup")
    store.backup(backup)
    store.write([totals(2)])
    if killed:
        _kill(store)
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
    else:
        store.close()
    path.write_bytes(backup.read_bytes())
    path.with_name(path.name + ".lock").unlink()
    assert not is_original(path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 16, b"anything"])
def test_seal_that_somebody_made_is_none(path: Path, content: bytes) -> None:
    copy = path.with_name("copy.perun")
    shutil.copy2(path, copy)
    path_of(copy).write_bytes(content)
    assert not is_original(copy)
    copy.with_name("copy.perun.seal.new").write_bytes(content)
    assert not is_original(copy)


def test_seal_moved_to_a_copy_makes_it_no_original(path: Path) -> None:
    copy = path.with_name("copy.perun")
    shutil.copy2(path, copy)
    path_of(path).rename(path_of(copy))
    assert not is_original(copy)


def test_link_to_a_store_is_refused_and_harms_nothing(path: Path) -> None:
    _snapshot(path)
    before = path.read_bytes()
    with pytest.raises(AnotherName, match=re.escape(str(path))):
        SqliteStore(path.parent.with_name("snapshot") / path.name)
    assert path.read_bytes() == before
    assert is_original(path)


# --------------------------------------------------------------- power cuts between any two writes


class PowerCut(BaseException):
    """Whatever was to follow does not happen."""


class Power:
    """Fails at the n-th step that could leave something on disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        """Steps until it fails; negative: never."""
        self.steps = 0
        for name in ("write", "fsync", "replace", "rename", "unlink", "open", "pwrite"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))
        true = SqliteStore._commit

        def commit(store: SqliteStore, *arguments: Any) -> None:
            self.step()
            true(store, *arguments)
            self.step()

        monkeypatch.setattr(SqliteStore, "_commit", commit)

    def _failing(self, true: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **named: Any) -> Any:
            self.step()
            return true(*arguments, **named)

        return act

    def step(self) -> None:
        """One more is about to happen."""
        self.steps += 1
        self.left -= 1
        if self.left == -1:
            raise PowerCut


def _opened_until(power: Power, path: Path, cut: int) -> bool:
    """Whether the power lasted for opening the store and a payment."""
    power.left = cut
    try:
        store = SqliteStore(path)
        try:
            store.write([totals(cut + 10)])
        finally:
            power.left = -1
            store.close()
    except PowerCut:
        return False
    finally:
        power.left = -1
    return True


def _cuts(power: Power, path: Path) -> Iterator[int]:
    cut = 0
    while not _opened_until(power, path, cut):
        yield cut
        cut += 1
    assert cut > 10, "there were steps to fail at"


def test_power_cut_at_any_step_makes_neither_a_copy_nor_an_original(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    for cut in _cuts(power, path):
        copy = Path(shutil.copytree(path.parent, path.parent.with_name(f"copy {cut}"))) / path.name
        assert not is_original(copy), f"copied after a cut at step {cut}"
        # The next cut comes before anybody opened the store in peace.
    assert is_original(path)


def test_any_two_power_cuts_in_a_row_make_no_copy(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    for first in range(2, 40, 9):
        for second in range(40):
            _opened_until(power, path, first)
            if _opened_until(power, path, second):
                break
            assert is_original(path), f"after cuts at steps {first} and {second}"


def test_power_cut_at_any_step_of_the_first_opening_leaves_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    for cut in range(60):
        folder = tmp_path / str(cut)
        folder.mkdir()
        done = _opened_until(power, folder / "node.perun", cut)
        assert is_original(folder / "node.perun"), f"after a cut at step {cut}"
        if done:
            return
    pytest.fail("the first opening never came to its end")


def test_copy_after_power_cuts_in_the_first_opening_is_a_copy_once_it_holds_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    folder = tmp_path / "here"
    folder.mkdir()
    for cut in _cuts(power, folder / "node.perun"):
        copy = Path(shutil.copytree(folder, tmp_path / f"copy {cut}")) / "node.perun"
        store = SqliteStore(copy)
        assert store.exit_only or not list(store.records())
        store.close()


# ------------------------------------------------------------------------------------ one writer


def test_lock_removed_under_a_running_node_opens_no_second_one(path: Path) -> None:
    store = SqliteStore(path)
    path.with_name(path.name + ".lock").unlink()
    with pytest.raises(StoreInUse):
        SqliteStore(path)
    code = (
        "import sys; from perun.store import SqliteStore, StoreInUse\n"
        "try: SqliteStore(sys.argv[1])\n"
        "except StoreInUse: sys.exit(7)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == 7
    store.write([totals(5)])
    store.close()
    assert is_original(path)


def test_what_another_program_wrote_is_noticed_before_anything_is_added(path: Path) -> None:
    store = SqliteStore(path)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE meta SET value = zeroblob(20) WHERE name = 'tally'")
    other.close()
    with pytest.raises(StoreTaken):
        store.write([totals(9)])
    (found,) = store._db.execute("SELECT count(*) FROM totals").fetchone()
    assert found == 1
    store.close()


def test_forked_child_can_neither_read_nor_write_nor_close(path: Path) -> None:
    store = SqliteStore(path)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        refused = 0
        acts: list[Callable[[], object]] = [
            lambda: store.write([totals(2)]),
            lambda: store.records(),
            lambda: store.put("x", b"y"),
            lambda: store.backup(path.with_name("backup")),
        ]
        for act in acts:
            try:
                act()
            except StoreForked:
                refused += 1
        store.close()
        try:
            SqliteStore(path)
        except StoreInUse:
            refused += 1
        os.write(writer, b"%d" % refused)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 9) == b"5"
    os.close(reader)
    os.close(writer)
    store.write([totals(3)])
    store.close()
    assert is_original(path)


def test_child_that_outlives_its_parent_holds_no_lock(path: Path) -> None:
    code = (
        "import os, sys; from perun.store import SqliteStore\n"
        "store = SqliteStore(sys.argv[1])\n"
        "if os.fork() == 0: print('up', flush=True); sys.stdin.read(); os._exit(0)\n"
        "os._exit(0)"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], text=True, **pipes) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        parent.wait()
        assert is_original(path), "while the child waits for its input to end"
        parent.stdin.close()


def test_failed_opening_leaves_no_descriptor_behind(path: Path) -> None:
    store = SqliteStore(path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(StoreFault):
            SqliteStore(path)
        with pytest.raises(StoreFault):
            SqliteStore(path.parent / "nowhere" / "node.perun")
    assert len(os.listdir("/proc/self/fd")) == before
    store.close()
