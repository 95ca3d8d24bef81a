"""The stage of a game: one scripted chain, one scripted wire, one clock, three actors.

Blocks come when told. What an honest party has sent is in a block soon, as the protocol's margins
assume; everything else about order, time, loss and reorganisation is up to the moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from perun.app.settings import Settings
from perun.bindings import events, ms_contract_calls
from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call, Query
from perun.bindings.escrow import Decided
from perun.bindings.price_bet import Priced
from perun.chain.kinds import known_apps
from perun.core.config import Policy
from perun.core.limits import Limits
from perun.core.rulebook import Rulebook
from perun.core.state import PeerId
from perun.node.settings import peer_id
from perun.referee.here import run
from perun.referee.rulebook import CodeBook
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.network import ScriptedNetwork
from perun.testing.parties import key_of
from perun.testing.pool import PooledTransaction
from perun.testing.stories import OPEN_HANDED, hub_policy
from perun.types import (
    ETH,
    Address,
    Bet,
    Channel,
    ChannelId,
    Deal,
    Flip,
    Game,
    GameRecord,
    Hands,
    InstanceId,
    Lock,
    Seconds,
    UnixTime,
    Wei,
)
from tests.games.simulation.actor import Actor
from tests.games.simulation.disk import Disk, Power
from tests.games.simulation.lines import Lines
from tests.games.simulation.outsiders import Outsiders
from tests.games.simulation.witness import GREATEST_FEE

T = TypeVar("T")
Disks = Callable[[Power], Disk]

NAMES = ("alice", "ingrid", "bob")
"""Ingrid is the hub."""

BLOCK = 12
FINALITY = 2
DEPOSIT = 1_000

LIMITS = Limits(
    finality_blocks=FINALITY,
    freshness=Seconds(60),
    margin=Seconds(180),
    least_challenge=Seconds(900),
    least_machine_challenge=Seconds(900),
    offer_validity=Seconds(300),
    open_validity=Seconds(200),
)


APP_SETTINGS = Settings(
    genesis=b"\x0c" * 32, patience=Seconds(150), life=Seconds(2_000), life_over_hub=Seconds(1_500)
)
"""Machines of the program above end within a game."""


class Theatre:
    """Everything around the actors; also everybody's clock."""

    def __init__(
        self, crooks: Iterable[str] = (), *, whole: bool = False, disks: Disks = Disk
    ) -> None:
        """Args:
        whole: nodes talk by sessions over a relay, and host the program above.
        disks: what the stores are.
        """
        self.disks = disks
        self.limits = LIMITS
        crooked = set(crooks)
        accounts = [key_of(f"{name}'s account").address for name in NAMES]
        keys = [key_of(name).address for name in NAMES]
        self.chain = ScriptedChain([*accounts, *keys])
        self.deployment = self.chain.deployment
        code = artifact("TicTacToe").runtime
        self.outsiders = Outsiders(self.deployment)
        self.rules: Rulebook = CodeBook({self.chain.evm.tic_tac_toe: code}, run)
        self.seen: Counter[str] = Counter()
        self.clock = self.chain.now
        self.lines: Lines | None = None
        """The wire, if it has sessions."""
        if whole:
            secrets = {peer_id(key_of(n).public_key): key_of(n).secret for n in NAMES}
            self.lines = Lines(secrets, lambda: float(self.clock), self.seen)
        self.network = self.lines or ScriptedNetwork()
        self.network.held = []
        self.app_settings = APP_SETTINGS
        self.reorganised_at = 0
        self.shown_secrets: set[bytes] = set()
        """Hashes of secrets that somebody has let out: the locks on them may be taken."""
        self.waited: dict[bytes, int] = {}
        """In how many blocks a waiting transaction of an honest party was left out."""
        # Alice takes fees and asks for a quote; Bob takes none, and signs before he has asked.
        deposit = OPEN_HANDED.greatest_deposit
        policies = {
            "alice": Policy(greatest_deposit=deposit, greatest_fee=Wei(GREATEST_FEE)),
            "ingrid": hub_policy(base_fee=Wei(1)),
            "bob": Policy(greatest_deposit=deposit),
        }
        luck = Wei(300 if whole else 0)
        self.actors = [
            Actor(
                name,
                self,
                replace(policies[name], greatest_loss=luck),
                honest=name not in crooked,
            )
            for name in NAMES
        ]
        self.lanes = ScriptedEndpoint(self.chain)
        self.start_wealth = {actor.name: self.wealth(actor) for actor in self.actors}
        self.watchers: list[Callable[[], None]] = []
        """Told after every block and reorganisation."""

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return self.clock

    # --------------------------------------------------------------------------------------- who

    def actor(self, name: str) -> Actor:
        """By name."""
        return self.actors[NAMES.index(name)]

    @property
    def honest(self) -> list[Actor]:
        """Those who keep the rules."""
        return [actor for actor in self.actors if actor.honest]

    @property
    def crooks(self) -> list[Actor]:
        """The others."""
        return [actor for actor in self.actors if not actor.honest]

    def by_peer(self, peer: PeerId) -> Actor:
        """By name on the wire."""
        return next(actor for actor in self.actors if actor.peer == peer)

    # ------------------------------------------------------------------------------------- messages

    def deliver(self, index: int) -> None:
        """Hands one waiting letter over; its receiver works."""
        assert self.network.held is not None
        receiver = self.network.held[index][1]
        self.network.hand_over(index)
        self.by_peer(receiver).turn()

    def talk(self, most: int = 3_000) -> None:
        """Delivers everything in order, until nobody has anything to say."""
        for _ in range(most):
            if not self.network.held:
                for actor in self.actors:
                    actor.turn()
                if not self.network.held:
                    return
            self.deliver(0)
        raise AssertionError("they never stop talking")

    def meet(self, one: Actor, two: Actor) -> None:
        """The wire has reached them again."""
        if self.lines is not None:
            self.lines.hang_up(one.peer, two.peer)
        else:
            one.node.meet(two.peer)
            two.node.meet(one.peer)
        one.turn()
        two.turn()

    def meet_all(self) -> None:
        """Everybody honest is reached again by everybody else who is."""
        honest = self.honest
        for place, one in enumerate(honest):
            for two in honest[place + 1 :]:
                self.meet(one, two)

    def pass_time(self, time: int) -> None:
        """Our clocks go on; sessions see it."""
        self.clock = UnixTime(max(self.clock, time))
        if self.lines is not None:
            self.lines.tick()

    def calm_down(self) -> None:
        """Accidents end: power, chain and signers are there."""
        for actor in self.actors:
            actor.endpoint.reachable = True
            actor.power.restore()
            actor.wake_signer()

    # --------------------------------------------------------------------------------------- chain

    def mine(
        self,
        transactions: Sequence[PooledTransaction] | None = None,
        *,
        at: int | None = None,
        look: bool = True,
    ) -> None:
        """Makes a block, whose time is the clock's from then on; everybody looks at it."""
        time = UnixTime(max(self.clock, self.chain.now + 1) if at is None else at)
        self.chain.mine(transactions, at=time)
        self.pass_time(time)
        self.waited = {
            hash: self.waited.get(hash, 0) + 1
            for hash, waiting in self.chain.pool.items()
            if self.is_honest(waiting)
        }
        self.seen["blocks"] += 1
        for watcher in self.watchers:
            watcher()
        if look:
            for actor in self.actors:
                actor.look()

    def step_time(self, seconds: int = BLOCK) -> None:
        """The next block comes so much later."""
        self.mine(at=max(self.clock, self.chain.now + seconds))

    def reorganise(self, depth: int, *, keep: bool) -> None:
        """Takes blocks back; only what is not final, as the limits assume."""
        self.chain.reorganise(min(depth, FINALITY), keep=keep)
        self.reorganised_at = self.chain.head.number
        self.seen["reorganisations"] += 1
        for watcher in self.watchers:
            watcher()

    def is_honest(self, transaction: PooledTransaction) -> bool:
        """Whether an honest party has sent it."""
        return any(transaction.sender == actor.account.address for actor in self.honest)

    def quiet(self) -> bool:
        """Whether nothing waits and everything mined is final."""
        if self.chain.pool or self.network.held:
            return False
        newest = self.chain.head.number
        for number in range(newest - FINALITY, newest + 1):
            block = self.chain.block(number)
            if block is not None and block.transactions:
                return False
        return True

    def next_event(self) -> int | None:
        """The next time at which a clock of the protocol runs out for somebody honest."""
        times: set[int] = set()
        for actor in self.honest:
            for view in actor.live():
                dispute = view.head.dispute
                if dispute is not None:
                    times.add(dispute.deadline + 1)
                    times |= {nano.expiry + 1 for nano in dispute.nanos}
                if view.close is not None:
                    times.add(view.close.close.valid_until + 1)
                times |= {wish.withdraw.valid_until + 1 for wish in view.withdraws}
                times |= {offer.open.valid_until + 1 for offer in view.opens}
            for instance in actor.node.books.instances.values():
                terms, on = instance.terms, instance.head
                if all(leg.status.name in ("NEW", "REMOVED") for leg in instance.legs):
                    continue
                if isinstance(terms, Game):
                    times |= {terms.validity - self.limits.margin, terms.validity + 1}
                    if isinstance(on, GameRecord):
                        times |= {on.start + 1}
                        if on.turn:
                            banks = on.alice_left, on.bob_left
                            if not on.live:
                                banks = terms.alice_bank, terms.bob_bank
                            times |= {on.start + banks[on.turn - 1] + 1}
                elif isinstance(terms, Lock):
                    times |= {terms.deadline - self.limits.margin, terms.deadline + 1}
                else:
                    times |= {terms.validity - self.limits.margin, terms.validity + 1}
                    luck = isinstance(terms, Flip | Hands)
                    window = terms.window if luck else terms.challenge
                    end = terms.validity + window if on is None else on.deadline
                    times.add(end + 1)
                    if isinstance(terms, Deal):
                        times.add(terms.due + 1)
                    if isinstance(terms, Bet):
                        times.add(terms.time + 1)
        later = [time for time in times if time > self.chain.now]
        return min(later, default=None)

    def jump(self) -> None:
        """A block at the next time that matters if nothing is under way, else an ordinary one."""
        event = self.next_event() if self.quiet() else None
        if event is None or event <= self.chain.now + BLOCK:
            self.step_time()
        else:
            self.seen["jumps in time"] += 1
            self.mine(at=max(event, self.clock, self.chain.now + 1))

    # -------------------------------------------------------------------------------- transactions

    def send(self, sender: Address, call: Call, bid: int = 10**10) -> PooledTransaction:
        """A transaction of anybody's, into the pool."""
        assert call.to is not None
        transaction = PooledTransaction(
            sender, self.lanes.next_nonce(sender), call.to, call.data, int(call.value), bid
        )
        self.chain.receive(transaction)
        return transaction

    def fund_till(self, actor: Actor, amount: int) -> None:
        """Gives an actor's account credit, from its key's money."""
        contract = self.deployment.contract.contract
        call = ms_contract_calls.fund(contract, ETH, actor.account.address, Wei(amount))
        self.send(actor.key.address, call)

    def ask(self, query: Query[T]) -> T:
        """A contract's answer after the newest block."""
        return self.lanes.ask(query, self.chain.head.number)

    def credit(self, account: Address) -> int:
        """What the contract owes an account."""
        contract = self.deployment.contract.contract
        return self.ask(ms_contract_calls.credit(contract, ETH, account))

    def wealth(self, actor: Actor) -> int:
        """What an actor owns outside of channels, in the newest block."""
        account = actor.account.address
        return self.lanes.balance(account) + self.credit(account)

    def events_from(self, first: int) -> Iterable[tuple[int, int, events.Event]]:
        """Block number, block time and event of all the suite's logs from a block on."""
        tables = {
            self.deployment.contract.contract: events.MS_CONTRACT,
            **{app: known.reader.table for app, known in known_apps(self.deployment).items()},
        }
        for number in range(first, self.chain.head.number + 1):
            block = self.chain.block(number)
            assert block is not None
            for log in block.logs:
                event = tables[log.address].read(log)
                if event is not None:
                    yield number, block.header.time, event

    def decisions(self, id: InstanceId) -> list[Decided | Priced]:
        """What the chain has announced of a deal or bet."""
        events_ = (event for _, _, event in self.events_from(1))
        return [one for one in events_ if isinstance(one, Decided | Priced) and one.id == id]

    def channels(self) -> dict[ChannelId, Channel]:
        """All channels that anybody knows."""
        found: dict[ChannelId, Channel] = {}
        for actor in self.actors:
            found |= {view.id: view.channel for view in actor.channels()}
        return found
