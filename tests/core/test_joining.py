"""Joining a channel [B10]: whose keys, which terms, what the chain knows already."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from perun.core.config import Policy
from perun.core.effects import CloseChannel, DepositMoney, Sign, SignItem, WithdrawMoney
from perun.core.faults import ChannelRejected, KeyNotProved, NotAllowedNow
from perun.core.inputs import CommandFund, CommandJoin, CommandOffer, CommandTransfer
from perun.core.notices import ChannelJoined, ChannelOffered, ChannelRefused
from perun.core.rules.admission import standing_proof_of
from perun.core.signing import digest
from perun.core.state import Stage
from perun.crypto import sign
from perun.encoding.ids import (
    channel_id,
)
from perun.encoding.messages import AcceptChannel, OfferChannel, RefuseChannel, ShowState
from perun.testing.parties import DEPLOYMENT, Party, World, key_of
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel
from perun.types import (
    ETH,
    Address,
    Asset,
    Channel,
    ChannelId,
    Close,
    Nonce,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

WALLET = Address(b"\xa7" * 20)
"""An account that is a contract."""


def duo(bob_policy: Policy = OPEN_HANDED) -> tuple[World, Party, Party]:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", bob_policy)
    world.advance()
    return world, alice, bob


def command(alice: Party, bob: Party, **more: object) -> CommandOffer:
    fields = {
        "peer": bob.peer,
        "account": bob.account.address,
        "asset": ETH,
        "challenge": Seconds(600),
        "nonce": alice.nonce(),
        "own_amount": Wei(100),
    }
    return CommandOffer(**(fields | more))  # type: ignore[arg-type]


def terms(alice: Party, bob: Party) -> Channel:
    return Channel(
        alice.account.address,
        bob.account.address,
        alice.key.address,
        bob.key.address,
        ETH,
        Seconds(600),
        Nonce(5),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bob_key": key_of("mallory").address}, "another account or key than ours"),
        ({"bob": key_of("mallory").address}, "another account or key than ours"),
        ({"alice": key_of("bob").address}, "share an address"),
        ({"alice_key": key_of("bob").address}, "share an address"),
        ({"alice": Address(bytes(20))}, "zero or the contract"),
        ({"alice": DEPLOYMENT.contract.contract}, "zero or the contract"),
        ({"challenge": Seconds(0)}, "outside our limits"),
        ({"challenge": Seconds(2**32 - 1)}, "outside our limits"),
        ({"asset": Asset(Address(b"\x09" * 20))}, "not on our list"),
    ],
)
def test_b10_offer_that_no_honest_party_joins(changes: dict[str, object], reason: str) -> None:
    world, alice, bob = duo()
    channel = replace(terms(alice, bob), **changes)
    offer = OfferChannel(channel, Wei(1), Wei(0), False, Signature(b""), False)
    world.network.inject(alice.peer, bob.peer, offer)
    bob.node.turn()

    assert bob.node.books.channels == {}
    (refusal,) = world.network.seen[-1:]
    assert reason.encode() in refusal[2]


def disputed(world: World, channel: Channel) -> None:
    """By Alice alone: the empty state, which nobody signs."""
    assert world.register(channel, State(_id(channel), Version(0), Wei(0)), channel.alice)


def closed(world: World, channel: Channel) -> None:
    """By both, before anybody offered it."""
    end = Close(_id(channel), Wei(0), UnixTime(world.ledger.time + 60))
    signed = [world.sign(key, end) for key in (channel.alice_key, channel.bob_key)]
    assert world.ledger.apply(CloseChannel(channel, end, *signed), channel.alice)


def withdrawn(world: World, channel: Channel) -> None:
    """All but 1."""
    part = Withdraw(_id(channel), 0, Wei(1), Wei(0), UnixTime(world.ledger.time + 60))
    signed = [world.sign(key, part) for key in (channel.alice_key, channel.bob_key)]
    assert world.ledger.apply(WithdrawMoney(channel, part, *signed), channel.alice)


def _id(channel: Channel) -> ChannelId:
    return channel_id(DEPLOYMENT.contract, channel)


@pytest.mark.parametrize("past", [disputed, closed, withdrawn])
def test_b10_id_with_a_past_on_chain_is_not_joined(past: Callable[[World, Channel], None]) -> None:
    world, alice, bob = duo()
    channel = terms(alice, bob)
    world.open_alone(channel, channel.alice, 2)
    past(world, channel)
    offer = OfferChannel(channel, Wei(1), Wei(0), False, Signature(b""), False)
    world.network.inject(alice.peer, bob.peer, offer)
    world.settle([bob])

    assert bob.told(ChannelJoined) == []


def test_b10_deposit_before_the_offer_does_not_matter() -> None:
    world, alice, bob = duo()
    channel = terms(alice, bob)
    until = UnixTime(world.ledger.time + 60)
    early = DepositMoney(channel.asset, _id(channel), False, Wei(1), until)
    assert world.ledger.apply(early, channel.alice)
    offer = OfferChannel(channel, Wei(1), Wei(0), False, Signature(b""), False)
    world.network.inject(alice.peer, bob.peer, offer)
    world.settle([bob])

    assert len(bob.told(ChannelJoined)) == 1


def test_account_other_than_the_key_proves_it_by_an_open_that_draws_nothing() -> None:
    world = World()
    alice = world.party("alice", OPEN_HANDED, account=key_of("alice's wallet"))
    bob = world.party("bob", OPEN_HANDED, account=key_of("bob's wallet"))
    world.advance()
    open_channel(world, alice, bob, 100, 50)

    assert alice.channel(bob).proven
    assert bob.channel(alice).proven


def test_account_proves_its_key_once_for_all_channels_that_have_both() -> None:
    world, alice, bob = duo()
    wallet = key_of("a wallet that signs once")
    proof = standing_proof_of(wallet.address, alice.key.address)
    signature = sign(digest(DEPLOYMENT, proof), wallet)
    for nonce in (1, 2):
        channel = replace(terms(alice, bob), alice=wallet.address, nonce=Nonce(nonce))
        offer = OfferChannel(channel, Wei(1), Wei(0), False, signature, False)
        world.network.inject(alice.peer, bob.peer, offer)
        bob.node.turn()
        assert bob.node.books.channels[channel_id(DEPLOYMENT.contract, channel)].proven


def test_proof_of_another_key_proves_nothing() -> None:
    """Attack: who has seen a wallet's proof names its account beside a key of his own."""
    world, alice, bob = duo()
    wallet = key_of("a wallet that signs once")
    seen = standing_proof_of(wallet.address, bob.key.address)
    channel = replace(terms(alice, bob), alice=wallet.address)
    signature = sign(digest(DEPLOYMENT, seen), wallet)
    world.network.inject(
        alice.peer, bob.peer, OfferChannel(channel, Wei(1), Wei(0), False, signature, False)
    )
    bob.node.turn()
    assert bob.node.books.channels == {}


