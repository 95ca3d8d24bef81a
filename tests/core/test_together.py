"""Several instances of several kinds at once in one channel, and over one hub: each is added,
played and removed when it likes, and each moves what it alone decides.

A plan is one instance from its beginning to its end, told as steps; dice choose whose turn it is.
Beside it stands what it moves if everything stops there and the chain has to say it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import pytest

from perun.core.inputs import CommandDispute, CommandPay, CommandRemove
from perun.core.nanocontracts.coin_flip import flip_shift
from perun.core.nanocontracts.escrow import CommandAward
from perun.core.nanocontracts.hash_chain import CommandSettle, CommandTick
from perun.core.nanocontracts.hash_lock import CommandReveal
from perun.core.nanocontracts.plays import CommandMove
from perun.core.nanocontracts.price_bet import CommandPrice
from perun.core.state import InstanceView, LegStatus
from perun.crypto.hashing import keccak
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.escrow import EscrowDomain, award_digest
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.testing.stories import (
    GAMBLER,
    add_lock,
    add_machine,
    consent,
    flip_coin,
    invite_to_game,
    open_stream,
    propose_bet,
    propose_deal,
    throw_hand,
)
from perun.types import (
    Award,
    Bet,
    ChannelId,
    DealId,
    Flip,
    InstanceId,
    MachineId,
    Preimage,
    Price,
    Wei,
)

from .conftest import new_pair, new_trio

ARBITER: Final = SecretKey(b"\x5a" * 32)
REPORTER: Final = SecretKey(b"\x6b" * 32)
DRAWN: Final = (0, 1, 2, 4, 3, 5, 7, 6, 8)
ALICE_WINS: Final = (0, 3, 1, 4, 2)


@dataclass
class Room:
    """Alice and Bob, with a channel between them or one each to a hub."""

    world: World
    alice: Party
    bob: Party
    channel: ChannelId
    """Alice's."""
    others: ChannelId
    """Bob's: the same without a hub."""
    end: Party | None
    """Whom Alice names, if there is a hub."""
    hub: Party | None
    dice: Random

    def settle(self) -> None:
        self.world.settle()
        if self.hub is not None:
            self.world.advance()

    def new(self, begin: Callable[[], object], word: bytes | None = None) -> InstanceId:
        """Begins an instance; with a word, once Bob's user agrees."""
        before = set(self.bob.node.books.instances)
        begin()
        self.settle()
        if word is not None:
            consent(self.bob, word=word)
            self.settle()
        (id,) = set(self.bob.node.books.instances) - before
        return id

    def seen(self, id: InstanceId) -> InstanceView:
        return self.alice.node.books.instances[id]


def new_room(seed: int, *, over: bool) -> Room:
    dice = Random(seed)
    if not over:
        pair = new_pair(GAMBLER)
        return Room(
            *(pair.world, pair.alice, pair.bob, pair.channel, pair.channel), None, None, dice
        )
    trio = new_trio(GAMBLER)
    return Room(
        trio.world, trio.alice, trio.bob, trio.left, trio.right, trio.bob, trio.ingrid, dice
    )


class Plan:
    """One instance."""

    def __init__(self, room: Room) -> None:
        self.room, self.id = room, InstanceId(b"")
        self.moved = 0
        """What it moves to Bob, as far as it is decided; what the chain says if all stops here."""
        self.over = False
        self._steps = self.steps()

    def steps(self) -> Iterator[None]:
        """From the beginning to the end."""
        raise NotImplementedError

    def last_word(self) -> None:
        """What its user still does when nobody hears anything any more."""

    def step(self) -> None:
        if next(self._steps, self) is self:
            self.over = True
        self.room.settle()


