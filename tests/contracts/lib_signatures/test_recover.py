"""`recover`: the signer of a digest, or `InvalidSignature`; `signerOf` is the same inside.

`verify` must agree with it on every input, so each case here asks both.
"""

from __future__ import annotations

import pytest
from eth_keys import keys
from hypothesis import given
from hypothesis import strategies as st

from populus.exceptions import ContractReverted
from tests.contracts.lib_signatures.conftest import ORDER, Signed
from tests.support.stage import Stage


def recovers(stage: Stage, digest: bytes, signature: bytes) -> bytes | None:
    """The signer, or None if refused; `verify` has to agree."""
    try:
        signer = stage.signatures.ask("recover", digest, signature)
    except ContractReverted as refused:
        error = refused
    else:
        assert signer != bytes(20)
        assert stage.signatures.ask("verify", signer, digest, signature)
        return signer
    assert (error.name, error.args) == ("InvalidSignature", (len(signature),))
    assert not stage.signatures.ask("verify", stage.alice.key.address, digest, signature)
    return None


def test_signer_of_65_bytes(stage: Stage, signed: Signed) -> None:
    assert recovers(stage, signed.digest, signed.rsv) == signed.signer


def test_signer_of_64_bytes(stage: Stage, signed: Signed) -> None:
    assert recovers(stage, signed.digest, signed.compact) == signed.signer


def test_v_may_count_from_0(stage: Stage, signed: Signed) -> None:
    assert recovers(stage, signed.digest, signed.form(v=signed.v - 27)) == signed.signer


def test_every_v(stage: Stage, one: Signed) -> None:
    """Two name the signer, two somebody else, all others nobody."""
    results = {v: recovers(stage, one.digest, one.form(v=v)) for v in range(256)}
    other = results[55 - one.v]
    assert {v for v, signer in results.items() if signer} == {0, 1, 27, 28}
    assert results[one.v] == results[one.v - 27] == one.signer
    assert other == results[28 - one.v]
    assert other != one.signer


def test_every_length(stage: Stage, one: Signed) -> None:
    longer = one.rsv + b"\x01" * 70
    for length in (*range(64), *range(66, 71), 96, 97, 128, 130):
        assert recovers(stage, one.digest, longer[:length]) is None


def test_65_bytes_cut_to_64_are_not_the_compact_form(stage: Stage, signed: Signed) -> None:
    """They are read as one, with `v` 27."""
    assert (recovers(stage, signed.digest, signed.rsv[:64]) == signed.signer) == (signed.v == 27)


def test_high_s_is_refused(stage: Stage, signed: Signed) -> None:
    """The same signature with the other `s` and `v` (EIP-2)."""
    twin = signed.form(s=ORDER - signed.s, v=55 - signed.v)
    assert recovers(stage, signed.digest, twin) is None


@pytest.mark.parametrize("v", [27, 28])
def test_greatest_s_is_half_of_the_order(stage: Stage, signed: Signed, v: int) -> None:
    assert recovers(stage, signed.digest, signed.form(s=ORDER // 2, v=v)) is not None
    assert recovers(stage, signed.digest, signed.form(s=ORDER // 2 + 1, v=v)) is None


def test_compact_form_has_no_high_s_either(stage: Stage, signed: Signed) -> None:
    for s in (ORDER // 2 + 1, 2**255 - 1):
        for parity in (0, 1):
            compact = signed.rsv[:32] + (s | parity << 255).to_bytes(32, "big")
            assert recovers(stage, signed.digest, compact) is None


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_r_outside_the_group_is_refused(stage: Stage, signed: Signed, number: int) -> None:
    assert recovers(stage, signed.digest, signed.form(r=number)) is None


def test_s_of_zero_is_refused(stage: Stage, signed: Signed) -> None:
    assert recovers(stage, signed.digest, signed.form(s=0)) is None
    for parity in (0, 1):
        compact = signed.rsv[:32] + (parity << 255).to_bytes(32, "big")
        assert recovers(stage, signed.digest, compact) is None


def test_r_that_is_no_point_is_refused(stage: Stage, signed: Signed) -> None:
    """Half of all numbers are no x of the curve; `ecrecover` then answers nothing."""
    found = {recovers(stage, signed.digest, signed.form(r=number)) for number in range(1, 12)}
    assert None in found
    assert len(found) > 1


@pytest.mark.parametrize("digest", [bytes(32), b"\xff" * 32])
def test_any_digest_can_be_signed(stage: Stage, digest: bytes) -> None:
    assert recovers(stage, digest, stage.alice.sign(digest)) == stage.alice.key.address


@given(
    secret=st.integers(1, ORDER - 1),
    digest=st.binary(min_size=32, max_size=32),
    flip=st.integers(0, 65 * 8 - 1),
)
def test_recover_agrees_with_eth_keys(stage: Stage, secret: int, digest: bytes, flip: int) -> None:
    """On good signatures, and on the same with one bit flipped, which never name the signer."""
    key = keys.PrivateKey(secret.to_bytes(32, "big"))
    signature = key.sign_msg_hash(digest).to_bytes()
    assert recovers(stage, digest, signature) == key.public_key.to_canonical_address()
    flipped = bytearray(signature)
    flipped[flip // 8] ^= 1 << flip % 8
    assert recovers(stage, digest, bytes(flipped)) != key.public_key.to_canonical_address()
