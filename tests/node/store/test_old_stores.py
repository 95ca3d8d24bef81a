"""Stores that an earlier schema's program wrote open as what they were."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from perun.core.books import Row
from perun.core.state import HubInstance, HubStage, InstanceView, Leg, LegStatus, Role
from perun.encoding.records import RowCodec
from perun.store import SqliteStore
from perun.store.migrations import MIGRATIONS
from perun.types import (
    Address,
    ChannelId,
    InstanceId,
    Machine,
    MachineRecord,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

CHANNEL, ID = ChannelId(b"\x01" * 32), InstanceId(b"\x02" * 32)
MACHINE = Machine(
    Address(b"\x03" * 20),
    Address(b"\x04" * 20),
    Wei(2**80),
    Wei(5),
    UnixTime(2_000_000_000),
    Seconds(600),
    Salt(b"\x05" * 32),
)
INSTANCE = InstanceView(
    ID,
    MACHINE,
    (Leg(CHANNEL, False, LegStatus.LISTED),),
    Role.ALICE,
    b"\x02" * 33,
    b"\x03" * 33,
    ready_sent=True,
    leave_sent=True,
    head=MachineRecord(Wei(2**80), Wei(1), UnixTime(2_000_000_300)),
)
CROSSING = HubInstance(ID, CHANNEL, ChannelId(b"\x06" * 32), HubStage.OPEN, (True, True))


def _older(row: Row, kind: type, fields: int = 0) -> bytes:
    """A row as it was written when records of its kind had so many fields less, and an instance's
    terms stood in one of two places."""
    body = msgspec.msgpack.decode(RowCodec(kind).encode(row))
    if kind is InstanceView:
        for place in (11, 12):
            body[place] = _one_for_all(body[place])
        body[1:2] = [body[1][1:], None] if body[1][0] == 1 else [None, body[1][1:]]
    return msgspec.msgpack.encode(body[: len(body) - fields])


def _one_for_all(record: list | None) -> list:
    """What the chain says of an instance, in the one record that served all kinds."""
    match record:
        case [1, alice, bob, deadline]:
            return [alice, bob, deadline, None]
        case [2, preimage]:
            return [0, 0, 0, preimage]
        case _:
            return [0, 0, 0, None]


def _as_then(path: Path, schema: int, count: int) -> sqlite3.Connection:
    """A closed store as programs of that schema left it: no checksums, a seal known by what it
    contains, its inode and its change time, and the count of commits in the lock."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    for statement in MIGRATIONS[0]:
        db.execute(statement)
    number = b"\x08" * 16
    seal = path.with_name(path.name + ".seal")
    seal.write_bytes(number)
    stat = seal.stat()
    mark = number + stat.st_ino.to_bytes(16, "big") + stat.st_ctime_ns.to_bytes(16, "big")
    small = {"born": b"yes", "seal": mark, "next seal": b"", "count": count.to_bytes(8, "big")}
    db.executemany("INSERT INTO meta VALUES (?, ?)", list(small.items()))
    path.with_name(path.name + ".lock").write_bytes(count.to_bytes(8, "big") + b"77".ljust(32))
    db.execute(f"PRAGMA user_version = {schema}")
    return db


@pytest.fixture
def first_schema(tmp_path: Path) -> Path:
    """Written before anything could take another's place over a hub."""
    path = tmp_path / "node.db"
    db = _as_then(path, 1, 7)
    db.execute("INSERT INTO instances VALUES (1, ?)", (_older(INSTANCE, InstanceView, 3),))
    db.execute("INSERT INTO crossings VALUES (1, ?)", (_older(CROSSING, HubInstance, 1),))
    db.close()
    return path


def test_first_schema_reads_as_it_was_and_is_written_on(first_schema: Path) -> None:
    store = SqliteStore(first_schema)
    assert set(store.records()) == {INSTANCE, CROSSING}
    assert not store.exit_only
    taken = replace(INSTANCE, successor=InstanceId(b"\x07" * 32))
    store.write([taken])
    store.close()

    again = SqliteStore(first_schema)
    assert set(again.records()) == {taken, CROSSING}
    again.close()


def test_older_programs_refuse_what_they_would_forget(first_schema: Path) -> None:
    """The number rises, so that a program that knows one schema says `StoreTooNew`."""
    SqliteStore(first_schema).close()
    db = sqlite3.connect(first_schema)
    (found,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    assert found == len(MIGRATIONS) > 1


@pytest.fixture
def second_schema(tmp_path: Path) -> Path:
    """Written before rows had checksums."""
    path = tmp_path / "node.db"
    db = _as_then(path, 2, 7)
    db.execute("INSERT INTO instances VALUES (5, ?)", (_older(INSTANCE, InstanceView),))
    db.execute("INSERT INTO meta VALUES ('profile', ?)", (b"whose it is",))
    db.close()
    return path


def test_second_schema_keeps_what_it_held(second_schema: Path) -> None:
    for _ in range(2):
        store = SqliteStore(second_schema)
        assert list(store.records()) == [INSTANCE]
        assert store.get("profile") == b"whose it is"
        assert not store.exit_only
        store.write([CROSSING], [CROSSING])
        store.close()


def test_copy_of_the_second_schema_is_a_copy(second_schema: Path) -> None:
    seal = second_schema.with_name("node.db.seal")
    seal.with_name("new").write_bytes(seal.read_bytes())
    seal.with_name("new").rename(seal)
    store = SqliteStore(second_schema)
    assert store.exit_only
    store.close()


def test_older_database_of_the_second_schema_is_a_copy(second_schema: Path) -> None:
    lock = second_schema.with_name("node.db.lock")
    lock.write_bytes((8).to_bytes(8, "big"))
    store = SqliteStore(second_schema)
    assert store.exit_only
    store.close()
