"""What lies on disks: rows, stores, backups, exports, journals, keyfiles, logs."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perun.bindings import abi, events, ms_contract_calls
from perun.bindings.calls import Fees
from perun.bindings.logs import Log
from perun.bindings.suite import SUITE
from perun.chain.journal import Attempt, Entry
from perun.chain.sqlite_journal import SqliteJournal
from perun.chain.wishes import Wish
from perun.core.books import Row, row_key
from perun.crypto.keys import SecretKey
from perun.encoding.records import CorruptRow
from perun.errors import ChainFault, StoreFault
from perun.node.backup import open_copy
from perun.node.export import BadExport, read_export, write_export
from perun.node.profile import Profile, read_profile, write_profile
from perun.node.settings import contracts_of
from perun.store import SqliteStore
from perun.store.tables import TABLES
from perun.testing.parties import key_of
from perun.types import ETH, UnixTime, Wei
from perun.wallet.keyfile import KeyfileError, decrypt, encrypt
from tests.attacks.scenarios.story import Story
from tests.games.fuzz.garbage import Damage, damages

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


@pytest.fixture(scope="module")
def rows(story: Story) -> list[Row]:
    """Everything three nodes have written."""
    return [row for actor in story.world.actors for row in actor.store.records()]


@pytest.fixture(scope="module")
def profile(story: Story) -> Profile:
    deployment = story.world.deployment
    return Profile(
        deployment.contract.chain_id,
        contracts_of(deployment),
        story.alice.account.address,
        story.alice.key.public_key.data,
        b"\x07" * 32,
    )


@given(which=st.integers(0, 999), damage=damages())
@quick
def test_damaged_row_is_a_row_or_a_typed_error(rows: list[Row], which: int, damage: Damage) -> None:
    row = rows[which % len(rows)]
    codec = TABLES[type(row)].codec
    with suppress(CorruptRow):
        found = codec.decode(damage(codec.encode(row)))
        assert isinstance(found, type(row))


@pytest.fixture(scope="module")
def backup(story: Story, profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a store with everything of Alice's in it."""
    path = tmp_path_factory.mktemp("fuzz") / "alice.perun"
    store = SqliteStore(path)
    store.write(list(story.alice.store.records()))
    write_profile(store, profile)
    store.backup(path.with_name("backup"))
    store.close()
    return path.with_name("backup")


@given(damage=damages(), cut=st.integers(0, 2**16))
@quick
def test_damaged_backup_opens_exit_only_or_is_a_typed_error(
    backup: Path, tmp_path_factory: pytest.TempPathFactory, damage: Damage, cut: int
) -> None:
    path, file = tmp_path_factory.mktemp("damaged") / "backup", backup.read_bytes()
    broken = damage(file) if cut % 4 else file[: cut % len(file)]
    path.write_bytes(broken)
    with suppress(StoreFault):
        _, books = open_copy(path)
        assert books.exit_only
    assert path.read_bytes() == broken, "looking at a backup does not change it"
    with suppress(StoreFault):
        store = SqliteStore(path)
        try:
            assert store.exit_only or not list(store.records())
            with suppress(StoreFault):
                read_profile(store)
        finally:
            store.close()


@given(place=st.integers(0, 2**24), bit=st.integers(0, 7), other=st.integers(0, 2**24))
@quick
@example(place=0, bit=0, other=0)
def test_flipped_bit_of_a_store_is_found_or_changes_nothing(
    backup: Path,
    story: Story,
    profile: Profile,
    tmp_path_factory: pytest.TempPathFactory,
    place: int,
    bit: int,
    other: int,
) -> None:
    path, file = tmp_path_factory.mktemp("flipped") / "store", bytearray(backup.read_bytes())
    file[place % len(file)] ^= 1 << bit
    if other % 2:
        # Bytes that lie together, as a bad block has them.
        start = other % len(file)
        file[start : start + 64] = bytes(len(file[start : start + 64]))
    path.write_bytes(file)
    with suppress(StoreFault):
        store = SqliteStore(path)
        try:
            found = {(type(row), row_key(row)): row for row in store.records()}
            assert read_profile(store) == profile
        finally:
            store.close()
        assert found == {(type(row), row_key(row)): row for row in story.alice.store.records()}


