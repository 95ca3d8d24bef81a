"""The hot path against eth_account and eth_keys, and the rules of section 2."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_keys import keys as eth_keys
from eth_keys.backends.native import NativeECCBackend
from eth_utils import keccak as plain_keccak
from hypothesis import given
from hypothesis import strategies as st

from perun import crypto
from perun.crypto import interop
from perun.errors import BadKey
from perun.types import Digest, Signature

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = crypto.SecretKey(b"\x07" * 32)
DIGEST = Digest(crypto.keccak(b"digest"))

secrets = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32).map(Digest)


@given(st.binary(max_size=300))
def test_keccak_is_eth_utils_keccak(data: bytes) -> None:
    assert crypto.keccak(data) == plain_keccak(data)


@given(secrets, digests)
def test_signing_is_eth_account_signing(secret: bytes, digest: Digest) -> None:
    key, account = crypto.SecretKey(secret), Account.from_key(secret)
    signature = crypto.sign(digest, key)
    assert signature == account.unsafe_sign_hash(digest).signature
    assert key.address.hex() == account.address[2:].lower()
    assert crypto.recover(digest, signature) == key.address
    assert crypto.verify(digest, signature, key.address)


def test_signing_is_the_same_in_pure_python() -> None:
    native = eth_keys.PrivateKey(KEY.secret, NativeECCBackend())
    expected = native.sign_msg_hash(DIGEST).to_bytes()
    assert crypto.sign(DIGEST, KEY) == expected[:64] + bytes((27 + expected[64],))


@given(secrets, digests, st.integers(0, 64), st.integers(0, 7))
def test_a_changed_bit_is_another_signature(
    secret: bytes, digest: Digest, byte: int, bit: int
) -> None:
    key = crypto.SecretKey(secret)
    changed = bytearray(crypto.sign(digest, key))
    changed[byte] ^= 1 << bit
    assert not crypto.verify(digest, Signature(bytes(changed)), key.address)
    assert not crypto.verify_with(digest, Signature(bytes(changed)), key.public_key)


@given(st.binary(max_size=70), digests)
def test_any_bytes_are_judged_and_never_raise(data: bytes, digest: Digest) -> None:
    assert not crypto.verify(digest, Signature(data), KEY.address)
    assert not crypto.verify_loosely(digest, Signature(data), KEY.public_key)
    assert not crypto.verify_with(digest, Signature(data), KEY.public_key)
    assert crypto.canonical(Signature(data)) == data or len(data) in (64, 65)


@given(secrets, digests, st.booleans())
def test_recovering_is_eth_keys_recovering(secret: bytes, digest: Digest, flip: bool) -> None:
    signature = bytearray(crypto.sign(digest, crypto.SecretKey(secret)))
    signature[64] ^= flip * 7  # 27 and 28 swap
    plain = eth_keys.Signature(bytes(signature[:64]) + bytes((signature[64] - 27,)))
    expected = plain.recover_public_key_from_msg_hash(digest)
    found = crypto.recover_key(digest, Signature(bytes(signature)))
    assert found is not None
    assert interop.eth_public_key(found) == expected
    assert found.address == expected.to_canonical_address()


@given(secrets, digests)
def test_all_forms_have_one_canonical_form(secret: bytes, digest: Digest) -> None:
    key = crypto.SecretKey(secret)
    signature = crypto.sign(digest, key)
    recovery_id = signature[64] - 27
    marked = bytes((signature[32] | recovery_id << 7,))
    short = Signature(signature[:32] + marked + signature[33:64])
    zero_based = Signature(signature[:64] + bytes((recovery_id,)))
    for form in (signature, short, zero_based):
        assert crypto.canonical(form) == signature
        assert crypto.verify(digest, form, key.address)
        assert crypto.verify_with(digest, form, key.public_key)


def test_loose_verification_ignores_which_v_and_with_true_v_repairs_it() -> None:
    signature = crypto.sign(DIGEST, KEY)
    other_v = Signature(signature[:64] + bytes((55 - signature[64],)))
    assert crypto.verify_loosely(DIGEST, other_v, KEY.public_key)
    assert not crypto.verify(DIGEST, other_v, KEY.address)
    assert not crypto.verify_with(DIGEST, other_v, KEY.public_key)
    assert crypto.with_true_v(DIGEST, other_v, KEY.public_key) == signature
    assert crypto.with_true_v(DIGEST, signature, KEY.public_key) == signature


def test_loose_verification_keeps_all_other_rules() -> None:
    signature = crypto.sign(DIGEST, KEY)
    s = int.from_bytes(signature[32:64], "big")
    high = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes((55 - signature[64],))
    stranger = crypto.SecretKey(b"\x08" * 32).public_key
    for wrong in (high, signature[:64] + b"\x02", signature + b"\0", signature[:63], b""):
        assert not crypto.verify_loosely(DIGEST, Signature(wrong), KEY.public_key)
        assert crypto.with_true_v(DIGEST, Signature(wrong), KEY.public_key) is None
    assert not crypto.verify_loosely(DIGEST, signature, stranger)
    assert crypto.with_true_v(DIGEST, signature, stranger) is None


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, ORDER.to_bytes(32, "big"), b"", b"7"])
def test_what_is_no_private_key(secret: bytes) -> None:
    with pytest.raises(BadKey) as caught:
        crypto.SecretKey(secret)
    assert secret.hex() not in str(caught.value) or not secret


@pytest.mark.parametrize("data", [bytes(64), b"\x02" * 64, b"", KEY.public_key.data[:63]])
def test_what_is_no_public_key(data: bytes) -> None:
    with pytest.raises(BadKey):
        crypto.PublicKey(data)


@given(secrets)
def test_keys_are_those_of_eth_keys(secret: bytes) -> None:
    key, plain = crypto.SecretKey(secret), eth_keys.PrivateKey(secret)
    assert interop.eth_private_key(key) == plain
    assert interop.secret_key(plain).public_key == key.public_key
    assert crypto.PublicKey(plain.public_key.to_bytes()) == key.public_key
    assert crypto.PublicKey(plain.public_key.to_compressed_bytes()) == key.public_key
    assert len({key.public_key, crypto.PublicKey(key.public_key.data)}) == 1


def test_a_secret_is_never_shown() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert KEY.address.hex() in repr(KEY)
