"""Boxes between two ends."""

from __future__ import annotations

import pytest

from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire import BoxSealer, Unsealable


def sealer(name: str) -> tuple[BoxSealer, bytes]:
    key = key_of(name)
    return BoxSealer(key.secret), peer_id(key.public_key)


def test_only_the_two_ends_open_a_box() -> None:
    (alice, alice_id), (bob, bob_id), (ingrid, _) = map(sealer, ("alice", "bob", "ingrid"))
    box = alice.seal(bob_id, b"pay")

    assert bob.open(alice_id, box) == b"pay"
    with pytest.raises(Unsealable):
        ingrid.open(alice_id, box)


def test_box_proves_its_sender_and_direction() -> None:
    (alice, _), (bob, bob_id), (_, ingrid_id) = map(sealer, ("alice", "bob", "ingrid"))
    box = alice.seal(bob_id, b"pay")
    with pytest.raises(Unsealable):
        bob.open(ingrid_id, box)
    with pytest.raises(Unsealable):
        alice.open(bob_id, box)


@pytest.mark.parametrize("place", [0, 12, -1])
def test_tampered_box_does_not_open(place: int) -> None:
    (alice, alice_id), (bob, bob_id) = map(sealer, ("alice", "bob"))
    box = bytearray(alice.seal(bob_id, b"pay"))
    box[place] ^= 1
    with pytest.raises(Unsealable):
        bob.open(alice_id, bytes(box))


@pytest.mark.parametrize("box", [b"", b"short", b"\x00" * 28])
def test_garbage_does_not_open(box: bytes) -> None:
    (alice, _), (_, bob_id) = map(sealer, ("alice", "bob"))
    with pytest.raises(Unsealable):
        alice.open(bob_id, box)


def test_stranger_without_a_key_is_a_typed_error() -> None:
    alice, _ = sealer("alice")
    with pytest.raises(Unsealable):
        alice.open(b"\x02" + b"\xff" * 32, b"\x00" * 40)
