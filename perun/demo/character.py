"""One of the cast: a node with its own store, keys and way to the chain. Its power can be cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from perun.chain import ChainService
from perun.chain.endpoint import Endpoint
from perun.chain.reports import Paid, Report
from perun.chain.wishes import Wish
from perun.core.books import Books
from perun.core.config import Config, Deployment, Policy
from perun.core.effects import Sign
from perun.core.inputs import Input
from perun.core.limits import Limits
from perun.core.notices import Notice
from perun.core.rulebook import Rulebook
from perun.core.state import ChannelView, PeerId
from perun.crypto import SecretKey
from perun.crypto.hashing import keccak
from perun.errors import BrokenInvariant
from perun.node import Node, config_for
from perun.node.assembly import Assembly
from perun.node.profile import Profile
from perun.ports import Clock
from perun.types import Address, ChannelId, Signature, Wei
from perun.wallet import LocalWallet
from perun.wire.local import LocalNetwork

__all__ = ["Character", "Surroundings"]

N = TypeVar("N")


class Surroundings(Protocol):
    """What a party finds around it."""

    folder: Path
    deployment: Deployment
    limits: Limits
    any_price: bool
    """Whether `limits` are kept as they are, or set by what gas costs when a party starts."""
    network: LocalNetwork
    clock: Clock
    since: int
    rules: Rulebook
    """The games that everybody plays."""

    def endpoint(self) -> Endpoint:
        """A way to the chain."""


class _CountingWallet(LocalWallet):
    """Knows how often it has signed."""

    count = 0

    def sign(self, sign: Sign) -> tuple[Signature, ...]:
        """See `LocalWallet`."""
        self.count += len(sign.items)
        return super().sign(sign)

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        """See `LocalWallet`."""
        self.count += sum(len(sign.items) for sign in signs)
        return super().sign_all(signs)


@dataclass(eq=False)
class Character:
    """A node and everything it stands on: one of the cast."""

    name: str
    key: SecretKey
    around: Surroundings
    policy: Policy
    notices: list[Notice] = field(default_factory=list)
    faults: list[tuple[object, Exception]] = field(default_factory=list)
    transactions: list[Paid] = field(default_factory=list)
    """What is in final blocks, of all its lives."""

    def __post_init__(self) -> None:
        around = self.around
        self.config: Config = config_for(
            around.deployment,
            self.key.public_key,
            keccak(b"demo seed" + self.key.secret),
            policy=self.policy,
            limits=around.limits,
        )
        self.wallet = _CountingWallet(around.deployment, [self.key])
        self.path = around.folder / f"{self.name.lower()}.perun"
        self.alive = False

    # ---------------------------------------------------------------------------------------- life

    def switch_on(self) -> None:
        """Starts on whatever the store holds, and meets everybody again."""
        around = self.around
        self._assembly = Assembly(
            self.path,
            self.config,
            self.key,
            around.endpoint(),
            wallet=self.wallet,
            clock=around.clock,
            since=around.since,
            any_price=around.any_price,
            notify=self.notices.append,
            fault=lambda what, error: self.faults.append((what, error)),
            report=self._hear,
            rules=around.rules,
        )
        self._assembly.join(around.network)
        self.alive = True

    def cut_power(self) -> None:
        """Stops in the middle of whatever it does: what is not on disk is lost."""
        self.around.network.leave(self.peer)
        self._assembly.close()
        self.alive = False

    def _hear(self, report: Report) -> None:
        if isinstance(report, Paid):
            self.transactions.append(report)

    # ------------------------------------------------------------------------------------- looking

    @property
    def peer(self) -> PeerId:
        """How others reach it."""
        return self.config.identity.peer

    @property
    def node(self) -> Node:
        """The node of its present, or last, life."""
        return self._assembly.node

    @property
    def chain(self) -> ChainService:
        """That node's way to the chain."""
        return self._assembly.chain

    @property
    def profile(self) -> Profile:
        """What its store says about itself."""
        return self._assembly.profile

    @property
    def address(self) -> Address:
        """Its account, which is its key too."""
        return self.key.address

    @property
    def books(self) -> Books:
        """What it knows."""
        return self.node.books

    @property
    def gas_paid(self) -> Wei:
        """ETH for gas so far, in wei."""
        return Wei(sum(paid.paid for paid in self.transactions))

    @property
    def gas_used(self) -> int:
        """Gas so far."""
        return sum(paid.gas_used for paid in self.transactions)

    def channel(self, id: ChannelId) -> ChannelView:
        """One of its channels."""
        return self.books.channels[id]

    def channel_with(self, other: Character) -> ChannelId:
        """The channel with somebody, if there is exactly one that lives."""
        found = [
            view.id
            for view in self.books.channels.values()
            if view.peer == other.peer and not view.final.ended
        ]
        if len(found) != 1:
            raise BrokenInvariant(f"{self.name} has {len(found)} channels with {other.name}")
        return found[0]

    def heard(self, kind: type[N]) -> list[N]:
        """Notices of a kind, oldest first."""
        return [notice for notice in self.notices if isinstance(notice, kind)]

    # --------------------------------------------------------------------------------------- doing

    def do(self, *commands: Input) -> None:
        """Commands of its user; carried out when the node turns."""
        self.node.post(commands)

    def send(self, wish: Wish) -> None:
        """A transaction that is no business of the protocol, under the same nonces."""
        self.chain.submitter.submit(wish)
