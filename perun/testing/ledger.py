"""A chain without an EVM, for tests of core and node: the model of the contracts, with blocks.

What a transaction does, and whether it is refused, is said by `perun.spec` alone: signatures,
callers, evidence, amounts and times are checked as on chain. Added here are blocks, of which one is
final `lag` blocks later, and the snapshots that nodes are told; they are read from the events, as
the follower reads them. Gas is free, everybody is rich. `perun.testing.chain` runs the bytecode.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from perun.core.chain_view import Dispute, OnChain
from perun.core.config import Deployment
from perun.core.effects import (
    ClaimCredit,
    CloseChannel,
    DepositMoney,
    OpenBoth,
    OpenChannel,
    Register,
    Settle,
    Submit,
    SubmitEvidence,
    Transaction,
    Watch,
    WithdrawMoney,
)
from perun.core.inputs import ChainBlock, ChainChannel, ChainCredit, ChainInstance, Input
from perun.core.nanocontracts.kinds import KINDS
from perun.errors import BrokenInvariant
from perun.node.settings import contracts_of, deployment_of
from perun.ports import Inbox
from perun.spec import Contracts, Event
from perun.spec import reverts as why
from perun.spec.host import Token
from perun.spec.nanocontract import Nanocontract
from perun.spec.nanocontracts.turn_game import TurnGame
from perun.testing.rules import RULES, CodeRules
from perun.testing.sightings import SIGHTINGS
from perun.types import (
    ETH,
    Address,
    Asset,
    ChainId,
    ChannelId,
    InstanceId,
    Recorded,
    UnixTime,
    Wei,
)

__all__ = ["DEPLOYMENT", "Ledger", "LedgerChain", "NeverOwn"]

_NAMES = ("MSContract", *(kind.domain.contract_name for kind in KINDS.values()))

DEPLOYMENT: Deployment = deployment_of(
    ChainId(31337),
    {name: Address(bytes([0x11 * place]) * 20) for place, name in enumerate(_NAMES, 1)},
)
"""Contracts for tests that have no bytecode."""

OVERTAKEN = (
    *(why.TooLate, why.InDispute, why.NotInDispute, why.EmptyChannel, why.StateMismatch),
    *(why.WrongPosition, why.Finished),
    *(why.AlreadyDrawn, why.InsufficientCredit, why.WrongIndex, why.Insolvent),
)
"""Why a right transaction may be refused: the chain went on meanwhile, or others were quicker."""


class NeverOwn(BrokenInvariant):
    """A node submitted what the contracts would never have taken, whatever others did."""


class Ledger:
    """The contracts, blocks of their history, and everybody who follows it."""

    def __init__(
        self, time: int = 1_000_000_000, lag: int = 0, deployment: Deployment = DEPLOYMENT
    ) -> None:
        self.contracts = Contracts.at(deployment.contract.chain_id, contracts_of(deployment))
        for known in self.contracts.nanocontracts:
            if isinstance(known, TurnGame):
                known.rules = {place: CodeRules(code) for place, code in RULES.items()}
        self.contracts.host.now = time
        self.number = 1
        self.lag = lag
        self._channels: dict[ChannelId, OnChain] = {}
        self._instances: dict[InstanceId, Recorded] = {}
        self.log: list[Transaction] = []
        """What changed something."""
        self.followers: list[LedgerChain] = []
        self.gas_price = Wei(0)
        """What the newest block says of it; 0: nothing."""
        self._past = [(UnixTime(time), self._channels.copy(), self._instances.copy())]
        self._put: Counter[Address] = Counter()

    @property
    def channels(self) -> Mapping[ChannelId, OnChain]:
        """As the newest block has them; only transactions change them."""
        return MappingProxyType(self._channels)

    @property
    def instances(self) -> Mapping[InstanceId, Recorded]:
        """As the newest block has them."""
        return MappingProxyType(self._instances)

    @property
    def time(self) -> UnixTime:
        """Of the newest block."""
        return UnixTime(self.contracts.host.now)

    @property
    def paid(self) -> Mapping[Address, int]:
        """What each account has been paid out, in ETH."""
        return {to: has + self._put[to] for to, has in self.contracts.host.eth.items()}

    @property
    def credits(self) -> Mapping[tuple[Asset, Address], Wei]:
        """Every account's credit."""
        return {key: Wei(amount) for key, amount in self.contracts.ms_contract.credits.items()}

    def advance(self, seconds: int = 12, blocks: int = 1) -> None:
        """Mines empty blocks that span `seconds` together, and tells everybody."""
        for index in range(blocks):
            share = seconds * (index + 1) // blocks - seconds * index // blocks
            self.contracts.host.now += share
            self.number += 1
            self._past.append((self.time, self._channels.copy(), self._instances.copy()))
        for follower in self.followers:
            if follower.mining:
                follower.mine()
        for follower in self.followers:
            follower.tell_all()

    def final(
        self,
    ) -> tuple[int, int, Mapping[ChannelId, OnChain], Mapping[InstanceId, Recorded]]:
        """Number, time and content of the newest final block."""
        if self.lag == 0:
            return self.number, self.time, self._channels, self._instances
        index = max(0, len(self._past) - 1 - self.lag)
        time, channels, instances = self._past[index]
        return index + 1, time, channels, instances

    # ------------------------------------------------------------------------------ transactions

    def apply(self, transaction: Transaction, sender: Address) -> bool:
        """What the contracts do; False: it is refused."""
        try:
            self.call(transaction, sender)
        except why.Refused:
            return False
        return True

    def fund(self, account: Address, amount: int, asset: Asset = ETH) -> None:
        """Gives an account credit, out of its own pocket."""
        self._put[account] += amount
        ms = self.contracts.ms_contract
        self.contracts.call(lambda: ms.fund(account, amount, asset, account, Wei(amount)))

    def mint(self, asset: Asset, account: Address, amount: int) -> None:
        """Gives an account some of a plain token, which need not have been there."""
        token = self.contracts.host.tokens.setdefault(asset, Token())
        token.balances[account] = token.balance(account) + amount

    def call(self, transaction: Transaction, sender: Address) -> tuple[Event, ...]:
        """The same.

        Raises:
            Refused: by the contracts, which says why; nothing has changed.
        """
        value = _value(transaction)
        events = self.contracts.call(lambda: self._run(transaction, sender, value))
        self._put[sender] += value
        if events:
            self.log.append(transaction)
        opened = False
        for event in events:
            id, *args = event.args
            if event.by is not None:
                self._record(self.nanocontract(event.by), event.name, id, args)
                continue
            self._fold(event.name, id, args, opened=opened)
            opened = event.name == "Opened"
        return events

    def _run(self, transaction: Transaction, sender: Address, value: int) -> None:
        ms = self.contracts.ms_contract
        match transaction:
            case OpenChannel(channel, amount, until):
                ms.open(sender, value, channel, amount, until)
            case DepositMoney(asset, id, to_bob, amount, until):
                ms.deposit(sender, value, asset, id, to_bob, amount, until)
            case OpenBoth(channel, alice, bob, until, signature):
                ms.open_both(sender, value, channel, alice, bob, until, signature)
            case CloseChannel(channel, close, by_alice, by_bob):
                terms = (close.net, close.valid_until, close.to_credit)
                ms.close(sender, channel, *terms, by_alice, by_bob)
            case WithdrawMoney(channel, draw, by_alice, by_bob):
                amounts = (draw.index, draw.alice_amount, draw.bob_amount, draw.valid_until)
                ms.withdraw(sender, channel, *amounts, by_alice, by_bob)
            case Register(channel, id, version, net, nanos, by_alice, by_bob, evidence):
                _same(id, ms.channel_id(channel))
                ms.register(sender, channel, version, net, nanos, by_alice, by_bob, evidence)
            case Settle(channel, id, net, nanos):
                _same(id, ms.channel_id(channel))
                ms.settle(channel, net, nanos)
            case SubmitEvidence(app, id, evidence):
                known = self.nanocontract(app)
                _same(id, known.about(evidence)[0])
                known.take(evidence)
            case ClaimCredit(asset, amount, to):
                ms.claim(sender, asset, amount, to)

    def nanocontract(self, app: Address) -> Nanocontract:
        """What stands there; raises `NeverOwn`."""
        known = self.contracts.host.apps.get(app)
        if not isinstance(known, Nanocontract):
            raise NeverOwn(f"0x{app.hex()} is no nanocontract")
        return known

    # Arguments of an event are of the types that its name says.
    def _record(self, by: Nanocontract, name: str, id: Any, args: Sequence[Any]) -> None:
        """What an event of a nanocontract adds to what is recorded of an instance."""
        announced = SIGHTINGS[type(by)].record(name, args)
        kind = next(kind for kind in KINDS.values() if kind.domain is by.domain_type)
        self._instances[id] = kind.fold(self._instances.get(id), announced)

    def _fold(self, name: str, id: Any, args: Sequence[Any], *, opened: bool) -> None:
        """What an event of `MSContract` changes in the snapshots; `opened`: it follows `Opened`."""
        if name in ("Deposited", "Withdrawn", "Registered", "Settled", "Closed"):
            before = self.channels.get(id, OnChain())
            after = _channel_after(before, name, args, opened=opened)
            if name == "Deposited":
                after = replace(after, drawn=self.contracts.ms_contract.holds((args[0], id)).drawn)
            self._channels[id] = after


