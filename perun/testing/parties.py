"""Nodes to play with: a party is a node on a memory store, with a signer, a wire and a ledger.

Everything is deterministic: keys and seeds come from names, time from the ledger, and messages move
only when a test turns the parties or lets the mailman work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from perun.core.config import Config, Deployment, Policy
from perun.core.effects import OpenChannel, Register, Sign, Signable, SignItem, SubmitEvidence
from perun.core.inputs import Command
from perun.core.limits import Limits
from perun.core.notices import Notice
from perun.core.rulebook import Rulebook
from perun.core.signing import digest
from perun.core.state import ChannelView, PeerId
from perun.crypto.hashing import keccak
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import channel_id, machine_id
from perun.encoding.machine import (
    statements_evidence,
)
from perun.node.guest import Guest
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for
from perun.ports import Store
from perun.store.memory import MemoryStore
from perun.testing.ledger import DEPLOYMENT, Ledger, LedgerChain
from perun.testing.network import ScriptedNetwork
from perun.testing.rules import RULEBOOK
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Channel,
    Machine,
    Nonce,
    Salt,
    Signature,
    State,
    Statement,
    UnixTime,
    Wei,
)
from perun.wire.local import LocalNetwork

__all__ = ["DEPLOYMENT", "LIMITS", "ManualClock", "MemorySigner", "Party", "World", "key_of"]

LIMITS = Limits(
    freshness=60,  # type: ignore[arg-type]
    margin=60,  # type: ignore[arg-type]
    least_challenge=600,  # type: ignore[arg-type]
    least_machine_challenge=600,  # type: ignore[arg-type]
    offer_validity=300,  # type: ignore[arg-type]
    open_validity=120,  # type: ignore[arg-type]
)


def key_of(name: str) -> SecretKey:
    """The key of a name: for tests only, of course."""
    return SecretKey(keccak(b"perun test key of " + name.encode()))


class ManualClock:
    """A clock that a test sets; by default it shows the ledger's time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.ahead = 0

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return UnixTime(self._ledger.time + self.ahead)


class MemorySigner:
    """Signs at once with keys it holds; `asked` counts, `slow` collects instead."""

    def __init__(self, deployment: Deployment, *keys: SecretKey) -> None:
        self._deployment = deployment
        self._keys = {key.address: key for key in keys}
        self.holds = self._keys.keys()
        self.asked = 0
        self.slow: list[Sign] | None = None

    def sign(self, wish: Sign) -> tuple[Signature, ...] | None:
        """See `perun.ports.Signer`."""
        if self.slow is not None:
            self.slow.append(wish)
            return None
        return self.sign_now(wish)

    def sign_now(self, wish: Sign) -> tuple[Signature, ...]:
        """The signatures."""
        self.asked += len(wish.items)
        return tuple(
            sign(digest(self._deployment, item.message), self._keys[item.key])
            for item in wish.items
        )


