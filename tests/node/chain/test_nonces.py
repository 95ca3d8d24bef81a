"""Nonces of one account: one transaction each, no gap before what waits."""

from __future__ import annotations

import pytest

from perun.bindings.calls import Call
from perun.chain.journal import Entry, JournalFailed, MemoryJournal
from perun.chain.nonces import Nonces
from perun.chain.wishes import Wish
from perun.errors import BrokenInvariant
from perun.types import Address

NOWHERE = Address(b"\x01" * 20)


def entry(nonce: int, key: bytes, done: bool = False) -> Entry:
    return Entry(nonce, Wish(key, "Fund", Call(NOWHERE, key)), (), done)


def nonces(*entries: Entry) -> Nonces:
    journal = MemoryJournal()
    for one in entries:
        journal.put(one)
    return Nonces(journal)


def never() -> int:
    raise AssertionError("the node need not be asked")


def test_restart_takes_up_what_carries_a_wish_last() -> None:
    found = nonces(entry(4, b"a"), entry(7, b"a"), entry(5, b"b"))
    assert [one.nonce for one in found.all()] == [4, 5, 7]
    assert found.serving(b"a") == entry(7, b"a")
    assert not found.serves(entry(4, b"a"))


def test_free_nonce_is_behind_ours_and_behind_foreign_ones() -> None:
    found = nonces(entry(3, b"a"), entry(4, b"b"))
    assert found.free(3, lambda: 5) == 5
    assert found.free(3, lambda: 9) == 9


def test_nonce_whose_wish_is_gone_is_used_again() -> None:
    found = nonces(entry(3, b"a"), entry(4, b"b"))
    found.release(b"a")
    assert found.free(3, never) == 3
    assert found.gaps(3) == [3]


def test_done_nonce_is_no_gap_to_fill_behind() -> None:
    found = nonces(entry(3, b"a", done=True))
    assert found.gaps(3) == []


def test_forgetting_an_older_nonce_leaves_the_wish_with_the_newer() -> None:
    found = nonces(entry(3, b"a"), entry(4, b"a"))
    found.forget(entry(3, b"a"))
    assert found.serving(b"a") == entry(4, b"a")
    found.forget(entry(4, b"a"))
    assert found.serving(b"a") is None


def test_what_the_journal_refuses_carries_nothing() -> None:
    class Full(MemoryJournal):
        def put(self, entry: Entry) -> None:
            raise JournalFailed("journal", "disk full")

    found = Nonces(Full())
    with pytest.raises(JournalFailed):
        found.put(entry(1, b"a"))
    assert found.serving(b"a") is None
    assert found.all() == []


def test_waiting_counts_from_the_newest_bid_and_holding_up_from_the_first() -> None:
    found = nonces(entry(3, b"a"), entry(4, b"b"))
    found.bid(4, 10)
    found.bid(4, 12)
    assert found.waits_since(4, 99) == 12
    assert found.held_up_since(3, 99) == 10
    assert found.waits_since(3, 20) == 20  # after a restart: from when it is first looked at
    assert found.waits_since(3, 25) == 20


def test_guard_of_a_deposit_is_no_place_for_another_wish() -> None:
    found = nonces(entry(3, b"a", done=True), entry(4, b"b"))
    with pytest.raises(BrokenInvariant):
        found.put(entry(3, b"c"))
    assert found.get(3) == entry(3, b"a", done=True)


def test_count_below_a_guard_hands_it_out_to_nobody() -> None:
    found = nonces(entry(3, b"a", done=True), entry(5, b"b"))
    assert found.free(0, lambda: 0) == 0
    assert found.free(3, lambda: 0) == 4
    assert found.free(3, lambda: 3) == 4
    assert found.gaps(3) == [4]


def test_wish_that_takes_a_nonce_over_leaves_nothing_of_the_older() -> None:
    found = nonces(entry(3, b"a"))
    found.put(entry(3, b"b"))
    found.forget(entry(3, b"b"))
    assert found.serving(b"a") is None
    assert found.free(3, lambda: 3) == 3
