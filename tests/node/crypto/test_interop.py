"""What scripts hold is taken as it is; anything else is a typed error."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_keys import keys as eth_keys
from hexbytes import HexBytes

from perun.crypto import interop
from perun.errors import WrongLength, WrongType

# The first key of anvil and hardhat.
SECRET = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
CHECKSUMMED = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
RAW = bytes.fromhex(CHECKSUMMED[2:])
KEY = eth_keys.PrivateKey(bytes.fromhex(SECRET[2:]))
ACCOUNT = Account.from_key(SECRET)


@pytest.mark.parametrize(
    "of",
    [
        CHECKSUMMED,
        CHECKSUMMED.lower(),
        "0x" + CHECKSUMMED[2:].upper(),
        CHECKSUMMED[2:].lower(),
        RAW,
        HexBytes(RAW),
        KEY,
        KEY.public_key,
        ACCOUNT,
    ],
)
def test_whatever_names_an_address(of: Any) -> None:
    assert interop.address(of) == RAW
    assert type(interop.address(of)) is bytes
    assert interop.checksum(of) == CHECKSUMMED


@pytest.mark.parametrize(
    "of",
    [
        CHECKSUMMED[:-1] + "7",
        "0xF" + CHECKSUMMED[3:],
        CHECKSUMMED[:-1],
        "0x" + "zz" * 20,
        "",
        None,
        5,
        bytearray(RAW),
    ],
)
def test_what_names_no_address(of: Any) -> None:
    with pytest.raises(WrongType):
        interop.address(of)


def test_bytes_of_another_length_name_no_address() -> None:
    with pytest.raises(WrongLength):
        interop.address(RAW + b"\0")


def test_signatures_of_eth_keys_and_eth_account() -> None:
    digest = b"\x11" * 32
    by_keys, by_account = KEY.sign_msg_hash(digest), ACCOUNT.unsafe_sign_hash(digest)
    assert interop.signature_bytes(by_keys) == by_account.signature
    assert interop.signature_bytes(by_account) == by_account.signature
    assert interop.signature_bytes(by_account.signature) == by_account.signature
    assert type(interop.signature_bytes(by_account.signature)) is bytes


def test_received_bytes_are_passed_on_as_they_are() -> None:
    assert interop.signature_bytes(b"\x01\x02") == b"\x01\x02"


@pytest.mark.parametrize("signature", [None, "0x00", 5, (1, 2, 3)])
def test_what_is_no_signature(signature: Any) -> None:
    with pytest.raises(WrongType):
        interop.signature_bytes(signature)


def test_keys_of_eth_keys_and_eth_account() -> None:
    assert interop.secret_key(KEY).secret == KEY.to_bytes()
    assert interop.secret_key(ACCOUNT).secret == KEY.to_bytes()


def test_a_key_of_another_kind_is_refused_and_not_shown() -> None:
    with pytest.raises(WrongType) as caught:
        interop.secret_key(SECRET)  # type: ignore[arg-type]
    assert SECRET[2:10] not in str(caught.value)
