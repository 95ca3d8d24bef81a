"""`settleMany`: one counterparty must not stop the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import plain
from tests.support.channels import NO_DISPUTE, BasicChannel, Holdings, new_channel
from tests.support.contracts import Deployed
from tests.support.instances import new_nano
from tests.support.reverts import reverts_without_data
from tests.support.stage import FOREVER, Stage


def batch(*items: tuple[BasicChannel, int, tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple((channel.terms, net, nanos) for channel, net, nanos in items)


def disputed(stage: Stage, count: int, net: int = 0) -> list[BasicChannel]:
    """Channels of 10 and 10 with this net registered; the next transaction may settle them."""
    channels = [new_channel(stage).fund(10, 10) for _ in range(count)]
    for channel in channels:
        channel.register(channel.alice, 2, net)
    channels[-1].wait_until_settleable()
    return channels


def settled(channel: BasicChannel, alice: int, bob: int, remaining: tuple[Any, ...] = ()) -> Any:
    paid = {"alicePaid": alice, "bobPaid": bob, "remaining": remaining}
    return ("Settled", {"id": channel.id, **paid})


def skipped(channel: BasicChannel) -> Any:
    return ("SettleSkipped", {"id": channel.id})


def test_settle_many_pays_every_channel(stage: Stage) -> None:
    channels = disputed(stage, 3, net=2)
    gained = stage.gains(bytes(20), stage.alice, stage.bob, stage.ms)
    receipt = stage.ms.send(stage.carol, "settleMany", batch(*((c, 2, ()) for c in channels)))
    assert gained() == (24, 36, -60)
    assert receipt.events == tuple(settled(channel, 8, 12) for channel in channels)
    for channel in channels:
        assert (channel.holdings(), channel.dispute()) == (Holdings(0, 0), NO_DISPUTE)


def test_channels_of_different_assets_share_a_batch(stage: Stage) -> None:
    in_eth, in_token = new_channel(stage), new_channel(stage, asset=stage.token)
    for channel in (in_eth, in_token):
        channel.fund(10, 10).register(channel.alice, 2, 3)
    in_token.wait_until_settleable()
    gains = [stage.gains(channel.asset, stage.alice, stage.bob) for channel in (in_eth, in_token)]
    stage.ms.send(stage.carol, "settleMany", batch((in_eth, 3, ()), (in_token, 3, ())))
    assert [gained() for gained in gains] == [(7, 13), (7, 13)]


def test_net_that_no_state_has_is_skipped(stage: Stage) -> None:
    """`-2**111` fits `int112`; no amount of Bob's could ever cover it."""
    first, second = disputed(stage, 2)
    receipt = stage.ms.send(
        stage.carol, "settleMany", batch((first, -(2**111), ()), (second, 0, ()))
    )
    assert receipt.events == (skipped(first), settled(second, 10, 10))


def test_empty_batch_does_nothing(stage: Stage) -> None:
    assert stage.ms.send(stage.carol, "settleMany", ()).events == ()


def test_items_that_do_not_match_are_skipped(stage: Stage) -> None:
    good, closed, wrong_net, twice = disputed(stage, 4)
    still_open = new_channel(stage).fund(1)
    still_open.register(stage.alice, 0)
    untouched = new_channel(stage).fund(1)
    closed.settle(stage.carol)

    receipt = stage.ms.send(
        stage.carol,
        "settleMany",
        batch(
            (closed, 0, ()), (untouched, 0, ()), (still_open, 0, ()), (wrong_net, 1, ()),
            (twice, 0, ()), (twice, 0, ()), (good, 0, ()),
        ),
    )  # fmt: skip

    assert receipt.events == (
        skipped(closed), skipped(untouched), skipped(still_open), skipped(wrong_net),
        settled(twice, 10, 10), skipped(twice), settled(good, 10, 10),
    )  # fmt: skip
    assert still_open.holdings() == Holdings(1, 0, disputed=True)
    assert wrong_net.holdings() == Holdings(10, 10, disputed=True)


@pytest.mark.parametrize(("late", "expected"), [(0, skipped), (1, None)], ids=["T", "T+1"])
def test_deadline_counts_for_each_item(stage: Stage, late: int, expected: Any) -> None:
    channel = new_channel(stage).fund(10, 10)
    channel.register(stage.alice, 2)
    stage.at(channel.dispute().deadline + late)
    receipt = stage.ms.send(stage.carol, "settleMany", batch((channel, 0, ())))
    assert receipt.events == (skipped(channel) if expected else settled(channel, 10, 10),)


def test_partly_resolved_items_stay(stage: Stage, liar: Deployed) -> None:
    channel = new_channel(stage).fund(10, 10)
    nanos = (new_nano(liar, 1, 2, 2, FOREVER), new_nano(liar, 2, 3, 3, FOREVER))
    channel.register(stage.alice, 2, 1, nanos)
    liar.send(stage.carol, "set", nanos[0].id, True, 2)
    channel.wait_until_settleable()

    first = stage.ms.send(stage.carol, "settleMany", batch((channel, 1, nanos)))
    rest = (plain.to_abi(nanos[1]),)
    assert first.events == (settled(channel, 4, 10, rest),)

    again = stage.ms.send(stage.carol, "settleMany", batch((channel, 0, nanos[1:])))
    assert again.events == ()  # nothing new, which is no reason to skip


def test_item_with_a_word_out_of_its_type_fails_the_batch(stage: Stage) -> None:
    """Only its sender can have written it."""
    channel = disputed(stage, 1)[0]
    data = bytearray(stage.ms.call_data("settleMany", batch((channel, 0, ()))))
    net = data.index(plain.words((channel.terms,))) + 7 * 32
    data[net] = 0x80
    with reverts_without_data():
        stage.ms.send_raw(stage.carol, bytes(data))
