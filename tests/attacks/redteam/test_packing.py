"""Numbers at the edges of the two packed words: signs, carries, neighbours."""

from __future__ import annotations

import pytest

from tests.support import plain
from tests.support.channels import BasicChannel, Dispute, Holdings, new_channel, sorted_nanos
from tests.support.instances import new_nano
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, MOST, Stage


@pytest.fixture(scope="module")
def fat(stage: Stage) -> bytes:
    """A token of which the treasury has more than two sides can hold."""
    token = stage.deploy_token("PlainToken")
    token.send(stage.treasury, "mint", stage.treasury.account, 4 * MOST)
    return token.address


@pytest.fixture
def full(stage: Stage, fat: bytes) -> BasicChannel:
    """A channel with the greatest amount on both sides."""
    return new_channel(stage, asset=fat).fund(MOST, MOST)


def test_sides_go_from_one_end_to_the_other_and_back(stage: Stage, full: BasicChannel) -> None:
    gained = stage.gains(full.asset, stage.alice, stage.bob, stage.ms)

    full.withdraw(stage.carol, 0, alice=MOST)
    full.withdraw(stage.carol, 1, alice=MOST)
    assert full.holdings() == Holdings(-MOST, MOST, withdrawals=2)
    for amounts in ((1, 0), (0, 1), (MOST, MOST)):
        with reverts("Insolvent", full.id, -MOST - amounts[0], MOST - amounts[1]):
            full.withdraw(stage.carol, 2, *amounts)
    with reverts("Insolvent", full.id, -MOST, MOST):
        full.register(stage.bob, 0)
    with reverts("AmountTooLarge", MOST, 1):
        full.fund(bob=1)
    full.fund(alice=MOST)  # -MOST + MOST: the borrow must not reach Bob's side
    assert full.holdings() == Holdings(0, MOST, withdrawals=2)
    full.fund(alice=1)
    full.withdraw(stage.carol, 2, bob=MOST)
    full.withdraw(stage.carol, 3, bob=1)
    assert full.holdings() == Holdings(1, -1, withdrawals=4)
    with reverts("Insolvent", full.id, 1, -1):
        full.close(stage.carol, 0)
    full.close(stage.carol, 1)

    assert full.holdings() == Holdings(0, 0)
    assert gained() == (2 * MOST, MOST + 1, -2 * MOST)


def test_smallest_net_is_never_solvent(stage: Stage, full: BasicChannel) -> None:
    with reverts("Insolvent", full.id, MOST + 2**111, -1):
        full.close(stage.carol, -(2**111))
    full.close(stage.carol, -MOST)
    assert stage.balance(full.asset, stage.ms) == 0


def test_greatest_version_and_latest_deadline_keep_to_their_bits(stage: Stage, fat: bytes) -> None:
    channel = new_channel(stage, asset=fat, challenge=2**32 - 1).fund(5, 6)
    for version in (0, 2**48 - 2, 2**48 - 1):
        channel.register(stage.alice, version)
        expected = plain.state_hash(channel.id, version, 0, ())
        first = channel.dispute()
        assert first == Dispute(version, first.deadline, False, expected)
    assert first.deadline == stage.now - 2 + 2**32 - 1

    channel.register(stage.carol, 0, signatures=(b"", b""))  # wraps to no higher version
    assert channel.dispute() == first
    with reverts("DisputeStillOpen", channel.id, first.deadline, first.deadline):
        stage.at(first.deadline)
        channel.settle(stage.carol)
    channel.settle(stage.carol)
    assert channel.holdings() == Holdings(0, 0)


def test_deadline_beyond_34_bits_is_refused(stage: Stage) -> None:
    channel = new_channel(stage, challenge=2**32 - 1).fund(5, 6)
    edge = 2**34 - 1 - (2**32 - 1)
    stage.at(edge + 1)
    with reverts("DeadlineTooFar", 2**34):
        channel.register(stage.alice, 0)
    young = new_channel(stage, challenge=2**32 - 10).fund(5, 6)
    young.register(stage.alice, 0)
    assert young.dispute().deadline == stage.now + 2**32 - 10 < 2**34


def test_locks_fill_both_sides_and_no_wei_more(stage: Stage, full: BasicChannel) -> None:
    """64 locks whose sum is the greatest amount, half resolved against the clamp, in two parts."""
    app = stage.deploy("LiarNanocontract")
    part, rest = divmod(MOST, 64)
    nanos = tuple(
        new_nano(app, n, part + (rest if n == 63 else 0), part, FOREVER, swapped=n % 2 == 1)
        for n in range(64)
    )
    fat_nanos = (*nanos[:63], new_nano(app, 63, part + rest + 1, part, FOREVER, swapped=True))
    # net -1 makes it solvent all the same: the sum has to fit the slot after the first settle
    with reverts("AmountTooLarge", 0, MOST + 1):
        full.register(stage.alice, 1, net=-1, nanos=fat_nanos)
    full.register(stage.alice, 2, nanos=nanos)
    full.wait_until_settleable()
    for n in range(0, 64, 2):  # even: everything to Alice, by the smallest shift there is
        app.send(stage.carol, "set", n.to_bytes(32, "big"), True, -(2**111))
    gained = stage.gains(full.asset, stage.alice, stage.bob)
    full.settle(stage.carol, nanos=nanos)
    odd = nanos[1::2]
    assert gained() == (64 * part, MOST - 64 * part)
    assert full.holdings() == Holdings(32 * part + rest, 32 * part, disputed=True)

    for n in range(1, 64, 2):  # odd are swapped: -(-2**111) needs a 113th bit, then the clamp
        app.send(stage.carol, "set", n.to_bytes(32, "big"), True, -(2**111))
    full.settle(stage.carol, nanos=odd)
    assert gained() == (64 * part, 2 * MOST - 64 * part)
    assert full.holdings() == Holdings(0, 0)
    assert stage.balance(full.asset, stage.ms) == 0


def test_marks_survive_arithmetic_and_die_with_the_channel(stage: Stage) -> None:
    channel = new_channel(stage)
    stage.ms.send(stage.carol, "fund", channel.asset, stage.bob.account, 9, value=9)
    offer = (3, 9, stage.now + 100)
    signature = stage.bob.sign_with_account(channel.open_digest(*offer))
    stage.ms.send(stage.alice, "openBoth", channel.terms, *offer, signature, value=3)
    channel.withdraw(stage.carol, 0, alice=12)
    assert channel.holdings() == Holdings(-9, 9, 1, drawn=True)
    nanos = sorted_nanos(new_nano(stage.vpm, 1, 0, 0, FOREVER))
    channel.register(stage.alice, 7, net=-9, nanos=nanos)
    channel.wait_until_settleable()
    channel.settle(stage.carol, net=-9, nanos=nanos)
    assert channel.holdings() == Holdings(0, 0, 1, drawn=True, disputed=True)
    assert channel.dispute().settling
    # nothing is in it, yet it is not over: no deposit, no second life
    with reverts("InDispute", channel.id):
        channel.fund(1)
    stage.at(FOREVER + 1)
    channel.settle(stage.carol, nanos=nanos)
    assert (channel.holdings(), tuple(channel.dispute())) == (Holdings(0, 0), (0, 0, False, 0))
