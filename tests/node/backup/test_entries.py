"""What a place can do to entries: leave out the newest, and nothing else."""

from __future__ import annotations

import pytest

from perun.backup.entries import BadEntry, Entry, chain, open_entry, seal_entry
from perun.backup.keys import BackupKeys

KEYS = BackupKeys(bytes(31) + b"\x01")
SLOT = KEYS.slot(7)


def three() -> list[Entry]:
    first = seal_entry(KEYS, SLOT, 5, None, b"everything")
    second = seal_entry(KEYS, SLOT, 6, first.standing, b"more")
    return [first, second, seal_entry(KEYS, SLOT, 9, second.standing, b"yet more")]


def test_only_the_phrase_opens_an_entry() -> None:
    entry = three()[0]
    assert open_entry(KEYS, SLOT, entry) == b"everything"
    assert b"everything" not in entry.data
    with pytest.raises(BadEntry):
        open_entry(BackupKeys(bytes(31) + b"\x02"), SLOT, entry)


def test_nothing_in_an_entry_or_its_place_can_be_changed() -> None:
    entry = three()[1]
    for at in range(len(entry.data)):
        data = bytearray(entry.data)
        data[at] ^= 1
        with pytest.raises(BadEntry):
            open_entry(KEYS, SLOT, Entry.parse(bytes(data)))
    with pytest.raises(BadEntry):
        open_entry(KEYS, KEYS.slot(8), entry)


def test_nothing_in_the_middle_can_be_left_out_or_exchanged() -> None:
    first, second, third = three()
    assert chain([third, first, second]) == [first, second, third]
    assert chain([first, third]) == [first]
    other = seal_entry(KEYS, SLOT, 6, first.standing, b"of another device")
    assert chain([first, other, third]) == [first, other]
    assert chain([second, third]) == []


def test_a_newer_snapshot_makes_all_before_it_superfluous() -> None:
    newer = seal_entry(KEYS, SLOT, 12, None, b"everything, later")
    assert chain([*three(), newer]) == [newer]


def test_garbage_is_no_entry() -> None:
    for data in (b"", bytes(75), bytes(200), b"\xff" * 200):
        with pytest.raises(BadEntry):
            Entry.parse(data)


def test_a_place_learns_no_number_from_a_slot() -> None:
    slots = {KEYS.slot(number) for number in range(1, 100)}
    assert len(slots) == 99
    assert all(len(slot) == 16 for slot in slots)
    assert "01" * 4 not in repr(KEYS)
