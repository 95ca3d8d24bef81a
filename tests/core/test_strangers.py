"""P9: what a stranger's offers can make us keep, pay or compute: nothing, or a stated bound."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from msgspec.structs import replace

from perun.core.config import HubPolicy, Policy
from perun.core.effects import DepositMoney
from perun.core.faults import NotAllowedNow
from perun.core.inputs import (
    CommandAddMachine,
    CommandDispute,
    CommandJoin,
    CommandOffer,
    CommandPay,
)
from perun.core.limits import Limits
from perun.core.notices import ChannelEnded, ChannelOffered, InstanceRefused, PaymentReceived
from perun.core.state import Stage
from perun.encoding.messages import Invite, Over, RequestInstance, encode
from perun.errors import Misuse
from perun.testing.parties import LIMITS, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, instance, open_channel
from perun.types import ETH, ChannelId, Machine, Nonce, Seconds, UnixTime, Wei

from .conftest import Trio
from .replacing import lost, resize
from .test_griefing import offered


def offer(alice: Party, bob: Party, number: int, **more: object) -> None:
    fields: dict[str, Any] = {"own_amount": Wei(100), "peer_amount": Wei(100)} | more
    amounts = (fields.pop("own_amount"), fields.pop("peer_amount"))
    terms = (bob.peer, bob.account.address, ETH, Seconds(600), Nonce(number))
    alice.do(CommandOffer(*terms, *amounts, **fields))


def give_a_wei(world: World, party: Party, id: ChannelId, to_bob: bool) -> None:
    """Anybody may put money into any id."""
    gift = DepositMoney(ETH, id, to_bob, Wei(1), UnixTime(world.ledger.time + 100))
    assert world.ledger.apply(gift, party.account.address)


# ------------------------------------------------------------------------------- refused for good


@pytest.mark.parametrize("to_bob", [False, True])
def test_a_wei_in_a_refused_channel_costs_nobody_a_transaction(to_bob: bool) -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", Policy())
    mallory = world.party("mallory")
    world.advance()
    for number in range(3):
        offer(alice, bob, number)
    world.settle()
    ids = list(bob.node.books.channels)
    assert len(bob.told(ChannelOffered)) == 3
    for id in ids:
        bob.do(CommandJoin(id, False))
    world.settle()
    for id in ids:
        give_a_wei(world, mallory, id, to_bob)
    before = len(world.ledger.log)
    for _ in range(4):
        world.advance()
    world.advance(700)
    world.advance()
    assert len(world.ledger.log) == before
    for party in (alice, bob):
        assert party.node.books.channels == {}
        assert party.chain._channels == set()
        assert party.node.books.indexes.of_peer == {}


def test_first_state_of_a_refused_draw_is_known_and_not_followed() -> None:
    """It is signed, so it stays known; a stranger's wei makes nobody register it."""
    world = World()
    ingrid = world.party("ingrid", hub_policy(open_fee=Wei(7)))
    alice, mallory = world.party("alice", OPEN_HANDED), world.party("mallory")
    world.advance()
    offer(alice, ingrid, 1, draw=True, fee=Wei(6))
    world.settle()
    (view,) = alice.node.books.channels.values()
    assert view.signed
    assert alice.chain._channels == set()
    before = len(world.ledger.log) + 2
    give_a_wei(world, mallory, view.id, False)
    give_a_wei(world, mallory, view.id, True)
    world.advance()
    alice.node.post([alice.chain._channel(view.id)])  # told before it was let go of
    world.advance()
    assert len(world.ledger.log) == before


def test_offers_that_the_chain_makes_us_refuse_leave_nothing_behind() -> None:
    """A draw on a credit that is spoken for by the time the chain has told."""
    world = World()
    ingrid = world.party("ingrid", hub_policy(open_fee=Wei(7)))
    alice = world.party("alice", OPEN_HANDED)
    world.ledger.fund(ingrid.account.address, 1_000)
    world.advance()
    told, ingrid.chain.inbox = ingrid.chain.inbox, lambda _told: None
    for number in range(6):
        offer(
            alice,
            ingrid,
            number,
            own_amount=Wei(1_000),
            peer_amount=Wei(1_000),
            draw=True,
            fee=Wei(7),
        )
    alice.chain.mining = False
    world.settle()
    assert len(ingrid.node.books.channels) == 6
    ingrid.chain.inbox = told
    world.advance()
    assert len(ingrid.node.books.channels) == len(ingrid.chain._channels) == 1


