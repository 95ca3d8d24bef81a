"""Random commands on a wire that loses, repeats and reorders, nodes that crash, then every man for
himself: everybody gets what it could count on, and the hub comes out even [P1, P2, P4, P8].

The contracts are the EVM-free ledger here; the simulation with bytecode is `tests/games/stateful`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign, SignItem
from perun.core.inputs import (
    Command,
    CommandAddMachine,
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
    CommandReveal,
)
from perun.core.nanocontracts.machine import totals_shift
from perun.core.rules.accounting import clamp_to_locks, gain
from perun.core.rules.phases import Phase, phase
from perun.core.signing import digest
from perun.core.state import LegStatus, Role
from perun.core.states.content import agreed_content
from perun.core.states.valuation import balance
from perun.crypto.hashing import keccak
from perun.crypto.signatures import verify
from perun.encoding.messages import AnswerState, Pay, Propose, RequestInstance, decode
from perun.errors import BrokenInvariant
from perun.store import MemoryStore, WriteFailed
from perun.testing.network import Letter
from perun.testing.parties import DEPLOYMENT, Party, World
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel
from perun.types import (
    MachineId,
    Preimage,
    Seconds,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
)

DEPOSIT = 10_000


class Chaos:
    """Alice, Bob and Ingrid in bad weather."""

    def __init__(self, seed: int, wicked: tuple[str, ...] = ()) -> None:
        self.random = random.Random(seed)
        self.world = World(lag=self.random.choice((0, 2)))
        world = self.world
        # Who pays no fee signs its half before the hub has granted.
        frugal = replace(OPEN_HANDED, greatest_fee=Wei(0))
        policies = [self.random.choice((OPEN_HANDED, frugal)) for _ in range(2)]
        self.alice, self.bob = world.party("alice", policies[0]), world.party("bob", policies[1])
        self.ingrid = world.party("ingrid", hub_policy())
        self.parties = world.parties
        world.advance(blocks=3)
        self.left = open_channel(world, self.alice, self.ingrid, DEPOSIT, DEPOSIT)
        self.right = open_channel(world, self.bob, self.ingrid, DEPOSIT, DEPOSIT)
        self.late: list[Letter] = []
        self.secrets: dict[bytes, Preimage] = {}
        self.wicked = [party for party in self.parties if party.name in wicked]

    # ------------------------------------------------------------------------------- weather

    def weather(self, letter: Letter) -> Iterable[Letter]:
        dice = self.random.random()
        if dice < 0.04:
            return ()
        if dice < 0.10:
            return (letter, letter)
        if dice < 0.16:
            self.late.append(letter)
            return ()
        if self.late and dice < 0.3:
            old = self.late.pop(self.random.randrange(len(self.late)))
            return (letter, old)
        return (letter,)

    def turn(self, party: Party) -> None:
        store = party.store
        assert isinstance(store, MemoryStore)
        try:
            party.node.turn()
        except WriteFailed:
            store.crash_before = None
            party.restart()

    def settle(self, most: int = 400) -> None:
        for _ in range(most):
            busy = [party for party in self.parties if party.node.busy]
            if not busy:
                return
            self.turn(self.random.choice(busy))

    # --------------------------------------------------------------------------------- moves

    def move(self) -> None:
        pick = self.random
        for party in self.wicked:
            # It knows of its own lies, and does not mind.
            party.node.books.exit_only = False
        party = pick.choice(self.parties)
        dice = pick.random()
        if party in self.wicked and dice > 0.6:
            self.lie(party)
        elif dice < 0.08:
            assert isinstance(party.store, MemoryStore)
            party.store.crash_before = pick.randrange(4)
        elif dice < 0.25:
            self.world.ledger.advance(pick.choice((5, 12, 30)))
        elif dice < 0.30:
            for other in self.parties:
                if other is not party:
                    party.node.meet(other.peer)
        else:
            command = self.command(party)
            if command is not None:
                party.node.post([command])
        self.settle()

    def command(self, party: Party) -> Command | None:
        pick, now = self.random, self.world.ledger.time
        view = pick.choice(list(party.node.books.channels.values()))
        instances = [
            i
            for i in party.node.books.instances.values()
            if i.role is not None and i.legs[0].status is LegStatus.LISTED
        ]
        end = {b"a": self.bob, b"b": self.alice}.get(party.name[:1].encode())
        other = end.peer if end is not None and pick.random() < 0.6 else b""
        life = UnixTime(now + pick.choice((900, 3_000)))
        dice = pick.random()
        if dice < 0.10:
            return CommandTransfer(view.id, Wei(pick.randrange(1, 200)))
        if dice < 0.30:
            lock = pick.randrange(0, 400)
            return CommandAddMachine(
                view.id, Wei(400 - lock), Wei(lock), life, Seconds(600), party.random(), other
            )
        if dice < 0.34:
            secret = Preimage(party.random())
            self.secrets[keccak(secret)] = secret
            amount = Wei(pick.randrange(1, 100))
            return CommandLock(view.id, amount, keccak(secret), life, party.random(), other)
        if dice < 0.36:
            return CommandWithdraw(view.id, Wei(pick.randrange(1, 300)))
        if not instances:
            return None
        chosen = pick.choice(instances)
        if chosen.lock is not None:
            return CommandReveal(chosen.id, self.secrets[chosen.lock.hash])
        if dice < 0.88:
            return CommandPay(MachineId(chosen.id), Wei(pick.randrange(1, 60)))
        return CommandRemove(chosen.id)

    # ----------------------------------------------------------------------------- wickedness

    def lie(self, party: Party) -> None:
        """Signs and sends what suits it, whatever its own node would say."""
        pick, books = self.random, party.node.books
        view = pick.choice(list(books.channels.values()))
        net, nanos = agreed_content(view)
        peer = next(one for one in self.parties if one.peer == view.peer)
        highest = max(view.signed, view.seen)
        versions = [v for v in range(highest, highest + 4) if v % 2 == (view.role is Role.BOB)]
        shift = pick.choice((0, pick.randrange(-400, 400)))
        gone = pick.choice(nanos) if nanos and pick.random() < 0.8 else None
        total, other, statement = Wei(pick.randrange(400)), Wei(pick.randrange(400)), b""
        instance = books.instances.get(gone.id) if gone is not None else None
        if gone is not None and instance is not None and instance.machine is not None:
            # A removal in good form, at totals that it makes up.
            if pick.random() < 0.5:
                total = other = Wei(0)
            statement = self.signature(party, Statement(MachineId(gone.id), total))
            pair = (total, other) if instance.role is Role.ALICE else (other, total)
            shift = clamp_to_locks(gone, totals_shift(instance.machine, *pair))
            for victim in self.parties:
                pay = Pay(MachineId(gone.id), total, Signature(statement))
                self.world.network.inject(party.peer, victim.peer, pay)
        left = tuple(nano for nano in nanos if nano is not gone)
        state = State(view.id, Version(pick.choice(versions)), Wei(net + shift), left)
        message = Propose(
            state,
            self.signature(party, state),
            2,
            None,
            gone.id if gone is not None else None,
            total,
            Signature(statement),
            other,
        )
        self.world.network.inject(party.peer, peer.peer, message)

    def signature(self, party: Party, message: State | Statement) -> Signature:
        return party.signer.sign_now(Sign((SignItem(party.key.address, message),)))[0]

    def cheat_on_chain(self, party: Party) -> None:
        """Registers any state that the other side has ever signed, and old totals."""
        pick = self.random
        by = {one.peer: one for one in self.parties}
        proposed: dict[tuple[bytes, int], list[State]] = {}
        signed: list[tuple[Party, State]] = []
        for sender, _, frame in self.world.network.seen:
            message = decode(frame)
            if isinstance(message, Propose):
                place = (message.state.channel, int(message.state.version))
                proposed.setdefault(place, []).append(message.state)
                signed.append((by[sender], message.state))
            elif isinstance(message, RequestInstance):
                halves = [half for half in (message.own_half, message.other_half) if half]
                signed += [(self.signer_of(half.state), half.state) for half in halves]
                for half in halves:
                    place = (half.state.channel, int(half.state.version))
                    proposed.setdefault(place, []).append(half.state)
            elif isinstance(message, AnswerState):
                # A liar proposes several states of one version: the signature says which it is for.
                for state in proposed.get((message.channel, message.version), ()):
                    hashed = digest(DEPLOYMENT, state)
                    if verify(hashed, message.signature, by[sender].key.address):
                        signed.append((by[sender], state))
        for view in party.node.books.channels.values():
            usable = [s for one, s in signed if s.channel == view.id and one.peer == view.peer]
            # What pays it best by `net` alone; the rest is up to the statements.
            role = view.role
            usable.sort(key=lambda state, role=role: gain(role, state.net), reverse=True)
            for state in usable[:6]:
                self.world.register(view.channel, state, party.account.address)
        for instance in party.node.books.instances.values():
            machine, totals = instance.machine, party.node.books.totals.get(instance.id)
            if machine is None or instance.role is None or pick.random() < 0.3:
                continue
            if instance.via and len(self.wicked) == 2 and self.ingrid not in self.wicked:
                # Both ends are one: they sign whatever suits them together.
                pair = pick.choice(((machine.alice_lock, 0), (0, machine.bob_lock)))
            else:
                sent = pick.randrange(totals.sent + 1) if totals else 0
                pair = (Wei(sent), Wei(totals.received // 2 if totals else 0))
                pair = pair if instance.role is Role.ALICE else pair[::-1]
            self.world.submit_totals(machine, *pair)

    def signer_of(self, state: State) -> Party:
        """The end of a channel with the hub: no half of it is the hub's."""
        ends = (self.alice, self.bob)
        return next(end for end in ends if state.channel in end.node.books.channels)

    # -------------------------------------------------------------------------------- checks

    def check_signatures(self, honest: list[Party]) -> None:
        """P8: no honest party shows two states of one version."""
        names = [party.peer for party in honest]
        states: dict[tuple[bytes, bytes, int], object] = {}
        for sender, _, frame in self.world.network.seen:
            message = decode(frame)
            if isinstance(message, Propose) and sender in names:
                key = (sender, message.state.channel, message.state.version)
                assert states.setdefault(key, message.state) == message.state

    def guaranteed(self, party: Party) -> int:
        books = party.node.books
        return sum(balance(books, view).guaranteed for view in books.channels.values())


