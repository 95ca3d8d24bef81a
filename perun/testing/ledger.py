"""A chain without an EVM: applies wishes at once and tells snapshots, for tests of core and node.

It knows what the contracts would do with what honest and dishonest parties send here, but checks no
signature and charges nothing; `perun.testing.chain` runs the real bytecode. A block is final
`lag` blocks later, which a test may raise to see unfinal ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from perun.core.accounting import clamp_to_locks, free_money
from perun.core.effects import (
    CloseChannel,
    DepositMoney,
    OpenBoth,
    OpenChannel,
    Register,
    RevealPreimage,
    Settle,
    Submit,
    SubmitStatements,
    Transaction,
    Watch,
    WithdrawMoney,
)
from perun.core.inputs import ChainBlock, ChainChannel, ChainCredit, ChainInstance, Input
from perun.core.state import Dispute, OnChain, OnChainInstance, Role
from perun.ports import Inbox
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    InstanceId,
    Lock,
    Machine,
    Nano,
    UnixTime,
    Wei,
)

__all__ = ["Ledger", "LedgerChain"]


class Ledger:
    """The world's state, and everybody who follows it."""

    def __init__(self, time: int = 1_000_000_000, lag: int = 0) -> None:
        self.time = UnixTime(time)
        self.number = 1
        self.lag = lag
        self.channels: dict[ChannelId, OnChain] = {}
        self.instances: dict[InstanceId, OnChainInstance] = {}
        self.terms: dict[InstanceId, Machine | Lock] = {}
        self.credits: dict[tuple[Asset, Address], Wei] = {}
        self.paid: dict[Address, int] = {}
        """What each account has been paid out."""
        self.log: list[Transaction] = []
        self.followers: list[LedgerChain] = []
        self._past: list[tuple[int, dict[ChannelId, OnChain], dict[InstanceId, OnChainInstance]]]
        self._past = [(time, {}, {})]
        self.owners: dict[ChannelId, Channel] = {}

    def advance(self, seconds: int = 12, blocks: int = 1) -> None:
        """Mines empty blocks that span `seconds` together, and tells everybody."""
        for index in range(blocks):
            share = seconds * (index + 1) // blocks - seconds * index // blocks
            self.time = UnixTime(self.time + share)
            self.number += 1
            self._past.append((self.time, dict(self.channels), dict(self.instances)))
        for follower in self.followers:
            if follower.mining:
                follower.mine()
        for follower in self.followers:
            follower.tell_all()

    def final(self) -> tuple[int, int, dict[ChannelId, OnChain], dict[InstanceId, OnChainInstance]]:
        """Number, time and content of the newest final block."""
        if self.lag == 0:
            return self.number, self.time, self.channels, self.instances
        index = max(0, len(self._past) - 1 - self.lag)
        time, channels, instances = self._past[index]
        return index + 1, time, channels, instances

    # ------------------------------------------------------------------------------ transactions

    def apply(self, transaction: Transaction, sender: Address) -> bool:
        """What the contracts would do; False: it reverts."""
        match transaction:
            case OpenChannel():
                id = self._id(transaction.channel)
                role = Role.ALICE if sender == transaction.channel.alice else Role.BOB
                ok = self._deposit(id, role, transaction.amount, transaction.valid_until)
                if ok:
                    on = self.channels[id]
                    by = (role is Role.ALICE, role is Role.BOB)
                    self.channels[id] = replace(on, announced_by=by)
            case DepositMoney():
                role = Role.BOB if transaction.to_bob else Role.ALICE
                ok = self._deposit(
                    transaction.id, role, transaction.amount, transaction.valid_until
                )
            case OpenBoth():
                ok = self._open_both(transaction)
            case CloseChannel():
                ok = self._close(transaction)
            case WithdrawMoney():
                ok = self._withdraw(transaction)
            case Register():
                ok = self._register(transaction)
            case Settle():
                ok = self._settle(transaction)
            case SubmitStatements():
                ok = self.submit_totals(
                    transaction.id,
                    transaction.machine,
                    transaction.paid_by_alice,
                    transaction.paid_by_bob,
                )
            case RevealPreimage():
                on_ = self.instances.get(transaction.id, OnChainInstance())
                ok = self.time <= transaction.lock.deadline and on_.preimage is None
                self.terms[transaction.id] = transaction.lock
                if ok:
                    self.instances[transaction.id] = replace(on_, preimage=transaction.preimage)
            case _:
                ok = True
        if ok:
            self.log.append(transaction)
        return ok

    def _id(self, channel: Channel) -> ChannelId:
        for id, known in self.owners.items():
            if known == channel:
                return id
        raise KeyError("nobody watches this channel")

    def _deposit(self, id: ChannelId, role: Role, amount: Wei, valid_until: UnixTime) -> bool:
        on = self.channels.get(id, OnChain())
        if on.dispute is not None or self.time > valid_until:
            return False
        if role is Role.ALICE:
            self.channels[id] = replace(on, alice=Wei(on.alice + amount), ended=False)
        else:
            self.channels[id] = replace(on, bob=Wei(on.bob + amount), ended=False)
        return True

    def _open_both(self, wish: OpenBoth) -> bool:
        id = self._id(wish.channel)
        on = self.channels.get(id, OnChain())
        account = (wish.channel.asset, wish.channel.bob)
        credit = self.credits.get(account, Wei(0))
        if on.drawn or on.dispute is not None or self.time > wish.valid_until:
            return False
        if credit < wish.bob_amount:
            return False
        self.credits[account] = Wei(credit - wish.bob_amount)
        self.channels[id] = replace(
            on,
            alice=Wei(on.alice + wish.alice_amount),
            bob=Wei(on.bob + wish.bob_amount),
            drawn=True,
            announced_by=(True, False),
        )
        return True

    def _close(self, wish: CloseChannel) -> bool:
        id = self._id(wish.channel)
        on = self.channels.get(id, OnChain())
        alice, bob = on.alice - wish.close.net, on.bob + wish.close.net
        if on.ended or self.time > wish.close.valid_until or min(alice, bob) < 0:
            return False
        self._pay(wish.channel, alice, bob)
        self.channels[id] = OnChain(ended=True)
        return True

    def _withdraw(self, wish: WithdrawMoney) -> bool:
        id = self._id(wish.channel)
        on = self.channels.get(id, OnChain())
        money = wish.withdraw
        late = self.time > money.valid_until
        if on.dispute is not None or on.withdrawals != money.index or late:
            return False
        if on.alice + on.bob < money.alice_amount + money.bob_amount:
            return False
        self._pay(wish.channel, money.alice_amount, money.bob_amount)
        self.channels[id] = replace(
            on,
            alice=Wei(on.alice - money.alice_amount),
            bob=Wei(on.bob - money.bob_amount),
            withdrawals=on.withdrawals + 1,
        )
        return True

    def _register(self, wish: Register) -> bool:
        on = self.channels.get(wish.id, OnChain())
        holdings = (on.alice, on.bob)
        free = [free_money(holdings, wish.net, wish.nanos, role) for role in Role]
        if min(free) < 0 or (on.alice == 0 and on.bob == 0):
            return False
        old = on.dispute
        if old is not None and (self.time > old.deadline or old.settling):
            return False
        if old is not None and wish.version <= old.version:
            return True
        deadline = old.deadline if old else UnixTime(self.time + wish.channel.challenge)
        dispute = Dispute(wish.version, wish.net, wish.nanos, deadline)
        self.channels[wish.id] = replace(on, dispute=dispute)
        return True

    def _settle(self, wish: Settle) -> bool:
        on = self.channels.get(wish.id, OnChain())
        dispute = on.dispute
        if dispute is None or self.time <= dispute.deadline or dispute.nanos != wish.nanos:
            return False
        alice = bob = 0
        if not dispute.settling:
            holdings = (on.alice, on.bob)
            alice = free_money(holdings, dispute.net, dispute.nanos, Role.ALICE)
            bob = free_money(holdings, dispute.net, dispute.nanos, Role.BOB)
        left: list[Nano] = []
        for nano in dispute.nanos:
            shift = self._outcome(nano)
            if shift is None:
                left.append(nano)
            else:
                moved = clamp_to_locks(nano, shift)
                alice, bob = alice + nano.alice_lock - moved, bob + nano.bob_lock + moved
        if dispute.settling and len(left) == len(dispute.nanos):
            return True
        self._pay(wish.channel, alice, bob)
        if left:
            rest = replace(dispute, net=Wei(0), nanos=tuple(left), settling=True)
            locked = [sum(nano.alice_lock for nano in left), sum(nano.bob_lock for nano in left)]
            self.channels[wish.id] = replace(
                on, alice=Wei(locked[0]), bob=Wei(locked[1]), dispute=rest
            )
        else:
            self.channels[wish.id] = OnChain(ended=True)
        return True

    def _outcome(self, nano: Nano) -> int | None:
        on, terms = self.instances.get(nano.id), self.terms.get(nano.id)
        if on is not None:
            if on.deadline and self.time > on.deadline:
                return on.paid_by_alice - on.paid_by_bob
            if on.preimage is not None and isinstance(terms, Lock):
                return -terms.amount if terms.bob_pays else terms.amount
        return 0 if self.time > nano.expiry else None

    def submit_totals(self, id: InstanceId, machine: Machine, by_alice: int, by_bob: int) -> bool:
        """`VPM.submitStatements`, whoever calls."""
        on = self.instances.get(id, OnChainInstance())
        alice = max(on.paid_by_alice, by_alice if machine.alice_lock else 0)
        bob = max(on.paid_by_bob, by_bob if machine.bob_lock else 0)
        if (alice, bob) == (on.paid_by_alice, on.paid_by_bob):
            return True
        if self.time > (on.deadline or machine.validity):
            return False
        deadline = on.deadline or UnixTime(self.time + machine.challenge)
        self.terms[id] = machine
        self.instances[id] = replace(
            on, paid_by_alice=Wei(alice), paid_by_bob=Wei(bob), deadline=deadline
        )
        return True

    def _pay(self, channel: Channel, alice: int, bob: int) -> None:
        for account, amount in ((channel.alice, alice), (channel.bob, bob)):
            self.paid[account] = self.paid.get(account, 0) + amount


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
        ledger.followers.append(self)

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        if watch.channel is not None:
            self._channels.add(watch.channel)
            if watch.terms is not None:
                self.ledger.owners[watch.channel] = watch.terms
            self._tell([self._channel(watch.channel)])
        if watch.over:
            assert watch.instance is not None
            self._instances.discard(watch.instance)
        elif watch.instance is not None:
            self._instances.add(watch.instance)
            self._tell([self._instance(watch.instance)])

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`: mined in the next block."""
        self.pool[submit.key] = submit

    def mine(self) -> None:
        """Takes what waits into a block; does not advance time."""
        pool, self.pool = self.pool, {}
        for wish in pool.values():
            self.ledger.apply(wish.transaction, self.account)

    def tell_all(self) -> None:
        """The newest block, then everything watched."""
        self._tell([self.block(), *self.snapshots()])

    def block(self) -> ChainBlock:
        """The ledger's height as this node is told it."""
        number, time, _, _ = self.ledger.final()
        return ChainBlock(self.ledger.number, self.ledger.time, number, UnixTime(time))

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
        return ChainChannel(id, self.ledger.channels.get(id, nothing), channels.get(id, nothing))

    def _instance(self, id: InstanceId) -> ChainInstance:
        _, _, _, instances = self.ledger.final()
        nothing = OnChainInstance()
        head = self.ledger.instances.get(id, nothing)
        return ChainInstance(id, head, instances.get(id, nothing))

    def _tell(self, told: Sequence[Input]) -> None:
        if self.inbox is not None:
            self.inbox(told)