def test_our_user_cannot_sign_an_open_beyond_the_credit() -> None:
    """What policy leaves to the user: how much to put in, not what is spoken for already."""
    world = World()
    ingrid = world.party("ingrid", hub_policy())
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.ledger.fund(ingrid.account.address, 1_000)
    world.advance()
    for end in (alice, bob):
        end.chain.mining = False
    told, ingrid.chain.inbox = ingrid.chain.inbox, lambda _told: None
    draw = {"own_amount": Wei(9), "peer_amount": Wei(1_000), "draw": True}
    offer(alice, ingrid, 1, **draw)
    offer(bob, ingrid, 2, **draw)
    world.settle()
    first, second = ingrid.node.books.channels
    ingrid.chain.inbox = told
    ingrid.node.post([ingrid.chain._channel(first)])
    ingrid.node.turn()
    view = ingrid.node.books.channels[second]
    ingrid.node.books.load(replace(view, watched=True))
    with pytest.raises(NotAllowedNow, match="credit"):
        ingrid.do(CommandJoin(second, True))


# ------------------------------------------------------------------------------- never funded


def test_joined_channel_that_nobody_funds_is_forgotten() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    kept = open_channel(world, alice, bob, 10, 10)
    alice.chain.mining = False
    for number in range(4):
        offer(alice, bob, number)
    world.settle()
    assert len(bob.node.books.channels) == 5
    (left, *_) = [id for id in bob.node.books.channels if id != kept]
    bob.do(CommandDispute(left))  # its user may want out of it meanwhile
    world.advance(LIMITS.offer_validity)
    world.advance()
    assert len(bob.node.books.channels) == 5
    world.advance(LIMITS.margin)
    world.advance()
    assert list(bob.node.books.channels) == [kept]
    assert bob.chain._channels == {kept}
    assert len(bob.told(ChannelEnded)) == 4
    assert bob.node.books.indexes.promised[ETH] == 10


def test_channel_that_an_instance_names_is_kept_as_long_as_that() -> None:
    """It was agreed on for a channel in which there is no money yet."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    alice.chain.mining = False
    offer(alice, bob, 1)
    world.settle()
    (channel,) = bob.node.books.channels
    end = UnixTime(world.ledger.time + 2_000)
    terms = (Wei(9), Wei(0), end, Seconds(600))
    bob.do(CommandAddMachine(channel, *terms, bob.random()))
    world.network.inject(alice.peer, bob.peer, Invite(machine_for(alice, bob, end), channel, ETH))
    world.settle()
    world.advance(LIMITS.offer_validity + LIMITS.margin + 12)
    world.advance()
    named = {leg.channel for one in bob.node.books.instances.values() for leg in one.legs}
    assert named == {channel}
    assert channel in bob.node.books.channels
    world.advance(3_000)
    world.advance()
    world.advance()
    assert bob.node.books.instances == {}
    assert bob.node.books.channels == {}
    assert bob.node.books.used == {}


def machine_for(alice: Party, bob: Party, end: UnixTime) -> Machine:
    keys = (alice.key.address, bob.key.address)
    return Machine(*keys, Wei(9), Wei(9), end, Seconds(600), alice.random())


def test_offer_whose_answer_had_to_wait_for_a_fresh_view_is_answered_then() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    bob.clock.ahead = LIMITS.freshness + 1
    bob.node.turn()
    offer(alice, bob, 1)
    world.settle()
    (view,) = bob.node.books.channels.values()
    assert (view.watched, view.stage) == (True, Stage.INVITED)
    bob.clock.ahead = 0
    world.advance()
    (view,) = bob.node.books.channels.values()
    assert view.stage is Stage.JOINED


def test_our_user_is_asked_once_about_an_offer() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", Policy())
    world.advance()
    offer(alice, bob, 1)
    for _ in range(3):
        world.advance()
    assert len(bob.told(ChannelOffered)) == 1


# ------------------------------------------------------------------------------- work


class Unread(dict[Any, Any]):
    """Can be asked for one thing, and not be gone through."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("somebody looks at every channel")

    values = items = keys = __iter__  # type: ignore[assignment]