@given(damage=damages())
@quick
def test_damaged_export_is_an_export_or_a_typed_error(
    rows: list[Row], profile: Profile, tmp_path_factory: pytest.TempPathFactory, damage: Damage
) -> None:
    path = tmp_path_factory.mktemp("export") / "export.json"
    write_export(path, profile, rows)
    path.write_bytes(damage(path.read_bytes()))
    with suppress(BadExport, CorruptRow):
        assert read_export(path).profile is not None


@given(damage=damages())
@quick
def test_damaged_journal_is_a_journal_or_a_typed_error(
    story: Story, tmp_path_factory: pytest.TempPathFactory, damage: Damage
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    account = story.alice.account.address
    journal = SqliteJournal(path, account)
    call = ms_contract_calls.fund(story.world.deployment.contract.contract, ETH, account, Wei(9))
    wish = Wish(b"k", "Fund", call)
    journal.put(Entry(3, wish, (Attempt(b"\x01" * 32, b"raw", Fees(Wei(2), Wei(1)), call),)))
    journal.close()
    path.write_bytes(damage(path.read_bytes()))
    with suppress(StoreFault):
        damaged = SqliteJournal(path, account)
        try:
            list(damaged.load())
        finally:
            damaged.close()


@given(place=st.integers(0, 2**24), bit=st.integers(0, 7))
@quick
def test_flipped_bit_of_a_journal_is_found_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    """An amount, a nonce or the end of a wish that has changed in silence could be sent."""
    path, account = tmp_path_factory.mktemp("journal") / "journal", key_of("alice").address
    call = ms_contract_calls.fund(account, ETH, account, Wei(9))
    kept = [
        Entry(nonce, Wish(b"k%d" % nonce, "Fund", call, UnixTime(5), once=True), (), done=True)
        for nonce in range(3, 20)
    ]
    journal = SqliteJournal(path, account)
    for entry in kept:
        journal.put(entry)
    journal.close()
    file = bytearray(path.read_bytes())
    file[place % len(file)] ^= 1 << bit
    path.write_bytes(file)
    with suppress(StoreFault):
        damaged = SqliteJournal(path, account)
        try:
            found = {entry.nonce: entry for entry in damaged.load()}
        finally:
            damaged.close()
        # A row that went to another account, or out of its list, is missing: it says nothing false.
        assert all(entry in kept for entry in found.values())


@given(damage=damages())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_keyfile_is_a_typed_error_or_the_key(damage: Damage) -> None:
    key = key_of("alice")
    text = damage(_KEYFILE.encode()).decode(errors="replace")
    try:
        work = json.loads(text)["crypto"]["kdfparams"]
        assert isinstance(work, dict)
    except (ValueError, KeyError, TypeError, AssertionError):
        work = None
    if work is not None and work != json.loads(_KEYFILE)["crypto"]["kdfparams"]:
        return  # another cost may be any cost; `tests/node/wallet` bounds it
    try:
        found = decrypt(text, "password")
    except KeyfileError:
        return
    assert isinstance(found, SecretKey)
    assert found.address == key.address


_KEYFILE = encrypt(key_of("alice"), "password", work=2)


@given(damage=damages(), which=st.integers(0, 999), topic=st.booleans())
@quick
def test_damaged_log_is_an_event_or_a_typed_error(
    story: Story, damage: Damage, which: int, topic: bool
) -> None:
    logs: list[Log] = []
    for number in range(story.world.chain.head.number + 1):
        block = story.world.chain.block(number)
        logs += [] if block is None else block.logs
    log = logs[which % len(logs)]
    topics = tuple(damage(t).ljust(32, b"\x00")[:32] for t in log.topics) if topic else log.topics
    broken = Log(log.address, topics, damage(log.data), log.block, log.block_hash, b"", 0)
    for table in (events.MS_CONTRACT, SUITE["VPM"].table, SUITE["HashTimeLock"].table):
        with suppress(ChainFault, abi.BadAnswer):
            table.read(broken)
