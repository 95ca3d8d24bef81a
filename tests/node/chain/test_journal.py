"""What a journal keeps is what was written, or it says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
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


@pytest.mark.parametrize("lost", ["DELETE FROM transactions WHERE nonce = 7", "older"])
def test_entry_that_the_disk_has_lost_is_missed(tmp_path: Path, lost: str) -> None:
    """Without it a deposit would be made a second time."""
    with closing(SqliteJournal(tmp_path / "sent", US)) as journal:
        for entry in (Entry(7, DEPOSIT, ()), Entry(8, DEPOSIT, ()), GUARD):
            journal.put(entry)
        journal.drop(8)
        assert journal.load() == (GUARD,)
    if lost == "older":
        kept = packed(US, Entry(7, DEPOSIT, ())).hex()
        lost = f"UPDATE transactions SET entry = x'{kept}' WHERE nonce = 7"
    with sqlite3.connect(tmp_path / "sent") as db:
        db.execute(lost)
    db.close()
    with (
        closing(SqliteJournal(tmp_path / "sent", US)) as journal,
        pytest.raises(JournalFailed, match="other entries were written"),
    ):
        journal.load()


def test_journal_of_before_is_tallied_from_its_first_change_on(tmp_path: Path) -> None:
    store(tmp_path / "sent", 7, packed(US, GUARD))
    other = Entry(8, DEPOSIT, ())
    with closing(SqliteJournal(tmp_path / "sent", US)) as journal:
        journal.put(other)
        assert journal.load() == (GUARD, other)


def test_change_that_fails_leaves_entries_and_tally_as_they_were(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "sent", US)) as journal:
        journal.put(GUARD)
        with pytest.raises(StoreFault):
            journal.put(Entry(2**63, DEPOSIT, ()))
        assert journal.load() == (GUARD,)
        journal.drop(7)
        assert journal.load() == ()


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
