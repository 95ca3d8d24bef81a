"""Scrambled, misdirected and late messages: a typed error, and no harm [field.md C].

Messages of a whole story are changed field by field and fed again to those who heard them.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from perun.core.inputs import (
    CommandClose,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.core.states.valuation import balance
from perun.crypto.hashing import keccak
from perun.encoding.messages import Over, decode, encode
from perun.errors import BrokenInvariant
from perun.testing.network import Letter
from perun.testing.parties import Party, World
from perun.testing.stories import (
    OPEN_HANDED,
    SECRET,
    add_lock,
    add_machine,
    hub_policy,
    open_channel,
)
from perun.types import Wei


def story() -> World:
    """A bit of everything, with machines and a lock of both kinds left open."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    open_channel(world, bob, ingrid, 1_000, 1_000)
    closing = open_channel(world, alice, ingrid, 10, 10)
    alice.do(CommandTransfer(left, Wei(20)))
    world.settle()
    for turn in range(2):
        ours = add_machine(world, alice, left, 100, 50)
        virtual = add_machine(world, alice, left, 100, 50, bob)
        lock = add_lock(world, alice, left, 7, keccak(SECRET), bob)
        for machine in (ours, virtual):
            alice.do(CommandPay(machine, Wei(5)))
            world.settle()
        if turn == 0:
            bob.do(CommandReveal(lock, SECRET))
            world.settle()
            alice.do(CommandRemove(virtual))
            world.settle()
            alice.do(CommandRemove(ours))
            world.settle()
    ingrid.do(CommandWithdraw(left, Wei(3)))
    world.settle()
    alice.do(CommandClose(closing))
    world.settle()
    world.advance()
    return world


def letters(world: World) -> list[Letter]:
    """Everything said so far; of what is about a hub, the message alone."""
    said = []
    for sender, receiver, frame in world.network.seen:
        message = decode(frame)
        said.append((sender, receiver, message.message if type(message) is Over else frame))
    return said


def scrambled(value: Any, dice: random.Random) -> Any:
    """The same shape with one leaf changed, more or less."""
    if isinstance(value, list) and value:
        place = dice.randrange(len(value))
        return [scrambled(v, dice) if i == place else v for i, v in enumerate(value)]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(0, value + dice.choice((-2, -1, 1, 2, 7, 2**40)))
    if isinstance(value, bytes) and value:
        place = dice.randrange(len(value))
        return (
            value[:place] + bytes((value[place] ^ (1 << dice.randrange(8)),)) + value[place + 1 :]
        )
    return value


def guaranteed(party: Party) -> int:
    books = party.node.books
    return sum(balance(books, view).guaranteed for view in books.channels.values())


@pytest.mark.parametrize("seed", range(5))
def test_scrambled_messages_harm_nobody(seed: int) -> None:
    dice = random.Random(seed)
    world = story()
    material = letters(world)
    before = {party.name: guaranteed(party) for party in world.parties}
    parties = {party.peer: party for party in world.parties}
    garbage = 0
    for _ in range(400):
        sender, receiver, frame = dice.choice(material)
        kind, *fields = msgspec.msgpack.decode(frame[1:])
        for _ in range(dice.randrange(3)):
            fields = scrambled(fields, dice)
        victim = parties[receiver]
        victim.node.receive(sender, (frame[:1] + msgspec.msgpack.encode([kind, *fields]),))
        victim.node.turn()
    world.settle()

    for party in world.parties:
        kinds = [type(error) for _, error in party.faults]
        assert BrokenInvariant not in kinds
        garbage += len(kinds)
        assert not party.node.books.exit_only
    assert garbage > 100
    # What was agreed and paid stands.
    assert {party.name: guaranteed(party) for party in world.parties} == before


def test_every_message_of_the_story_is_encoded_as_it_is_decoded() -> None:
    for _, _, frame in letters(story()):
        assert encode(decode(frame)) == frame