def _channel_after(on: OnChain, name: str, args: Sequence[Any], *, opened: bool) -> OnChain:
    match name, args:
        case "Deposited", (_, alice, bob):
            by = on.announced_by
            if opened:
                by = (by[0] or alice > on.alice, by[1] or bob > on.bob)
            return replace(on, alice=alice, bob=bob, announced_by=by)
        case "Withdrawn", (index, alice, bob):
            left = Wei(on.alice - alice), Wei(on.bob - bob)
            return replace(on, alice=left[0], bob=left[1], withdrawals=index + 1)
        case "Registered", (version, net, nanos, deadline):
            return replace(on, dispute=Dispute(version, net, nanos, deadline))
        case "Settled", (_, _, remaining) if remaining:
            assert on.dispute is not None
            return replace(
                on,
                alice=Wei(sum(nano.alice_lock for nano in remaining)),
                bob=Wei(sum(nano.bob_lock for nano in remaining)),
                dispute=replace(on.dispute, net=Wei(0), nanos=remaining, settling=True),
            )
        case _:
            return OnChain(announced_by=on.announced_by, ended=True)


def _same(said: bytes, real: bytes) -> None:
    if said != real:
        raise NeverOwn(f"a transaction for {real.hex()} says that it is for {said.hex()}")


def _value(transaction: Transaction) -> int:
    """The ETH that a node sends along."""
    match transaction:
        case OpenChannel():
            return transaction.amount if transaction.channel.asset == ETH else 0
        case OpenBoth():
            return transaction.own_amount if transaction.channel.asset == ETH else 0
        case DepositMoney():
            return transaction.amount if transaction.asset == ETH else 0
        case _:
            return 0