class Party:
    """One node, its ports, and what it was told."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        network: LocalNetwork,
        policy: Policy | None = None,
        store: Store | None = None,
        limits: Limits = LIMITS,
        deployment: Deployment = DEPLOYMENT,
        account: SecretKey | None = None,
        guest: Callable[[Party], Guest] | None = None,
        rules: Rulebook = RULEBOOK,
    ) -> None:
        self.name = name
        self.rules = rules
        self._guest = guest
        self.key = key_of(name)
        self.account = account or self.key
        self.ledger, self.network = ledger, network
        self.deployment, self.limits = deployment, limits
        self.policy = policy or Policy()
        self.store: Store = store if store is not None else MemoryStore()
        self.clock = ManualClock(ledger)
        self.notices: list[Notice] = []
        self.faults: list[tuple[object, Exception]] = []
        self.signer = MemorySigner(deployment, self.key, self.account)
        self.chain = LedgerChain(ledger, self.account.address)
        self._count = 0
        self._boot()

    def _boot(self) -> None:
        config: Config = config_for(
            self.deployment,
            self.key.public_key,
            keccak(b"seed of " + self.name.encode()),
            self.account.address,
            self.policy,
            self.limits,
        )
        guest = None if self._guest is None else self._guest(self)
        self.node = Node(
            open_books(config, self.store, guest, self.rules),
            self.store,
            self.signer,
            self.chain,
            self.clock,
            self.notices.append,
            lambda what, error: self.faults.append((what, error)),
            guest,
        )
        self.chain.inbox = self.node.post
        wire = self.network.join(self.peer, self.node.receive, self.node.meet)
        self.node.connect(wire)
        self.node.post([self.chain.block(), *self.chain.snapshots()])

    @property
    def peer(self) -> PeerId:
        """How others reach it."""
        key = self.key.public_key.data
        return bytes((2 + (key[63] & 1),)) + key[:32]

    def restart(self, store: Store | None = None) -> None:
        """Loses everything but the store, and starts again."""
        if store is not None:
            self.store = store
        self.network.leave(self.peer)
        self._boot()
        self.node.start()

    def do(self, *commands: Command) -> None:
        """Commands of its user; refusals are raised."""
        before = len(self.faults)
        self.node.post(commands)
        self.node.turn()
        for what, error in self.faults[before:]:
            if what in commands:
                raise error

    def random(self) -> Salt:
        """32 bytes that nobody used before."""
        self._count += 1
        return Salt(keccak(f"{self.name} {self._count}".encode()))

    def nonce(self) -> Nonce:
        """A nonce that nobody used before."""
        return Nonce(int.from_bytes(self.random()[:8], "big"))

    def channel(self, other: Party) -> ChannelView:
        """Its newest channel with another party."""
        found = [v for v in self.node.books.channels.values() if v.peer == other.peer]
        return found[-1]

    def told(self, kind: type) -> list[Notice]:
        """Notices of one kind."""
        return [notice for notice in self.notices if type(notice) is kind]


class World:
    """Parties, a ledger, and a loop that turns everybody until all is quiet."""

    def __init__(self, lag: int = 0) -> None:
        self.ledger = Ledger(lag=lag)
        self.network = ScriptedNetwork()
        self.parties: list[Party] = []

    def party(self, name: str, policy: Policy | None = None, **more: object) -> Party:
        """Another party."""
        party = Party(name, self.ledger, self.network, policy, **more)  # type: ignore[arg-type]
        self.parties.append(party)
        return party

    def sign(self, key: Address, message: Signable) -> Signature:
        """Whoever has the key signs, without being asked whether it should."""
        for party in self.parties:
            if key in party.signer.holds:
                return party.signer.sign_now(Sign((SignItem(key, message),)))[0]
        raise KeyError(f"nobody here has the key of 0x{key.hex()}")

    def submit_totals(self, machine: Machine, by_alice: int, by_bob: int) -> bool:
        """Both payers' statements, old or new, come to the chain; False: they are refused."""
        id = machine_id(DEPLOYMENT.vpm, machine)
        paid = Wei(by_alice), Wei(by_bob)
        signed = [
            self.sign(key, Statement(id, total)) if total else Signature(b"")
            for key, total in zip((machine.alice, machine.bob), paid, strict=True)
        ]
        evidence = statements_evidence(machine, paid[0], signed[0], paid[1], signed[1])
        sent = SubmitEvidence(DEPLOYMENT.vpm.contract, id, evidence)
        return self.ledger.apply(sent, ZERO_ADDRESS)

    def register(self, channel: Channel, state: State, sender: Address) -> bool:
        """A state that both have signed comes to the chain, however old; False: it is refused."""
        keys = (channel.alice_key, channel.bob_key)
        by_alice, by_bob = (
            self.sign(key, state) if state.version else Signature(b"") for key in keys
        )
        id = channel_id(DEPLOYMENT.contract, channel)
        sent = Register(channel, id, state.version, state.net, state.nanos, by_alice, by_bob)
        return self.ledger.apply(sent, sender)

    def open_alone(self, channel: Channel, sender: Address, amount: int) -> None:
        """An account sends its `open`, whatever was agreed."""
        until = UnixTime(self.ledger.time + 1)
        self.ledger.call(OpenChannel(channel, Wei(amount), until), sender)

    def settle(self, only: Iterable[Party] | None = None, turns: int = 10_000) -> None:
        """Turns parties until nobody has anything to do."""
        players = list(only) if only is not None else self.parties
        for _ in range(turns):
            busy = [party for party in players if party.node.busy]
            for party in busy:
                party.node.turn()
            if not busy:
                return
        raise AssertionError("the parties never come to rest")

    def advance(self, seconds: int = 12, blocks: int = 1) -> None:
        """Time passes; then everybody reacts."""
        self.ledger.advance(seconds, blocks)
        self.settle()

    def until(self, done: Callable[[], bool], step: int = 12, most: int = 1_000) -> None:
        """Time passes until something is so."""
        for _ in range(most):
            if done():
                return
            self.advance(step)
        raise AssertionError("it never happens")
