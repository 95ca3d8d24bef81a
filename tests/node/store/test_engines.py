"""What every store does, on each engine: durable rows, one writer, and damage that is noticed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from perun.core.books import row_key
from perun.encoding.records import CorruptRow
from perun.errors import StoreFault
from perun.store import SqliteStore, StoreDamaged, StoreInUse, StoreTooNew
from perun.store.postgres.place import PostgresPlace
from perun.store.postgres.store import PostgresStore
from tests.node.store.test_sqlite import invitation, totals

Kept = SqliteStore | PostgresStore


class Engine(ABC):
    """One store, opened again and again, and changed behind its back."""

    def __init__(self) -> None:
        self._open: list[Kept] = []

    def open(self) -> Kept:
        """As a node does."""
        store = self.make()
        self._open.append(store)
        list(store.records())
        return store

    def reopen(self) -> Kept:
        """After a restart."""
        self.close()
        return self.open()

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    @abstractmethod
    def make(self) -> Kept:
        """Opens it."""

    @abstractmethod
    def run(self, sql: str, *values: Any) -> list[Any]:
        """As another program; `?` where values go."""

    @property
    @abstractmethod
    def code(self) -> str:
        """Python that opens it as `s`."""

    newer: str
    """Makes it one of a newer program."""


class Sqlite(Engine):
    newer = "PRAGMA user_version = 99"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def make(self) -> Kept:
        return SqliteStore(self.path)

    def run(self, sql: str, *values: Any) -> list[Any]:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    @property
    def code(self) -> str:
        return f"from perun.store import SqliteStore\ns = SqliteStore({str(self.path)!r})"


class Postgres(Engine):
    newer = "UPDATE schema SET version = 99"

    def __init__(self, place: PostgresPlace) -> None:
        super().__init__()
        self.place = place

    def make(self) -> Kept:
        return PostgresStore(self.place)

    def run(self, sql: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.place.database, autocommit=True) as db:
            found = db.execute(sql.replace("?", "%s").encode(), values)
            return found.fetchall() if found.description else []

    @property
    def code(self) -> str:
        place = f"{self.place.database!r}, {self.place.witness!r}"
        return (
            "from perun.store.postgres.store import PostgresStore\n"
            "from perun.store.postgres.place import PostgresPlace\n"
            f"s = PostgresStore(PostgresPlace({place}))"
        )


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine: Engine
    if request.param == "sqlite":
        engine = Sqlite(tmp_path / "node.db")
    else:
        engine = Postgres(request.getfixturevalue("postgres").place())
    yield engine
    engine.close()


def test_rows_survive_and_newer_ones_replace_older(engine: Engine) -> None:
    store = engine.open()
    store.write([totals(1, 5), totals(2, 7)])
    store.write([totals(1, 6), totals(1, 8)])

    rows = engine.reopen().records()
    assert sorted(rows, key=lambda row: row.machine) == [totals(1, 8), totals(2, 7)]  # type: ignore[union-attr]


def test_rows_come_back_in_the_order_in_which_they_came(engine: Engine) -> None:
    """Who waits for how long is what a hub's queue goes by."""
    store = engine.open()
    store.write([totals(number, 1) for number in range(1, 60)])
    for number in (7, 3, 30):
        store.write([totals(number, 2)])

    machines = [row.machine for row in engine.reopen().records()]  # type: ignore[union-attr]
    assert machines == [totals(number, 1).machine for number in range(1, 60)]


def test_amounts_beyond_64_bits_survive(engine: Engine) -> None:
    engine.open().write([totals(1, 2**111 - 1)])

    assert list(engine.reopen().records()) == [totals(1, 2**111 - 1)]


def test_dropped_rows_are_gone(engine: Engine) -> None:
    store = engine.open()
    store.write([invitation(1), invitation(2)])
    store.write([], [invitation(1)])

    assert list(engine.reopen().records()) == [invitation(2)]


def test_many_rows_of_many_kinds_go_in_one_write(engine: Engine) -> None:
    many = [totals(number, number) for number in range(1, 1_000)]
    store = engine.open()
    before = store.count
    store.write([*many, invitation(1)])

    assert store.count == before + 1
    rows = list(engine.reopen().records())
    assert sorted(rows, key=row_key) == sorted([*many, invitation(1)], key=row_key)


def test_a_thousand_payments_in_one_machine_are_one_row(engine: Engine) -> None:
    store = engine.open()
    for number in range(10):
        store.write([totals(1, number * 100 + i + 1) for i in range(100)])

    assert engine.run("SELECT count(*) FROM totals") == [(1,)]


