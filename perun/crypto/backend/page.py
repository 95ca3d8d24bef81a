"""Keys, hashes and ciphers in a browser: @noble's, behind a few functions of the page.

The page provides a module `perun_js` (`dapp/src/node/crypto.ts`). Every crossing between Python
and JavaScript that carries an object costs tens of microseconds, so nothing is carried: both sides
see one piece of memory, and calls take and return numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final, Protocol, TypeVar, cast

from perun.crypto.jobs import Job

__all__ = [
    "Box",
    "each",
    "is_secret",
    "keccak",
    "parse_key",
    "public_key",
    "recover",
    "same_key",
    "serialize_key",
    "shared_secret",
    "sign",
    "verify",
]

T = TypeVar("T")
ParsedKey = bytes
"""64 bytes `x‖y`, a point of the curve."""


class _Page(Protocol):
    """What the page's module does with the shared memory; each answers a number, -1 for *no*."""

    def share(self, memory: bytearray) -> None: ...
    def keccak(self, size: int) -> int: ...
    def publicKey(self) -> int: ...
    def parseKey(self, size: int) -> int: ...
    def sharedSecret(self) -> int: ...
    def sign(self) -> int: ...
    def verify(self) -> int: ...
    def recover(self, recovery_id: int) -> int: ...
    def seal(self, size: int, beside: int) -> int: ...
    def open(self, size: int, beside: int) -> int: ...


_PAGE: Final = cast("_Page", import_module("perun_js"))
_MEMORY: Final = bytearray(9 << 18)
"""More than the longest message, and than what a tower takes at once, with what vouches for it."""
_PAGE.share(_MEMORY)


def _put(*parts: bytes) -> None:
    """Raises `BufferError` for more than there is room: shared memory cannot grow."""
    at = 0
    for part in parts:
        _MEMORY[at : at + len(part)] = part
        at += len(part)


def _got(size: int) -> bytes:
    return bytes(_MEMORY[:size])


def keccak(data: bytes) -> bytes:
    """See `Backend`."""
    _put(data)
    _PAGE.keccak(len(data))
    return _got(32)


def is_secret(secret: bytes) -> bool:
    """See `Backend`."""
    if len(secret) != 32:
        return False
    _put(secret)
    return _PAGE.publicKey() == 0


def public_key(secret: bytes) -> ParsedKey:
    """See `Backend`."""
    if not is_secret(secret):
        raise ValueError("not a secret key")
    return _got(64)


def parse_key(data: bytes) -> ParsedKey | None:
    """See `Backend`."""
    if len(data) not in (33, 65):
        return None
    _put(data)
    return _got(64) if _PAGE.parseKey(len(data)) == 0 else None


def serialize_key(key: ParsedKey) -> bytes:
    """See `Backend`."""
    return key


def same_key(one: ParsedKey, other: ParsedKey) -> bool:
    """See `Backend`."""
    return one == other


def shared_secret(secret: bytes, public: bytes) -> bytes:
    """See `Backend`."""
    _put(secret, public)
    if len(secret) != 32 or len(public) != 33 or _PAGE.sharedSecret() != 0:
        raise ValueError("no key")
    return _got(32)


def sign(digest: bytes, secret: bytes) -> Job[tuple[bytes, int]]:
    """See `Backend`."""

    def made() -> tuple[bytes, int]:
        _put(digest, secret)
        recovery_id = _PAGE.sign()
        if recovery_id < 0:
            raise ValueError("not a secret key")
        return _got(64), recovery_id

    return _at_once(made)


def verify(digest: bytes, rs: bytes, key: ParsedKey) -> Job[bool]:
    """See `Backend`."""

    def found() -> bool:
        _put(digest, rs, key)
        return _PAGE.verify() == 0

    return _at_once(found)


def recover(digest: bytes, rs: bytes, recovery_id: int) -> Job[ParsedKey | None]:
    """See `Backend`."""

    def found() -> ParsedKey | None:
        _put(digest, rs)
        return _got(64) if _PAGE.recover(recovery_id) == 0 else None

    return _at_once(found)


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
        also = beside or b""
        _put(self._key, nonce, also, data)
        return _got(_PAGE.seal(len(data), len(also)))

    def decrypt(self, nonce: bytes, data: bytes, beside: bytes | None) -> bytes | None:
        """See `perun.crypto.backend.Box`."""
        also = beside or b""
        _put(self._key, nonce, also, data)
        size = _PAGE.open(len(data), len(also))
        return None if size < 0 else _got(size)
