"""The few calls into libsecp256k1 that signing and checking need, over coincurve's own binding.

coincurve's classes hash, parse DER and build objects on the way; messages here are digests already
and signatures have their own two formats. Nothing else in the package touches the library.
The three long calls come as jobs, which `side_by_side` may share out among threads; `done()` does
one at once. Pointers are made for each call, so all of this is safe in threads (the library holds
no state).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from perun.crypto.side_by_side import Job

# cffi objects have no types a checker could know.
ParsedKey = Any

_CTX: Any = GLOBAL_CONTEXT.ctx
_UNCOMPRESSED: int = lib.SECP256K1_EC_UNCOMPRESSED


def is_secret(secret: bytes) -> bool:
    """Whether 32 bytes are a private key: not zero and below the group's order."""
    return len(secret) == 32 and bool(lib.secp256k1_ec_seckey_verify(_CTX, secret))


def public_key(secret: bytes) -> ParsedKey:
    """The public key of a valid secret."""
    key = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ec_pubkey_create(_CTX, key, secret):
        raise ValueError("not a secret key")
    return key


def parse_key(data: bytes) -> ParsedKey | None:
    """A public key from its 33 or 65 byte form; None if that is no point of the curve."""
    key = ffi.new("secp256k1_pubkey *")
    return key if lib.secp256k1_ec_pubkey_parse(_CTX, key, data, len(data)) else None


def serialize_key(key: ParsedKey) -> bytes:
    """64 bytes `x‖y`."""
    out = ffi.new("unsigned char[65]")
    lib.secp256k1_ec_pubkey_serialize(_CTX, out, ffi.new("size_t *", 65), key, _UNCOMPRESSED)
    return bytes(ffi.buffer(out)[1:])


def same_key(one: ParsedKey, other: ParsedKey) -> bool:
    """Whether two parsed keys are the same point."""
    return bool(lib.secp256k1_ec_pubkey_cmp(_CTX, one, other) == 0)


def sign(digest: bytes, secret: bytes) -> Job[tuple[bytes, int]]:
    """`r‖s` with low `s` and a deterministic nonce (RFC 6979), and the recovery id 0 … 3."""
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
    """Whether `key` made `r‖s` over `digest`. A high `s` is refused."""
    signature = ffi.new("secp256k1_ecdsa_signature *")
    if not lib.secp256k1_ecdsa_signature_parse_compact(_CTX, signature, rs):
        return Job(int, bool)
    return Job(partial(lib.secp256k1_ecdsa_verify, _CTX, signature, digest, key), bool)


def recover(digest: bytes, rs: bytes, recovery_id: int) -> Job[ParsedKey | None]:
    """The key that made `r‖s`; None if there is none. A high `s` is the caller's to refuse."""
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