HONEST = [()] * 10
ONE = [("alice",), ("bob",), ("ingrid",)] * 4
TWO = [("alice", "bob"), ("alice", "ingrid"), ("bob", "ingrid")] * 4


@pytest.mark.parametrize(("seed", "wicked"), list(enumerate([*HONEST, *ONE, *TWO])))
def test_the_honest_get_at_least_what_they_could_count_on(
    seed: int, wicked: tuple[str, ...]
) -> None:
    chaos = Chaos(seed, wicked)
    network = chaos.world.network
    network.rule = chaos.weather
    for _ in range(90):
        chaos.move()
    honest = [party for party in chaos.parties if party not in chaos.wicked]
    chaos.check_signatures(honest)
    for party in chaos.parties:
        assert isinstance(party.store, MemoryStore)
        party.store.crash_before = None
    # From here on nobody talks. The wicked begin, each honest one leaves through the chain.
    network.rule = lambda _letter: ()
    for _ in range(4):
        chaos.world.ledger.advance()
        chaos.settle()
    counted = {party.name: chaos.guaranteed(party) for party in honest}
    before = {p.name: chaos.world.ledger.paid.get(p.account.address, 0) for p in chaos.parties}
    for party in chaos.wicked:
        party.chain.mining = False
        chaos.cheat_on_chain(party)
    # Answering needs no command; leaving a channel that is not disputed does.
    for _ in range(3):
        chaos.world.ledger.advance(40)
        chaos.settle()
    for party in honest:
        for view in party.node.books.channels.values():
            if phase(view, party.node.books.chain) is not Phase.ENDED:
                party.node.post([CommandDispute(view.id)])
    for _ in range(110):
        chaos.world.ledger.advance(40)
        chaos.settle()

    paid = {p.name: chaos.world.ledger.paid.get(p.account.address, 0) for p in chaos.parties}
    for party in honest:
        gained = paid[party.name] - before[party.name]
        assert gained >= counted[party.name], (seed, party.name, gained, counted[party.name])
        assert not party.node.books.exit_only
        bugs = [error for _, error in party.faults if isinstance(error, BrokenInvariant)]
        assert bugs == []
    if not wicked:
        assert sum(paid.values()) == 4 * DEPOSIT
    assert sum(paid.values()) <= 4 * DEPOSIT
