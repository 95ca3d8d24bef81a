"""What else a channel carries when its other side turns crook: a hash lock whose secret Bob knows,
a coin flip whose secrets nobody has said, payments of somebody behind Alice as her hub.

Each is Bob's by the chain alone: he shows the secret, waits out a silence, or submits what he
holds.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from perun.core.config import HubPolicy, Policy
from perun.core.inputs import (
    CommandPay,
)
from perun.core.nanocontracts.coin_flip import (
    CommandFlip,
)
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
    CommandReveal,
)
from perun.core.state import InstanceView, LegStatus
from perun.crypto.hashing import keccak
from perun.demo.character import Character
from perun.encoding.messages import RevealSecret
from perun.testing.network import ScriptedNetwork
from perun.types import ChannelId, Flip, Lock, MachineId, Preimage, Salt, Seconds, Wei
from tests.support.scene import ETHER

if TYPE_CHECKING:
    from tests.games.storm.sea import Sea

__all__ = ["Cargo"]

_AMOUNT = Wei(ETHER // 50)
_PATIENCE = 60
"""Blocks until something is agreed on, whatever a standing quirk does."""


class Cargo:
    """Of one channel between Alice and Bob."""

    def __init__(self, sea: Sea, rng: Random) -> None:
        """Drawn, and not loaded yet."""
        self.sea = sea
        wanted = [name for name in ("lock", "flip", "carol") if rng.random() < 0.4]
        self.wanted = frozenset(wanted)
        self.worth = 0
        """Wei that are Bob's in the end."""
        self.loaded: list[str] = []
        self._preimage = Preimage(keccak(b"bob's secret"))
        self._lock: InstanceView | None = None

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

    def reveal(self, bob: Character) -> None:
        """Alice has gone: Bob cashes his lock."""
        if self._lock is not None:
            bob.do(CommandReveal(self._lock.id, self._preimage))
            self.sea.settle()
            if bob.books.instances[self._lock.id].preimage is not None:
                self.worth += _AMOUNT
                self.loaded.append("hash locks cashed on chain")

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
