"""secp256k1 in plain Python; keccak-256 and the cipher by packages that are easily had.

A signature takes milliseconds, a thousand times what the native library needs. It is correct, but
not of constant time: who can measure a page's arithmetic to the microsecond learns of its key, and
who can do that in a browser sees the key itself. Source: SEC 1 for the curve, RFC 6979 for nonces.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TypeVar

from Crypto.Cipher import ChaCha20_Poly1305
from Crypto.Hash import keccak as _keccak

from perun.crypto.jobs import Job

T = TypeVar("T")

_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

ParsedKey = tuple[int, int]
_Jacobian = tuple[int, int, int]
"""(X, Y, Z) for the point (X/Z², Y/Z³); Z = 0: the point at infinity."""

_NOWHERE: _Jacobian = (0, 1, 0)


def keccak(data: bytes) -> bytes:
    """32 bytes: the keccak-256 hash of `data`."""
    return _keccak.new(data=data, digest_bits=256).digest()


def is_secret(secret: bytes) -> bool:
    """See `Backend`."""
    return len(secret) == 32 and 0 < int.from_bytes(secret, "big") < _N


def public_key(secret: bytes) -> ParsedKey:
    """See `Backend`."""
    if not is_secret(secret):
        raise ValueError("not a secret key")
    key = _affine(_sum((int.from_bytes(secret, "big"), _G)))
    assert key is not None
    return key


def parse_key(data: bytes) -> ParsedKey | None:
    """See `Backend`."""
    x = int.from_bytes(data[1:33], "big")
    if len(data) == 33 and data[0] in (2, 3):
        return _lift(x, odd=data[0] == 3)
    if len(data) == 65 and data[0] == 4:
        y = int.from_bytes(data[33:], "big")
        return (x, y) if y < _P and _lift(x, odd=bool(y & 1)) == (x, y) else None
    return None


def serialize_key(key: ParsedKey) -> bytes:
    """See `Backend`."""
    return key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big")


def same_key(one: ParsedKey, other: ParsedKey) -> bool:
    """See `Backend`."""
    return one == other


def shared_secret(secret: bytes, public: bytes) -> bytes:
    """See `Backend`."""
    key = parse_key(public)
    if key is None or not is_secret(secret):
        raise ValueError("no key")
    point = _affine(_sum((int.from_bytes(secret, "big"), key)))
    assert point is not None
    return sha256(bytes((2 + (point[1] & 1),)) + point[0].to_bytes(32, "big")).digest()


def sign(digest: bytes, secret: bytes) -> Job[tuple[bytes, int]]:
    """See `Backend`."""
    return _at_once(lambda: _sign(digest, secret))


def verify(digest: bytes, rs: bytes, key: ParsedKey) -> Job[bool]:
    """See `Backend`."""
    return _at_once(lambda: _verify(digest, rs, key))


def recover(digest: bytes, rs: bytes, recovery_id: int) -> Job[ParsedKey | None]:
    """See `Backend`."""
    return _at_once(lambda: _recover(digest, rs, recovery_id))


def each(jobs: Sequence[Job[T]]) -> list[T]:
    """See `Backend`."""
    return [job.done() for job in jobs]


def _at_once(call: Callable[[], T]) -> Job[T]:
    return Job(int, lambda _: call())


class Box:
    """See `perun.crypto.backend.Box`."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: bytes, beside: bytes | None) -> bytes:
        """See `perun.crypto.backend.Box`."""
        cipher = ChaCha20_Poly1305.new(key=self._key, nonce=nonce)
        cipher.update(beside or b"")
        sealed, tag = cipher.encrypt_and_digest(data)
        return sealed + tag

    def decrypt(self, nonce: bytes, data: bytes, beside: bytes | None) -> bytes | None:
        """See `perun.crypto.backend.Box`."""
        cipher = ChaCha20_Poly1305.new(key=self._key, nonce=nonce)
        cipher.update(beside or b"")
        try:
            return cipher.decrypt_and_verify(data[:-16], data[-16:])
        except ValueError:
            return None


# ------------------------------------------------------------------------------------------ ECDSA


