"""Both backends give the same bytes: libsecp256k1's, and those of plain Python for a plain."""

from __future__ import annotations

import random

import pytest

from perun.crypto.backend import BACKEND, each, native, plain

ORDER = plain._N


def draws(seed: int) -> tuple[bytes, bytes]:
    drawn = random.Random(seed)
    secret = drawn.choice([1, 2, ORDER - 1, drawn.randrange(1, ORDER), drawn.randrange(1, ORDER)])
    digest = drawn.choice([bytes(32), b"\xff" * 32, drawn.randbytes(32), drawn.randbytes(32)])
    return secret.to_bytes(32, "big"), digest


def test_a_node_has_the_native_one() -> None:
    assert BACKEND is native  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(135), bytes(136), bytes(137), b"perun" * 99])
def test_hashes_are_the_same(data: bytes) -> None:
    assert plain.keccak(data) == native.keccak(data)


@pytest.mark.parametrize("seed", range(12))
def test_signatures_and_keys_are_the_same(seed: int) -> None:
    secret, digest = draws(seed)
    keys = native.public_key(secret), plain.public_key(secret)
    data = native.serialize_key(keys[0])
    assert plain.serialize_key(keys[1]) == data
    for form in (b"\x04" + data, bytes((2 + (data[63] & 1),)) + data[:32]):
        assert plain.parse_key(form) == keys[1]

    rs, recovery_id = native.sign(digest, secret).done()
    assert plain.sign(digest, secret).done() == (rs, recovery_id)
    assert plain.verify(digest, rs, keys[1]).done()
    for id in range(4):
        found = [backend.recover(digest, rs, id).done() for backend in (native, plain)]
        assert (found[0] is None) == (found[1] is None)
        if found[0] is not None:
            assert plain.serialize_key(found[1]) == native.serialize_key(found[0])


@pytest.mark.parametrize("seed", range(6))
def test_wrong_signatures_are_refused_alike(seed: int) -> None:
    secret, digest = draws(seed)
    key = native.public_key(secret), plain.public_key(secret)
    rs, id = native.sign(digest, secret).done()
    high = rs[:32] + (ORDER - int.from_bytes(rs[32:], "big")).to_bytes(32, "big")
    zero, great = bytes(32), ORDER.to_bytes(32, "big")
    wrong = [high, zero + rs[32:], rs[:32] + zero, great + rs[32:], rs[:32] + great, rs[::-1]]
    for other in wrong:
        assert native.verify(digest, other, key[0]).done() is False
        assert plain.verify(digest, other, key[1]).done() is False
        one, two = (backend.recover(digest, other, id).done() for backend in (native, plain))
        assert (one is None) == (two is None)
        if one is not None:
            assert native.serialize_key(one) == plain.serialize_key(two)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x02", b"\x02" * 33, b"\x05" + b"\x02" * 32, b"\x04" * 65),
        *(b"\x02" + plain._P.to_bytes(32, "big"), b"\x02" + b"\xff" * 32, b"\x04" + bytes(64)),
    ],
)
def test_what_is_no_key_is_none_to_both(data: bytes) -> None:
    assert (native.parse_key(data) is None) == (plain.parse_key(data) is None)


@pytest.mark.parametrize("secret", [bytes(32), ORDER.to_bytes(32, "big"), b"\x01", b"\xff" * 32])
def test_what_is_no_secret_is_none_to_both(secret: bytes) -> None:
    for backend in (native, plain):
        assert not backend.is_secret(secret)
        if len(secret) == 32:
            with pytest.raises(ValueError, match="not a secret key"):
                backend.sign(bytes(32), secret).done()


def test_two_ends_share_a_secret_across_backends() -> None:
    ours, theirs = draws(3)[0], draws(4)[0]
    data = plain.serialize_key(plain.public_key(theirs))
    compressed = bytes((2 + (data[63] & 1),)) + data[:32]
    assert plain.shared_secret(ours, compressed) == native.shared_secret(ours, compressed)
    for backend in (native, plain):
        with pytest.raises(ValueError, match="key"):
            backend.shared_secret(ours, b"\x02" + b"\xff" * 32)


def test_jobs_of_a_page_are_done_one_after_the_other() -> None:
    secret, _ = draws(7)
    digests = [bytes((n,)) * 32 for n in range(10)]
    made = plain.each([plain.sign(digest, secret) for digest in digests])
    assert made == each([native.sign(digest, secret) for digest in digests])


@pytest.mark.parametrize("beside", [None, b"", b"\x01" * 33])
@pytest.mark.parametrize("data", [b"", b"a", bytes(65_519)])
def test_boxes_are_the_same(data: bytes, beside: bytes | None) -> None:
    key, nonce = b"\x07" * 32, b"\x00" * 11 + b"\x01"
    box = native.Box(key).encrypt(nonce, data, beside)
    assert plain.Box(key).encrypt(nonce, data, beside) == box
    for backend in (native, plain):
        opened = backend.Box(key).decrypt
        assert opened(nonce, box, beside) == data
        assert opened(nonce, box[:-1] + bytes((box[-1] ^ 1,)), beside) is None
        assert opened(nonce, box[:9], beside) is None
        assert opened(nonce, box, b"other") is None
