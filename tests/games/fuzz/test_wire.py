"""Whatever comes over a link, or stands in a box, is understood or a typed error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tests.vectors
from perun.wire import packets, parcels
from perun.wire.packets import MalformedPacket, Packet
from perun.wire.parcels import Bye, Hello, MalformedParcel, Messages, Taken
from tests.games.fuzz.garbage import Damage, damages

VECTORS = tests.vectors.load("wire")
GOOD_PARCELS = [bytes.fromhex(it[2:]) for it in VECTORS["parcels"].values()]
GOOD_PACKETS = [
    bytes.fromhex(it[2:])
    for it in (
        *VECTORS["packets"].values(),
        *(VECTORS["attach"][name] for name in ("challenge", "attach", "attached")),
    )
]
READERS: list[Callable[[bytes], Any]] = [
    packets.read_packet,
    packets.read_attach,
    packets.read_attached,
    packets.read_challenge,
]
many = settings(max_examples=300)


def again(parcel: parcels.Parcel) -> bytes:
    """A parcel's bytes."""
    if isinstance(parcel, Messages):
        return parcels.join(parcel.frames)
    if isinstance(parcel, Hello):
        return parcels.hello(parcel)
    return parcel.encode() if isinstance(parcel, Bye | Taken) else parcels.BEAT


@many
@given(st.sampled_from(GOOD_PARCELS), damages())
def test_damaged_parcels(good: bytes, damage: Damage) -> None:
    with suppress(MalformedParcel):
        parcel = parcels.read(damage(good))
        assert parcels.read(again(parcel)) == parcel


@many
@given(st.binary(max_size=300))
@example(b"\x01" + b"\x91" * 4_000)
@example(b"\x01\xdd\xff\xff\xff\xff")
@example(b"\x00" + b"\x00\x01x" * 20_000)
@example(b"\x00\xff\xff" + bytes(65_535))
@example(b"\x02" + b"\xff" * 200)
def test_garbage_in_a_box(data: bytes) -> None:
    with suppress(MalformedParcel):
        assert parcels.read(data) is not None


@many
@given(st.sampled_from(READERS), st.sampled_from(GOOD_PACKETS), damages())
def test_damaged_packets(read: Callable[[bytes], Any], good: bytes, damage: Damage) -> None:
    data = damage(good)
    with suppress(MalformedPacket):
        found = read(data)
        if isinstance(found, Packet):
            assert found.encode() == data


@many
@given(st.sampled_from(READERS), st.binary(max_size=500))
def test_garbage_on_a_link(read: Callable[[bytes], Any], data: bytes) -> None:
    with suppress(MalformedPacket):
        assert read(data) is not None


@pytest.mark.parametrize("read", READERS)
def test_every_length_of_every_kind(read: Callable[[bytes], Any]) -> None:
    for kind in range(5):
        for size in (*range(500), 65_535, 65_536):
            with suppress(MalformedPacket):
                read(bytes((kind,)) + bytes(size))
