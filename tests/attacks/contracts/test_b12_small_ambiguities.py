"""B12: words that two implementers might read differently, and somebody who uses the other one.

Value sent with tokens, `expected` shares, garbage answers, nothing to pay, equal versions and
written-once deadlines are in `tests/contracts/ms_contract`.
"""

from __future__ import annotations

from unittest.mock import ANY

import msgspec

from tests.support.channels import BasicChannel, new_channel
from tests.support.instances import new_machine, new_nano
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, Stage


def test_version_0_does_not_answer(funded: BasicChannel) -> None:
    """It opens a dispute only; a signed state is newer."""
    stage = funded.stage
    funded.register(stage.bob, 1, 4)
    funded.register(stage.alice, 0)
    assert funded.dispute().version == 1
    funded.wait_until_settleable()
    gained = stage.gains(funded.asset, stage.alice, stage.bob)
    funded.settle(stage.alice, 4)
    assert gained() == (6, 14)


def test_empty_channel_cannot_be_blocked_by_a_dispute(stage: Stage) -> None:
    """It would cost a gas fee to keep the other side's first deposit out."""
    channel = new_channel(stage)
    with reverts("EmptyChannel", channel.id):
        channel.register(stage.alice, 0)
    channel.fund(0, 5)


def test_wallet_that_says_yes_is_no_key(stage: Stage) -> None:
    """ERC-1271 would let a contract change its mind with the other side's money."""
    wallet = stage.deploy("YesWallet").address
    channel = new_channel(stage)
    terms = msgspec.structs.replace(channel.terms, bob_key=wallet)
    stage.ms.send(stage.alice, "open", terms, 5, FOREVER, value=5)
    for signature in (b"\x01", bytes(65), stage.bob.sign(channel.close_digest(5))):
        with reverts("WrongSigner", wallet, ANY):
            stage.ms.send(stage.alice, "close", terms, 5, FOREVER, 0, b"", signature)


def test_contract_wallet_acts_as_its_account(stage: Stage) -> None:
    """A party's own transaction counts, whatever the account is made of."""
    wallet = stage.deploy("Wallet")
    bob = stage.party_at(wallet.address, stage.bob)
    channel = new_channel(stage, bob=bob).fund(10, 10)
    by_alice = channel.alice.sign(channel.close_digest(3))
    close = stage.ms.call_data("close", channel.terms, 3, FOREVER, 0, by_alice, b"")
    gained = stage.gains(channel.asset, stage.alice, wallet)
    wallet.send(stage.carol, "execute", stage.ms.address, 0, close)
    assert gained() == (7, 13)


def test_record_of_a_machine_is_never_cleared(funded: BasicChannel) -> None:
    """What is done stays done for a second channel that settles much later."""
    stage = funded.stage
    machine = new_machine(stage, alice_lock=5, bob_lock=5)
    machine.submit(stage.bob, 4)
    funded.register(stage.alice, 2, 0, (machine.nano(),))
    stage.at(machine.final_time + 1)
    funded.settle(stage.carol, 0, (machine.nano(),))
    stage.wait_until(machine.final_time + 10**8)
    assert machine.outcome() == (True, 4)


def test_register_reaches_nothing_but_submit(stage: Stage, funded: BasicChannel) -> None:
    """Evidence that looks like a call to a token this contract owns is no such call."""
    token = stage.token
    stage.ms.send(stage.alice, "fund", token.address, stage.alice.account, 100)
    theft = token.call_data("transfer", stage.mallory.account, 100)
    gained = stage.gains(token.address, stage.ms, stage.mallory)
    receipt = funded.register(stage.bob, 2, 0, (new_nano(token, 1),), evidence=(theft,))
    assert receipt.only("EvidenceFailed")["index"] == 0
    assert gained() == (0, 0)


def test_fund_and_deposit_are_gifts(stage: Stage, funded: BasicChannel) -> None:
    """Who pays for somebody else has no claim on it."""
    stage.ms.send(stage.mallory, "fund", funded.asset, stage.alice.account, 7, value=7)
    deposit = (funded.asset, funded.id, False, 5, FOREVER)
    stage.ms.send(stage.mallory, "deposit", *deposit, value=5)
    with reverts("InsufficientCredit", funded.asset, stage.mallory.account, 0, 7):
        stage.ms.send(stage.mallory, "claim", funded.asset, 7, stage.mallory.account)
    with reverts("NotAParty", funded.id, stage.mallory.account):
        funded.register(stage.mallory, 0)
