"""Attacks by invitation: what an end is talked into, kept from, or made to forget."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.inputs import (
    CommandOffer,
    CommandTransfer,
)
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.core.notices import ChannelRefused, InstanceRefused, VirtualReady
from perun.core.rules.phases import Phase, phase
from perun.core.state import Invitation, LegStatus
from perun.crypto.hashing import keccak
from perun.encoding.messages import Invite, Message, Over, Propose, RequestInstance, decode, encode
from perun.node.settings import peer_id
from perun.testing.parties import Party, World, key_of
from perun.testing.stories import OPEN_HANDED, SECRET, add_machine, hub_policy, open_channel
from perun.types import ETH, ChannelId, Lock, Machine, Seconds, UnixTime, Wei

from .conftest import Pair, Trio
from .ends import net
from .test_unasked import trio_of


def offer_a_lock_that_bob_pays(
    world: World, alice: Party, bob: Party, channel: ChannelId, hub: Party | None
) -> None:
    """Alice knows the secret. Her node is a crook's: it follows up what it never invited to."""
    end = UnixTime(world.ledger.time + 5_000)
    lock = Lock(Wei(400), True, keccak(SECRET), end, alice.random())
    via = hub.peer if hub else b""
    alice.node.books.load(Invitation(lock.salt, channel, lock, bob.peer, via))
    invite = Invite(lock, None if hub else channel, ETH)
    if hub is None:
        world.network.inject(alice.peer, bob.peer, invite)
    else:
        world.network.inject(alice.peer, bob.peer, Over(hub.peer, encode(invite)))
    world.settle()
    for id in list(alice.node.books.instances):
        if alice.node.books.instances[id].legs[0].status is LegStatus.LISTED:
            alice.do(CommandReveal(id, SECRET))
    world.settle()
    for _ in range(3):
        world.advance(11)


def test_nobody_is_invited_to_pay_by_a_secret_that_the_inviter_knows(pair: Pair) -> None:
    offer_a_lock_that_bob_pays(pair.world, pair.alice, pair.bob, pair.channel, None)
    assert net(pair.bob, pair.channel) == 0
    assert pair.bob.node.books.instances == {}
    (declined,) = pair.alice.told(InstanceRefused)
    assert "pay" in declined.reason  # type: ignore[attr-defined]


@pytest.mark.parametrize("frugal", [True, False])
def test_nobody_is_invited_to_pay_over_a_hub_by_such_a_secret(frugal: bool) -> None:
    trio: Trio = trio_of() if frugal else trio_of(OPEN_HANDED)
    offer_a_lock_that_bob_pays(trio.world, trio.alice, trio.bob, trio.left, trio.ingrid)
    assert net(trio.bob, trio.right) == 0
    assert trio.bob.node.books.instances == {}


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("wrong", ["alice", "bob"])
def test_machine_in_which_somebody_else_signs_is_declined_and_kept_nowhere(
    trio: Trio, wrong: str, over: bool
) -> None:
    """Mallory's key in the inviter's place, or in ours: what is paid there would not be ours."""
    world, bob, inviter = trio.world, trio.bob, trio.alice if over else trio.ingrid
    mallory = key_of("mallory").address
    left = mallory if wrong == "alice" else inviter.key.address
    right = mallory if wrong == "bob" else bob.key.address
    end = UnixTime(world.ledger.time + 5_000)
    machine = Machine(left, right, Wei(5), Wei(5), end, Seconds(600), inviter.random())
    invite: Message = Invite(machine, None if over else trio.right, ETH)
    channel, via = (trio.left, trio.ingrid.peer) if over else (trio.right, b"")
    inviter.node.books.load(Invitation(machine.salt, channel, machine, bob.peer, via))
    said = Over(trio.ingrid.peer, encode(invite)) if over else invite
    world.network.inject(inviter.peer, bob.peer, said)
    world.settle()
    (declined,) = inviter.told(InstanceRefused)
    assert "its keys" in declined.reason  # type: ignore[attr-defined]
    assert bob.node.books.instances == {}


