"""What a journal keeps is what was written, or it says so."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from perun.bindings.calls import Call
from perun.chain import SqliteJournal
from perun.chain.journal import Entry, JournalFailed, packed, unpacked
from perun.chain.wishes import Wish
from perun.errors import StoreFault
from perun.node.afloat import afloat_journal
from perun.types import UnixTime, Wei
from tests.node.chain.conftest import ALICE, BOB

US = ALICE.address
DEPOSIT = Wish(b"d", "DepositMoney", Call(BOB.address, b"", Wei(9)), UnixTime(500), once=True)
GUARD = Entry(7, DEPOSIT, (), done=True)


def store(path: Path, nonce: int, kept: bytes) -> None:
    SqliteJournal(path, US).close()
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO transactions VALUES (?, ?, ?)", (US, nonce, kept))
    db.close()


def test_entries_without_a_checksum_are_those_of_an_older_version(tmp_path: Path) -> None:
    store(tmp_path / "sent", 7, msgspec.json.encode(GUARD))
    assert SqliteJournal(tmp_path / "sent", US).load() == (GUARD,)


@pytest.mark.parametrize(
    "kept",
    [
        packed(US, GUARD).replace(b"500", b"400"),
        packed(BOB.address, GUARD),
        packed(US, Entry(8, DEPOSIT, ())),
        msgspec.json.encode(Entry(8, DEPOSIT, ())),
        packed(US, GUARD)[:5],
        b"",
    ],
    ids=["changed", "of another account", "of another nonce", "old, of another", "cut", "empty"],
)
def test_what_was_not_written_there_is_refused(tmp_path: Path, kept: bytes) -> None:
    store(tmp_path / "sent", 7, kept)
    with pytest.raises(JournalFailed, match="sent"):
        SqliteJournal(tmp_path / "sent", US).load()


def test_entry_is_what_was_packed() -> None:
    assert unpacked(US, 7, packed(US, GUARD)) == GUARD
    with pytest.raises(ValueError, match="no entry"):
        unpacked(US, 7, None)


@pytest.mark.parametrize("damage", ["row", "file"])
def test_damaged_journal_keeps_no_tower_from_answering(tmp_path: Path, damage: str) -> None:
    path, told = tmp_path / "sent", list[StoreFault]()
    if damage == "row":
        store(path, 7, b"\x01 what no program wrote")
    else:
        path.write_bytes(b"no database" * 1_000)
    journal, let_go = afloat_journal(path, US, told.append)
    assert len(told) == 1
    answer = Entry(3, Wish(b"r", "Register", Call(BOB.address, b"")), ())
    journal.put(answer)
    assert list(journal.load()) == [answer]
    let_go()
