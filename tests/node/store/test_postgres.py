"""The store on PostgreSQL: one writer at a time, and a database that went back is a copy [N10]."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from perun.errors import StoreFault
from perun.store import StoreReadOnly, StoreUnreachable, WriteFailed, await_turn
from perun.store.postgres.place import BadPlace, PostgresPlace
from perun.store.postgres.store import PostgresStore
from perun.store.postgres.witness import SameServer, Witness, WriterReplaced
from tests.node.processes.network.proxy import Proxy
from tests.node.store.test_sqlite import totals
from tests.support.postgres import Cluster, Servers, by_way_of

Opens = Callable[[PostgresPlace], PostgresStore]


@pytest.fixture
def opened() -> Iterator[Opens]:
    """Opens stores that are closed at the end."""
    with ExitStack() as stack:

        def open_store(place: PostgresPlace) -> PostgresStore:
            store = PostgresStore(place)
            stack.callback(store.close)
            return store

        yield open_store


@pytest.fixture
def place(postgres: Servers) -> PostgresPlace:
    return postgres.place()


def sent(store: PostgresStore) -> int:
    """The one payment that it holds."""
    (row,) = store.records()
    return int(row.sent)  # type: ignore[union-attr]


def elsewhere(place: PostgresPlace, postgres: Servers) -> PostgresPlace:
    """The database as it stands, as a backup or a promoted replica has it; the same witness."""
    return PostgresPlace(postgres.database.copy(place.database), place.witness)


# ---------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("database", "witness", "reason"),
    [
        ("postgresql://a:b@127.0.0.1/x", "postgresql://127.0.0.1/y", "has a password"),
        ("postgresql://127.0.0.1/x?password=b", "postgresql://127.0.0.1/y", "has a password"),
        ("postgresql://127.0.0.1/x", "postgresql://a:b@127.0.0.1/y", "has a password"),
        ("postgresql://127.0.0.1/x", "", "has no witness"),
        ("postgresql://127.0.0.1/x", "store.sqlite", "does not begin"),
        ("postgresql://127.0.0.1/x?nonsense=1", "postgresql://127.0.0.1/y", "nonsense"),
    ],
)
def test_place_is_refused_in_words(database: str, witness: str, reason: str) -> None:
    with pytest.raises(BadPlace, match=reason) as caught:
        PostgresPlace(database, witness)
    assert ":b@" not in str(caught.value)


def test_witness_on_the_same_server_is_refused(place: PostgresPlace, postgres: Servers) -> None:
    with pytest.raises(SameServer):
        PostgresStore(PostgresPlace(place.database, postgres.database.new()))


def test_server_that_is_not_there_is_said_and_harms_nothing(
    place: PostgresPlace, opened: Opens
) -> None:
    opened(place).close()
    nobody = "postgresql://perun@127.0.0.1:1/x"
    with pytest.raises(StoreUnreachable):
        PostgresStore(PostgresPlace(nobody, place.witness))
    with pytest.raises(StoreUnreachable):
        PostgresStore(PostgresPlace(place.database, nobody))
    assert not opened(place).exit_only


def test_commits_wait_for_the_disk_whatever_the_server_is_told(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    name = place.database.rsplit("/", 1)[1]
    postgres.database.ask(f"ALTER DATABASE {name} SET synchronous_commit = off")
    store = opened(place)

    assert store._session.one("SHOW synchronous_commit") == "on"


# -------------------------------------------------------------------------- copies and the witness


def test_database_that_went_back_by_one_turn_is_a_copy(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    store.close()
    older = elsewhere(place, postgres)
    store = opened(place)
    store.write([totals(1, 6)])

    copy = opened(older)
    assert copy.exit_only
    assert sent(copy) == 5
    copy.write([totals(1, 5)])  # What it needs to get out.
    copy.close()
    assert opened(older).exit_only
    # To look at a copy has not stopped the original.
    store.write([totals(1, 7)])
    store.close()
    assert not opened(place).exit_only


def test_replica_with_everything_goes_on_and_the_old_writer_signs_nothing(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    store.close()
    replica = elsewhere(place, postgres)
    store = opened(place)
    store.close()
    heir = opened(replica)

    # Opening the first again has written nothing, so both are the same.
    assert not heir.exit_only
    heir.write([totals(1, 6)])
    late = opened(place)
    assert late.exit_only


def test_writer_whose_epoch_is_over_stops_for_good(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    # What a promoted replica's writer does first.
    postgres.witness.ask("UPDATE witness SET epoch = epoch + 1", place.witness)

    with pytest.raises(WriterReplaced):
        store.write([totals(1, 6)])
    with pytest.raises(WriterReplaced):
        store.write([totals(1, 6)])
    assert isinstance(store.failed, WriterReplaced)
    store.close()
    # It was committed and has not left: whoever comes next goes on from there.
    again = opened(place)
    assert not again.exit_only
    assert sent(again) == 6


def test_epoch_raised_in_the_database_stops_the_writer(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    postgres.database.ask("UPDATE writer SET epoch = epoch + 1", place.database)

    with pytest.raises(WriterReplaced):
        store.write([totals(1, 6)])
    store.close()
    assert sent(opened(place)) == 5


def test_idle_writer_hears_that_its_epoch_is_over_and_stays_stopped(
    place: PostgresPlace, postgres: Servers
) -> None:
    told: queue.SimpleQueue[StoreFault] = queue.SimpleQueue()
    store = PostgresStore(place, lost=told.put)
    store.write([totals(1, 5)])
    postgres.database.ask("UPDATE writer SET epoch = epoch + 1", place.database)
    fault = told.get(timeout=60)
    assert isinstance(fault, WriterReplaced)

    postgres.database.ask("UPDATE writer SET epoch = epoch - 1", place.database)
    with pytest.raises(WriterReplaced) as caught:
        store.write([totals(1, 6)])
    assert caught.value is fault
    store.close()


def test_turn_that_was_committed_and_never_left_is_taken_up_and_told(
    place: PostgresPlace, opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])

    def dies(*_: object) -> None:
        raise WriteFailed("the witness", "the process was killed here")

    monkeypatch.setattr(Witness, "tell", dies)
    with pytest.raises(WriteFailed):
        store.write([totals(1, 6)])
    store.close()
    # Again before it could say so: still one turn ahead, not two.
    with pytest.raises(WriteFailed):
        PostgresStore(place)
    monkeypatch.undo()

    again = opened(place)
    assert not again.exit_only
    assert sent(again) == 6
    again.write([totals(1, 7)])
    again.close()
    assert sent(opened(place)) == 7


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM witness", "UPDATE witness SET turn = turn - 2", "UPDATE witness SET hash = 'x'"],
)
def test_witness_that_forgot_leaves_only_the_way_out(
    place: PostgresPlace, postgres: Servers, opened: Opens, change: str
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    store.write([totals(1, 6)])
    store.close()
    postgres.witness.ask(change, place.witness)

    store = opened(place)
    assert store.exit_only
    assert sent(store) == 6


# --------------------------------------------------------------------------------- bad servers


def test_lost_session_ends_the_store_and_loses_nothing(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    told: queue.SimpleQueue[StoreFault] = queue.SimpleQueue()
    store = PostgresStore(place, lost=told.put)
    store.write([totals(1, 5)])
    name = place.database.rsplit("/", 1)[1]
    postgres.database.ask(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )

    # Nobody writes: its heartbeat finds out.
    assert told.get(timeout=60) is store.failed
    with pytest.raises(StoreFault):
        store.write([totals(1, 6)])
    store.close()
    assert sent(opened(place)) == 5


def test_session_lost_between_two_statements_stores_nothing(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    postgres.database.ask(
        "CREATE FUNCTION cut() RETURNS trigger AS "
        "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END' "
        "LANGUAGE plpgsql; "
        "CREATE TRIGGER cut AFTER UPDATE ON writer EXECUTE FUNCTION cut()",
        place.database,
    )
    with pytest.raises(WriteFailed):
        store.write([totals(1, 6)])
    store.close()
    postgres.database.ask("DROP FUNCTION cut CASCADE", place.database)
    assert sent(opened(place)) == 5


def test_warning_at_commit_is_doubt(place: PostgresPlace, postgres: Servers, opened: Opens) -> None:
    store = opened(place)
    store.write([totals(1, 5)])
    (before,) = postgres.witness.ask("SELECT sum(turn) FROM witness", place.witness)
    # As a server that was told not to wait for its replica any longer says it.
    postgres.database.ask(
        "CREATE FUNCTION warn() RETURNS trigger AS "
        "'BEGIN RAISE WARNING ''might not have been replicated''; RETURN NULL; END' "
        "LANGUAGE plpgsql; "
        "CREATE CONSTRAINT TRIGGER warn AFTER UPDATE ON writer "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn()",
        place.database,
    )
    with pytest.raises(WriteFailed, match="might not have been replicated"):
        store.write([totals(1, 6)])
    assert postgres.witness.ask("SELECT sum(turn) FROM witness", place.witness) == [before]


def test_what_lies_beside_the_rows_is_a_turn_too(
    place: PostgresPlace, postgres: Servers, opened: Opens
) -> None:
    store = opened(place)
    store.put_beside("sent", b"1", b"one")
    store.put_beside("sent", b"1", b"two")
    store.put_beside("sent", b"2", b"three")
    store.put_beside("sent", b"2", None)
    store.close()
    behind = elsewhere(place, postgres)
    store = opened(place)
    assert store.beside("sent") == [(b"1", b"two")]
    store.put_beside("sent", b"3", b"four")
    store.close()

    assert opened(behind).exit_only


def test_two_that_begin_with_a_new_witness_at_once_both_do(postgres: Servers) -> None:
    url = postgres.witness.new()
    places = [PostgresPlace(postgres.database.new(), url) for _ in range(6)]
    with ThreadPoolExecutor(len(places)) as pool:
        stores = list(pool.map(PostgresStore, places))
    assert not any(store.exit_only for store in stores)
    for store in stores:
        store.close()


# ------------------------------------------------------------------------- networks that hang


def host_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def by(proxy: Proxy, url: str) -> str:
    """Where a server is reached through a proxy."""
    proxy.target = urlsplit(url).port or 0
    return proxy.host


def test_writer_whose_witness_never_answers_ends_and_lets_another_write(
    place: PostgresPlace, opened: Opens
) -> None:
    told: queue.SimpleQueue[StoreFault] = queue.SimpleQueue()
    with Proxy(0) as network:
        way = by_way_of(place, host_of(place.database), by(network, place.witness))
        store = PostgresStore(way, lost=told.put)
        store.write([totals(1, 5)])
        network.mute = True

        with pytest.raises(WriteFailed):
            store.write([totals(1, 6)])
        assert told.get(timeout=60) is store.failed
        # It has not been closed, and is in nobody's way.
        heir = opened(place)
        assert not heir.exit_only
        assert sent(heir) == 6
        store.close()


def test_writer_whose_database_never_answers_hears_so_while_it_is_idle(
    place: PostgresPlace, opened: Opens
) -> None:
    told: queue.SimpleQueue[StoreFault] = queue.SimpleQueue()
    with Proxy(0) as network:
        way = by_way_of(place, by(network, place.database), host_of(place.witness))
        store = PostgresStore(way, lost=told.put)
        store.write([totals(1, 5)])
        network.mute = True

        assert isinstance(told.get(timeout=60), StoreUnreachable)
        with pytest.raises(StoreFault):
            store.write([totals(1, 6)])
        await_turn(place)
        assert sent(opened(place)) == 5
        store.close()


# ------------------------------------------------------------------------------------- replicas


class Replica(Cluster):
    """A server that follows another, without making it wait."""

    def __init__(self, primary: Cluster) -> None:
        self._primary = primary
        super().__init__()

    def _run(self, program: str, *arguments: str, check: bool = True) -> bool:
        if program == "initdb":
            url = self._primary.url()
            program, arguments = "pg_basebackup", ("-D", "data", "-d", url, "-R", "-c", "fast")
        return super()._run(program, *arguments, check=check)

    def promote(self) -> None:
        """It becomes a server of its own."""
        self._run("pg_ctl", "promote", "-w", "-D", "data")


def test_replica_promoted_one_turn_behind_opens_exit_only(postgres: Servers) -> None:
    with ExitStack() as stack:
        primary = Cluster()
        stack.callback(primary.close)
        place = PostgresPlace(primary.new(), postgres.witness.new())
        store = PostgresStore(place)
        stack.callback(store.close)
        store.write([totals(1, 5)])
        replica = Replica(primary)
        stack.callback(replica.close)
        there = PostgresPlace(replica.url(place.database.rsplit("/", 1)[1]), place.witness)
        with pytest.raises(StoreReadOnly, match="not promoted"):
            PostgresStore(there)
        replica.stop("fast")  # It hears nothing of the last turn …
        store.write([totals(1, 6)])  # … which has left.
        primary.stop()
        replica.start()
        replica.promote()

        copy = PostgresStore(there)
        stack.callback(copy.close)
        assert copy.exit_only
        assert sent(copy) == 5