def test_offer_costs_the_same_however_many_channels_there_are() -> None:
    world = World()
    ingrid = world.party("ingrid", hub_policy(greatest_channels=1))
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.ledger.fund(ingrid.account.address, 1_000)
    world.advance()
    open_channel(world, alice, ingrid, 10, 10)
    books = ingrid.node.books
    said = []
    post, ingrid.chain.inbox = ingrid.chain.inbox, said.extend
    draw = {"own_amount": Wei(9), "peer_amount": Wei(9), "draw": True}
    for number, more in enumerate(({}, draw)):
        offer(bob, ingrid, number, **more)
    books.channels = Unread(books.channels)
    world.settle()
    assert post is not None
    post(said)
    world.settle()
    assert ingrid.faults == []


# ------------------------------------------------------------------------------- invitations, hubs


@pytest.mark.parametrize("named", [True, False])
def test_invitation_over_a_hub_that_names_a_channel_is_refused(trio: Trio, named: bool) -> None:
    """Both say where it belongs, and only one of them can be so."""
    keys = (trio.alice.key.address, trio.bob.key.address)
    end = UnixTime(trio.world.ledger.time + 5_000)
    machine = Machine(*keys, Wei(9), Wei(9), end, Seconds(600), trio.alice.random())
    invite = Invite(machine, trio.right if named else None, ETH)
    over = Over(trio.ingrid.peer, encode(invite))
    trio.world.network.inject(trio.alice.peer, trio.bob.peer, over)
    trio.bob.node.turn()
    assert (trio.bob.node.books.instances == {}) is named


def test_hub_that_never_answers_a_resize_stops_payments_for_a_while_only(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    unheard = lost(trio.alice, RequestInstance), lost(trio.bob, RequestInstance)
    trio.world.network.rule = lambda letter: tuple(
        kept for one in unheard[0](letter) for kept in unheard[1](one)
    )
    resize(trio, machine, 400, 200)
    assert instance(trio.alice, machine).leave_sent
    assert instance(trio.bob, machine).leave_sent
    for _ in range(32):
        trio.world.advance(LIMITS.patience)
    for party, other in ((trio.alice, trio.bob), (trio.bob, trio.alice)):
        assert party.told(InstanceRefused)
        party.do(CommandPay(machine, Wei(5)))
        trio.world.settle()
        assert len(other.told(PaymentReceived)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_fee", -1),
        ("open_fee", -1),
        ("greatest_draw", -1),
        ("greatest_lock", -1),
        ("peer_quota", 2**256),
        ("small_lock", -1),
        ("amount_ppm", -1),
        ("amount_day_ppm", 10**6 + 1),
        ("reserved_slots", -1),
        ("reserved_slots", 65),
        ("short_life", -1),
        ("greatest_queue", -1),
        ("quote_validity", 1.5),
        ("greatest_channels", True),
    ],
)
def test_hub_policy_that_means_nothing_cannot_be_made(field: str, value: object) -> None:
    with pytest.raises(Misuse, match=field):
        HubPolicy(**{field: value})  # type: ignore[arg-type]
    with pytest.raises(Misuse, match=field):
        replace(HubPolicy(), **{field: value})


@pytest.mark.parametrize(
    "field",
    ["greatest_deposit", "greatest_deposits", "greatest_lock", "greatest_fee", "greatest_loss"],
)
def test_policy_that_means_nothing_cannot_be_made(field: str) -> None:
    with pytest.raises(Misuse, match=field):
        Policy(**{field: -1})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", Limits.__struct_fields__)
def test_limits_that_mean_nothing_cannot_be_made(field: str) -> None:
    with pytest.raises(Misuse, match=field):
        Limits(**{field: -1})  # type: ignore[arg-type]


def test_offers_of_one_peer_are_counted_without_those_of_others() -> None:
    world = World()
    bob = world.party("bob", OPEN_HANDED, limits=replace(LIMITS, offers_per_peer=1))
    for name in ("alice", "mallory"):
        peer = world.party(name)
        world.advance()
        world.network.inject(peer.peer, bob.peer, offered(peer, bob, 1))
        world.network.inject(peer.peer, bob.peer, offered(peer, bob, 2))
        world.settle([bob])
    assert len(bob.node.books.channels) == 2
