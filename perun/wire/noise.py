"""The handshake of a session and its keys: Noise_XK_secp256k1_ChaChaPoly_SHA256 as in BOLT 8.

Three acts. The one who begins knows the other's key and proves its own in the third, unseen by
anybody else; both prove that they are there now. What is sent after it cannot be read by somebody
who gets the nodes' keys later. Pure: randomness comes in, bytes come out.

Ours differs from Lightning's in the prologue, in what the first act may carry (BOLT 8 leaves its
payload empty), and in that messages have no length field: packets have a length already.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.crypto.agreement import TAG_BYTES, Cipher, public_key_of, shared_secret
from perun.errors import PeerFault

__all__ = ["BadHandshake", "Handshake", "PROLOGUE", "Sealed", "Transport"]

PROLOGUE: Final = b"perun 1"
_NAME: Final = b"Noise_XK_secp256k1_ChaChaPoly_SHA256"
_VERSION: Final = b"\x00"
_KEY: Final = 33
_ACT_TWO: Final = 1 + _KEY + TAG_BYTES
_ACT_THREE: Final = _ACT_TWO + TAG_BYTES
_USES_OF_A_KEY: Final = 1_000
"""Boxes sealed with one key before it is replaced (BOLT 8)."""


@dataclass(eq=False)
class BadHandshake(PeerFault):
    """An act that the stated peer did not make for us now."""

    act: int
    reason: str

    template: ClassVar[str] = "act {act} of the handshake is refused: {reason}"
    hint: ClassVar[str] = "the other side is not who was meant, or somebody between has altered it"


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _two_keys(salt: bytes, material: bytes) -> tuple[bytes, bytes]:
    """HKDF with SHA-256 and no info (RFC 5869), 64 bytes."""
    secret = hmac.digest(salt, material, "sha256")
    first = hmac.digest(secret, b"\x01", "sha256")
    return first, hmac.digest(secret, first + b"\x02", "sha256")


class Sealed:
    """One direction of a session: boxes in order, each key used a thousand times."""

    __slots__ = ("_chain", "_cipher", "_key", "_number")

    def __init__(self, chain: bytes, key: bytes) -> None:
        self._chain = chain
        self._key = key
        self._cipher = Cipher(key)
        self._number = 0

    def seal(self, data: bytes) -> bytes:
        """The next box."""
        box = self._cipher.seal(self._number, data)
        self._next()
        return box

    def open(self, box: bytes) -> bytes | None:
        """What is in the next box; None for anything else, and then nothing has changed."""
        data = self._cipher.open(self._number, box)
        if data is not None:
            self._next()
        return data

    def _next(self) -> None:
        self._number += 1
        if self._number == _USES_OF_A_KEY:
            self._chain, self._key = _two_keys(self._chain, self._key)
            self._cipher, self._number = Cipher(self._key), 0


@dataclass(frozen=True, slots=True)
class Transport:
    """What a finished handshake leaves: who it is, and a key for each direction."""

    peer: bytes
    outward: Sealed
    inward: Sealed


class Handshake:
    """One side's half of the three acts.

    The one who begins: `act_one`, then `act_three` with what came back. The other: `read_act_one`,
    `act_two`, then `finish`. Whatever raises ends the handshake.
    """

    def __init__(
        self, own: bytes, ephemeral: bytes, peer: bytes | None = None, prologue: bytes = PROLOGUE
    ) -> None:
        """Begins.

        Args:
            own: our node's secret.
            ephemeral: 32 fresh random bytes, never used again.
            peer: whom we mean, if it is we who begin; else None.
        """
        self._own = own
        self._ephemeral = ephemeral
        self._peer = peer
        self._theirs = b""
        self._cipher: Cipher | None = None
        self._chain = _sha256(_NAME)
        self._hash = _sha256(self._chain, prologue)
        self._mix(public_key_of(own) if peer is None else peer)

    # ------------------------------------------------------------------------- who begins

    def act_one(self, payload: bytes = b"") -> bytes:
        """The first act: our fresh key, and what only the one we mean can read.

        The payload is not secret for ever: whoever gets the peer's key later can read it.

        Raises:
            BadHandshake: the peer's id is no key.
        """
        assert self._peer is not None
        public = public_key_of(self._ephemeral)
        self._mix(public)
        self._agree(1, self._ephemeral, self._peer)
        return _VERSION + public + self._seal(0, payload)

    def act_three(self, act: bytes) -> tuple[bytes, Transport]:
        """The third act, in answer to the second; the session stands.

        Raises:
            BadHandshake: not the second act of this handshake.
        """
        assert self._peer is not None
        key, box = _take_apart(2, act)
        if len(act) != _ACT_TWO:
            raise BadHandshake(2, f"it has {len(act)} bytes, not {_ACT_TWO}")
        self._mix(key)
        self._agree(2, self._ephemeral, key)
        self._open(2, 0, box)
        ours = self._seal(1, public_key_of(self._own))
        self._agree(3, self._own, key)
        last = _VERSION + ours + self._seal(0, b"")
        outward, inward = _two_keys(self._chain, b"")
        chain = self._chain
        return last, Transport(self._peer, Sealed(chain, outward), Sealed(chain, inward))

    # ------------------------------------------------------------------------- who answers

    def read_act_one(self, act: bytes) -> bytes:
        """The payload of a first act, by somebody who knows our id.

        Raises:
            BadHandshake: not a first act meant for us.
        """
        key, box = _take_apart(1, act)
        self._theirs = key
        self._mix(key)
        self._agree(1, self._own, key)
        return self._open(1, 0, box)

    def act_two(self) -> bytes:
        """The second act."""
        public = public_key_of(self._ephemeral)
        self._mix(public)
        self._agree(2, self._ephemeral, self._theirs)
        return _VERSION + public + self._seal(0, b"")

    def finish(self, act: bytes) -> Transport:
        """Reads the third act; the session stands, with the peer it names.

        Raises:
            BadHandshake: not the third act of this handshake.
        """
        if len(act) != _ACT_THREE:
            raise BadHandshake(3, f"it has {len(act)} bytes, not {_ACT_THREE}")
        if act[:1] != _VERSION:
            raise BadHandshake(3, f"version {act[0]}, expected 0")
        peer = self._open(3, 1, act[1 : 1 + _KEY + TAG_BYTES])
        self._agree(3, self._ephemeral, peer)
        self._open(3, 0, act[1 + _KEY + TAG_BYTES :])
        inward, outward = _two_keys(self._chain, b"")
        return Transport(peer, Sealed(self._chain, outward), Sealed(self._chain, inward))

    # ------------------------------------------------------------------------- Noise's own words

    def _mix(self, data: bytes) -> None:
        self._hash = _sha256(self._hash, data)

    def _agree(self, act: int, secret: bytes, public: bytes) -> None:
        try:
            common = shared_secret(secret, public)
        except ValueError:
            raise BadHandshake(act, "its key is no public key of secp256k1") from None
        self._chain, key = _two_keys(self._chain, common)
        self._cipher = Cipher(key)

    def _seal(self, number: int, data: bytes) -> bytes:
        assert self._cipher is not None
        box = self._cipher.seal(number, data, self._hash)
        self._mix(box)
        return box

    def _open(self, act: int, number: int, box: bytes) -> bytes:
        assert self._cipher is not None
        data = self._cipher.open(number, box, self._hash)
        if data is None:
            raise BadHandshake(act, "it does not open")
        self._mix(box)
        return data


def _take_apart(act: int, data: bytes) -> tuple[bytes, bytes]:
    """Key and box of a first or second act."""
    if len(data) < _ACT_TWO:
        raise BadHandshake(act, f"it has {len(data)} bytes, fewer than {_ACT_TWO}")
    if data[:1] != _VERSION:
        raise BadHandshake(act, f"version {data[0]}, expected 0")
    return data[1 : 1 + _KEY], data[1 + _KEY :]
