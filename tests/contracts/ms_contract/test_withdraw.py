"""`withdraw`: both agree to take money out of a channel that goes on."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, MOST, Stage

NOBODY = bytes(20)


@pytest.mark.parametrize(
    ("to_alice", "to_bob"), [(0, 0), (3, 0), (0, 4), (3, 4), (10, 10), (20, 0)]
)
def test_withdraw_pays_both_and_lowers_both_sides(
    stage: Stage, asset: bytes, carol: Owner, to_alice: int, to_bob: int
) -> None:
    channel = new_channel(stage, asset=asset).fund(10, 10)
    gained = stage.gains(asset, stage.alice, stage.bob, stage.ms)

    receipt = channel.withdraw(carol, 0, to_alice, to_bob)

    assert gained() == (to_alice, to_bob, -to_alice - to_bob)
    assert channel.holdings() == Holdings(10 - to_alice, 10 - to_bob, 1)
    amounts = {"aliceAmount": to_alice, "bobAmount": to_bob}
    assert receipt.events == (("Withdrawn", {"id": channel.id, "index": 0, **amounts}),)


def test_withdrawals_count_up(funded: BasicChannel) -> None:
    for index in range(3):
        receipt = funded.withdraw(funded.stage.carol, index, 1, 2)
        assert receipt.only("Withdrawn")["index"] == index
        assert funded.holdings() == Holdings(9 - index, 8 - 2 * index, index + 1)


def test_withdrawal_of_everything_does_not_clear_the_slot(funded: BasicChannel) -> None:
    funded.withdraw(funded.stage.carol, 0, 10, 10)
    assert funded.holdings() == Holdings(0, 0, 1)


def test_withdrawal_keeps_the_drawn_mark(stage: Stage) -> None:
    channel = new_channel(stage)
    stage.ms.send(stage.bob, "fund", bytes(20), stage.bob.account, 5, value=5)
    until = stage.now + 60
    signature = channel.bob.sign_with_account(channel.open_digest(5, 5, until))
    stage.ms.send(stage.alice, "openBoth", channel.terms, 5, 5, until, signature, value=5)
    channel.withdraw(stage.carol, 0, 5, 5)
    assert channel.holdings() == Holdings(0, 0, 1, drawn=True)


@pytest.mark.parametrize(("to_alice", "to_bob"), [(0, 20), (20, 0), (0, 11)])
def test_side_may_fall_below_zero(funded: BasicChannel, to_alice: int, to_bob: int) -> None:
    funded.withdraw(funded.stage.carol, 0, to_alice, to_bob)
    assert funded.holdings() == Holdings(10 - to_alice, 10 - to_bob, 1)


@pytest.mark.parametrize(("to_alice", "to_bob"), [(21, 0), (0, 21), (11, 10), (2**111 - 1,) * 2])
def test_sum_of_sides_may_not_fall_below_zero(
    funded: BasicChannel, to_alice: int, to_bob: int
) -> None:
    with reverts("Insolvent", funded.id, 10 - to_alice, 10 - to_bob):
        funded.withdraw(funded.stage.carol, 0, to_alice, to_bob)


def test_amounts_of_112_bits_are_not_mistaken_for_negative_ones(funded: BasicChannel) -> None:
    amount = 2**112 - 1
    with reverts("Insolvent", funded.id, 10 - amount, 10):
        funded.withdraw(funded.stage.carol, 0, amount, 0)


def test_extreme_sides_survive(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    stage.token.send(stage.carol, "mint", stage.carol.account, MOST)
    stage.ms.send(stage.carol, "deposit", channel.asset, channel.id, False, MOST, FOREVER)
    channel.withdraw(stage.carol, 0, 0, MOST)
    assert channel.holdings() == Holdings(MOST, -MOST, 1)
    channel.withdraw(stage.carol, 1, 0, 0)
    assert channel.holdings() == Holdings(MOST, -MOST, 2)


def test_deposit_refills_a_side_below_zero(funded: BasicChannel) -> None:
    funded.withdraw(funded.stage.carol, 0, 0, 15)
    funded.fund(0, 5)
    assert funded.holdings() == Holdings(10, 0, 1)


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize("index", [0, 2, 2**32 - 1])
def test_withdraw_wants_the_count_so_far(funded: BasicChannel, index: int) -> None:
    funded.withdraw(funded.stage.carol, 0, 1, 1)
    with reverts("WrongIndex", index, 1):
        funded.withdraw(funded.stage.carol, index, 1, 1)


@pytest.mark.parametrize("early", [1, 0])
def test_withdraw_is_taken_until_its_last_second(funded: BasicChannel, early: int) -> None:
    limit = funded.stage.now + 100
    funded.stage.at(limit - early)
    funded.withdraw(funded.stage.carol, 0, 1, 1, limit)
    assert funded.holdings().withdrawals == 1


def test_withdraw_is_refused_one_second_late(funded: BasicChannel) -> None:
    limit = funded.stage.now + 100
    funded.stage.at(limit + 1)
    with reverts("TooLate", limit, limit + 1):
        funded.withdraw(funded.stage.carol, 0, 1, 1, limit)


def test_withdraw_is_refused_during_a_dispute(funded: BasicChannel) -> None:
    funded.register(funded.alice, 0)
    with reverts("InDispute", funded.id):
        funded.withdraw(funded.stage.carol, 0, 1, 1)


@pytest.mark.parametrize("sender", ["account", "key"])
@pytest.mark.parametrize("side", ["alice", "bob"])
def test_sender_needs_no_signature_of_its_own(funded: BasicChannel, side: str, sender: str) -> None:
    party: Owner = getattr(funded, side)
    signed = funded.both(funded.withdraw_digest(0, 2, 3))
    signatures = (b"", signed[1]) if side == "alice" else (signed[0], b"")
    funded.withdraw(getattr(party, sender), 0, 2, 3, signatures=signatures)
    assert funded.holdings() == Holdings(8, 7, 1)


def test_stranger_cannot_leave_out_a_signature(funded: BasicChannel, carol: Owner) -> None:
    signed = funded.both(funded.withdraw_digest(0, 2, 3))
    with reverts("WrongSigner", funded.alice.key.address, NOBODY):
        funded.withdraw(carol, 0, 2, 3, signatures=(b"", signed[1]))
    with reverts("WrongSigner", funded.bob.key.address, NOBODY):
        funded.withdraw(carol, 0, 2, 3, signatures=(signed[0], b""))


def test_channel_that_holds_nothing_pays_nothing(channel: BasicChannel) -> None:
    with reverts("Insolvent", channel.id, -1, 0):
        channel.withdraw(channel.stage.carol, 0, 1, 0)


def test_old_withdrawal_does_not_fit_a_second_life(funded: BasicChannel) -> None:
    """Closing resets the count, so the parties must not fund a spent id again (section 5)."""
    limit = funded.stage.now + 100
    signatures = funded.both(funded.withdraw_digest(0, 1, 1, limit))
    funded.withdraw(funded.stage.carol, 0, 1, 1, limit, signatures)
    funded.close(funded.stage.carol)
    with reverts("Insolvent", funded.id, -1, -1):
        funded.withdraw(funded.stage.carol, 0, 1, 1, limit, signatures)
