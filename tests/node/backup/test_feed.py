"""A feed and its place: what leaves when, and what a place that forgets, lies or is shared does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from perun.app.rows import NOTED, Contact, Event
from perun.backup.contents import Image, kept
from perun.backup.entries import Entry, Standing, seal_entry
from perun.backup.feed import Feed, Source
from perun.backup.keys import BackupKeys
from perun.backup.places import AtOnce, FolderPlace
from perun.backup.remote import PlaceFailed
from perun.backup.restoring import look_for, write_store
from perun.core.books import Row
from perun.core.state import ChannelView, Funding, Role, SignedState, Stage, Totals
from perun.node.profile import Profile
from perun.store import SqliteStore
from perun.types import (
    ETH,
    Address,
    ChainId,
    Channel,
    ChannelId,
    InstanceId,
    Nonce,
    Seconds,
    State,
    UnixTime,
    Version,
    Wei,
)

KEYS = BackupKeys(bytes(31) + b"\x01")
NUMBER = 7
SLOT = KEYS.slot(NUMBER)
PROFILE = Profile(
    ChainId(1),
    {"MSContract": Address(bytes(20)), "VPM": Address(b"\x01" * 20)},
    Address(b"\x04" * 20),
    bytes(64),
    bytes(32),
)
_TERMS = Channel(*(Address(bytes((n,)) * 20) for n in range(1, 5)), ETH, Seconds(3600), Nonce(1))
VIEW = ChannelView(ChannelId(bytes(32)), _TERMS, Role.ALICE, bytes(33), Stage.JOINED, Funding())


def with_state(version: int) -> ChannelView:
    return replace(VIEW, agreed=SignedState(State(VIEW.id, Version(version), Wei(version))))


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@dataclass
class Moody(FolderPlace):
    """A place that may lose answers, and counts entries."""

    folder: Path
    loses: int = 0
    puts: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.folder, KEYS)
        self.lock = threading.Lock()

    def put(self, slot: bytes, entry: Entry) -> Standing:
        with self.lock:
            self.puts.append(entry)
            standing = super().put(slot, entry)
            if self.loses:
                self.loses -= 1
                raise PlaceFailed(self.name, "the answer was lost")
            return standing


class Home:
    """A store and its feed."""

    def __init__(
        self,
        place: FolderPlace,
        count: int = 0,
        rows: tuple[Row, ...] = (),
        number: int = NUMBER,
    ) -> None:
        self.count, self.number = count, number
        self.old: list[tuple[str, int, int]] = []
        source = Source(KEYS, number, PROFILE, "")
        self.told: list[str] = []
        self.feed = Feed(
            AtOnce(place),
            source,
            count,
            rows,
            lambda *said: self.old.append(said),
            lambda fault: self.told.append(str(fault)),
        )
        self.feed.start()
        assert self.feed.looked.wait(20)

    def write(self, *rows: Row, drops: tuple[Row, ...] = ()) -> None:
        self.count += 1
        self.feed.note(self.count, rows, drops)

    def is_kept(self) -> bool:
        return self.feed.state.kept == self.count


@pytest.fixture
def place(tmp_path: Path) -> Moody:
    return Moody(tmp_path / "place")


@pytest.fixture
def homes() -> Iterator[list[Home]]:
    found: list[Home] = []
    yield found
    for home in found:
        home.feed.stop()


def restored(place: FolderPlace) -> tuple[int, dict[type, Row]]:
    (found,) = look_for(KEYS, [place])
    return found.image.number, {type(row): row for row in found.image.rows}


def test_a_state_leaves_at_once_and_comes_back(place: Moody, homes: list[Home]) -> None:
    home = Home(place)
    homes.append(home)
    home.write(with_state(2))
    until(home.is_kept)
    home.write(with_state(4), Totals(InstanceId(bytes(32)), Wei(5)))
    until(home.is_kept)
    number, rows = restored(place)
    assert number == 2
    assert rows[ChannelView] == with_state(4)
    assert rows[Totals] == Totals(InstanceId(bytes(32)), Wei(5))


def test_names_that_people_gave_come_back_with_the_store(
    place: Moody, homes: list[Home], tmp_path: Path
) -> None:
    home = Home(place)
    homes.append(home)
    bob, carol = Contact("bob", b"\x02" * 33, "hub:1"), Contact("carol", b"\x03" * 33)
    home.write(with_state(2), bob, Event(1, UnixTime(5), "payment", b"", ""))
    home.write(carol)
    until(home.is_kept)
    home.write(drops=(bob,))
    until(home.is_kept)
    (found,) = look_for(KEYS, [place])
    assert found.image.rows == (with_state(2),)
    assert found.image.noted(NOTED) == (carol,)
    write_store(tmp_path / "store.sqlite", found, "", NOTED)
    store = SqliteStore(tmp_path / "store.sqlite", NOTED)
    assert carol in list(store.records())
    store.close()


def test_an_entry_of_before_names_were_kept_is_read() -> None:
    (*before, noted) = msgspec.msgpack.decode(kept(NUMBER, 3, (with_state(2),), (), PROFILE))
    assert noted == []
    image = Image()
    image.take(msgspec.msgpack.encode(before))
    assert image.rows == (with_state(2),)
    assert image.noted(NOTED) == ()


def test_many_statements_are_few_entries(place: Moody, homes: list[Home]) -> None:
    home = Home(place)
    homes.append(home)
    home.write(with_state(2))
    until(home.is_kept)
    for paid in range(1, 500):
        home.write(Totals(InstanceId(bytes(32)), Wei(paid)))
    until(home.is_kept)
    assert len(place.puts) <= 4
    assert restored(place)[1][Totals] == Totals(InstanceId(bytes(32)), Wei(499))


def test_what_only_the_chain_has_changed_is_no_entry(place: Moody, homes: list[Home]) -> None:
    home = Home(place)
    homes.append(home)
    home.write(with_state(2))
    until(home.is_kept)
    home.write(replace(with_state(2), told=9, watched=True))
    home.write(with_state(4))
    until(home.is_kept)
    assert len(place.puts) == 2


def test_an_answer_that_was_lost_is_no_second_device(place: Moody, homes: list[Home]) -> None:
    home = Home(place)
    homes.append(home)
    for version in (2, 4, 6):
        place.loses = int(version != 6)
        home.write(with_state(version))
        until(home.is_kept)
    assert not home.old
    assert restored(place) == (3, {ChannelView: with_state(6)})


def test_each_store_of_a_phrase_has_a_slot_and_all_are_found(
    place: Moody, homes: list[Home]
) -> None:
    """Two devices with one phrase: each has drawn a number of its own."""
    one, two = Home(place), Home(FolderPlace(place.folder, KEYS), number=8)
    homes += [one, two]
    for home in homes:
        home.write(with_state(home.number))
        until(home.is_kept)
        assert not home.old
    found = look_for(KEYS, [place])
    assert [one.image.store for one in found] == [NUMBER, 8]
    assert [one.image.rows for one in found] == [(with_state(NUMBER),), (with_state(8),)]


def test_a_restart_goes_on_where_the_place_stands(place: Moody, homes: list[Home]) -> None:
    first = Home(place)
    first.write(with_state(2))
    first.feed.stop()
    again = Home(place, 1, (with_state(2),))
    homes.append(again)
    assert again.feed.state.kept == 1
    again.write(with_state(4))
    until(again.is_kept)
    assert not again.old
    assert len(place.puts) == 2


def test_a_store_that_was_put_back_learns_that_it_is_old(place: Moody, homes: list[Home]) -> None:
    """Attack: the whole disk of yesterday, which its own machine cannot tell."""
    first = Home(place)
    for version in (2, 4, 6):
        first.write(with_state(version))
        until(first.is_kept)
    first.feed.stop()
    old = Home(place, 1, (with_state(2),))
    homes.append(old)
    assert old.old == [(place.name, 3, 1)]
    old.write(with_state(4))
    old.feed.stop()
    assert restored(place)[0] == 3, "it overwrites nothing"


def test_of_two_devices_with_one_store_the_second_writer_learns_it(
    place: Moody, homes: list[Home]
) -> None:
    """Attack: a disk was cloned while both run."""
    one = Home(place)
    one.write(with_state(2))
    until(one.is_kept)
    two = Home(FolderPlace(place.folder, KEYS), 1, (with_state(2),))
    homes += [one, two]
    one.write(with_state(4))
    until(one.is_kept)
    two.write(with_state(6))
    until(lambda: bool(two.old))
    assert not one.old
    assert restored(place)[1][ChannelView] == with_state(4)


def test_a_place_that_went_back_is_told_and_filled_again(
    place: Moody, homes: list[Home], tmp_path: Path
) -> None:
    """Attack: a stolen place shows what it had the day before."""
    home = Home(place)
    homes.append(home)
    home.write(with_state(2))
    until(home.is_kept)
    (slot,) = (place.folder / KEYS.name.hex()).iterdir()
    yesterday = {file.name: file.read_bytes() for file in slot.iterdir()}
    home.write(with_state(4))
    until(home.is_kept)
    for file in slot.iterdir():
        file.unlink()
    for name, data in yesterday.items():
        (slot / name).write_bytes(data)
    assert restored(place)[0] == 1
    home.write(with_state(6))
    until(home.is_kept)
    assert not home.old
    assert any("it had taken entry 2, and has 1" in said for said in home.told)
    assert restored(place) == (3, {ChannelView: with_state(6)})
    # Another place tells the liar apart.
    honest = FolderPlace(tmp_path / "honest", KEYS)
    other = Home(honest, 3, (with_state(6),))
    homes.append(other)
    until(lambda: other.feed.state.kept == 3)
    for file in slot.iterdir():
        file.unlink()
    for name, data in yesterday.items():
        (slot / name).write_bytes(data)
    (found,) = look_for(KEYS, [place, honest])
    assert (found.image.number, found.place) == (3, honest.name)
    assert found.others == {place.name: 1}


def test_a_number_that_a_place_makes_up_makes_no_store_old(place: Moody, homes: list[Home]) -> None:
    """Attack: a place that wants us to stop signing."""
    stranger = BackupKeys(bytes(31) + b"\x09")
    forged = seal_entry(stranger, SLOT, 1_000, None, b"")
    place.put(SLOT, forged)
    source = Source(KEYS, NUMBER, PROFILE, "")
    old: list[object] = []
    feed = Feed(AtOnce(place), source, 3, (with_state(2),), lambda *said: old.append(said))
    feed.start()
    until(lambda: "not sealed by this phrase" in feed.state.trouble)
    feed.stop()
    assert not old


def test_stopping_sends_what_is_left(place: Moody) -> None:
    home = Home(place)
    home.write(with_state(2))
    until(home.is_kept)
    home.write(Totals(InstanceId(bytes(32)), Wei(5)))
    home.feed.stop()
    assert restored(place)[0] == 2
