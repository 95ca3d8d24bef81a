"""libsecp256k1 over coincurve's own binding, and keccak-256 by safe-pysha3.

coincurve's classes hash, parse DER and build objects on the way; messages here are digests already
and signatures have their own two formats. Pointers are made for each call, so all of this is safe
in threads (the library holds no state). safe-pysha3 takes 0.7 µs for 64 bytes; pycryptodome, which
eth_hash picks by default, 3.6 µs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from coincurve import PrivateKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from sha3 import keccak_256

from perun.crypto.backend.threads import each
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

# cffi objects have no types a checker could know.
ParsedKey = Any

_CTX: Any = GLOBAL_CONTEXT.ctx
_UNCOMPRESSED: int = lib.SECP256K1_EC_UNCOMPRESSED


def keccak(data: bytes) -> bytes:
    """32 bytes: the keccak-256 hash of `data`."""
    digest: bytes = keccak_256(data).digest()
    return digest


def is_secret(secret: bytes) -> bool:
    """See `Backend`."""
    return len(secret) == 32 and bool(lib.secp256k1_ec_seckey_verify(_CTX, secret))


def public_key(secret: bytes) -> ParsedKey:
    """See `Backend`."""
    key = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ec_pubkey_create(_CTX, key, secret):
        raise ValueError("not a secret key")
    return key


def parse_key(data: bytes) -> ParsedKey | None:
    """See `Backend`."""
    key = ffi.new("secp256k1_pubkey *")
    return key if lib.secp256k1_ec_pubkey_parse(_CTX, key, data, len(data)) else None


def serialize_key(key: ParsedKey) -> bytes:
    """See `Backend`."""
    out = ffi.new("unsigned char[65]")
    lib.secp256k1_ec_pubkey_serialize(_CTX, out, ffi.new("size_t *", 65), key, _UNCOMPRESSED)
    return bytes(ffi.buffer(out)[1:])


def same_key(one: ParsedKey, other: ParsedKey) -> bool:
    """See `Backend`."""
    return bool(lib.secp256k1_ec_pubkey_cmp(_CTX, one, other) == 0)


def shared_secret(secret: bytes, public: bytes) -> bytes:
    """See `Backend`."""
    return PrivateKey(secret).ecdh(public)


def sign(digest: bytes, secret: bytes) -> Job[tuple[bytes, int]]:
    """See `Backend`."""
    signature = ffi.new("secp256k1_ecdsa_recoverable_signature *")

    def finish(code: int) -> tuple[bytes, int]:
        if not code:
            raise ValueError("not a secret key")
        out, recovery_id = ffi.new("unsigned char[64]"), ffi.new("int *")
        lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(
            _CTX, out, recovery_id, signature
        )
        return bytes(ffi.buffer(out)), recovery_id[0]

    call = partial(
        lib.secp256k1_ecdsa_sign_recoverable, _CTX, signature, digest, secret, ffi.NULL, ffi.NULL
    )
    return Job(call, finish)


def verify(digest: bytes, rs: bytes, key: ParsedKey) -> Job[bool]:
    """See `Backend`."""
    signature = ffi.new("secp256k1_ecdsa_signature *")
    if not lib.secp256k1_ecdsa_signature_parse_compact(_CTX, signature, rs):
        return Job(int, bool)
    return Job(partial(lib.secp256k1_ecdsa_verify, _CTX, signature, digest, key), bool)


def recover(digest: bytes, rs: bytes, recovery_id: int) -> Job[ParsedKey | None]:
    """See `Backend`."""
    signature = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    if not lib.secp256k1_ecdsa_recoverable_signature_parse_compact(
        _CTX, signature, rs, recovery_id
    ):
        return Job(int, _nothing)
    key = ffi.new("secp256k1_pubkey *")
    call = partial(lib.secp256k1_ecdsa_recover, _CTX, key, signature, digest)
    return Job(call, lambda code: key if code else None)


def _nothing(_: int) -> None:
    return None


class Box:
    """See `perun.crypto.backend.Box`."""

    __slots__ = ("_cipher", "encrypt")

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self.encrypt = self._cipher.encrypt

    def decrypt(self, nonce: bytes, data: bytes, beside: bytes | None) -> bytes | None:
        """See `perun.crypto.backend.Box`."""
        try:
            return self._cipher.decrypt(nonce, data, beside)
        except (InvalidTag, ValueError):
            return None
