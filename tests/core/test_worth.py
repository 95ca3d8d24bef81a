"""Tokens against gas: what a token is worth decides which channel and lock pays for itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.chain_view import ChainView
from perun.core.config import HubPolicy, Policy, Worth
from perun.core.faults import AssetNotPriced, ChannelTooSmall, InstanceRejected
from perun.core.hub.policy import why_refuse
from perun.core.inputs import CommandOffer
from perun.core.limits import Limits
from perun.core.nanocontracts.instances import check_terms, check_worth, nano_of
from perun.core.notices import ChannelJoined, ChannelRefused
from perun.core.rules.worth import dust_of, most_of, stake_of, worth_of
from perun.encoding.messages import Propose
from perun.errors import AmountOutOfRange
from perun.node.settings import config_for
from perun.testing.parties import DEPLOYMENT, LIMITS, Party, World, key_of
from perun.testing.stories import machine_command, open_channel
from perun.types import (
    ETH,
    MAX_AMOUNT,
    Address,
    Asset,
    ChannelId,
    Game,
    Gated,
    InstanceId,
    Machine,
    Salt,
    Seconds,
    State,
    UnixTime,
    Version,
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


def test_what_it_takes_more_to_enforce_is_locked_for_more() -> None:
    config = config_for(DEPLOYMENT, key_of("a").public_key, bytes(32), None, SILENT, CAREFUL)
    keys = tuple(key_of(name).address for name in "abcd")
    end = UnixTime(10_000)

    def check(lock: int) -> None:
        inside = Game(
            *(keys[0], keys[3], Wei(lock), Wei(lock), keys[1], bytes(32), bytes(32), end),
            *(Seconds(600), Seconds(600), Seconds(600), Salt(bytes(32))),
        )
        check_worth(config, ChainView(), ETH, inside)
        check_worth(config, ChainView(), ETH, Gated(inside, keys))

    check(3 * CAREFUL.dust)
    with pytest.raises(InstanceRejected, match=r"0\.003 ETH"):
        check(3 * CAREFUL.dust - 1)


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


# ---------------------------------------------------------------------------- our limits, in tokens


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        (ETHER, 3_000 * DOLLAR),
        (ETHER // 10**6, 3_000),
        (10**8, 0),  # less than the smallest unit
        (MAX_AMOUNT, MAX_AMOUNT),
    ],
)
def test_limit_in_wei_is_worth_as_much_in_a_token(limit: int, most: int) -> None:
    assert most_of(PRICED, TOKEN, Wei(limit)) == most
    assert most_of(UNPRICED, TOKEN, Wei(limit)) == (MAX_AMOUNT if limit == MAX_AMOUNT else 0)
    assert most_of(UNPRICED, ETH, Wei(limit)) == limit


@pytest.mark.parametrize(("worths", "joined"), [(PRICED.worths, True), ((), False)])
@pytest.mark.parametrize("over", [0, 1])
def test_deposit_that_is_asked_of_us_is_bounded_by_its_worth(
    worths: tuple[Worth, ...], joined: bool, over: int
) -> None:
    """Attack: as many millionths of a dollar as an ETH has wei are a billion dollars."""
    ours = replace(UNPRICED, worths=worths, greatest_deposit=Wei(ETHER // 10))
    world, alice, bob = duo(replace(UNPRICED, greatest_deposit=MAX_AMOUNT), ours)
    offer(alice, bob, 300 * DOLLAR, 300 * DOLLAR + over)
    world.settle()
    assert len(bob.told(ChannelJoined)) == (joined and not over)


@pytest.mark.parametrize(("worths", "most"), [(PRICED.worths, 3 * DOLLAR), ((), 0)])
def test_what_peers_take_unasked_is_bounded_by_its_worth(
    worths: tuple[Worth, ...], most: int
) -> None:
    bob, channel, world, alice = with_money(replace(UNPRICED, worths=worths))
    config = bob.node.books.config
    loss = replace(config.policy, greatest_loss=Wei(ETHER // 1_000))
    bob.node.books.config = replace(config, policy=loss)
    for version, amount in ((2, most), (4, most + 1)):
        state = State(channel, Version(version), Wei(-amount))
        signed = world.sign(alice.key.address, state)
        world.network.inject(alice.peer, bob.peer, Propose(state, signed, 0))
        world.settle([bob])
    agreed = bob.node.books.channels[channel].agreed
    assert agreed is not None
    assert agreed.state.net == -most
    assert bob.node.books.channels[channel].held is not None  # the rest waits for his word


@pytest.mark.parametrize(("worths", "most"), [(PRICED.worths, 3 * DOLLAR), ((), 0)])
def test_lock_that_a_peer_proposes_is_bounded_by_its_worth(
    worths: tuple[Worth, ...], most: int
) -> None:
    bob, channel, world, alice = with_money(replace(UNPRICED, worths=worths))
    config = bob.node.books.config
    lock = replace(config.policy, greatest_lock=Wei(ETHER // 1_000))
    bob.node.books.config = replace(config, policy=lock)
    for amount, added in ((most + 1, 0), (most, 1)):
        alice.do(machine_command(alice, channel, 4 * DOLLAR, amount))
        world.settle()
        agreed = bob.node.books.channels[channel].agreed
        assert (0 if agreed is None else len(agreed.state.nanos)) == added


@pytest.mark.parametrize("limit", ["greatest_lock", "peer_quota"])
@pytest.mark.parametrize(("worths", "most"), [(PRICED.worths, 3 * DOLLAR), ((), 0)])
def test_what_a_hub_locks_is_bounded_by_its_worth(
    limit: str, worths: tuple[Worth, ...], most: int
) -> None:
    """Without a price a hub that has set a limit locks nothing in a token; else it may."""
    hub = HubPolicy(**{limit: Wei(ETHER // 1_000)})  # type: ignore[arg-type]
    for policy, refused in ((hub, True), (HubPolicy(), False)):
        trio = replace(UNPRICED, worths=worths, hub=policy)
        why = refusal_of_a_lock(trio, most + 1)
        assert (why is not None) is refused, why
        if refused:
            assert f" {most} " in f"{why} "
    if most:
        assert refusal_of_a_lock(replace(UNPRICED, worths=worths, hub=hub), most) is None


def refusal_of_a_lock(policy: Policy, lock: int) -> str | None:
    """Why a hub does not lock so much of a token."""
    bob, channel, _, _ = with_money(replace(policy, greatest_deposit=MAX_AMOUNT))
    view = bob.node.books.channels[channel]
    config = replace(bob.node.books.config, policy=policy)
    keys = (key_of("alice").address, key_of("bob").address)
    end = UnixTime(bob.ledger.time + 10_000)
    machine = Machine(*keys, Wei(lock), Wei(0), end, Seconds(600), Salt(bytes(32)))
    nano = nano_of(config.deployment, InstanceId(bytes(32)), machine, True)
    places = ((view, nano), (view, replace(nano, swapped=False)))
    return why_refuse(config, bob.node.books.chain, machine, places)


def with_money(policy: Policy) -> tuple[Party, ChannelId, World, Party]:
    """Bob, in a channel of 100 dollars each; what he agrees to elsewhere is not asked here."""
    world = World()
    rich = replace(policy, greatest_deposit=MAX_AMOUNT, hub=None)
    alice, bob = world.party("alice", rich), world.party("bob", rich)
    for party in (alice, bob):
        world.ledger.mint(TOKEN, party.account.address, 100 * DOLLAR)
    world.advance()
    channel = open_channel(world, alice, bob, 100 * DOLLAR, 100 * DOLLAR, asset=TOKEN)
    return bob, channel, world, alice


def test_stake_is_known_to_whoever_weighs_gas_and_has_a_price() -> None:
    """Under limits that do not, what is promised is enforced whatever it costs."""
    key = key_of("alice")
    weighing = replace(LIMITS, submit_gas=60_000)

    def stake(policy: Policy, limits: Limits, asset: Asset) -> int | None:
        config = config_for(DEPLOYMENT, key.public_key, bytes(32), key.address, policy, limits)
        return stake_of(config, asset, Wei(3_000 * DOLLAR))

    assert stake(PRICED, weighing, ETH) == 3_000 * DOLLAR
    assert stake(PRICED, weighing, TOKEN) == ETHER
    assert stake(SILENT, weighing, TOKEN) is None
    assert stake(PRICED, LIMITS, ETH) is None
