"""P1 to P10 of the protocol's section 7, as seen from the chain and from honest users' purses.

What a party may sign, send and accept is checked where it happens, by `Witness`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from perun.bindings import abi, events, ms_contract_calls
from perun.bindings.escrow import Decided
from perun.bindings.hash_chain import TicksSubmitted
from perun.bindings.price_bet import Priced
from perun.core.rules.accounting import clamp_to_locks
from perun.core.rules.phases import fresh
from perun.core.state import InstanceView, Role
from perun.testing.pool import PooledTransaction
from perun.types import (
    ETH,
    ChannelId,
    Flip,
    FlipRecord,
    Game,
    GameRecord,
    Hands,
    InstanceId,
    Machine,
    Nano,
    Position,
)
from tests.games.simulation import board, luck, shares
from tests.games.simulation.actor import Actor
from tests.games.simulation.theatre import FINALITY, Theatre
from tests.games.simulation.violated import Violated
from tests.games.simulation.witness import Witness
from tests.support.books import lost_fields

_REGISTER = abi.selector(
    "register((address,address,address,address,address,uint32,uint64),uint48,int112,"
    "(address,bytes32,uint112,uint112,uint40,bool)[],bytes,bytes,bytes[])"
)


class Checker:
    """Looks at one world, after every step and at the end."""

    def __init__(self, world: Theatre) -> None:
        self.world = world
        self._checked: bytes = b""
        world.watchers.append(self._after_block)

    # ---------------------------------------------------------------------------------- every step

    def after_step(self) -> None:
        """What must hold always."""
        world = self.world
        if world.chain.head.hash != self._checked:
            self._checked = world.chain.head.hash
            self._conservation()
        for actor in world.honest:
            self._patience(actor)
            self._on_disk(actor)
            assert actor.witness is not None
            actor.witness.look_at_flips()
            actor.witness.umpire.look()
            actor.witness.stakes.look()

    def _on_disk(self, actor: Actor) -> None:
        """P8: a restart would bring back what the node goes by, order of indexes included."""
        for field in lost_fields(actor.node.books, actor.store):
            raise Violated("P8: memory and disk differ", name=actor.name, field=field)

    def _after_block(self) -> None:
        block = self.world.chain.block(self.world.chain.head.number)
        assert block is not None
        for transaction in block.transactions:
            mined = self.world.chain.mined[transaction.hash]
            if not mined.succeeded and self.world.is_honest(transaction):
                self._lost_race(transaction)

    def _lost_race(self, transaction: PooledTransaction) -> None:
        """P10: an answer cannot be made to fail. It may be too late, or the channel closed with its
        own sender's signature."""
        if transaction.data[:4] != _REGISTER:
            self.world.seen["P10: other honest transactions that came second"] += 1
            return
        world = self.world
        for id in world.channels():
            dispute = world.ask(
                ms_contract_calls.dispute(world.deployment.contract.contract, ETH, id)
            )
            body = transaction.data
            channel = world.channels()[id]
            ours = channel.nonce.to_bytes(32, "big") in body
            if ours and dispute.deadline >= world.chain.now and not dispute.settling:
                raise Violated("P10: an answer failed", channel=id)

    def _conservation(self) -> None:
        """P1: the contract's balance covers all holdings and credits."""
        world = self.world
        contract = world.deployment.contract.contract
        owed = 0
        for id in world.channels():
            held = world.ask(ms_contract_calls.holdings(contract, ETH, id))
            if held.alice + held.bob < 0:
                raise Violated("P1: a channel paid out more than it held", channel=id)
            owed += held.alice + held.bob
        for actor in world.actors:
            owed += world.credit(actor.account.address) + world.credit(actor.key.address)
        has = world.lanes.balance(contract)
        if has < owed:
            raise Violated("P1: the contract owes more than it has", has=has, owed=owed)
        world.seen["P1: conservation"] += 1

    def _patience(self, actor: Actor) -> None:
        """P9: what an end can make a hub reserve ends with the hub's patience."""
        if actor.asked is not None:
            return  # its own signer keeps everybody waiting
        limits = actor.node.books.config.limits
        for crossing in actor.node.books.hub_instances.values():
            if crossing.stage.name in ("OPENING", "CLOSING"):
                instance = actor.node.books.instances[crossing.id]
                # Until its own view is fresh, and has said that nobody submitted, it cannot sign.
                seen = instance.watched and fresh(actor.node.books)
                limit = 2 * limits.patience + 2 + (0 if seen else limits.freshness)
                waited = actor.node.books.chain.clock - crossing.since
                if waited <= limit or self._could_not_refuse(actor, crossing.id):
                    continue
                held = [self._is_held(actor, leg.channel, crossing.id) for leg in instance.legs]
                if crossing.stage.name == "CLOSING" or any(held):
                    raise Violated("P9: a hub waits beyond its patience", waited=waited)

    def _is_held(self, actor: Actor, channel: ChannelId, crossing: InstanceId) -> bool:
        """Whether a channel waits for a crossing. One waits longer whose own end has not shown its
        state since the hub started: nothing can be signed in it meanwhile."""
        view = actor.node.books.channels[channel]
        return view.inflight == crossing and (view.met or view.held is None)

    def _could_not_refuse(self, actor: Actor, id: bytes) -> bool:
        """A pair that is being signed, in dispute, or whose own refusal is unanswered may last."""
        books = actor.node.books
        instance = books.instances.get(id)  # type: ignore[call-overload]
        if instance is None:
            return False
        views = [books.channels[leg.channel] for leg in instance.legs]
        if any(leg.status.name != "NEW" for leg in instance.legs):
            return True
        return any(
            view.proposals
            or view.head.dispute is not None
            or view.head.ended
            or view.close is not None
            or view.leaving
            for view in views
        )

    # -------------------------------------------------------------------------------------- the end

    def at_the_end(self, started: int) -> None:
        """Everybody honest has left: all their money is out, in time, and explained."""
        world = self.world
        for _ in range(FINALITY + 1):
            world.step_time()
        self._events()
        for actor in world.honest:
            self._purse(actor)
            self._neutral(actor)
            self._bounded(actor)
        self._in_time(started)
        self._conservation()
        world.seen["games"] += 1

    def _purse(self, actor: Actor) -> None:
        """P2, P4 and P5 in one: what its user was promised is in its account or its credit."""
        witness = actor.witness
        assert witness is not None
        witness.look_at_flips()
        witness.umpire.look()
        witness.stakes.look()
        revealed = 0 if witness.copied else sum(witness.revealed.values())
        if witness.copied and actor.name == "ingrid":
            return  # what a hub loses by an old copy depends on all that crossed it meanwhile
        got = self.world.wealth(actor) - self.world.start_wealth[actor.name]
        if got < witness.expects + revealed:
            raise Violated(
                "P2: less than promised",
                name=actor.name,
                got=got,
                promised=witness.expects + revealed,
                received=list(witness.received.values()),
                signed=list(witness.statements.values()),
                transferred=list(witness.transferred.values()),
                ordered=witness.ordered,
                revealed=revealed,
            )
        self.world.seen["P2: honest purses counted"] += 1

    def _neutral(self, actor: Actor) -> None:
        """P4: the hub's gain in one channel is its loss in the other."""
        if actor.copied_at is not None:
            return
        decided = self._decided()
        for instance in actor.node.books.instances.values():
            if instance.role is not None or len(instance.legs) != 2:
                continue
            gains = [self._gain(actor, instance, leg.channel, decided) for leg in instance.legs]
            if sum(gains) < 0:
                raise Violated("P4: the hub lost", gains=gains, legs=instance.legs)
            self.world.seen["P4: instances that crossed an honest hub"] += any(gains)

    def _decided(self) -> dict[ChannelId, tuple[Nano, ...]]:
        """The list with which each disputed channel was settled, in its first life: what anybody
        sends to a dead channel's id and disputes there is no business of its parties."""
        found: dict[ChannelId, tuple[Nano, ...]] = {}
        over: set[ChannelId] = set()
        for _, _, event in self.world.events_from(1):
            match event:
                case events.Registered(id) if id not in over:
                    found[id] = event.nanos
                case events.Closed(id):
                    over.add(id)
                case events.Settled(id) if not event.remaining:
                    over.add(id)
        return found

    def _gain(
        self,
        actor: Actor,
        instance: InstanceView,
        id: ChannelId,
        decided: dict[ChannelId, tuple[Nano, ...]],
    ) -> int:
        view = actor.node.books.channels[id]
        leg = next(leg for leg in instance.legs if leg.channel == id)
        nano = next((nano for nano in decided.get(id, ()) if nano.id == instance.id), None)
        if nano is not None:
            shift = clamp_to_locks(nano, self._outcome(instance))
        else:
            shift = -leg.removed_shift if leg.swapped else leg.removed_shift
        return -shift if view.role is Role.ALICE else shift

    def _outcome(self, instance: InstanceView) -> int:
        terms, on = instance.terms, instance.head
        if on is None:
            return 0
        if isinstance(terms, Flip | Hands):
            assert isinstance(on, FlipRecord)
            return luck.outcome(terms, on, on.deadline + 1) or 0
        if shares.is_shared(terms):
            return shares.outcome(terms, on, on.deadline + 1) or 0
        if isinstance(terms, Game):
            assert isinstance(on, GameRecord)
            return board.outcome(terms, on, self.world.chain.now) or 0
        if isinstance(terms, Machine):
            by_alice = on.paid_by_alice if terms.alice_lock else 0
            return by_alice - (on.paid_by_bob if terms.bob_lock else 0)
        return -terms.amount if terms.bob_pays else terms.amount

    def _bounded(self, actor: Actor) -> None:
        """P9: transactions that others can force on an honest party, per channel and instance."""
        seen: Counter[str] = Counter()
        for number in range(1, self.world.chain.head.number + 1):
            block = self.world.chain.block(number)
            assert block is not None
            for transaction in block.transactions:
                if transaction.sender == actor.account.address:
                    seen["mined"] += 1
        channels, instances = len(actor.channels()), len(actor.node.books.instances)
        accidents = actor.lives + self.world.seen["reorganisations"]
        ordered = self.world.seen["did CommandFund"] + self.world.seen["did CommandWithdraw"]
        most = 6 * channels + 4 * instances + 4 * accidents + 2 * ordered
        if seen["mined"] > most:
            raise Violated("P9: too many transactions", mined=seen["mined"], most=most)

    def _in_time(self, started: int) -> None:
        """P5: one challenge for free money, each expiry for what is locked."""
        world = self.world
        limits = world.limits
        ends = [started + limits.least_challenge]
        for actor in world.honest:
            for view in actor.channels():
                if view.agreed is not None:
                    ends += [nano.expiry for nano in view.agreed.state.nanos]
        for _, _, event in world.events_from(1):
            if isinstance(event, events.Registered):
                ends += [event.deadline, *(nano.expiry for nano in event.nanos)]
        most = max(ends) + limits.offer_validity + 2 * limits.margin
        if world.chain.now > most:
            raise Violated("P5: too late", now=world.chain.now - started, most=most - started)
        world.seen["P5: exits in time"] += 1

    def _events(self) -> None:
        """P1, P3, P7: each channel pays what it held, by what its honest sides have signed."""
        into: Counter[ChannelId] = Counter()
        turns: dict[bytes, int] = {}
        for _, _, event in self.world.events_from(1):
            match event:
                case events.Deposited(id, asset, alice, bob) if asset == ETH:
                    into[id] = alice + bob
                case events.Registered():
                    self._signed_state(event)
                case events.Withdrawn(id, _, alice, bob):
                    into[id] -= alice + bob
                    self._signed_withdraw(event)
                case events.Closed(id, alice, bob):
                    self._paid_exactly(id, alice + bob, into)
                    into[id] = 0
                    self.world.seen["channels closed by agreement"] += 1
                case events.Settled(id, alice, bob, remaining):
                    left = sum(nano.alice_lock + nano.bob_lock for nano in remaining)
                    self._paid_exactly(id, alice + bob + left, into)
                    into[id] = left
                    self.world.seen["settlements"] += 1
                case events.Submitted(id, alice, bob):
                    self._signed_totals(id, alice, bob)
                    self.world.seen["submissions"] += 1
                case events.FlipRevealed():
                    self.world.seen["flips and hands on chain"] += 1
                case Decided():
                    self.world.seen[f"deals on chain, rank {event.rank}"] += 1
                case Priced():
                    self.world.seen["bets void on chain" if event.void else "bets on chain"] += 1
                case TicksSubmitted():
                    self._given_ticks(event)
                case events.PositionSubmitted():
                    self._signed_position(event)
                    turns[event.id] = event.turn
                case events.Moved(id, version):
                    self._signed_move(id, version, turns[id])
                    turns[id] = event.turn
                case events.Revealed():
                    self.world.seen["secrets revealed on chain"] += 1

    def _paid_exactly(self, id: ChannelId, paid: int, into: Counter[ChannelId]) -> None:
        if paid != into[id]:
            raise Violated(
                "P7: a channel paid another amount than it held", paid=paid, had=into[id]
            )

    def _sides(self, id: ChannelId) -> list[Actor]:
        channel = self.world.channels().get(id)
        if channel is None:
            return []
        keys = (channel.alice_key, channel.bob_key)
        return [actor for actor in self.world.honest if actor.key.address in keys]

    def _signed_state(self, event: events.Registered) -> None:
        self.world.seen["registrations"] += 1
        if event.version == 0:
            if event.net or event.nanos:
                raise Violated("P3: version 0 moves money")
            return
        for actor in self._sides(event.id):
            witness = actor.witness
            assert witness is not None
            signed = witness.states.get((event.id, int(event.version)), set())
            if all((s.net, s.nanos) != (event.net, event.nanos) for s in signed):
                raise Violated("P3: registered and never signed", name=actor.name, event=event)
        self.world.seen["P3: registered states were signed"] += 1

    def _signed_withdraw(self, event: events.Withdrawn) -> None:
        self.world.seen["withdrawals"] += 1
        for actor in self._sides(event.id):
            witness = actor.witness
            assert witness is not None
            if not any(
                (wish.channel, wish.index, wish.alice_amount, wish.bob_amount)
                == (event.id, event.index, event.alice_amount, event.bob_amount)
                for wish in witness.withdraws
            ):
                raise Violated("P3: withdrawn and never signed", name=actor.name, event=event)

    def _ends(self, id: bytes) -> Iterator[tuple[Witness, Role]]:
        """Honest ends of an instance that is still known."""
        for actor in self.world.honest:
            instance = actor.node.books.instances.get(InstanceId(id))
            if instance is not None and instance.role is not None:
                assert actor.witness is not None
                yield actor.witness, instance.role

    def _signed_position(self, event: events.PositionSubmitted) -> None:
        self.world.seen["positions submitted"] += 1
        position = Position(event.id, event.version, event.turn, event.shift, event.position)
        for witness, _ in self._ends(event.id):
            if position not in witness.umpire.positions.get((event.id, event.version), ()):
                raise Violated("P3: a position it never signed", position=position)

    def _signed_move(self, id: bytes, version: int, turn: int) -> None:
        self.world.seen["moves on chain"] += 1
        for witness, role in self._ends(id):
            moved = [key for key in witness.umpire.moves if key[:2] == (id, version - 1)]
            if turn == role + 1 and not moved:
                raise Violated("P3: a move it never signed", version=version)

    def _given_ticks(self, event: TicksSubmitted) -> None:
        self.world.seen["streams on chain"] += 1
        for witness, role in self._ends(event.id):
            if role is Role.ALICE and event.total > witness.stakes.given.get(event.id, 0):
                raise Violated("P3: ticks it never gave out", event=event)

    def _signed_totals(self, id: bytes, by_alice: int, by_bob: int) -> None:
        for actor in self.world.honest:
            instance = actor.node.books.instances.get(id)  # type: ignore[call-overload]
            if instance is None or instance.role is None:
                continue
            witness = actor.witness
            assert witness is not None
            own = by_alice if instance.role is Role.ALICE else by_bob
            if own > witness.statements.get(id, 0):  # type: ignore[call-overload]
                raise Violated("P3: a total it never signed", name=actor.name, total=own)
