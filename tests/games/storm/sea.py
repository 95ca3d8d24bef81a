"""The world of a storm: a scripted chain, and for each honest party a bending node of its own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from random import Random

from msgspec.structs import replace

from perun.chain import ChainService
from perun.chain.provider import BoundedProvider, over
from perun.chain.reports import NotTaken, Refused, Report, Sent, TooPoor
from perun.chain.rpc import RpcEndpoint
from perun.core.config import HubPolicy, Policy
from perun.core.rulebook import NO_RULES
from perun.demo.character import Character
from perun.errors import ChainFault
from perun.testing.bent.double import Bent, Server
from perun.testing.bent.node import ScriptedNode
from perun.testing.network import ScriptedNetwork
from perun.types import Seconds, UnixTime, Wei
from tests.support.scene import ETHER, KEYS, Scene

__all__ = ["BLOCK", "HOPELESS", "Sailor", "Sea", "loud"]

BLOCK = Seconds(12)

_REQUEST_SECONDS = 1.0
"""Longer than any honest answer takes here, however busy the machine."""


HOPELESS = b"what the contract refuses"
"""Key of a wish that is refused as long as the storm lasts."""


def loud(reports: Iterable[object]) -> bool:
    """Whether an answer is on its way, or somebody who listens knows why not."""
    return any(
        isinstance(report, (NotTaken, Refused, Sent, TooPoor)) and report.key != HOPELESS
        for report in reports
    )


class _Clock:
    """Shows the chain's time, and a wrong one when told; counts what has really passed."""

    def __init__(self, sea: Sea) -> None:
        self._sea = sea
        self.wrong_by = 0

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return UnixTime(self._sea.chain.now + self.wrong_by)

    def counted(self) -> float:
        """See `perun.ports.CountingClock`."""
        return self._sea.counted


class _Shore:
    """What one party finds around it."""

    def __init__(self, sea: Sea, name: str) -> None:
        self.folder, self.deployment, self.limits = sea.folder, sea.deployment, sea.limits
        self.any_price, self.network, self.since = sea.any_price, sea.network, sea.since
        self.clock = _Clock(sea)
        self._sea, self._name, self.rules = sea, name, NO_RULES

    def endpoint(self) -> RpcEndpoint:
        """A connection to its own bending node."""
        return self._sea.connect(self._name)


class Sailor(Character):
    """A node whose start survives what its endpoint does, as a daemon's must."""

    def switch_on(self) -> None:
        """See `Character`."""
        self.reports: list[Report] = []
        self.troubles: list[ChainFault] = []
        try:
            super().switch_on()
        except ChainFault as fault:
            self.troubles.append(fault)
            self.node.connect(self.around.network.enter(self.node))
            self.alive = True

    def look(self) -> None:
        """One round, whatever the node does."""
        try:
            self.chain.poll()
        except ChainFault as fault:
            self.troubles.append(fault)
        while self.node.turn():
            pass

    def _hear(self, report: Report) -> None:
        super()._hear(report)
        self.reports.append(report)


class Sea(Scene):
    """Everything around the sailors. Each block is twelve seconds."""

    most_blocks = 150

    def __init__(self, folder: Path, server: Server, rng: Random, *, tag: bool = False) -> None:
        """No quirks yet.

        Args:
            tag: whether finality goes by the nodes' tag.
        """
        super().__init__(folder)
        self.network = ScriptedNetwork()
        self.rng = rng
        self.server = server
        self.counted = 0.0
        if tag:
            self.limits = replace(self.limits, finality_blocks=None)
        self.node = ScriptedNode(self.chain)
        self.bent: dict[str, Bent] = {}

    def connect(self, name: str) -> RpcEndpoint:
        """A connection to somebody's bending node."""
        if name not in self.bent:
            self.bent[name] = self.server.clients[name] = Bent(self.node)
        return RpcEndpoint(over(BoundedProvider(self.server.url(name), _REQUEST_SECONDS)))

    def sailor(self, name: str, *, hub: bool = False) -> Sailor:
        """An honest party behind a bending node."""
        most = Wei(10 * ETHER)
        policy = Policy(
            greatest_fee=Wei(ETHER),
            greatest_deposit=most,
            greatest_loss=most,
            hub=HubPolicy() if hub else None,
        )
        party = Sailor(name, KEYS[name], _Shore(self, name), policy)
        self.cast.append(party)
        self.switch_on(party)
        return party

    def switch_on(self, party: Sailor) -> None:
        """Also after a power cut."""
        with suppress(ChainFault):  # a daemon would look for the contracts again
            self.connect(party.name).require(self.deployment)
        party.switch_on()
        self.count_for(party.chain)

    def count_for(self, chain: ChainService) -> None:
        """Lets a chain port count this world's seconds instead of the machine's."""
        sight = chain.sight
        sight._clock = lambda: self.counted
        sight._arrived = sight._started = self.counted

    def look(self) -> None:
        for _ in range(self.rng.randint(2, 3)):
            for party in self.cast:
                if not party.alive:
                    continue
                if isinstance(party, Sailor):
                    party.look()
                else:
                    party.chain.poll()
            self.settle()
        if self.server.failure is not None:
            raise self.server.failure

    def mine(self, at: UnixTime | None = None) -> None:
        before = self.chain.now
        self.chain.mine(at=self.later(BLOCK) if at is None else at)
        self.counted += self.chain.now - before
        if self.limits.finality_blocks is None:
            self.chain.tagged = max(0, self.chain.head.number - 2)