def test_channel_that_the_hub_refused_keeps_nobody_from_another() -> None:
    """Of several channels with one hub the invited end takes one that lives."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(greatest_channels=0))
    world.advance()
    terms = (ETH, Seconds(600), bob.nonce(), Wei(1_000))
    bob.do(CommandOffer(ingrid.peer, ingrid.account.address, *terms))
    world.settle()
    assert bob.told(ChannelRefused)
    books = ingrid.node.books
    books.config = replace(books.config, policy=hub_policy())
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    open_channel(world, bob, ingrid, 1_000, 1_000)

    machine = add_machine(world, alice, left, 300, 0, bob)
    assert bob.told(VirtualReady) == [VirtualReady(machine)]


def test_ends_that_a_hub_makes_up_fill_no_more_than_their_room(trio: Trio) -> None:
    """Keys cost a hub nothing. What room there is goes to the newest, so nobody is kept out."""
    books = trio.bob.node.books
    books.config = replace(books.config, limits=replace(books.config.limits, unsigned_per_hub=5))
    trio.world.network.lose(RequestInstance, Propose)
    for number in range(12):
        stranger = key_of(f"stranger {number}")
        keys = (stranger.address, trio.bob.key.address)
        end = UnixTime(trio.world.ledger.time + 5_000)
        salt = trio.alice.random()
        machine = Machine(*keys, Wei(5), Wei(5), end, Seconds(600), salt)
        peer = peer_id(stranger.public_key)
        said = encode(Invite(machine, None, ETH))
        trio.world.network.inject(peer, trio.bob.peer, Over(trio.ingrid.peer, said))
        trio.world.settle([trio.bob])
    waiting = [i for i in books.instances.values() if i.legs[0].status is LegStatus.NEW]
    assert len(waiting) <= 5
    assert sum(map(len, books.unsigned.values())) <= 5
    assert len(trio.bob.chain.snapshots()) <= 1 + 1 + 5

    trio.world.network.lose()
    trio.world.advance(12)
    trio.world.advance(12)
    machine_id = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert trio.bob.told(VirtualReady) == [VirtualReady(machine_id)]


def invited_by_strangers(trio: Trio, numbers: range) -> None:
    """Each under a name of its own, and none of them goes on."""
    for number in numbers:
        stranger = key_of(f"stranger {number}")
        keys = (stranger.address, trio.bob.key.address)
        end = UnixTime(trio.world.ledger.time + 500_000)
        machine = Machine(*keys, Wei(5), Wei(0), end, Seconds(600), trio.alice.random())
        said = encode(Invite(machine, None, ETH))
        peer = peer_id(stranger.public_key)
        trio.world.network.inject(peer, trio.bob.peer, Over(trio.ingrid.peer, said))
        trio.world.settle()


def test_strangers_without_end_do_not_hold_a_channel_by_halves_that_lapse() -> None:
    """Attack: an invitation from a fresh name every ten seconds, and the channel is never idle."""
    trio = trio_of()
    books = trio.bob.node.books
    books.config = replace(books.config, limits=replace(books.config.limits, unasked=3))
    for number in range(12):
        invited_by_strangers(trio, range(number, number + 1))
        trio.world.advance(12)
        trio.world.advance(12)
    lapsed = trio.world.network.said(Propose)
    assert 3 <= len({propose.state.version for propose in lapsed}) <= 6  # and refusals
    since = len(trio.world.network.seen)
    invited_by_strangers(trio, range(20, 21))
    said = [decode(frame) for _, _, frame in trio.world.network.seen[since:]]
    assert not any(isinstance(message, Propose) for message in said)
    trio.bob.do(CommandTransfer(trio.right, Wei(7)))
    trio.world.settle()
    assert phase(books.channels[trio.right], books.chain) is Phase.IDLE


def test_strangers_without_end_keep_nobody_out_of_a_hubs_queue() -> None:
    """Attack: the invited end asks the hub for each of them, and its queue is full."""
    trio = trio_of(OPEN_HANDED, greatest_queue=4)
    books = trio.bob.node.books
    books.config = replace(books.config, limits=replace(books.config.limits, unasked=0))
    invited_by_strangers(trio, range(12))
    assert len(trio.ingrid.node.books.channels[trio.right].waiting) == 4
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert trio.bob.told(VirtualReady) == [VirtualReady(machine)]
    assert len(trio.ingrid.node.books.channels[trio.right].waiting) <= 4
