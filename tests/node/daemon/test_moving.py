"""A store moves to PostgreSQL and back; at no moment two of them sign, whenever it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from perun.bindings.calls import Call
from perun.chain import SqliteJournal
from perun.chain.journal import Entry as Sent
from perun.chain.reports import Paid
from perun.chain.wishes import Wish
from perun.core.books import Row, row_key
from perun.daemon.moving import MovedElsewhere, NotEmpty, move_store
from perun.errors import StoreFault
from perun.hub.bookkeeper import Entry
from perun.hub.gasbook import Beginning, Costs, GasBook
from perun.hub.gasbook_beside import FileGasBook, book_of
from perun.node.keeping import Place, UnfinishedCopy, journal_of, open_store
from perun.node.profile import Profile, read_profile, write_profile
from perun.node.settings import contracts_of
from perun.store import SqliteStore, StoreInUse
from perun.store.postgres.place import BadPlace
from perun.store.postgres.store import PostgresStore
from perun.testing.parties import DEPLOYMENT
from perun.types import ETH, Address, ChannelId, UnixTime, Wei
from tests.node.store.test_sqlite import invitation, totals
from tests.support.postgres import Servers

ACCOUNT = Address(b"\x07" * 20)
ROWS: list[Row] = [totals(1, 5), totals(2, 2**100), invitation(3)]
ENTRIES = [
    Entry(number, UnixTime(number), "fee", ETH, Wei(number), ChannelId(bytes(32)))
    for number in range(1, 4)
]
SENT = [Sent(nonce, Wish(b"key", "Fund", Call(ACCOUNT, b"data")), ()) for nonce in (0, 1, 300)]
COSTS = Costs(
    Beginning(3, 1, Wei(10**30)),
    (Paid(b"key", b"\x01" * 32, 5, True, 21_000, Wei(10**25), "Fund"),),
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A hub's store with something of everything."""
    path = tmp_path / "store.sqlite"
    store = SqliteStore(path, (Entry,))
    store.write([*ROWS, *ENTRIES])
    chain = DEPLOYMENT.contract.chain_id
    places = contracts_of(DEPLOYMENT)
    write_profile(store, Profile(chain, places, ACCOUNT, b"\x04" * 64, b"\x5e" * 32), "a key")
    store.close()
    with closing(SqliteJournal(path, ACCOUNT)) as journal:
        for sent in SENT:
            journal.put(sent)
    with closing(GasBook(tmp_path)) as book:
        assert COSTS.begun is not None
        book.begin(COSTS.begun)
        book.put(COSTS.paid[0])
    return path


def signs(place: Place) -> bool:
    """Whether a node on it may sign anything new; a store with nothing in it is nobody's."""
    try:
        store = open_store(place, (), lambda _: None)
    except UnfinishedCopy:
        return False
    with closing(store):
        return not store.exit_only and store.get("profile") is not None


def holds_everything(place: Place, home: Path) -> None:
    with ExitStack() as stack:
        store = open_store(place, (Entry,), lambda _: None)
        stack.callback(store.close)
        assert sorted(store.records(), key=row_key) == sorted(ROWS, key=row_key)
        assert store.numbered(Entry, 0, 10) == ENTRIES
        assert read_profile(store).account == ACCOUNT
        assert store.get("keyfile") == b"a key"
        journal, book = journal_of(store, ACCOUNT), book_of(store, home)
        stack.callback(journal.close)
        stack.callback(book.close)
        assert sorted(journal.load(), key=lambda sent: sent.nonce) == SENT
        assert book.costs() == COSTS


def test_store_moves_to_postgresql_and_back(
    source: Path, postgres: Servers, tmp_path: Path
) -> None:
    place, back = postgres.place(), tmp_path / "back.sqlite"
    move_store(tmp_path, source, place)
    assert [signs(one) for one in (source, place)] == [False, True]
    holds_everything(place, tmp_path)
    (tmp_path / "hub-gas.sqlite").unlink()

    move_store(tmp_path, place, back)
    assert [signs(one) for one in (source, place, back)] == [False, False, True]
    holds_everything(back, tmp_path)
    holds_everything(source, tmp_path)  # Still good for a way out.


