"""A place among strangers: whose slots they are, how much anybody may fill, what is forgotten."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from perun.backup.entries import Entry, Standing, seal_entry
from perun.backup.keys import BackupKeys
from perun.backup.requests import Action, Answer, Request
from perun.backup.service import BackupService, PlaceLimits

NOW = 1_800_000_000
OWNER, STRANGER = (BackupKeys(bytes(31) + bytes((n,))) for n in (1, 2))
SLOT = OWNER.slot(7)


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> BackupService:
    limits = PlaceLimits(
        entry=2_000, owner=3_000, slots=2, address=6_000, total=20_000, least=1_000, keep_days=10
    )
    return BackupService(tmp_path / "shelf", lambda _: "", limits, clock)


def ask(
    service: BackupService,
    keys: BackupKeys,
    action: Action,
    slot: bytes = SLOT,
    content: bytes = b"",
    group: str = "10.0.0.1",
    at: int | None = None,
) -> Answer:
    moment = int(service._clock()) if at is None else at
    request = Request.sign(keys, action, moment, slot, content)
    return service.answer(msgspec.msgpack.encode(request), group)[1]


def snapshot(number: int, size: int = 100, keys: BackupKeys = OWNER, slot: bytes = SLOT) -> Entry:
    return seal_entry(keys, slot, number, None, bytes(size))


def test_what_is_kept_is_given_back_to_its_owner(service: BackupService) -> None:
    first = snapshot(1)
    second = seal_entry(OWNER, SLOT, 4, first.standing, b"more")
    for entry in (first, second):
        assert ask(service, OWNER, "put", content=entry.data).standing == entry.standing
    assert ask(service, OWNER, "newest").standing == second.standing
    assert ask(service, OWNER, "read", content=bytes(8)).entries == (first.data, second.data)
    assert [one.slot for one in ask(service, OWNER, "slots").slots] == [SLOT]


def test_a_stranger_reads_and_writes_nothing_of_an_owner(service: BackupService) -> None:
    """Attack: somebody who knows the slot writes into it, or over it."""
    entry = snapshot(1)
    ask(service, OWNER, "put", content=entry.data)
    ask(service, STRANGER, "put", content=snapshot(50, keys=STRANGER).data)
    assert ask(service, STRANGER, "read", content=bytes(8)).entries != (entry.data,)
    assert ask(service, OWNER, "newest").standing == entry.standing
    forged = msgspec.structs.replace(
        Request.sign(STRANGER, "put", NOW, SLOT, snapshot(60).data), owner=OWNER.name
    )
    status, answer = service.answer(msgspec.msgpack.encode(forged), "")
    assert status == 400
    assert "signature" in answer.refused


def test_an_older_or_unlinked_entry_is_refused_with_the_newest(service: BackupService) -> None:
    ask(service, OWNER, "put", content=snapshot(5).data)
    newest = snapshot(9)
    ask(service, OWNER, "put", content=newest.data)
    loose = seal_entry(OWNER, SLOT, 12, Standing(8, bytes(31) + b"\x01"), b"")
    for entry in (snapshot(5), snapshot(8), loose):
        answer = ask(service, OWNER, "put", content=entry.data)
        assert "does not continue" in answer.refused
        assert answer.standing == newest.standing
    again = ask(service, OWNER, "put", content=newest.data)
    assert not again.refused


def test_strangers_of_one_address_fill_their_own_part_only(service: BackupService) -> None:
    """Attack: fresh keys without end, to fill the place."""
    taken = 0
    for n in range(10, 60):
        keys = BackupKeys(bytes(31) + bytes((n,)))
        slot = keys.slot(1)
        entry = snapshot(1, 50, keys, slot)
        answer = ask(service, keys, "put", slot, entry.data, group="10.6.6.6")
        taken += not answer.refused
    assert taken == 6
    assert service.kept == 6_000
    assert not ask(service, OWNER, "put", content=snapshot(1).data).refused


def test_owners_who_are_here_have_room_when_strangers_have_none(service: BackupService) -> None:
    """Attack: the same from many addresses."""
    ask(service, OWNER, "put", content=snapshot(1).data)
    refused = ""
    for n in range(10, 40):
        keys = BackupKeys(bytes(31) + bytes((n,)))
        entry = snapshot(1, 50, keys, keys.slot(1))
        answer = ask(service, keys, "put", keys.slot(1), entry.data, group=f"10.6.6.{n}")
        refused = refused or answer.refused
    assert "nobody new" in refused
    assert not ask(service, OWNER, "put", content=snapshot(2, 1_900).data).refused


def test_one_owner_is_bounded(service: BackupService) -> None:
    assert "an entry of" in ask(service, OWNER, "put", content=snapshot(1, 2_500).data).refused
    first = snapshot(1, 1_900)
    ask(service, OWNER, "put", content=first.data)
    more = seal_entry(OWNER, SLOT, 2, first.standing, bytes(1_500))
    assert "bytes of one phrase" in ask(service, OWNER, "put", content=more.data).refused
    assert not ask(service, OWNER, "put", content=snapshot(3, 100).data).refused
    for number, fits in ((8, True), (9, False)):
        slot = OWNER.slot(number)
        answer = ask(service, OWNER, "put", slot, snapshot(1, 100, slot=slot).data)
        assert (not answer.refused) is fits


def test_clocks_that_differ_are_told(service: BackupService) -> None:
    answer = ask(service, OWNER, "newest", at=NOW - 3_600)
    assert answer.refused == "your clock is -3600 s ahead of this place's"


def test_garbage_is_answered_in_words(service: BackupService) -> None:
    for data in (b"", b"\x90", b"\xff" * 100, b"\x91" * 200, msgspec.msgpack.encode([1] * 7)):
        status, answer = service.answer(data, "")
        assert status == 400
        assert answer.refused


def test_a_slot_of_a_store_that_nobody_has_seen_for_long_is_forgotten(
    service: BackupService, clock: Clock
) -> None:
    clock.now = 4_000_000_000.0
    service._cleaned = clock.now
    ask(service, OWNER, "put", content=snapshot(1).data)
    assert ask(service, OWNER, "slots").slots
    clock.now += 11 * 86_400
    assert not ask(service, OWNER, "slots").slots
    assert service.kept == 0


def test_what_it_keeps_survives_a_restart_with_its_bounds(
    service: BackupService, tmp_path: Path, clock: Clock
) -> None:
    ask(service, OWNER, "put", content=snapshot(1).data)
    service.close()
    again = BackupService(tmp_path / "shelf", lambda _: "", service.limits, clock)
    assert again.kept == service.kept
    assert again._group == {OWNER.name: "10.0.0.1"}
    assert ask(again, OWNER, "newest").number == 1
    again.close()
    (kept,) = (
        file
        for file in (tmp_path / "shelf").rglob("*")
        if file.is_file() and file.read_bytes() == b"10.0.0.1"
    )
    kept.write_bytes(b"\xff\xfe")
    after_damage = BackupService(tmp_path / "shelf", lambda _: "", service.limits, clock)
    assert ask(after_damage, OWNER, "newest").number == 1


def test_entries_of_few_bytes_count_for_what_their_files_take(tmp_path: Path, clock: Clock) -> None:
    """Attack: millions of files of 76 bytes fill the disk, and are listed at each asking."""
    limits = PlaceLimits(entry=2_000, owner=20_000, least=16_000)
    service = BackupService(tmp_path / "shelf", lambda _: "", limits, clock)
    entry = seal_entry(OWNER, SLOT, 1, None, b"")
    taken = 0
    while not ask(service, OWNER, "put", content=entry.data).refused:
        taken += 1
        entry = seal_entry(OWNER, SLOT, entry.number + 1, entry.standing, b"")
    assert taken == 20
    again = BackupService(tmp_path / "shelf", lambda _: "", limits, clock)
    assert again.kept == service.kept == 20_000
    assert "bytes of one phrase" in ask(again, OWNER, "put", content=entry.data).refused


def test_newest_entry_is_read_once_as_long_as_it_is_the_same(
    service: BackupService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: to name the newest of sixteen megabytes, again and again, takes all the time."""
    entry = snapshot(1)
    ask(service, OWNER, "put", content=entry.data)
    read: list[Path] = []
    reads = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda it: read.append(it) or reads(it))  # type: ignore[func-returns-value]
    for _ in range(5):
        assert ask(service, OWNER, "newest").standing == entry.standing
    later = snapshot(2, size=300)
    assert ask(service, OWNER, "put", content=later.data).standing == later.standing
    assert ask(service, OWNER, "newest").standing == later.standing
    assert len(read) == 2


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_disk_that_is_full_leaves_nothing_about(
    service: BackupService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    first = snapshot(1)
    ask(service, OWNER, "put", content=first.data)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        if call == "write":
            patched.setattr(os, "open", full)
        elif call == "fsync":
            patched.setattr(os, "fsync", full)
        else:
            patched.setattr(Path, "replace", full)
        assert "disk fails" in ask(service, OWNER, "put", content=snapshot(2).data).refused
    assert ask(service, OWNER, "newest").standing == first.standing
    assert list((tmp_path / "shelf").rglob("*.new")) == []
    assert ask(service, OWNER, "put", content=snapshot(2).data).number == 2


def test_entry_whose_address_cannot_be_noted_is_counted_all_the_same(
    service: BackupService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    entry = snapshot(1, size=1_500)
    assert ask(service, OWNER, "put", content=entry.data).standing == entry.standing
    assert service.kept == len(entry.data)