def _sign(digest: bytes, secret: bytes) -> tuple[bytes, int]:
    if not is_secret(secret):
        raise ValueError("not a secret key")
    d, z = int.from_bytes(secret, "big"), int.from_bytes(digest, "big") % _N
    for k in _nonces(z, secret):
        point = _affine(_sum((k, _G)))
        assert point is not None
        r = point[0] % _N
        s = pow(k, -1, _N) * (z + r * d) % _N
        recovery_id = (point[1] & 1) | (2 if point[0] >= _N else 0)
        if s > _N // 2:
            s, recovery_id = _N - s, recovery_id ^ 1
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big"), recovery_id
    raise AssertionError("there are always more nonces")


def _nonces(z: int, secret: bytes) -> Iterator[int]:
    """RFC 6979, section 3.2, with SHA-256."""
    value, key, hashed = b"\x01" * 32, bytes(32), z.to_bytes(32, "big")
    for step in (b"\x00", b"\x01"):
        key = hmac.digest(key, value + step + secret + hashed, "sha256")
        value = hmac.digest(key, value, "sha256")
    while True:
        value = hmac.digest(key, value, "sha256")
        if is_secret(value):
            yield int.from_bytes(value, "big")
        key = hmac.digest(key, value + b"\x00", "sha256")
        value = hmac.digest(key, value, "sha256")


def _verify(digest: bytes, rs: bytes, key: ParsedKey) -> bool:
    r, s = int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big")
    if not (0 < r < _N and 0 < s <= _N // 2):
        return False
    inverse = pow(s, -1, _N)
    z = int.from_bytes(digest, "big")
    point = _affine(_sum((z * inverse % _N, _G), (r * inverse % _N, key)))
    return point is not None and point[0] % _N == r


def _recover(digest: bytes, rs: bytes, recovery_id: int) -> ParsedKey | None:
    r, s = int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big")
    if not (0 < r < _N and 0 < s < _N):
        return None
    point = _lift(r + (_N if recovery_id & 2 else 0), odd=bool(recovery_id & 1))
    if point is None:
        return None
    inverse = pow(r, -1, _N)
    z = int.from_bytes(digest, "big")
    return _affine(_sum((-z * inverse % _N, _G), (s * inverse % _N, point)))


# ------------------------------------------------------------------------------------------ points


def _lift(x: int, *, odd: bool) -> ParsedKey | None:
    """The point with that x whose y is odd, or even; None if there is none."""
    if x >= _P:
        return None
    square = (pow(x, 3, _P) + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if y * y % _P != square:
        return None
    return x, y if y & 1 == odd else _P - y


def _affine(point: _Jacobian) -> ParsedKey | None:
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, _P)
    return x * inverse**2 % _P, y * inverse**3 % _P


def _sum(*terms: tuple[int, ParsedKey]) -> _Jacobian:
    """The sum of points, each so many times."""
    found = _NOWHERE
    for bit in range(255, -1, -1):
        found = _doubled(found)
        for times, (x, y) in terms:
            if times >> bit & 1:
                found = _added(found, (x, y, 1))
    return found


def _doubled(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if not z:
        return _NOWHERE
    square = y * y % _P
    s, m = 4 * x * square % _P, 3 * x * x % _P
    wide = (m * m - 2 * s) % _P
    return wide, (m * (s - wide) - 8 * square * square) % _P, 2 * y * z % _P


def _added(one: _Jacobian, other: _Jacobian) -> _Jacobian:
    (x1, y1, z1), (x2, y2, z2) = one, other
    if not z1 or not z2:
        return other if not z1 else one
    square1, square2 = z1 * z1 % _P, z2 * z2 % _P
    u1, u2 = x1 * square2 % _P, x2 * square1 % _P
    s1, s2 = y1 * square2 * z2 % _P, y2 * square1 * z1 % _P
    h, r = (u2 - u1) % _P, (s2 - s1) % _P
    if not h:
        return _NOWHERE if r else _doubled(one)
    h2 = h * h % _P
    h3, v = h * h2 % _P, u1 * h2 % _P
    x3 = (r * r - h3 - 2 * v) % _P
    return x3, (r * (v - x3) - s1 * h3) % _P, h * z1 * z2 % _P
