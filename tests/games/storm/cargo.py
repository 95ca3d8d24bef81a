"""What else a channel carries when its other side turns crook: a hash lock whose secret Bob knows,
a coin flip whose secrets nobody has said, payments of somebody behind Alice as her hub, a stream in
which she pays, a bet whose price Bob alone hears.

Each is Bob's by the chain alone: he shows the secret or the price, waits out a silence, or submits
what he holds.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from perun.core.config import HubPolicy, Policy
from perun.core.inputs import (
    CommandConsent,
    CommandPay,
)
from perun.core.nanocontracts.coin_flip import (
    CommandFlip,
)
from perun.core.nanocontracts.hash_chain import CommandStream, CommandTick, paid_in
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
    CommandReveal,
)
from perun.core.nanocontracts.price_bet import BETS, CommandBet, CommandPrice
from perun.core.state import InstanceView, LegStatus
from perun.crypto.hashing import keccak
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.demo.character import Character
from perun.encoding.messages import RevealSecret
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.testing.network import ScriptedNetwork
from perun.types import (
    Bet,
    ChannelId,
    Flip,
    Lock,
    MachineId,
    Preimage,
    Price,
    Salt,
    Seconds,
    Stream,
    UnixTime,
    Wei,
)
from tests.support.scene import ETHER

if TYPE_CHECKING:
    from tests.games.storm.sea import Sea

__all__ = ["Cargo"]

_AMOUNT = Wei(ETHER // 50)
_REPORTER = SecretKey(keccak(b"a reporter"))
_PATIENCE = 60
"""Blocks until something is agreed on, whatever a standing quirk does."""


class Cargo:
    """Of one channel between Alice and Bob."""

    def __init__(self, sea: Sea, rng: Random) -> None:
        """Drawn, and not loaded yet."""
        self.sea = sea
        names = ("lock", "flip", "carol", "stream", "bet")
        wanted = [name for name in names if rng.random() < 0.4]
        self.wanted = frozenset(wanted)
        self.worth = 0
        """Wei that are Bob's in the end."""
        self.loaded: list[str] = []
        self._preimage = Preimage(keccak(b"bob's secret"))
        self._lock: InstanceView | None = None
        self._bet: InstanceView | None = None

    def alice_policy(self) -> Policy:
        """A hub's, if somebody is behind her."""
        most = Wei(10 * ETHER)
        hub = HubPolicy() if "carol" in self.wanted else None
        return Policy(greatest_fee=Wei(ETHER), greatest_deposit=most, hub=hub)

    def load(self, alice: Character, bob: Character, channel: ChannelId) -> None:
        """While all are honest."""
        if "lock" in self.wanted:
            self._take_lock(alice, bob, channel)
        if "carol" in self.wanted:
            self._take_payments(alice, bob)
        if "flip" in self.wanted:
            self._take_flip(alice, bob, channel)
        if "stream" in self.wanted:
            self._take_stream(alice, bob, channel)
        if "bet" in self.wanted:
            self._take_bet(alice, bob, channel)

    def reveal(self, bob: Character) -> None:
        """Alice has gone: Bob cashes his lock, and hears the price."""
        if self._lock is not None:
            bob.do(CommandReveal(self._lock.id, self._preimage))
            self.sea.settle()
            if bob.books.instances[self._lock.id].preimage is not None:
                self.worth += _AMOUNT
                self.loaded.append("hash locks cashed on chain")
        if self._bet is not None:
            bet = self._bet.terms
            assert isinstance(bet, Bet)
            price = Price(bet.feed, bet.time, Wei(bet.strike + 1))
            signature = sign(price_digest(PRICE_DOMAIN, price), _REPORTER)
            bob.do(CommandPrice(self._bet.id, price.price, signature))
            self.sea.settle()
            if BETS.of(bob.books.instances[self._bet.id]).prices:
                self.worth += _AMOUNT
                self.loaded.append("bets won on chain")

    def _take_lock(self, alice: Character, bob: Character, channel: ChannelId) -> None:
        until, salt = self.sea.later(7_200), Salt(keccak(b"lock" + channel))
        command = CommandLock(channel, _AMOUNT, keccak(self._preimage), until, salt)
        alice.do(command)
        self._lock = self._listed(bob, Lock)

    def _take_flip(self, alice: Character, bob: Character, channel: ChannelId) -> None:
        network = self.sea.network
        assert isinstance(network, ScriptedNetwork)
        network.lose(RevealSecret)
        salt, secret = Salt(keccak(b"flip" + channel)), Preimage(keccak(b"alice's" + channel))
        until = self.sea.later(5_400)
        alice.do(CommandFlip(channel, _AMOUNT, _AMOUNT, 2**15, until, Seconds(600), salt, secret))
        if self._listed(bob, Flip) is not None:
            self.worth += _AMOUNT
            self.loaded.append("flips won by silence")

    def _take_stream(self, alice: Character, bob: Character, channel: ChannelId) -> None:
        until, salt = self.sea.later(7_200), Salt(keccak(b"stream" + channel))
        tick = Wei(_AMOUNT // 100)
        alice.do(CommandStream(channel, _AMOUNT, tick, until, Seconds(600), salt))
        held = self._listed(bob, Stream)
        if held is None:
            return
        for ticks in (1, 40):
            alice.do(CommandTick(held.id, ticks))
            self.sea.settle()
            self.sea.block()
        stream = held.terms
        assert isinstance(stream, Stream)
        self.worth += paid_in(stream, bob.books.instances[held.id])
        self.loaded.append("streams cashed on chain")

    def _take_bet(self, alice: Character, bob: Character, channel: ChannelId) -> None:
        """On a second that is over, for which the reporter has not spoken yet."""
        until, salt = self.sea.later(7_200), Salt(keccak(b"bet" + channel))
        about = (_REPORTER.address, b"storm".ljust(32, b"\0"), UnixTime(until - 7_300), Wei(2_000))
        slope, scale = Wei(_AMOUNT), Wei(1)
        alice.do(
            CommandBet(channel, *about, slope, scale, _AMOUNT, _AMOUNT, until, Seconds(600), salt)
        )
        for _ in range(_PATIENCE):
            self.sea.settle()
            asked = [one for one in bob.books.invitations.values() if one.theirs]
            if asked:
                bob.do(CommandConsent(asked[0].id, True))
            if any(isinstance(one.terms, Bet) for one in bob.books.instances.values()):
                break
            self.sea.block()
        self._bet = self._listed(bob, Bet)

    def _take_payments(self, alice: Character, bob: Character) -> None:
        carol = self.sea.enter("ingrid")
        there = self.sea.open(carol, alice)
        machine = self.sea.machine(carol, there, ETHER // 20, end=bob)
        before = self._received(bob, machine)
        for _ in range(3):
            carol.do(CommandPay(machine, Wei(ETHER // 200)))
            self.sea.settle()
            self.sea.block()
        self.worth += self._received(bob, machine) - before
        self.loaded.append("payments over a hub that cheats")
        carol.cut_power()
        self.sea.cast.remove(carol)

    @staticmethod
    def _received(bob: Character, machine: MachineId) -> int:
        totals = bob.books.totals.get(machine)
        return 0 if totals is None else totals.received

    def _listed(self, bob: Character, kind: type) -> InstanceView | None:
        """Bob's view of it, once he has agreed; None: under this quirk he never did."""
        for _ in range(_PATIENCE):
            self.sea.settle()
            for one in bob.books.instances.values():
                if isinstance(one.terms, kind) and one.legs[0].status is LegStatus.LISTED:
                    self.sea.block()
                    return one
            self.sea.block()
        return None
