"""P9: what somebody can make us lock, wait for or store for nothing, and how much of it.

Each test is a row of the table in `docs/security.md`; numbers are read from the tables of limits.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.config import HubPolicy
from perun.core.effects import Sign, SignItem
from perun.core.inputs import (
    CommandAddMachine,
    CommandClose,
    CommandOffer,
    CommandPay,
    CommandTransfer,
)
from perun.core.nanocontracts.instances import end_time
from perun.core.notices import ChannelRefused, InstanceRefused, ProposalHeld
from perun.core.state import Stage
from perun.encoding.messages import Invite, OfferChannel, Propose, RefuseInstance, RequestInstance
from perun.testing.parties import LIMITS, Party, World, key_of
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, instance, open_channel
from perun.types import (
    ETH,
    Channel,
    Machine,
    Nonce,
    Salt,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair, Trio


def tight(**numbers: int) -> dict[str, object]:
    """Limits with small numbers, so that reaching them is quick; one line of the same table."""
    return {"limits": replace(LIMITS, **numbers)}


# ------------------------------------------------------------------------------------- what is kept


def offered(alice: Party, bob: Party, number: int) -> OfferChannel:
    keys = (alice.key.address, bob.key.address)
    channel = Channel(*keys, *keys, ETH, Seconds(600), Nonce(number))
    return OfferChannel(channel, Wei(1), Wei(0), False, Signature(b""), False)


def test_channels_that_a_peer_offers_and_does_not_fund_are_so_many() -> None:
    world = World()
    bob = world.party("bob", OPEN_HANDED, **tight(offers_per_peer=5))
    mallory, alice = world.party("mallory"), world.party("alice", OPEN_HANDED)
    world.advance()
    most = bob.node.books.config.limits.offers_per_peer
    for number in range(3 * most):
        world.network.inject(mallory.peer, bob.peer, offered(mallory, bob, number))
        world.settle([bob])
    kept = bob.node.books.channels
    assert len(kept) == most

    # Others are as welcome as before, and so is the peer once somebody has put money in.
    open_channel(world, alice, bob, 10, 0)
    world.open_alone(next(iter(kept.values())).channel, mallory.account.address, 1)
    world.advance()
    world.network.inject(mallory.peer, bob.peer, offered(mallory, bob, 10**6))
    world.network.inject(mallory.peer, bob.peer, offered(mallory, bob, 10**6 + 1))
    world.settle([bob])
    assert len(kept) == most + 2


def test_channels_that_policy_refuses_leave_nothing_behind() -> None:
    """A draw without its fee: free to ask for, so nothing of it is kept."""
    world = World()
    ingrid = world.party("ingrid", hub_policy(open_fee=Wei(7)))
    alice = world.party("alice", OPEN_HANDED)
    world.ledger.fund(ingrid.account.address, 5_000)
    world.advance()
    for number in range(10):
        alice.do(
            CommandOffer(
                ingrid.peer,
                ingrid.account.address,
                ETH,
                Seconds(600),
                Nonce(number),
                Wei(1_000),
                Wei(1_000),
                draw=True,
                fee=Wei(6),
            )
        )
        world.settle()
    assert {n.reason for n in alice.told(ChannelRefused)} == {"the opening fee is 7"}  # type: ignore[attr-defined]
    assert ingrid.node.books.channels == {}


def test_hub_has_room_for_so_many_channels() -> None:
    """[C4]: what it could not answer for it does not take on."""
    world = World()
    ingrid = world.party("ingrid", hub_policy(greatest_channels=2))
    hub = ingrid.node.books.config.policy.hub
    assert hub is not None
    ends = [world.party(f"end {number}", OPEN_HANDED) for number in range(4)]
    world.advance()
    for end in ends[:2]:
        open_channel(world, end, ingrid, 10, 10)
    for end in ends[2:]:
        end.do(
            CommandOffer(
                ingrid.peer, ingrid.account.address, ETH, Seconds(600), end.nonce(), Wei(10)
            )
        )
        world.settle()
        assert end.told(ChannelRefused)
    assert len(ingrid.node.books.channels) == hub.greatest_channels


def test_channels_that_nobody_funds_take_no_room_of_others() -> None:
    """Else a few keys, which are free, would close a hub for ever."""
    world = World()
    ingrid = world.party("ingrid", hub_policy(greatest_channels=2))
    crooks = [world.party(f"crook {number}", OPEN_HANDED) for number in range(3)]
    alice = world.party("alice", OPEN_HANDED)
    world.advance()
    for number, crook in enumerate(crooks):
        offer = offered(crook, ingrid, number)
        world.network.inject(crook.peer, ingrid.peer, offer)
        world.settle([ingrid])
    unfunded = list(ingrid.node.books.channels.values())
    assert [view.stage for view in unfunded] == [Stage.JOINED] * 3
    open_channel(world, alice, ingrid, 10, 10)

    # Funded after all, one more is answered for; in the third the hub signs nothing.
    for view, crook in zip(unfunded, crooks, strict=True):
        world.open_alone(view.channel, crook.account.address, 10)
    world.advance()
    for view, crook in zip(unfunded, crooks, strict=True):
        state = State(view.id, Version(2), Wei(1))
        signature = crook.signer.sign_now(Sign((SignItem(crook.key.address, state),)))[0]
        world.network.inject(crook.peer, ingrid.peer, Propose(state, signature, 0))
        world.settle([ingrid])
    channels = ingrid.node.books.channels
    assert [bool(channels[view.id].signed) for view in unfunded] == [True, False, False]
    alice.do(CommandTransfer(next(iter(alice.node.books.channels)), Wei(3)))
    world.settle()
    assert sum(bool(view.signed) for view in channels.values()) == 2


def test_invitations_of_a_peer_are_so_many(pair: Pair) -> None:
    bob = pair.bob.node.books
    bob.config = replace(bob.config, limits=replace(bob.config.limits, unsigned_per_peer=5))
    pair.world.network.lose(Propose)
    for _ in range(12):
        invite(pair)
    assert len(bob.instances) == bob.config.limits.unsigned_per_peer
    (said,) = {n.reason for n in pair.alice.told(InstanceRefused)}  # type: ignore[attr-defined]
    assert "too many invitations" in said


def invite(pair: Pair) -> None:
    end = UnixTime(pair.world.ledger.time + 5_000)
    locks = (Wei(1), Wei(0))
    terms = Machine(
        pair.alice.key.address,
        pair.bob.key.address,
        *locks,
        end,
        Seconds(600),
        pair.alice.random(),
    )
    message = Invite(terms, pair.channel, ETH)
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, message)
    pair.alice.do(CommandAddMachine(pair.channel, *locks, end, Seconds(600), pair.alice.random()))
    pair.world.settle()


def test_requests_that_wait_for_a_channel_are_so_many_and_hold_nothing(trio: Trio) -> None:
    books = trio.ingrid.node.books
    hub = HubPolicy(greatest_queue=5)
    books.config = replace(books.config, policy=replace(books.config.policy, hub=hub))
    for number in range(12):
        ask(trio, number)
    view = books.channels[trio.left]
    assert len(view.waiting) == len(books.hub_instances) == hub.greatest_queue
    assert len(trio.world.network.said(RefuseInstance)) == 12 - hub.greatest_queue
    assert (view.inflight, books.instances) == (None, {})

    trio.world.advance(books.config.limits.patience + 1)
    assert (books.channels[trio.left].waiting, books.hub_instances) == ((), {})


def ask(trio: Trio, number: int) -> None:
    """Alice asks for a crossing to somebody who never does."""
    keys = (trio.alice.key.address, key_of("nobody").address)
    end = UnixTime(trio.world.ledger.time + 5_000)
    machine = Machine(*keys, Wei(5), Wei(5), end, Seconds(600), Salt(bytes([number]) * 32))
    trio.world.network.inject(
        trio.alice.peer, trio.ingrid.peer, RequestInstance(trio.left, machine, True)
    )
    trio.world.settle()


def test_statements_take_one_row_however_many_there_are(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 1_000, 0)
    before = len(list(pair.bob.store.records()))
    for _ in range(50):
        pair.alice.do(CommandPay(machine, Wei(1)))
        pair.world.settle()
    after = len(list(pair.bob.store.records()))
    assert instance_total(pair.bob, machine) == 50
    assert after <= before + 1


def instance_total(party: Party, machine: bytes) -> int:
    return party.node.books.totals[machine].received  # type: ignore[index]


# ----------------------------------------------------------------------------------- what is locked


def test_hub_locks_its_quota_towards_a_peer_and_no_more(trio: Trio) -> None:
    books = trio.ingrid.node.books
    hub = HubPolicy(peer_quota=Wei(100))
    books.config = replace(books.config, policy=replace(books.config.policy, hub=hub))
    add_machine(trio.world, trio.alice, trio.left, 60, 40, trio.bob)
    add_machine(trio.world, trio.alice, trio.left, 40, 60, trio.bob)
    add_machine(trio.world, trio.alice, trio.left, 1, 0, trio.bob)
    (said,) = trio.alice.told(InstanceRefused)
    assert said.reason == "quota of 100 for this peer is used up"  # type: ignore[attr-defined]

    for id in (trio.left, trio.right):
        view = books.channels[id]
        assert view.agreed is not None
        locks = [(nano.alice_lock, nano.bob_lock)[view.role] for nano in view.agreed.state.nanos]
        assert sum(locks) == hub.peer_quota


def test_lock_lasts_no_longer_than_the_limits_say(pair: Pair) -> None:
    limits = pair.bob.node.books.config.limits
    now = pair.world.ledger.time
    longest = limits.greatest_validity + limits.greatest_challenge
    id = add_machine(pair.world, pair.alice, pair.channel, 1, 1, life=limits.greatest_validity)
    assert end_time(instance(pair.bob, id).terms) - now <= longest

    with pytest.raises(Exception, match="too far ahead"):
        add_machine(pair.world, pair.alice, pair.channel, 1, 1, life=limits.greatest_validity + 1)


def test_signed_open_speaks_for_credit_no_longer_than_an_open_lives() -> None:
    world = World()
    ingrid = world.party("ingrid", hub_policy(open_fee=Wei(7)))
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.ledger.fund(ingrid.account.address, 1_000)
    world.advance()
    limits = ingrid.node.books.config.limits
    alice.chain.mining = False
    draw(world, alice, ingrid)
    (leave,) = next(iter(ingrid.node.books.channels.values())).opens
    assert 0 < leave.open.valid_until - world.ledger.time <= limits.open_validity

    draw(world, bob, ingrid)
    assert bob.told(ChannelRefused)  # the credit is spoken for …
    world.advance(limits.open_validity + 1)
    world.advance()
    draw(world, bob, ingrid)
    assert len(bob.told(ChannelRefused)) == 1  # … and now it is not


def draw(world: World, opener: Party, hub: Party) -> None:
    amounts = (Wei(1_000), Wei(1_000))
    address = hub.account.address
    opener.do(
        CommandOffer(
            hub.peer,
            address,
            ETH,
            Seconds(600),
            opener.nonce(),
            *amounts,
            draw=True,
            fee=Wei(7),
        )
    )
    world.settle()


# ------------------------------------------------------------------------------- what is waited for


def test_close_that_nobody_mines_stops_a_channel_no_longer_than_an_offer_lives(pair: Pair) -> None:
    limits = pair.bob.node.books.config.limits
    now = pair.world.ledger.time
    pair.alice.chain.mining = pair.bob.chain.mining = False
    pair.alice.do(CommandClose(pair.channel))
    pair.world.settle()
    offer = pair.bob.node.books.channels[pair.channel].close
    assert offer is not None
    assert offer.close.valid_until - now <= limits.offer_validity

    pair.world.advance(limits.offer_validity + 1)
    pair.bob.do(CommandTransfer(pair.channel, Wei(1)))
    pair.world.settle()
    agreed = pair.alice.node.books.channels[pair.channel].agreed
    assert agreed is not None
    assert agreed.state.net == -1


def test_proposal_that_our_user_does_not_answer_is_refused_after_hold(pair: Pair) -> None:
    limits = pair.bob.node.books.config.limits
    take_from_bob(pair)
    assert pair.bob.told(ProposalHeld)
    pair.world.advance(limits.hold)
    assert pair.bob.node.books.channels[pair.channel].held is not None
    pair.world.advance(1)
    assert pair.bob.node.books.channels[pair.channel].held is None
    refusal = pair.world.network.said(Propose)[-1]
    assert refusal.reason == "not answered by our user in time"  # type: ignore[attr-defined]


def take_from_bob(pair: Pair) -> None:
    """Alice proposes that Bob has paid her 5."""
    state = State(pair.channel, Version(2), Wei(-5))
    signature = pair.alice.signer.sign_now(Sign((SignItem(pair.alice.key.address, state),)))[0]
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, Propose(state, signature, 0))
    pair.bob.node.turn()


# ------------------------------------------------------------------------------ what is paid in gas


@pytest.mark.parametrize(("total", "submitted"), [(49, False), (50, True)])
def test_total_below_dust_costs_its_payee_no_gas(total: int, submitted: bool) -> None:
    """[C10]: an outsider who pays in crumbs cannot have them picked up at a loss."""
    world = World()
    alice = world.party("alice", OPEN_HANDED)
    bob = world.party("bob", OPEN_HANDED, **tight(dust=50))
    world.advance()
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    machine = add_machine(world, alice, channel, 100, 0, life=1_000)
    for _ in range(total):
        alice.do(CommandPay(machine, Wei(1)))
    world.settle()
    world.network.rule = lambda _letter: ()
    before = len(world.ledger.log)
    world.advance(1_000 - bob.node.books.config.limits.margin)
    world.advance()
    assert (len(world.ledger.log) > before) is submitted