def test_account_that_proves_nothing_is_waited_for() -> None:
    world, alice, bob = duo()
    channel = replace(terms(alice, bob), alice=key_of("a stranger's wallet").address)
    id = channel_id(DEPLOYMENT.contract, channel)
    offer = OfferChannel(channel, Wei(1), Wei(0), False, Signature(b""), False)
    world.network.inject(alice.peer, bob.peer, offer)
    world.settle([bob])
    assert bob.node.books.channels[id].stage is Stage.INVITED

    # Its own `open` proves as much.
    world.open_alone(channel, channel.alice, 1)
    world.ledger.advance()
    world.settle([bob])
    assert bob.node.books.channels[id].stage is Stage.JOINED


def wallet_offer(alice: Party, bob: Party, proof: bytes) -> OfferChannel:
    channel = replace(terms(alice, bob), alice=WALLET)
    return OfferChannel(channel, Wei(1), Wei(0), False, Signature(proof), False)


def test_offer_with_a_contracts_signature_is_refused_and_says_how_to_go_on() -> None:
    world, alice, bob = duo()
    offer = wallet_offer(alice, bob, b"\x01" * 65)
    world.network.inject(alice.peer, bob.peer, offer)
    bob.node.turn()

    assert bob.node.books.channels == {}
    (_, _, said) = world.network.seen[-1]
    assert b"sends its own `open`" in said


def test_user_who_would_join_an_unproved_peer_is_told_to_wait_for_its_open() -> None:
    world, alice, bob = duo(Policy(join=False))
    offer = wallet_offer(alice, bob, b"")
    id = channel_id(DEPLOYMENT.contract, offer.channel)
    world.network.inject(alice.peer, bob.peer, offer)
    world.settle([bob])

    with pytest.raises(KeyNotProved, match="wait until a final block shows its `open`") as caught:
        bob.do(CommandJoin(id, True))
    assert (caught.value.account, caught.value.key) == (WALLET, alice.key.address)

    world.open_alone(offer.channel, WALLET, 1)
    world.ledger.advance()
    world.settle([bob])
    bob.do(CommandJoin(id, True))
    assert bob.node.books.channels[id].stage is Stage.JOINED


