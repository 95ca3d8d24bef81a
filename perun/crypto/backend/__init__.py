"""Who does the long arithmetic: chosen once, when `perun.crypto` is loaded.

`native` where its libraries are there: a node. `page` in a browser, which has neither them nor
threads, by the page's own JavaScript. `plain` where there is neither, slow and in Python alone.
Everything else of `perun.crypto` is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from perun.crypto.jobs import Job

__all__ = ["BACKEND", "Backend", "Box", "ParsedKey", "each"]

T = TypeVar("T")

# Each backend has its own.
ParsedKey = Any


class Box(Protocol):
    """ChaCha20-Poly1305 under one key (RFC 8439)."""

    def encrypt(self, nonce: bytes, data: bytes, beside: bytes | None) -> bytes:
        """`data` sealed, 16 bytes longer; it also vouches for `beside`. The nonce has 12 bytes."""

    def decrypt(self, nonce: bytes, data: bytes, beside: bytes | None) -> bytes | None:
        """What is in a box; None if it was not made so."""


class Backend(Protocol):
    """keccak-256, a cipher, and the few things that signing and checking need of secp256k1.

    The three long ones come as jobs, which `each` may share out among threads.
    """

    def keccak(self, data: bytes) -> bytes:
        """32 bytes; Ethereum's hash, not NIST's SHA3-256."""

    def is_secret(self, secret: bytes) -> bool:
        """Whether 32 bytes are a private key: not zero and below the group's order."""

    def public_key(self, secret: bytes) -> ParsedKey:
        """The public key of a valid secret."""

    def parse_key(self, data: bytes) -> ParsedKey | None:
        """A public key from its 33 or 65 byte form; None if that is no point of the curve."""

    def serialize_key(self, key: ParsedKey) -> bytes:
        """64 bytes `x‖y`."""

    def same_key(self, one: ParsedKey, other: ParsedKey) -> bool:
        """Whether two parsed keys are the same point."""

    def shared_secret(self, secret: bytes, public: bytes) -> bytes:
        """SHA-256 of the compressed point that is the one times the other (ECDH).

        Raises:
            ValueError: `secret` is no private key, or `public` is no compressed public key.
        """

    def sign(self, digest: bytes, secret: bytes) -> Job[tuple[bytes, int]]:
        """`r‖s` with low `s` and a deterministic nonce (RFC 6979), and the recovery id 0 … 3."""

    def verify(self, digest: bytes, rs: bytes, key: ParsedKey) -> Job[bool]:
        """Whether `key` made `r‖s` over `digest`. A high `s` is refused."""

    def recover(self, digest: bytes, rs: bytes, recovery_id: int) -> Job[ParsedKey | None]:
        """The key that made `r‖s`; None if there is none. A high `s` is the caller's to refuse."""

    def each(self, jobs: Sequence[Job[T]]) -> list[T]:
        """The results of all jobs, in their order."""

    @property
    def Box(self) -> Callable[[bytes], Box]:
        """A box under a key of 32 bytes."""


if TYPE_CHECKING:
    from perun.crypto.backend import native, page, plain

    _EACH: tuple[Backend, ...] = (native, page, plain)

_OTHERS: Final = ("coincurve", "sha3", "perun_js")


def _chosen() -> Backend:
    for name in ("native", "page"):
        try:
            return cast(Backend, import_module(f"perun.crypto.backend.{name}"))
        except ModuleNotFoundError as error:
            # A page does not even carry the file.
            if error.name not in (*_OTHERS, f"perun.crypto.backend.{name}"):
                raise
    return cast(Backend, import_module("perun.crypto.backend.plain"))


BACKEND: Final = _chosen()


def each(jobs: Sequence[Job[T]]) -> list[T]:
    """The results of all jobs, in their order, side by side if that is quicker."""
    return BACKEND.each(jobs)
