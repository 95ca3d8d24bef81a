from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account as EthAccount

from perun.core.config import Deployment
from perun.core.effects import Sign, SignItem
from perun.core.signing import Checker
from perun.crypto import SecretKey
from perun.encoding import ms_contract_domain, vpm_domain
from perun.types import Address, ChainId, ChannelId, MachineId, State, Statement, Version, Wei
from perun.wallet import LocalWallet
from perun.wallet.local import UnknownKey

ALICE, BOB = SecretKey(b"\x01" * 32), SecretKey(b"\x02" * 32)
PLACES = [Address(bytes((n,)) * 20) for n in (7, 8, 9)]
DEPLOYMENT = Deployment(
    ms_contract_domain(ChainId(1), PLACES[0]), vpm_domain(ChainId(1), PLACES[1])
)
STATE = State(ChannelId(bytes(32)), Version(2), Wei(5))
STATEMENT = Statement(MachineId(bytes(32)), Wei(9))


def test_signs_in_order_with_the_key_asked_for() -> None:
    wallet = LocalWallet(DEPLOYMENT, [ALICE, BOB])
    items = (SignItem(BOB.address, STATEMENT), SignItem(ALICE.address, STATE))
    signatures = wallet.sign(Sign(items))
    for item, signature in zip(items, signatures, strict=True):
        Checker(DEPLOYMENT).check(item.message, signature, item.key)


def test_signs_nothing_if_one_key_is_missing() -> None:
    wallet = LocalWallet(DEPLOYMENT, [ALICE])
    with pytest.raises(UnknownKey) as caught:
        wallet.sign(Sign((SignItem(ALICE.address, STATE), SignItem(BOB.address, STATE))))
    assert caught.value.key == BOB.address


ACCESS = [{"address": "0x" + PLACES[1].hex(), "storageKeys": ["0x" + "07" * 32, "0x" + "00" * 32]}]


@pytest.mark.parametrize(
    "more",
    [
        {"to": "0x" + PLACES[0].hex(), "data": "0x", "value": 0, "nonce": 0},
        {"to": "0x" + PLACES[0].hex(), "data": b"\x7f", "value": 2**80, "nonce": 127},
        {"to": "0x" + PLACES[0].hex(), "data": "0x80", "value": 1, "nonce": 128},
        {"data": "0x" + "60" * 55, "value": 1, "nonce": 300},
        {"data": "0x" + "60" * 700, "value": 1, "nonce": 2**40, "accessList": ACCESS},
    ],
)
def test_transaction_has_the_bytes_of_other_programs(more: dict[str, Any]) -> None:
    params = {"chainId": 11_155_111, "gas": 2**24, "maxFeePerGas": 2**40, **more}
    params["maxPriorityFeePerGas"] = 1
    theirs = EthAccount.from_key(ALICE.secret).sign_transaction(params)
    account = LocalWallet(DEPLOYMENT, [ALICE]).account(ALICE.address)
    ours = account.sign_transaction(params)
    assert ours == (bytes(theirs.raw_transaction), bytes(theirs.hash))


def test_transaction_is_the_accounts() -> None:
    account = LocalWallet(DEPLOYMENT, [ALICE]).account(ALICE.address)
    params = {
        "chainId": 1,
        "nonce": 3,
        "to": "0x" + PLACES[0].hex(),
        "data": "0x",
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 2,
        "maxPriorityFeePerGas": 1,
    }
    raw, hashed = account.sign_transaction(params)
    assert EthAccount.recover_transaction(raw)[2:].lower() == ALICE.address.hex()
    assert len(hashed) == 32


def test_secrets_are_not_shown() -> None:
    wallet = LocalWallet(DEPLOYMENT, [ALICE])
    shown = f"{wallet!r} {wallet.account(ALICE.address)!r}"
    assert ALICE.secret.hex() not in shown
