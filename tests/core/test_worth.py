"""Tokens against gas: what a token is worth decides which channel and lock pays for itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.config import Policy, Worth
from perun.core.faults import AssetNotPriced, ChannelTooSmall, InstanceRejected
from perun.core.inputs import CommandOffer
from perun.core.nanocontracts.instances import check_terms, check_worth
from perun.core.notices import ChannelJoined, ChannelRefused
from perun.core.rules.worth import dust_of, worth_of
from perun.core.state import ChainView
from perun.errors import AmountOutOfRange
from perun.node.settings import config_for
from perun.testing.parties import DEPLOYMENT, LIMITS, Party, World, key_of
from perun.types import (
    ETH,
    Address,
    Asset,
    Machine,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

TOKEN = Asset(Address(b"\x09" * 20))
ETHER = 10**18
DOLLAR = 10**6
"""Of a token with 6 decimals."""

PRICED = Policy(assets=(ETH, TOKEN), worths=(Worth(TOKEN, 3_000 * DOLLAR, Wei(ETHER)),))
UNPRICED = replace(PRICED, worths=(), unpriced=(TOKEN,))
SILENT = replace(PRICED, worths=())

CAREFUL = replace(LIMITS, least_channel=Wei(ETHER // 100), dust=Wei(ETHER // 1_000))
"""A dispute costs 30 dollars, a submission 3."""


def duo(ours: Policy, theirs: Policy) -> tuple[World, Party, Party]:
    world = World()
    alice = world.party("alice", ours, limits=CAREFUL)
    bob = world.party("bob", theirs, limits=CAREFUL)
    world.advance()
    return world, alice, bob


def offer(alice: Party, bob: Party, own: int, peers: int = 0) -> None:
    address = bob.account.address
    amounts = (Wei(own), Wei(peers))
    alice.do(CommandOffer(bob.peer, address, TOKEN, Seconds(600), alice.nonce(), *amounts))


def test_token_channel_that_a_dispute_would_eat_is_refused() -> None:
    world, alice, bob = duo(PRICED, PRICED)
    with pytest.raises(ChannelTooSmall) as caught:
        offer(alice, bob, 30 * DOLLAR - 1)
    assert (caught.value.holds, caught.value.least) == (30 * DOLLAR - 1, 30 * DOLLAR)

    offer(alice, bob, 30 * DOLLAR)
    world.settle()
    assert len(bob.told(ChannelJoined)) == 1


def test_peer_is_told_the_numbers() -> None:
    world, alice, bob = duo(UNPRICED, PRICED)
    offer(alice, bob, 30 * DOLLAR - 1)
    world.settle()
    (refused,) = alice.told(ChannelRefused)
    assert isinstance(refused, ChannelRefused)
    assert refused.reason == "it would hold 29999999, and a dispute cost 30000000"


def test_token_without_a_price_is_refused_and_says_how_to_go_on() -> None:
    _, alice, bob = duo(SILENT, SILENT)
    with pytest.raises(AssetNotPriced, match=r"`Policy\.worths`, or list it in `Policy\.unpriced`"):
        offer(alice, bob, 10**30)


def test_peers_token_without_a_price_is_refused() -> None:
    world, alice, bob = duo(PRICED, SILENT)
    offer(alice, bob, 10**15)
    world.settle()
    (refused,) = alice.told(ChannelRefused)
    assert isinstance(refused, ChannelRefused)
    assert "no price of the token 0x0909" in refused.reason


def test_token_accepted_without_a_price_is_accepted_in_any_amount() -> None:
    world, alice, bob = duo(UNPRICED, UNPRICED)
    offer(alice, bob, 1)
    world.settle()
    assert len(bob.told(ChannelJoined)) == 1


def test_node_that_does_not_ask_needs_no_price() -> None:
    world = World()
    alice, bob = world.party("alice", SILENT), world.party("bob", SILENT)
    world.advance()
    offer(alice, bob, 1)
    world.settle()
    assert len(bob.told(ChannelJoined)) == 1


@pytest.mark.parametrize(
    ("policy", "least"), [(PRICED, 3 * DOLLAR), (UNPRICED, 1), (SILENT, 1)], ids=str
)
def test_least_lock_is_in_the_channels_asset(policy: Policy, least: int) -> None:
    config = config_for(DEPLOYMENT, key_of("a").public_key, bytes(32), None, policy, CAREFUL)

    def check(lock: int, asset: Asset) -> None:
        keys = (key_of("a").address, key_of("b").address)
        end = UnixTime(10_000)
        machine = Machine(*keys, Wei(lock), Wei(0), end, Seconds(600), Salt(bytes(32)))
        check_terms(config, UnixTime(0), machine)
        check_worth(config, ChainView(), asset, machine)

    check(least, TOKEN)
    check(CAREFUL.dust, ETH)
    with pytest.raises(InstanceRejected):
        check(least - 1, TOKEN)
    with pytest.raises(InstanceRejected, match="below dust"):
        check(CAREFUL.dust - 1, ETH)


def test_worth_is_rounded_up() -> None:
    policy = Policy(worths=(Worth(TOKEN, 3, Wei(7)),))
    assert [worth_of(policy, TOKEN, Wei(wei)) for wei in (0, 1, 7, 8)] == [0, 1, 3, 4]
    assert worth_of(policy, ETH, Wei(8)) == 8


def test_price_that_is_not_known_is_none_and_makes_nothing_dust() -> None:
    assert worth_of(Policy(), TOKEN, Wei(1)) is None
    assert dust_of(Policy(), TOKEN, Wei(1)) == 0


@pytest.mark.parametrize(("units", "wei"), [(0, 1), (1, 0), (-1, 1)])
def test_price_of_nothing_is_no_price(units: int, wei: int) -> None:
    with pytest.raises(AmountOutOfRange):
        Worth(TOKEN, units, Wei(wei))
