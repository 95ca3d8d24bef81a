"""The store of a page: whole transactions or none, whatever ends it and wherever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from perun.app.app import App
from perun.app.rows import Event
from perun.core.state import Invitation, StoreMark, Totals
from perun.page.log import Log
from perun.page.store import PageStore
from perun.store.faults import StoreDamaged, StoreFull, StoreTooNew, WriteFailed
from perun.types import ChannelId, InstanceId, Lock, Salt, Signature, UnixTime, Wei

LOCK = Lock(Wei(1), False, bytes(32), UnixTime(0), Salt(bytes(32)))


class PowerCut(Exception):
    """The machine is off."""


@dataclass
class Disk:
    """What two files hold, and what of it a power cut leaves."""

    cached: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])
    durable: list[bytes] = field(default_factory=lambda: [b"", b""])
    steps: int = -1
    """Operations until the power goes; below 0: it stays."""
    full: bool = False

    def files(self) -> list[DiskFile]:
        return [DiskFile(self, 0), DiskFile(self, 1)]

    def step(self) -> None:
        if self.steps == 0:
            raise PowerCut
        self.steps -= 1

    def after_cut(self, *, keep: bool) -> Disk:
        """What is there after a cut: what was flushed, and all else or nothing of it."""
        left = [bytes(one) for one in self.cached] if keep else self.durable
        return Disk([bytearray(one) for one in left], list(left))


@dataclass
class DiskFile:
    disk: Disk
    number: int

    @property
    def data(self) -> bytearray:
        return self.disk.cached[self.number]

    def size(self) -> int:
        return len(self.data)

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.data[at : at + size])

    def write(self, at: int, data: bytes) -> None:
        self.disk.step()
        if self.disk.full:
            raise OSError("QuotaExceededError: no space left")
        self.data.extend(bytes(max(0, at - len(self.data))))
        self.data[at : at + len(data)] = data

    def truncate(self, size: int) -> None:
        self.disk.step()
        del self.data[size:]

    def flush(self) -> None:
        self.disk.step()
        self.disk.durable[self.number] = bytes(self.data)


def totals(number: int, sent: int) -> Totals:
    id = InstanceId(number.to_bytes(32, "big"))
    return Totals(id, Wei(sent), Wei(sent), Signature(b"\x01" * 65))


def invitation(number: int) -> Invitation:
    return Invitation(Salt(bytes([number]) * 32), ChannelId(bytes(32)), LOCK, b"", b"")


def open_store(disk: Disk) -> PageStore:
    return PageStore(disk.files(), App.kinds)


def rows(store: PageStore) -> set[object]:
    return set(store.records())


def test_rows_survive_and_newer_ones_replace_older() -> None:
    disk = Disk()
    store = open_store(disk)
    store.write([totals(1, 5), totals(2, 2**111 - 1), invitation(1), invitation(2)])
    store.write([totals(1, 6), totals(1, 8)], [invitation(2)])
    wanted = {totals(1, 8), totals(2, 2**111 - 1), invitation(1)}
    assert rows(store) == wanted
    assert rows(open_store(disk.after_cut(keep=False))) == wanted


def test_numbered_rows_are_read_by_number() -> None:
    store = open_store(Disk())
    assert store.bounds(Event) == (1, 0)
    events = [Event(number, UnixTime(9), "kind", b"", b"") for number in (300, 2, 1, 255, 256)]
    store.write(events)
    assert store.bounds(Event) == (1, 300)
    assert [row.number for row in store.numbered(Event, 1, 3)] == [2, 255, 256]
    assert rows(store) == set()


def test_small_values_are_kept() -> None:
    disk = Disk()
    store = open_store(disk)
    store.put("a 1", b"x")
    store.put("a 2", b"y")
    store.put("a 1", None)
    again = open_store(disk.after_cut(keep=False))
    assert again.get("a 1") is None
    assert again.values("a ") == {"a 2": b"y"}


def test_a_marked_store_is_exit_only_for_ever() -> None:
    disk = Disk()
    store = open_store(disk)
    assert not store.exit_only
    store.write([StoreMark()])
    assert store.exit_only
    assert open_store(disk).exit_only


def test_whatever_is_cut_off_the_end_only_the_last_write_is_gone() -> None:
    disk = Disk()
    store = open_store(disk)
    store.write([totals(1, 5)])
    before = len(disk.cached[0])
    store.write([totals(1, 6), totals(2, 7)])
    whole = bytes(disk.cached[0])
    for size in range(before, len(whole)):
        cut = Disk([bytearray(whole[:size]), bytearray()])
        again = open_store(cut)
        assert rows(again) == {totals(1, 5)}, size
        again.write([totals(3, 1)])
        assert rows(open_store(cut)) == {totals(1, 5), totals(3, 1)}, size
    torn = Disk([bytearray(whole[:before] + bytes(len(whole) - before)), bytearray()])
    assert rows(open_store(torn)) == {totals(1, 5)}


def test_damage_before_the_end_is_found() -> None:
    disk = Disk()
    store = open_store(disk)
    for number in range(3):
        store.write([totals(number, 5)])
    whole, last = bytes(disk.cached[0]), len(disk.cached[0]) // 3
    for place in range(8, last):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        with pytest.raises(StoreDamaged):
            rows(open_store(Disk([damaged, bytearray()])))


def test_a_newer_programs_file_is_left_alone() -> None:
    disk = Disk()
    open_store(disk).write([totals(1, 1)])
    disk.cached[0][7] += 1
    with pytest.raises(StoreTooNew):
        open_store(disk)


def ends_anywhere(begin: Callable[[Disk], PageStore], work: Callable[[PageStore], None]) -> int:
    """Cuts the power before each operation of `work`, and looks at what is left; how many."""
    steps = 0
    while True:
        disk = Disk()
        store = begin(disk)
        before = rows(store)
        disk.steps = steps
        try:
            work(store)
        except (PowerCut, WriteFailed):
            disk.steps = -1
            done = rows(store) | before
            for keep in (False, True):
                left = rows(open_store(disk.after_cut(keep=keep)))
                assert before <= left | done, (steps, keep)
                assert left in (before, done) or left == rows(store), (steps, keep)
            steps += 1
            continue
        return steps


def test_power_cut_while_a_file_is_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perun.page.store._LEAST", 2_000)

    def begin(disk: Disk) -> PageStore:
        store = open_store(disk)
        store.write([invitation(1), totals(1, 1)])
        while store._logs[-1].end < 1_900:
            store.write([totals(1, 1)])
        return store

    def work(store: PageStore) -> None:
        for _ in range(3):
            store.write([totals(1, 1)])

    assert ends_anywhere(begin, work) > 8
    disk = Disk()
    store = begin(disk)
    work(store)
    assert Log(disk.files()[1]).generation == 2
    assert disk.cached[0] == b""
    assert rows(open_store(disk)) == {invitation(1), totals(1, 1)}


def test_a_full_disk_is_said_and_nothing_is_lost() -> None:
    disk = Disk()
    store = open_store(disk)
    store.write([totals(1, 1)])
    disk.full = True
    with pytest.raises(StoreFull):
        store.write([totals(1, 2)])
    disk.full = False
    with pytest.raises(WriteFailed):
        store.write([totals(1, 3)])
    assert rows(open_store(disk)) == {totals(1, 1)}
