"""`close`: both agree, both are paid, the slot is free again."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from tests.support.channels import NO_DISPUTE, BasicChannel, Holdings, new_channel
from tests.support.contracts import Deployed
from tests.support.instances import new_nano
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import FOREVER, Stage

NOBODY = bytes(20)


@pytest.mark.parametrize("net", [-10, -3, 0, 4, 10])
def test_close_pays_both_and_clears_the_slot(
    stage: Stage, asset: bytes, carol: Owner, net: int
) -> None:
    channel = new_channel(stage, asset=asset).fund(10, 10)
    gained = stage.gains(asset, stage.alice, stage.bob, stage.ms)

    receipt = channel.close(carol, net)

    assert gained() == (10 - net, 10 + net, -20)
    assert channel.credits() == (0, 0)
    assert channel.holdings() == Holdings(0, 0)
    paid = {"alicePaid": 10 - net, "bobPaid": 10 + net}
    assert receipt.events == (("Closed", {"id": channel.id, **paid}),)


@pytest.mark.parametrize("sender", ["account", "key"])
@pytest.mark.parametrize("side", ["alice", "bob"])
def test_sender_needs_no_signature_of_its_own(funded: BasicChannel, side: str, sender: str) -> None:
    party: Owner = getattr(funded, side)
    signed = funded.both(funded.close_digest(2))
    signatures = (b"", signed[1]) if side == "alice" else (signed[0], b"")

    receipt = funded.close(getattr(party, sender), 2, signatures=signatures)

    assert receipt.only("Closed") == {"id": funded.id, "alicePaid": 8, "bobPaid": 12}


def test_party_cannot_leave_out_the_other_signature(funded: BasicChannel) -> None:
    own = funded.alice.sign(funded.close_digest())
    with reverts("WrongSigner", funded.bob.key.address, NOBODY):
        funded.close(funded.alice, signatures=(own, b""))


def test_stranger_cannot_leave_out_a_signature(funded: BasicChannel, carol: Owner) -> None:
    signed = funded.both(funded.close_digest())
    with reverts("WrongSigner", funded.alice.key.address, NOBODY):
        funded.close(carol, signatures=(b"", signed[1]))
    with reverts("WrongSigner", funded.bob.key.address, NOBODY):
        funded.close(carol, signatures=(signed[0], b""))


def test_sender_with_a_wrong_signature_of_its_own_is_refused(funded: BasicChannel) -> None:
    signed = funded.both(funded.close_digest())
    stranger = funded.stage.carol
    wrong = stranger.sign(funded.close_digest())
    with reverts("WrongSigner", funded.alice.key.address, stranger.key.address):
        funded.close(funded.alice, signatures=(wrong, signed[1]))


def test_signature_of_the_account_is_not_one_of_the_key(funded: BasicChannel) -> None:
    digest = funded.close_digest()
    by_account = funded.alice.sign_with_account(digest)
    with reverts("WrongSigner", funded.alice.key.address, funded.alice.account):
        funded.close(funded.stage.carol, signatures=(by_account, funded.bob.sign(digest)))


# ---------------------------------------------------------------------- credit


@pytest.mark.parametrize(
    ("to_credit", "credited"),
    [(0, (0, 0)), (1, (7, 0)), (2, (0, 13)), (3, (7, 13)), (0xFC, (0, 0)), (0xFF, (7, 13))],
)
def test_close_pays_into_credit_as_its_two_low_bits_say(
    stage: Stage, asset: bytes, to_credit: int, credited: tuple[int, int]
) -> None:
    channel = new_channel(stage, asset=asset).fund(10, 10)
    gained = stage.gains(asset, channel.alice, channel.bob)

    receipt = channel.close(stage.carol, 3, to_credit=to_credit)

    assert channel.credits() == credited
    assert gained() == (7 - credited[0], 13 - credited[1])
    assert receipt.only("Closed") == {"id": channel.id, "alicePaid": 7, "bobPaid": 13}
    expected = [
        {"asset": asset, "account": party.account, "amount": amount}
        for party, amount in zip((channel.alice, channel.bob), credited, strict=True)
        if amount
    ]
    assert [event.args for event in receipt.events if event.name == "Credited"] == expected


def test_nothing_is_credited_to_who_gets_nothing(funded: BasicChannel) -> None:
    receipt = funded.close(funded.stage.carol, 10, to_credit=1)
    assert receipt.count("Credited") == 0


# ---------------------------------------------------------------------- time


@pytest.mark.parametrize("early", [1, 0])
def test_close_is_taken_until_its_last_second(funded: BasicChannel, early: int) -> None:
    limit = funded.stage.now + 100
    funded.stage.at(limit - early)
    funded.close(funded.stage.carol, 0, limit)
    assert funded.holdings() == Holdings(0, 0)


def test_close_is_refused_one_second_late(funded: BasicChannel) -> None:
    limit = funded.stage.now + 100
    funded.stage.at(limit + 1)
    with reverts("TooLate", limit, limit + 1):
        funded.close(funded.stage.carol, 0, limit)


# ---------------------------------------------------------------------- in a dispute


@pytest.mark.parametrize("early", [1, 0])
def test_close_ends_a_dispute_until_its_deadline(funded: BasicChannel, early: int) -> None:
    stage = funded.stage
    funded.register(stage.alice, 4, 5)
    gained = stage.gains(funded.asset, funded.alice, funded.bob)
    stage.at(funded.dispute().deadline - early)

    receipt = funded.close(stage.carol, 2)

    assert gained() == (8, 12)
    assert funded.dispute() == NO_DISPUTE
    assert funded.holdings() == Holdings(0, 0)
    assert receipt.only("Closed") == {"id": funded.id, "alicePaid": 8, "bobPaid": 12}


def test_close_is_refused_after_the_deadline(funded: BasicChannel) -> None:
    funded.register(funded.alice, 4, 5)
    deadline = funded.dispute().deadline
    funded.stage.at(deadline + 1)
    with reverts("TooLate", deadline, deadline + 1):
        funded.close(funded.stage.carol, 2)


def test_close_is_refused_while_settling(funded: BasicChannel, liar: Deployed) -> None:
    nanos = (new_nano(liar, 1, 5, 5, expiry=FOREVER),)
    funded.register(funded.alice, 4, 3, nanos)
    deadline = funded.dispute().deadline
    funded.stage.at(deadline + 1)
    funded.settle(funded.alice, 3, nanos)
    funded.stage.at(deadline + 2)
    with reverts("TooLate", deadline, deadline + 2):
        funded.close(funded.stage.carol, 4)


# ---------------------------------------------------------------------- money that is not there


def test_close_of_an_empty_channel_is_refused(channel: BasicChannel) -> None:
    with reverts("EmptyChannel", channel.id):
        channel.close(channel.alice)


def test_close_works_once(funded: BasicChannel) -> None:
    funded.close(funded.stage.carol)
    with reverts("EmptyChannel", funded.id):
        funded.close(funded.stage.carol)


@pytest.mark.parametrize(("net", "free"), [(11, (-1, 21)), (-11, (21, -1))])
def test_close_cannot_pay_more_than_a_side_has(
    funded: BasicChannel, net: int, free: tuple[int, int]
) -> None:
    with reverts("Insolvent", funded.id, *free):
        funded.close(funded.stage.carol, net)


@pytest.mark.parametrize("net", [-(2**111), 2**111 - 1])
def test_close_computes_extreme_nets_without_wrapping(funded: BasicChannel, net: int) -> None:
    with reverts("Insolvent", funded.id, 10 - net, 10 + net):
        funded.close(funded.stage.carol, net)


def test_close_after_a_withdrawal_pays_what_is_left(funded: BasicChannel) -> None:
    funded.withdraw(funded.stage.carol, 0, 0, 14)
    assert funded.holdings() == Holdings(10, -4, 1)
    gained = funded.stage.gains(funded.asset, funded.alice, funded.bob)
    funded.close(funded.stage.carol, 5)
    assert gained() == (5, 1)
    assert funded.holdings() == Holdings(0, 0)


def test_net_out_of_its_type_is_refused(funded: BasicChannel) -> None:
    stage = funded.stage
    signed = funded.both(funded.close_digest(0))
    data = bytearray(stage.ms.call_data("close", funded.terms, 0, FOREVER, 0, *signed))
    data[4 + 7 * 32 + 17] = 1  # a positive number of 113 bits
    with reverts_without_data():
        stage.ms.send_raw(stage.carol, bytes(data))