@pytest.mark.parametrize("proof", [b"", b"\x01" * 65], ids=["nothing", "a contract's signature"])
def test_contract_that_accepts_counts_once_its_open_is_final(proof: bytes) -> None:
    world, alice, bob = duo()
    alice.do(command(alice, bob, account=WALLET))
    (id,) = alice.node.books.channels
    accepted = AcceptChannel(id, Signature(proof), False, None, Signature(b""), Signature(b""))
    world.network.inject(bob.peer, alice.peer, accepted)
    world.settle([alice])
    assert [type(error) for _, error in alice.faults] == [KeyNotProved]
    assert alice.node.books.channels[id].stage is Stage.OFFERED

    world.open_alone(alice.node.books.channels[id].channel, WALLET, 1)
    world.ledger.advance()
    world.network.inject(bob.peer, alice.peer, accepted)
    world.settle([alice])
    assert alice.node.books.channels[id].stage is Stage.JOINED


def test_deposit_that_our_policy_does_not_cover_is_our_users_decision() -> None:
    world, alice, bob = duo(Policy())
    alice.do(command(alice, bob, peer_amount=Wei(50)))
    world.settle()
    (offered,) = bob.told(ChannelOffered)
    assert isinstance(offered, ChannelOffered)
    assert alice.told(ChannelJoined) == []

    bob.do(CommandJoin(offered.channel, True))
    world.settle()
    assert len(alice.told(ChannelJoined)) == 1


def test_refused_channel_costs_nothing() -> None:
    world, alice, bob = duo(Policy())
    alice.do(command(alice, bob, peer_amount=Wei(50)))
    world.settle()
    (id,) = alice.node.books.channels
    bob.do(CommandJoin(id, False))
    world.settle()
    world.advance()

    assert alice.told(ChannelRefused) == [ChannelRefused(id, "not wanted")]
    assert world.ledger.log == []


def test_own_offer_outside_the_limits_is_refused_at_once() -> None:
    _, alice, bob = duo()
    with pytest.raises(ChannelRejected, match="outside our limits"):
        alice.do(command(alice, bob, challenge=Seconds(10)))


def test_used_nonce_is_refused() -> None:
    world, alice, bob = duo()
    alice.do(command(alice, bob, nonce=Nonce(1)))
    world.settle()
    with pytest.raises(NotAllowedNow, match="nonce"):
        alice.do(command(alice, bob, nonce=Nonce(1)))


def test_offer_is_repeated_until_answered_and_joined_once() -> None:
    world, alice, bob = duo()
    world.network.rule = lambda _letter: ()
    alice.do(command(alice, bob))
    world.network.rule = None
    world.advance(10)
    world.advance(10)

    assert len(bob.told(ChannelJoined)) == 1
    assert alice.channel(bob).stage is Stage.JOINED


def test_money_of_unfinal_deposits_does_not_count() -> None:
    world = World(lag=3)
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance(blocks=4)
    alice.do(command(alice, bob))
    world.settle()
    world.advance()
    assert alice.channel(bob).head.alice == 100
    alice.do(CommandTransfer(alice.channel(bob).id, Wei(10)))
    world.settle()
    assert alice.channel(bob).agreed is None


def test_second_deposit_waits_for_the_first() -> None:
    world, alice, bob = duo()
    id = open_channel(world, alice, bob, 100, 0)
    alice.chain.mining = False
    alice.do(CommandFund(id, Wei(1)))
    with pytest.raises(NotAllowedNow, match="on its way"):
        alice.do(CommandFund(id, Wei(1)))


def test_b11_first_state_of_a_refused_channel_shown_later_proves_no_old_store() -> None:
    """Else a hub could make whoever drew on it exit only: it refuses, and signs all the same."""
    world = World()
    alice, ingrid = world.party("alice", OPEN_HANDED), world.party("ingrid", hub_policy())
    world.advance()
    world.network.rule = lambda _: ()
    alice.do(command(alice, ingrid, draw=True, peer_amount=Wei(100)))
    world.settle()
    (offer,) = world.network.said(OfferChannel)
    assert isinstance(offer, OfferChannel)
    assert offer.first is not None
    state, own = offer.first.state, offer.first.signature
    asked = Sign((SignItem(ingrid.key.address, state),))
    (theirs,) = ingrid.signer.sign_now(asked)
    for message in (RefuseChannel(state.channel, "no"), ShowState(state, own, theirs)):
        world.network.inject(ingrid.peer, alice.peer, message)
        world.settle([alice])

    assert alice.told(ChannelRefused)
    assert not alice.node.books.exit_only
