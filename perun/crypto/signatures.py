"""Signing digests and checking signatures by the rules of the contracts (protocol, section 2).

A signature is 65 bytes `r‖s‖v` with v of 27, 28, 0 or 1, or 64 bytes as in EIP-2098; a high `s`,
any other length or `v` is invalid, as in `LibSignatures`.
"""

from __future__ import annotations

from collections.abc import Iterable

from perun.crypto.backend import BACKEND
from perun.crypto.jobs import Job
from perun.crypto.keys import PublicKey, SecretKey
from perun.errors import BrokenInvariant
from perun.types import Address, Digest, Signature

# Half of the group's order (EIP-2): `s` above it is the second form of a signature.
_GREATEST_S = bytes.fromhex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")

# `v` of 65-byte signatures -> recovery id: 27 and 28 as Ethereum has it, 0 and 1 as some wallets.
_RECOVERY_IDS = {27: 0, 28: 1, 0: 0, 1: 1}


def sign(digest: Digest, key: SecretKey) -> Signature:
    """65 bytes `r‖s‖v`, low `s`, v 27 or 28, deterministic (RFC 6979)."""
    return _signature(*BACKEND.sign(digest, key.secret).done())


def sign_each(wanted: Iterable[tuple[Digest, SecretKey]]) -> list[Signature]:
    """`sign` for many, side by side."""
    made = BACKEND.each([BACKEND.sign(digest, key.secret) for digest, key in wanted])
    return [_signature(rs, recovery_id) for rs, recovery_id in made]


def _signature(rs: bytes, recovery_id: int) -> Signature:
    if recovery_id > 1:
        # r was not below the group's order: one signature in 2**127, which no contract can check.
        raise BrokenInvariant("a signature whose r overflows")
    return Signature(rs + (b"\x1c" if recovery_id else b"\x1b"))


def _split(signature: Signature) -> tuple[bytes, int] | None:
    """`r‖s` and recovery id; None if the form or `s` is not allowed."""
    if len(signature) == 65:
        recovery_id = _RECOVERY_IDS.get(signature[64])
        if recovery_id is None or signature[32:64] > _GREATEST_S:
            return None
        return signature[:64], recovery_id
    if len(signature) == 64:
        recovery_id = signature[32] >> 7
        s = bytes((signature[32] & 0x7F,)) + signature[33:]
        return (signature[:32] + s, recovery_id) if s <= _GREATEST_S else None
    return None


def canonical(signature: Signature) -> Signature:
    """The 65-byte form with v 27 or 28 of any allowed form; others come back unchanged."""
    parts = _split(signature)
    return Signature(parts[0] + bytes((27 + parts[1],))) if parts else signature


def recover_key(digest: Digest, signature: Signature) -> PublicKey | None:
    """The key that signed; None if the signature is malformed. About 31 µs."""
    parts = _split(signature)
    parsed = BACKEND.recover(digest, *parts).done() if parts else None
    return None if parsed is None else PublicKey.from_parsed(parsed)


def recover(digest: Digest, signature: Signature) -> Address | None:
    """Address of the key that signed; None where `LibSignatures.recover` has the zero address."""
    key = recover_key(digest, signature)
    return None if key is None else key.address


def verify(digest: Digest, signature: Signature, address: Address) -> bool:
    """Whether the contracts would take `signature` as one of `address`; never raises."""
    return recover(digest, signature) == address


def verify_with(digest: Digest, signature: Signature, key: PublicKey) -> bool:
    """`verify` for whoever has the key itself: nothing is serialised and hashed to an address."""
    return verify_job(digest, signature, key).done()


def verify_job(digest: Digest, signature: Signature, key: PublicKey) -> Job[bool]:
    """`verify_with`, for `perun.crypto.backend.each`."""
    parts = _split(signature)
    if parts is None:
        return Job(int, bool)
    job = BACKEND.recover(digest, *parts)

    def finish(code: int) -> bool:
        parsed = job.finish(code)
        return parsed is not None and BACKEND.same_key(parsed, key.parsed)

    return Job(job.call, finish)


def verify_loosely(digest: Digest, signature: Signature, key: PublicKey) -> bool:
    """Whether `key` signed, whatever `v` says of 27 or 28: a fifth faster than `verify`.

    **Not yet a signature that the contracts take:** `v` may be the wrong one of the two, and then
    they would recover somebody else. Whoever accepts by this keeps `key` beside the signature and
    calls `with_true_v` before it goes to the chain or to a watchtower; nothing is lost meanwhile,
    since `v` follows from the rest.
    """
    return verify_loosely_job(digest, signature, key).done()


def verify_loosely_job(digest: Digest, signature: Signature, key: PublicKey) -> Job[bool]:
    """`verify_loosely`, for `perun.crypto.backend.each`."""
    parts = _split(signature)
    return Job(int, bool) if parts is None else BACKEND.verify(digest, parts[0], key.parsed)


def with_true_v(digest: Digest, signature: Signature, key: PublicKey) -> Signature | None:
    """The 65 bytes that the contracts take, of what `verify_loosely` took; None if it would not."""
    parts = _split(signature)
    if parts is None:
        return None
    for v in (b"\x1b", b"\x1c"):
        signed = Signature(parts[0] + v)
        if verify(digest, signed, key.address):
            return signed
    return None