class LedgerChain:
    """One node's view of the ledger, and its way to submit: `perun.ports.Chain`."""

    def __init__(self, ledger: Ledger, account: Address, inbox: Inbox | None = None) -> None:
        self.ledger = ledger
        self.account = account
        self.inbox = inbox
        self.mining = True
        """False: what is submitted waits, for `mine`."""
        self.pool: dict[bytes, Submit] = {}
        self._channels: set[ChannelId] = set()
        self._instances: set[InstanceId] = set()
        # The last two heads told: a block comes before the snapshots that it changes.
        self._told: dict[ChannelId, tuple[OnChain, ...]] = {}
        self._told_instances: dict[InstanceId, tuple[Recorded | None, ...]] = {}
        ledger.followers.append(self)

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`.

        Raises:
            NeverOwn: a real follower would look in the wrong place.
        """
        self._check(watch)
        if watch.over:
            self._channels.discard(watch.channel or ChannelId(b""))
            self._instances.discard(watch.instance or InstanceId(b""))
        elif watch.channel is not None:
            self._channels.add(watch.channel)
            self._tell([self._channel(watch.channel)])
        elif watch.instance is not None:
            self._instances.add(watch.instance)
            self._tell([self._instance(watch.instance)])

    def _check(self, watch: Watch) -> None:
        if watch.over:
            return
        contracts, terms = self.ledger.contracts, watch.terms
        if watch.channel is not None:
            if terms is None or watch.asset != terms.asset:
                raise NeverOwn(f"{watch} says neither where nor what the channel is")
            _same(watch.channel, contracts.ms_contract.channel_id(terms))
        if watch.instance is not None:
            self.ledger.nanocontract(watch.app or Address(b""))

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`: mined in the next block.

        Raises:
            NeverOwn: the key is not the transaction's own, or the last second is another one than
                that after which the contracts refuse it.
        """
        key, limits = self._named(submit.transaction, submit.key)
        if submit.key != key:
            raise NeverOwn(f"{submit.transaction} is submitted under {submit.key.hex()}")
        if submit.before not in limits:
            raise NeverOwn(f"{submit.transaction} is of use until {limits}, not {submit.before}")
        self.pool[submit.key] = submit

    def _named(
        self, transaction: Transaction, said: bytes
    ) -> tuple[bytes, tuple[UnixTime | None, ...]]:
        """The key by which the submitter knows a transaction, and until when it is of use by what
        this node was told."""
        ms = self.ledger.contracts.ms_contract
        match transaction:
            case OpenChannel(channel, _, until):
                return b"d" + ms.channel_id(channel) + until.to_bytes(5, "big"), (until,)
            case DepositMoney(_, id, _, _, until):
                return b"d" + id + until.to_bytes(5, "big"), (until,)
            case OpenBoth(channel, _, _, until):
                return b"o" + ms.channel_id(channel), (until,)
            case CloseChannel(channel, close):
                return b"c" + ms.channel_id(channel), (close.valid_until,)
            case WithdrawMoney(channel, withdraw):
                return b"w" + ms.channel_id(channel), (withdraw.valid_until,)
            case Register(_, id):
                told = [on.dispute for on in self._told.get(id, (OnChain(),))]
                return b"r" + id, tuple(on.deadline if on else None for on in told)
            case Settle(_, id):
                return b"s" + id, (None,)
            case SubmitEvidence(app, id, evidence):
                known = self.ledger.nanocontract(app)
                seen, shown = SIGHTINGS[type(known)], known.read(evidence)
                first = UnixTime(known.about(evidence)[1])
                begun = self._told_instances.get(id, (None,))
                limits = (first if on is None else seen.limit(on, shown) or first for on in begun)
                return b"e" + id + seen.tag(shown, begun, said), tuple(limits)
            case ClaimCredit(asset, _, to):
                return b"k" + asset + to, (None,)

    def mine(self) -> None:
        """Takes what waits into a block; does not advance time.

        Raises:
            NeverOwn: a transaction is refused, or its evidence is, for what it says itself.
        """
        pool, self.pool = self.pool, {}
        for submit in pool.values():
            self._mine(submit.transaction)

    def _mine(self, transaction: Transaction) -> None:
        try:
            events = self.ledger.call(transaction, self.account)
        except OVERTAKEN:
            return
        except why.Refused as refused:
            raise NeverOwn(f"{transaction} was refused: {refused}") from refused
        for event in events:
            if event.name == "EvidenceFailed":
                assert isinstance(transaction, Register)
                index = event.args[1]
                assert isinstance(index, int)
                self._explain(transaction.nanos[index].app, transaction.evidence[index])

    def _explain(self, app: Address, evidence: bytes) -> None:
        """Why a nanocontract took no evidence."""
        try:
            self.ledger.nanocontract(app).take(evidence)
        except why.TooLate:
            return
        except why.Refused as refused:
            raise NeverOwn(f"evidence {evidence.hex()} was refused: {refused}") from refused

    def tell_all(self) -> None:
        """The newest block, then everything watched."""
        self._tell([self.block(), *self.snapshots()])

    def block(self) -> ChainBlock:
        """The ledger's height as this node is told it."""
        number, time, _, _ = self.ledger.final()
        ledger = self.ledger
        return ChainBlock(ledger.number, ledger.time, number, UnixTime(time), ledger.gas_price)

    def snapshots(self) -> list[Input]:
        """Everything this node watches, as it stands."""
        told: list[Input] = [self._channel(id) for id in sorted(self._channels)]
        told += [self._instance(id) for id in sorted(self._instances)]
        for (asset, account), amount in sorted(self.ledger.credits.items()):
            if account == self.account:
                told.append(ChainCredit(asset, account, amount))
        return told

    def _channel(self, id: ChannelId) -> ChainChannel:
        _, _, channels, _ = self.ledger.final()
        nothing = OnChain()
        head = self.ledger.channels.get(id, nothing)
        if self.inbox is not None:
            self._told[id] = (self._told.get(id, (nothing,))[-1], head)
        return ChainChannel(id, head, channels.get(id, nothing))

    def _instance(self, id: InstanceId) -> ChainInstance:
        _, _, _, instances = self.ledger.final()
        head = self.ledger.instances.get(id)
        if self.inbox is not None:
            self._told_instances[id] = (self._told_instances.get(id, (None,))[-1], head)
        return ChainInstance(id, head, instances.get(id))

    def _tell(self, told: Sequence[Input]) -> None:
        if self.inbox is not None:
            self.inbox(told)