def test_of_several_versions_in_one_write_the_last_counts(engine: Engine) -> None:
    first = invitation(1)
    last = replace(first, via=b"\x02" * 33)
    engine.open().write([first, invitation(2), last])

    assert sorted(engine.reopen().records(), key=row_key) == [last, invitation(2)]


def test_failed_write_keeps_nothing(engine: Engine) -> None:
    store = engine.open()
    store.write([totals(1, 5)])
    kept = engine.run("SELECT body FROM totals")
    engine.run("DROP TABLE invitations")

    with pytest.raises(StoreFault):
        store.write([totals(1, 9), totals(2, 1), invitation(1)])
    engine.close()
    assert engine.run("SELECT body FROM totals") == kept


def test_second_opening_is_refused_and_names_the_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.open()
    monkeypatch.setattr("perun.store.postgres.store._PATIENCE", 0.1)
    with pytest.raises(StoreInUse, match=str(os.getpid())):
        engine.make()


def test_lock_of_a_killed_process_is_taken_over(engine: Engine) -> None:
    code = f"{engine.code}\nimport os; os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9

    assert not engine.open().exit_only


def test_another_process_is_refused(engine: Engine) -> None:
    engine.open()
    opens = engine.code.replace("\ns =", "\ntry: s =")
    code = (
        f"import sys; from perun.store import StoreInUse\n{opens}\nexcept StoreInUse: sys.exit(7)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 7


def test_same_store_opened_again_is_no_copy(engine: Engine) -> None:
    for _ in range(4):
        assert not engine.reopen().exit_only


def test_newer_schema_is_left_alone(engine: Engine) -> None:
    engine.open()
    engine.close()
    engine.run(engine.newer)
    with pytest.raises(StoreTooNew):
        engine.make()


def test_exit_only_is_for_ever(engine: Engine) -> None:
    engine.open().put("exit only", b"a copy")

    assert engine.reopen().exit_only
    assert engine.reopen().exit_only


# ------------------------------------------------------------------------------------- checksums


def test_garbage_in_a_row_is_a_typed_error(engine: Engine) -> None:
    store = engine.open()
    engine.run("INSERT INTO totals VALUES (1, ?)", b"\xff\x00\xff")
    with pytest.raises(CorruptRow):
        list(store.records())


def test_changed_row_is_named(engine: Engine) -> None:
    engine.open().write([totals(1, 5), totals(2, 7)])
    engine.close()
    ((body,),) = engine.run("SELECT body FROM totals WHERE row = 2")
    for at in range(0, len(body), 9):
        broken = bytearray(body)
        broken[at] ^= 1 << at % 8
        engine.run("UPDATE totals SET body = ? WHERE row = 2", bytes(broken))
        with pytest.raises(CorruptRow, match="Totals row: row 2"):
            engine.open()
        engine.close()


def test_lost_row_is_noticed(engine: Engine) -> None:
    engine.open().write([totals(1, 5), totals(2, 7)])
    engine.close()
    engine.run("DELETE FROM totals WHERE row = 2")
    with pytest.raises(StoreDamaged, match="missing, or older"):
        engine.open()


def test_row_that_the_disk_kept_in_an_older_version_is_noticed(engine: Engine) -> None:
    store = engine.open()
    store.write([totals(1, 5)])
    ((older,),) = engine.run("SELECT body FROM totals")
    store.write([totals(1, 6)])
    engine.close()
    engine.run("UPDATE totals SET body = ?", older)
    with pytest.raises(StoreDamaged, match="missing, or older"):
        engine.open()


@pytest.mark.parametrize("lost", [b"", bytes(40)])
def test_changed_small_value_is_noticed(engine: Engine, lost: bytes) -> None:
    engine.open().put("exit only", b"a copy")
    engine.close()
    if lost:
        engine.run("UPDATE meta SET value = ? WHERE name = 'exit only'", lost)
    else:
        engine.run("UPDATE meta SET name = 'exit onlx' WHERE name = 'exit only'")
    with pytest.raises(StoreDamaged, match="exit onl"):
        engine.open()


def test_lost_small_value_is_noticed(engine: Engine) -> None:
    engine.open().put("exit only", b"a copy")
    engine.close()
    engine.run("DELETE FROM meta WHERE name = 'exit only'")
    with pytest.raises(StoreDamaged, match="missing, or older"):
        engine.open()
