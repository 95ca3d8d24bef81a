"""Digests of any message against eth_account, which reads the types from JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

import perun
from perun import encoding, signing
from perun.encoding import machine, typed_data
from perun.errors import BadSignature, WrongType
from perun.types import (
    MAX_AMOUNT,
    Close,
    Nano,
    Open,
    Ready,
    State,
    Statement,
    Withdraw,
)
from tests.vectors import generate

KEY = perun.new_key()
ACCOUNT = Account.from_key(KEY.to_bytes())

ids = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)
amounts = st.integers(0, MAX_AMOUNT)
nets = st.integers(-MAX_AMOUNT, MAX_AMOUNT)


def width(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


nanos = st.builds(Nano, addresses, ids, amounts, amounts, width(40), st.booleans())
lists = st.lists(nanos, max_size=3).map(tuple)
channel_messages = st.one_of(
    st.builds(State, ids, width(48), nets, lists),
    st.builds(Close, ids, nets, width(40), width(8)),
    st.builds(Withdraw, ids, width(32), amounts, amounts, width(40)),
    st.builds(Open, ids, amounts, amounts, width(40)),
)
machine_messages = st.one_of(st.builds(Statement, ids, amounts), st.builds(Ready, ids))
domains = st.tuples(width(256), addresses)
TYPES = {
    State: generate.STATE,
    Close: generate.CLOSE,
    Withdraw: generate.WITHDRAW,
    Open: generate.OPEN,
    Statement: generate.STATEMENT,
    Ready: generate.READY,
}


def plainly(message: Any, name: str, domain: Any) -> Any:
    """What eth_account makes of the message, told in its own words."""
    values = [getattr(message, field) for field in message.__struct_fields__]
    if isinstance(message, State):
        values[-1] = generate.nanos_hash(
            [
                {
                    "app": "0x" + nano.app.hex(),
                    "id": "0x" + nano.id.hex(),
                    "aliceLock": nano.alice_lock,
                    "bobLock": nano.bob_lock,
                    "expiry": nano.expiry,
                    "swapped": nano.swapped,
                }
                for nano in message.nanos
            ]
        )
    type_string = TYPES[type(message)]
    names = [field.split(" ")[1] for field in type_string.partition("(")[2][:-1].split(",")]
    where = {
        "name": name,
        "chainId": domain.chain_id,
        "verifyingContract": "0x" + domain.contract.hex(),
    }
    content = dict(zip(names, values, strict=True))
    return encode_typed_data(full_message=generate._typed(type_string, where, content))


def _compare(message: Any, name: str, domain: Any) -> None:
    expected = ACCOUNT.sign_message(plainly(message, name, domain))
    assert signing.digest(message, domain) == expected.message_hash
    assert signing.sign(message, KEY, domain).to_bytes()[:64] == expected.signature[:64]
    assert perun.is_signed_by(message, expected, ACCOUNT, domain)
    assert perun.recover(message, expected, domain) == KEY.public_key
    # What a wallet is asked to sign, as it arrives there.
    wallet = json.loads(json.dumps(signing.wallet_json(message, domain)))
    signed = ACCOUNT.sign_typed_data(full_message=wallet)
    assert signed.message_hash == expected.message_hash


@given(channel_messages, domains)
def test_messages_of_channels(message: Any, where: Any) -> None:
    _compare(message, "Perun MSContract", encoding.ms_contract_domain(*where))


@given(machine_messages, domains)
def test_messages_of_machines(message: Any, where: Any) -> None:
    _compare(message, "Perun VPM", encoding.vpm_domain(*where))


def test_type_strings_are_those_of_the_interfaces() -> None:
    assert {
        typed_data.STATE_TYPE,
        typed_data.CLOSE_TYPE,
        typed_data.WITHDRAW_TYPE,
        typed_data.OPEN_TYPE,
        machine.STATEMENT_TYPE,
        machine.READY_TYPE,
    } == set(TYPES.values())


MS, VPM = encoding.ms_contract_domain(1, bytes(20)), encoding.vpm_domain(1, bytes(20))


@pytest.mark.parametrize(
    ("message", "domain"),
    [
        (State(bytes(32), 1, 0), VPM),
        (Statement(bytes(32), 1), MS),
        (Statement(bytes(32), 1), None),
        (None, MS),
        ("State", MS),
    ],
)
def test_messages_in_the_wrong_domain(message: Any, domain: Any) -> None:
    for act in (
        lambda: signing.sign(message, KEY, domain),
        lambda: signing.recover(message, bytes(65), domain),
        lambda: signing.is_signed_by(message, bytes(65), KEY, domain),
        lambda: signing.wallet_json(message, domain),
    ):
        with pytest.raises(WrongType):
            act()


def test_recovering_from_malformed_bytes() -> None:
    with pytest.raises(BadSignature):
        perun.recover(Statement(bytes(32), 1), b"\x09" * 65, VPM)
    assert not perun.is_signed_by(Statement(bytes(32), 1), b"", KEY, VPM)


@settings(max_examples=10)
@given(st.lists(nanos, max_size=64).map(tuple))
def test_hash_of_any_list(listed: tuple[Nano, ...]) -> None:
    rows = [tuple(getattr(n, f) for f in n.__struct_fields__) for n in listed]
    expected = keccak(encode([f"{generate.NANO}[]"], [rows])) if listed else bytes(32)
    assert encoding.nanos_hash(listed) == expected