def test_count_of_writes_goes_on(source: Path, postgres: Servers, tmp_path: Path) -> None:
    with closing(SqliteStore(source)) as store:
        count = store.count
    place = postgres.place()
    move_store(tmp_path, source, place)
    with closing(PostgresStore(place)) as moved:
        assert moved.count == count
        moved.write([totals(1, 6)])
        assert moved.count == count + 1


def test_running_node_is_refused_at_either_end(
    source: Path, postgres: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = postgres.place()
    monkeypatch.setattr("perun.store.postgres.store._PATIENCE", 0.1)
    with closing(SqliteStore(source)), pytest.raises(StoreInUse):
        move_store(tmp_path, source, place)
    with closing(PostgresStore(place)), pytest.raises(StoreInUse):
        move_store(tmp_path, source, place)
    assert signs(source)


def test_other_stores_are_not_written_over(source: Path, postgres: Servers, tmp_path: Path) -> None:
    full, empty = postgres.place(), postgres.place()
    with closing(PostgresStore(full)) as store:
        store.write([totals(9, 9)])
    with pytest.raises(NotEmpty):
        move_store(tmp_path, source, full)
    with pytest.raises(NotEmpty):
        move_store(tmp_path, full, source)
    with pytest.raises(BadPlace, match="not there"):
        move_store(tmp_path, tmp_path / "nothing", empty)
    assert not (tmp_path / "nothing").exists()
    assert signs(source)


def test_moved_store_moves_nowhere_else(source: Path, postgres: Servers, tmp_path: Path) -> None:
    there = postgres.place()
    move_store(tmp_path, source, there)
    with pytest.raises((NotEmpty, MovedElsewhere)):
        move_store(tmp_path, source, there)
    with pytest.raises(MovedElsewhere):
        move_store(tmp_path, source, postgres.place())
    assert signs(there)


def test_copy_stays_a_copy(source: Path, postgres: Servers, tmp_path: Path) -> None:
    with closing(SqliteStore(source)) as store:
        store.put("exit only", b"a copy")
    place = postgres.place()
    move_store(tmp_path, source, place)
    assert not signs(place)


class PowerCut(Exception):
    """Here it ends."""


def cut(monkeypatch: pytest.MonkeyPatch, before: int) -> Iterator[None]:
    """Ends at the write of that number, of either store."""
    left = [before]

    def counted(true: Any) -> Any:
        def act(*arguments: Any, **more: Any) -> Any:
            if left[0] == 0:
                raise PowerCut
            left[0] -= 1
            return true(*arguments, **more)

        return act

    with monkeypatch.context() as patched:
        for kind in (SqliteStore, PostgresStore, SqliteJournal, FileGasBook):
            for name in ("put", "fill", "put_beside", "begin"):
                if hasattr(kind, name):
                    patched.setattr(kind, name, counted(getattr(kind, name)))
        yield


@pytest.mark.parametrize("back", [False, True])
def test_killed_anywhere_at_most_one_signs_and_the_next_run_goes_on(
    source: Path, postgres: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    one: Place = source
    two: Place = postgres.place()
    if back:
        move_store(tmp_path, one, two)
        one, two = two, tmp_path / "back.sqlite"
    steps = 0
    for step in range(100):
        cutting = cut(monkeypatch, step)
        next(cutting)
        try:
            move_store(tmp_path, one, two)
            break
        except (PowerCut, StoreFault):
            steps += 1
        finally:
            next(cutting, None)
        assert not signs(two)
    assert steps > 8
    assert not signs(one)
    assert signs(two)
    holds_everything(two, tmp_path)
