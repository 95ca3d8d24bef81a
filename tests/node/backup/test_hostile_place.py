"""A place that wants whoever asks it to wait for ever, or to run out of memory."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count

import msgspec
import pytest

from perun.backup import remote
from perun.backup.entries import seal_entry
from perun.backup.keys import BackupKeys
from perun.backup.places import Place, place_of
from perun.backup.remote import PlaceFailed
from perun.backup.requests import Answer, SlotAnswer
from perun.backup.restoring import look_for
from perun.errors import PeerFault
from tests.support.hostile import HostileServer, answer

KEYS = BackupKeys(bytes(31) + b"\x01")
SLOT = KEYS.slot(7)


@contextmanager
def a_place(serve: Callable[[socket.socket], None]) -> Iterator[Place]:
    with HostileServer(serve) as server, closing(place_of(server.host, KEYS)) as place:
        yield place


def says(said: Answer) -> bytes:
    return answer(msgspec.msgpack.encode(said))


def test_an_answer_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: a byte comes just before each read would be given up."""
    monkeypatch.setattr(remote, "_SECONDS", 0.2)
    dripped = []

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
        connection.settimeout(0.02)
        for number in range(400):
            connection.sendall(b"\x90")
            dripped.append(number)
            try:
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                pass

    with a_place(drip) as place, pytest.raises(PlaceFailed):
        place.newest(SLOT)
    assert len(dripped) < 400


def test_a_small_answer_that_unpacks_to_a_large_one_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote, "_MOST_ANSWER", 2**20)
    bomb = gzip.compress(bytes(2**22))
    twice = gzip.compress(bomb)
    for body, coding in ((bomb, b"gzip"), (twice, b"gzip, gzip"), (twice, b"br")):
        packed = answer(body, b"Content-Encoding: " + coding)
        with (
            a_place(lambda it, packed=packed: it.sendall(packed)) as place,  # type: ignore[misc]
            pytest.raises(PlaceFailed),
        ):
            place.newest(SLOT)


def test_an_answer_nested_without_end_is_none() -> None:
    deep = answer(b"\x95" + b"\x91" * 2**20)
    with a_place(lambda it: it.sendall(deep)) as place, pytest.raises(PlaceFailed):
        place.newest(SLOT)


def test_entries_without_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: each answer is small and in order, and there is always another."""
    monkeypatch.setattr(remote, "_MOST_OF_A_STORE", 20_000)
    numbers = count(1)

    def more(connection: socket.socket) -> None:
        number = next(numbers)
        if number > 100:
            connection.sendall(says(Answer()))
            return
        entry = seal_entry(KEYS, SLOT, number, None, bytes(1_000))
        connection.sendall(says(Answer(entries=(entry.data,))))

    with a_place(more) as place, pytest.raises(PlaceFailed, match="too long"):
        place.read(SLOT)
    assert next(numbers) < 100


def test_entries_that_never_come_to_an_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_MOST_SECONDS", 0.0)
    entry = seal_entry(KEYS, SLOT, 1, None, b"")
    some = says(Answer(entries=(entry.data,)))
    with (
        a_place(lambda it: it.sendall(some)) as place,
        pytest.raises(PlaceFailed, match="too slow"),
    ):
        place.read(SLOT)


def test_a_place_that_makes_up_stores_is_left_at_once() -> None:
    """Attack: a restore asks for the entries of every one of them."""
    slots = tuple(SlotAnswer(number.to_bytes(16, "big"), 1, 0) for number in range(1_000))
    told: list[PeerFault] = []
    asked = []

    def serve(connection: socket.socket) -> None:
        asked.append(0)
        connection.sendall(says(Answer(slots=slots)))

    with a_place(serve) as place:
        assert look_for(KEYS, [place], told.append) == []
    assert len(asked) == 1
    assert "1000 stores" in str(told[0])