class Machine(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        self.id = room.new(
            lambda: add_machine(room.world, room.alice, room.channel, 30, 20, room.end)
        )
        yield
        for party, amount in ((room.alice, 12), (room.bob, 5), (room.alice, 3)):
            party.do(CommandPay(MachineId(self.id), Wei(amount)))
            self.moved += amount if party is room.alice else -amount
            yield
        room.alice.do(CommandRemove(self.id))


class HashLock(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        self.secret = Preimage(bytes(room.alice.random()))
        hash = keccak(self.secret)
        self.id = room.new(
            lambda: add_lock(room.world, room.alice, room.channel, 9, hash, room.end)
        )
        yield
        self.last_word()

    def last_word(self) -> None:
        self.room.bob.do(CommandReveal(self.id, self.secret))
        self.moved = 9


class Coin(Plan):
    """Both speak at once, so it is over as soon as it has begun."""

    def steps(self) -> Iterator[None]:
        room = self.room
        self.id = room.new(
            lambda: flip_coin(room.world, room.alice, room.channel, 7, 7, end=room.end)
        )
        flip = room.seen(self.id).terms
        assert isinstance(flip, Flip)
        self.moved = flip_shift(flip, *room.seen(self.id).secrets)
        yield


class Throw(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        alice, bob = room.dice.randrange(3), room.dice.randrange(3)
        self.id = room.new(
            lambda: throw_hand(room.world, room.alice, room.channel, 8, 6, alice, room.end),
            bytes([bob]),
        )
        self.moved = (0, -6, 8)[(alice - bob) % 3]
        yield


class TicTacToe(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        self.id = room.new(
            lambda: invite_to_game(room.world, room.alice, room.channel, 11, 13, room.end), b""
        )
        self.moved = 11  # Alice is to move, and does not
        yield
        moves = room.dice.choice((DRAWN, ALICE_WINS))
        for number, cell in enumerate(moves):
            party = (room.alice, room.bob)[number % 2]
            party.do(CommandMove(self.id, bytes([cell])))
            self.moved = (-13, 11)[number % 2]
            if number + 1 == len(moves):
                self.moved = 0 if moves is DRAWN else -13
            yield


class Deal(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        self.id = room.new(
            lambda: propose_deal(
                *(room.world, room.alice, room.channel, ARBITER.address, 25, 15), room.end
            ),
            b"",
        )
        yield
        self.last_word()

    def last_word(self) -> None:
        domain = DEPLOYMENT.find(EscrowDomain)
        assert domain is not None
        self.moved = shift = self.room.dice.choice((25, 4, -15))
        signature = sign(award_digest(domain, Award(DealId(self.id), Wei(shift))), ARBITER)
        (self.room.bob if shift > 0 else self.room.alice).do(
            CommandAward(self.id, Wei(shift), signature)
        )


class Stream(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        self.id = room.new(
            lambda: open_stream(room.world, room.alice, room.channel, 40, 2, room.end)
        )
        yield
        for ticks in (1, 5, 2):
            room.alice.do(CommandTick(self.id, ticks))
            self.moved += 2 * ticks
            yield
        room.bob.do(CommandSettle(self.id))


class Wager(Plan):
    def steps(self) -> Iterator[None]:
        room = self.room
        self.id = room.new(
            lambda: propose_bet(
                *(room.world, room.alice, room.channel, REPORTER.address, 30, 20), room.end
            ),
            b"",
        )
        yield
        self.last_word()

    def last_word(self) -> None:
        bet = self.room.seen(self.id).terms
        assert isinstance(bet, Bet)
        price = Wei(self.room.dice.choice((2_170, 1_880)))
        self.moved = (price - 2_000) // 10
        signature = sign(price_digest(PRICE_DOMAIN, Price(bet.feed, bet.time, price)), REPORTER)
        (self.room.bob if self.moved > 0 else self.room.alice).do(
            CommandPrice(self.id, price, signature)
        )


KINDS: Final = (Machine, HashLock, Coin, Throw, TicTacToe, Deal, Stream, Wager)


def no_faults(room: Room) -> None:
    parties = [room.alice, room.bob, *([room.hub] if room.hub else [])]
    assert [party.faults for party in parties] == [[] for _ in parties]


def play(room: Room, plans: list[Plan], steps: int) -> None:
    """So many steps, each of a plan that is not over."""
    for _ in range(steps):
        going = [plan for plan in plans if not plan.over]
        if not going:
            return
        room.dice.choice(going).step()


@pytest.mark.parametrize("over", [False, True], ids=["channel", "hub"])
@pytest.mark.parametrize("seed", range(6))
def test_kinds_live_beside_each_other_and_are_removed_one_by_one(seed: int, over: bool) -> None:
    room = new_room(seed, over=over)
    plans = [kind(room) for kind in (*KINDS, *KINDS)]
    play(room, plans, 10_000)
    for _ in range(4):
        room.world.advance()
    no_faults(room)
    for plan in plans:
        (leg,) = room.seen(plan.id).legs
        assert (leg.status, leg.removed_shift) == (LegStatus.REMOVED, plan.moved), type(plan)
    moved = sum(plan.moved for plan in plans)
    for party, channel in ((room.alice, room.channel), (room.bob, room.others)):
        agreed = party.node.books.channels[channel].agreed
        assert agreed is not None
        assert agreed.state.nanos == ()
        assert abs(agreed.state.net) == abs(moved)


@pytest.mark.parametrize("over", [False, True], ids=["channel", "hub"])
@pytest.mark.parametrize("seed", range(8))
def test_all_of_them_in_one_dispute_move_what_each_has_come_to(seed: int, over: bool) -> None:
    """At some moment nobody hears anything any more, and everything goes to the chain."""
    room = new_room(seed, over=over)
    plans = [kind(room) for kind in KINDS]
    for plan in plans:
        plan.step()
    play(room, plans, seed)
    room.world.network.rule = lambda _letter: ()
    for plan in plans:
        if not plan.over and plan.moved == 0 and room.seen(plan.id).legs[0].status is _LISTED:
            plan.last_word()
    room.alice.do(CommandDispute(room.channel))
    if over:
        room.bob.do(CommandDispute(room.others))
    for _ in range(600):
        room.world.advance(24)
    moved = sum(plan.moved for plan in plans)
    paid = room.world.ledger.paid
    assert paid[room.alice.account.address] == 1_000 - moved
    assert paid[room.bob.account.address] == 1_000 + moved
    if room.hub is not None:
        assert paid[room.hub.account.address] == 2_000
    no_faults(room)


_LISTED: Final = LegStatus.LISTED
