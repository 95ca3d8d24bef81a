"""`verify`: a yes or no that never reverts; cases shared with `recover` are in `test_recover`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from populus.exceptions import ContractReverted
from tests.contracts.lib_signatures.conftest import Signed
from tests.support.stage import Stage


def test_signature_of_the_account(stage: Stage, signed: Signed) -> None:
    assert stage.signatures.ask("verify", signed.signer, signed.digest, signed.rsv) is True


def test_signature_of_another_account(stage: Stage, signed: Signed) -> None:
    assert not stage.signatures.ask("verify", stage.bob.key.address, signed.digest, signed.rsv)


def test_signature_of_another_digest(stage: Stage, signed: Signed) -> None:
    other = bytes(32)
    assert not stage.signatures.ask("verify", signed.signer, other, signed.rsv)


def test_nobody_has_signed_anything(stage: Stage, signed: Signed) -> None:
    """An invalid signature recovers to zero, and zero is nobody."""
    for signature in (b"", bytes(64), bytes(65), signed.form(v=29), signed.form(r=0)):
        assert not stage.signatures.ask("verify", bytes(20), signed.digest, signature)


@given(signature=st.binary(max_size=130))
def test_garbage_is_no_signature(stage: Stage, signature: bytes) -> None:
    assert not stage.signatures.ask("verify", stage.alice.key.address, bytes(32), signature)


@pytest.mark.parametrize("name", ["recover", "verify"])
def test_no_gas_limit_turns_a_good_signature_into_a_bad_one(
    stage: Stage, one: Signed, name: str
) -> None:
    """`ecrecover` that runs out of gas answers nothing, as for a bad signature."""
    lead = (one.signer,) if name == "verify" else ()
    data = stage.signatures.call_data(name, *lead, one.digest, one.rsv)
    right = (1).to_bytes(32, "big") if name == "verify" else one.signer.rjust(32, b"\0")
    answers, refusals = [], set()
    for gas in range(26_000, 31_000, 40):
        try:
            answers.append(stage.signatures.ask_raw(data, gas=gas))
        except ContractReverted as error:
            refusals.add(error.name)
    assert set(answers) == {right}
    assert refusals == {""}  # ran out of gas, and says nothing else
