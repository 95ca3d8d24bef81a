"""Beginnings of the stories of which every order of events is explored: who there is, what stands
already, and what their users will say."""

from __future__ import annotations

from msgspec.structs import replace as changed

from perun.core.inputs import (
    Command,
    CommandClose,
    CommandConsent,
    CommandJoin,
    CommandOffer,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.nanocontracts.coin_flip import CommandFlip
from perun.core.nanocontracts.escrow import CommandLetGo
from perun.core.nanocontracts.hash_chain import CommandTick
from perun.core.nanocontracts.hash_lock import CommandReveal
from perun.core.nanocontracts.plays import CommandMove, CommandResign
from perun.core.nanocontracts.price_bet import CommandPrice
from perun.crypto.hashing import keccak
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.testing.parties import Party, World
from perun.testing.stories import (
    GAMBLER,
    OPEN_HANDED,
    add_lock,
    add_machine,
    consent,
    hub_policy,
    invite_to_game,
    machine_command,
    open_channel,
    open_stream,
    propose_bet,
    propose_deal,
    throw_hand,
)
from perun.types import ETH, Bet, ChannelId, InstanceId, Preimage, Price, Seconds, UnixTime, Wei

__all__ = ["Beginning"]

_SECRET = Preimage(b"\x07" * 32)
_NAMED = SecretKey(b"\x6b" * 32)
"""An arbiter, and a reporter of prices."""

Beginning = tuple[list[Party], list[tuple[Command, ...]]]


def _two(world: World | None = None) -> tuple[Party, Party, ChannelId]:
    world = world or World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    return alice, bob, open_channel(world, alice, bob, 1_000, 1_000)


def crossing_transfers() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandTransfer(id, Wei(10)),), (CommandTransfer(id, Wei(3)),)]


def close_and_transfer() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandTransfer(id, Wei(10)),), (CommandClose(id),)]


def two_closes() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandClose(id),), (CommandTransfer(id, Wei(3)), CommandClose(id))]


def withdraw_and_transfer() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandWithdraw(id, Wei(900)),), (CommandTransfer(id, Wei(3)),)]


def machine_and_transfer() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(machine_command(alice, id, 100, 100),), (CommandTransfer(id, Wei(3)),)]


def pay_and_remove() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    machine = add_machine(world, alice, id, 100, 100)
    pays = CommandPay(machine, Wei(5))
    return [alice, bob], [(pays, pays), (CommandRemove(machine),)]


def _three(world: World) -> tuple[Party, Party, Party, ChannelId]:
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    hub = world.party("hub", hub_policy())
    id = open_channel(world, alice, hub, 1_000, 1_000)
    open_channel(world, bob, hub, 1_000, 1_000)
    return alice, hub, bob, id


def over_a_hub() -> Beginning:
    alice, hub, bob, id = _three(World())
    return [alice, hub, bob], [(machine_command(alice, id, 100, 100, bob),), (), ()]


def close_over_a_hub() -> Beginning:
    world = World()
    alice, hub, bob, id = _three(world)
    machine = add_machine(world, alice, id, 100, 100, bob)
    return [alice, hub, bob], [(CommandPay(machine, Wei(5)), CommandRemove(machine)), (), ()]


def reveal() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    lock = add_lock(world, alice, id, 30, keccak(_SECRET))
    return [alice, bob], [(CommandTransfer(id, Wei(3)),), (CommandReveal(lock, _SECRET),)]


def flip() -> Beginning:
    world = World()
    policy = changed(GAMBLER, greatest_loss=Wei(40))
    alice, bob = world.party("alice", policy), world.party("bob", policy)
    id = open_channel(world, alice, bob, 1_000, 1_000)
    until, odds = UnixTime(world.ledger.time + 5_000), 2**15
    flip = CommandFlip(
        id, Wei(40), Wei(40), odds, until, Seconds(600), alice.random(), Preimage(alice.random())
    )
    return [alice, bob], [(flip,), ()]


def _agreed(alice: Party, bob: Party, world: World) -> InstanceId:
    """What was invited to is agreed to, and listed."""
    world.settle()
    if bob.node.books.invitations:
        consent(bob)
        world.settle()
    (id,) = alice.node.books.instances
    return id


def game() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    invite_to_game(world, alice, id, 40, 40)
    game = _agreed(alice, bob, world)
    return [alice, bob], [
        (CommandMove(game, bytes([4])), CommandResign(game)),
        (CommandMove(game, bytes([0])),),
    ]


def hands() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    throw_hand(world, alice, id, 40, 40, 1)
    world.settle()
    (invitation,) = bob.node.books.invitations
    agrees = CommandConsent(invitation, True, word=bytes([2]))
    return [alice, bob], [(), (agrees,)]


def deal() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    propose_deal(world, alice, id, _NAMED.address, 40, 40)
    deal = _agreed(alice, bob, world)
    return [alice, bob], [
        (CommandLetGo(deal, Wei(25)), CommandLetGo(deal, Wei(30))),
        (CommandLetGo(deal, Wei(30)),),
    ]


def stream() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    open_stream(world, alice, id, 60, 3)
    stream = _agreed(alice, bob, world)
    return [alice, bob], [(CommandTick(stream), CommandTick(stream)), (CommandRemove(stream),)]


def bet() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    propose_bet(world, alice, id, _NAMED.address, 40, 40, wait=100)
    instance = _agreed(alice, bob, world)
    world.advance(200)
    terms = alice.node.books.instances[instance].terms
    assert isinstance(terms, Bet)
    said = Price(terms.feed, terms.time, Wei(2_100))
    word = sign(price_digest(PRICE_DOMAIN, said), _NAMED)
    return [alice, bob], [(), (CommandPrice(instance, Wei(2_100), word),)]


def joining() -> Beginning:
    """Channels are offered both ways while Bob's user refuses one whose share is too much for his
    policy."""
    world = World()
    alice = world.party("alice", OPEN_HANDED)
    bob = world.party("bob", changed(OPEN_HANDED, greatest_deposit=Wei(50)))
    world.advance()
    dear, *others = (
        CommandOffer(
            to.peer, to.account.address, ETH, Seconds(600), by.nonce(), Wei(60), Wei(share)
        )
        for by, to, share in ((alice, bob, 90), (alice, bob, 40), (bob, alice, 40))
    )
    alice.do(dear)
    world.settle()
    (id,) = bob.node.books.channels
    return [alice, bob], [(others[0],), (CommandJoin(id, accept=False), others[1])]
