"""`open`: a party deposits for its own side and announces the channel."""

from __future__ import annotations

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.contracts import normal
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import FOREVER, MOST, Stage


@pytest.mark.parametrize(("side", "expected"), [("alice", (7, 0)), ("bob", (0, 7))])
def test_open_deposits_for_the_caller_and_announces(
    stage: Stage, asset: bytes, side: str, expected: tuple[int, int]
) -> None:
    channel = new_channel(stage, asset=asset)
    party: Owner = getattr(channel, side)
    gained = stage.gains(asset, party, stage.ms)

    receipt = stage.ms.send(
        party, "open", channel.terms, 7, FOREVER, value=7 if asset == ETH else 0
    )

    assert gained() == (-7, 7)
    assert channel.holdings() == Holdings(*expected)
    names = {"alice": channel.alice.account, "bob": channel.bob.account}
    sides = {"aliceHoldings": expected[0], "bobHoldings": expected[1]}
    assert receipt.events == (
        ("Opened", {"id": channel.id, **names, "channel": normal(channel.terms)}),
        ("Deposited", {"id": channel.id, "asset": asset, **sides}),
    )


def test_open_tops_up_too(stage: Stage, funded: BasicChannel) -> None:
    stage.ms.send(stage.bob, "open", funded.terms, 3, FOREVER, value=3)
    assert funded.holdings() == Holdings(10, 13)


def test_dust_deposited_before_does_not_stop_an_opening(
    stage: Stage, channel: BasicChannel
) -> None:
    channel.fund(1, 1)
    stage.ms.send(stage.alice, "open", channel.terms, 7, FOREVER, value=7)
    assert channel.holdings() == Holdings(8, 1)


def test_open_without_money_announces_only(stage: Stage, channel: BasicChannel) -> None:
    receipt = stage.ms.send(stage.alice, "open", channel.terms, 0, FOREVER)
    assert [event.name for event in receipt.events] == ["Opened", "Deposited"]
    assert channel.holdings() == Holdings(0, 0)


def test_caller_who_is_both_sides_deposits_as_alice(stage: Stage, alice: Owner) -> None:
    channel = new_channel(stage, alice, alice)
    stage.ms.send(alice, "open", channel.terms, 7, FOREVER, value=7)
    assert channel.holdings() == Holdings(7, 0)


@pytest.mark.parametrize("who", ["carol", "alice's key", "bob's key"])
def test_open_is_for_the_two_accounts(stage: Stage, channel: BasicChannel, who: str) -> None:
    senders = {
        "carol": stage.carol.account,
        "alice's key": stage.alice.key.address,
        "bob's key": stage.bob.key.address,
    }
    with reverts("NotAParty", channel.id, senders[who]):
        stage.ms.send(senders[who], "open", channel.terms, 7, FOREVER, value=7)


@pytest.mark.parametrize("early", [1, 0])
def test_open_is_taken_until_its_last_second(
    stage: Stage, channel: BasicChannel, early: int
) -> None:
    limit = stage.now + 100
    stage.at(limit - early)
    stage.ms.send(stage.alice, "open", channel.terms, 7, limit, value=7)
    assert channel.holdings() == Holdings(7, 0)


def test_open_is_refused_one_second_late(stage: Stage, channel: BasicChannel) -> None:
    limit = stage.now + 100
    stage.at(limit + 1)
    with reverts("TooLate", limit, limit + 1):
        stage.ms.send(stage.alice, "open", channel.terms, 7, limit, value=7)


def test_open_is_refused_during_a_dispute(stage: Stage, funded: BasicChannel) -> None:
    funded.register(stage.alice, 0)
    with reverts("InDispute", funded.id):
        stage.ms.send(stage.alice, "open", funded.terms, 7, FOREVER, value=7)


@pytest.mark.parametrize("sent", [0, 6, 8])
def test_open_in_eth_wants_exactly_the_amount(
    stage: Stage, channel: BasicChannel, sent: int
) -> None:
    with reverts("WrongValue", 7, sent):
        stage.ms.send(stage.alice, "open", channel.terms, 7, FOREVER, value=sent)


def test_open_in_a_token_wants_no_eth(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    with reverts("WrongValue", 0, 1):
        stage.ms.send(stage.alice, "open", channel.terms, 7, FOREVER, value=1)


def test_open_counts_what_arrives(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.deploy_token("FeeToken", stage.alice))
    stage.ms.send(stage.alice, "open", channel.terms, 100, FOREVER)
    assert channel.holdings() == Holdings(90, 0)


def test_open_above_the_greatest_amount_is_refused(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.token)
    stage.token.send(stage.alice, "mint", stage.alice.account, MOST)
    with reverts("AmountTooLarge", 0, MOST + 1):
        stage.ms.send(stage.alice, "open", channel.terms, MOST + 1, FOREVER)


@pytest.mark.parametrize(
    ("field", "bits"),
    [(0, 160), (1, 160), (2, 160), (3, 160), (4, 160), (5, 32), (6, 64)],
    ids=["alice", "bob", "aliceKey", "bobKey", "asset", "challenge", "nonce"],
)
@pytest.mark.parametrize("dirt", ["lowest", "highest"])
def test_terms_out_of_their_types_are_refused(
    stage: Stage, channel: BasicChannel, field: int, bits: int, dirt: str
) -> None:
    """They would have an id of their own, and no decoder could read the event."""
    data = bytearray(stage.ms.call_data("open", channel.terms, 0, FOREVER))
    start = 4 + 32 * field
    value = int.from_bytes(data[start : start + 32], "big")
    value |= 1 << (bits if dirt == "lowest" else 255)
    data[start : start + 32] = value.to_bytes(32, "big")
    with reverts_without_data():
        stage.ms.send_raw(stage.alice, bytes(data))
