"""Accounts with a key and code (EIP-7702): paid with little gas, drawn on, and signing."""

from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3

from perun.testing.owners import Owner
from perun.types import ETH
from tests.attacks.redteam.test_starving import assert_all_or_nothing
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.contracts import Deployed
from tests.support.stage import Stage


def delegate(stage: Stage, party: Owner, code: Deployed) -> Deployed:
    """Give the party's own account the code of a contract (a type 4 transaction)."""
    assert party.account_key is not None
    account = Account.from_key(party.account_key.secret)
    sender = Account.from_key(stage.carol.account_key.secret)  # type: ignore[union-attr]
    signed = account.sign_authorization(
        {
            "chainId": stage.chain_id,
            "address": Web3.to_checksum_address(code.address),
            "nonce": stage.web3.eth.get_transaction_count(account.address),
        }
    )
    transaction = {
        "type": 4,
        "chainId": stage.chain_id,
        "nonce": stage.web3.eth.get_transaction_count(sender.address),
        "to": account.address,
        "value": 0,
        "data": b"",
        "gas": 200_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 1,
        "authorizationList": [signed],
    }
    raw = sender.sign_transaction(transaction).raw_transaction
    stage.web3.eth.send_raw_transaction(raw)
    assert bytes(stage.web3.eth.get_code(account.address)) == b"\xef\x01\x00" + code.address
    return stage.at_address("ThriftyPayee", party.account)


@pytest.fixture
def channel(stage: Stage) -> BasicChannel:
    """Bob's account takes money only if it is left 80,000 gas: what a new delegation costs to look
    up (EIP-7702) comes out of the 40,000 that are kept for the call itself."""
    delegate(stage, stage.bob, stage.deploy("ThriftyPayee"))
    return new_channel(stage).fund(10, 10)


def test_cannot_be_starved(stage: Stage, channel: BasicChannel) -> None:
    signed = channel.both(channel.close_digest(0))
    assert_all_or_nothing(
        stage,
        lambda gas: channel.close(stage.carol, 0, signatures=signed, gas=gas),
        60_000,
        260_000,
    )


def test_code_changes_nothing_about_signatures(stage: Stage, channel: BasicChannel) -> None:
    """`Open` is the account's ECDSA signature, code or not; the code is never asked."""
    stage.ms.send(stage.carol, "fund", ETH, stage.bob.account, 5, value=5)
    offer = (0, 5, stage.now + 60)
    signature = stage.bob.sign_with_account(channel.open_digest(*offer))
    stage.ms.send(stage.alice, "openBoth", channel.terms, *offer, signature)
    assert channel.holdings() == Holdings(10, 15, drawn=True)
