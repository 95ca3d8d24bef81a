"""`MSContract`: custody, agreement and dispute of every basic channel (protocol, section 3).

The life of a channel, seen from here:

    nothing ──open, openBoth, deposit──▶ open ──register──▶ disputed ──settle──▶ settling
       ▲                                  │ ▲                 │   │                 │
       │                                  │ └── deposit,      │   └─register: newer │
       │                                  │     withdraw      │     states replace  │
       ├──────────── close ───────────────┴───────────────────┘     older ones      │
       └──────────── settle, once no nano is left ──────────────────────────────────┘

While open, money comes and goes by agreement. `register` starts a clock that never stops and
never starts again; until it is over the highest version wins, after it the winner is paid out,
free money at once and locked money nano by nano.

Each function reads: what refuses the call, what is stored, what is announced, what is paid.
A refused call changes nothing (`perun.spec.world` undoes it, as the EVM does). Where several
reasons refuse a call, the order in which they stand here is the contract's; the protocol leaves
it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from perun.crypto import recover
from perun.encoding import (
    MSContractDomain,
    channel_id,
    close_digest,
    open_digest,
    state_digest,
    state_hash,
    withdraw_digest,
)
from perun.spec.ledger import Ledger
from perun.spec.nanos import Resolved, check_order, resolve
from perun.spec.reverts import (
    AlreadyDrawn,
    AmountTooLarge,
    ClaimFailed,
    DeadlineTooFar,
    DisputeStillOpen,
    EmptyChannel,
    InDispute,
    Insolvent,
    InsufficientCredit,
    NotAParty,
    NotInDispute,
    ShareTooSmall,
    StateMismatch,
    TokenRefused,
    TooLate,
    TooMuchEvidence,
    ValidUntilTooFar,
    VersionZeroNotEmpty,
    WrongIndex,
    WrongSigner,
    ZeroAddress,
)
from perun.types import (
    ETH,
    MAX_AMOUNT,
    ZERO_ADDRESS,
    Address,
    Asset,
    Channel,
    ChannelId,
    Close,
    Digest,
    Nano,
    Open,
    Settlement,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

Key = tuple[Asset, ChannelId]
"""Where a channel's money is found: by asset and id together [B2]."""

MAX_DEADLINE = 2**34 - 1
"""Deadlines are stored in 34 bits [B6]."""

MOST_WITHDRAWALS = 2**30 - 1
"""The count of withdrawals is stored in 30 bits."""


@dataclass(frozen=True, slots=True)
class Funds:
    """A channel's first slot: what each side has put in minus what it took out.

    A side that took out what it had received stands below zero; never the sum.
    """

    alice: int = 0
    bob: int = 0
    withdrawals: int = 0
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Dispute:
    """A channel's second slot: the state that counts unless a newer one comes by `deadline`."""

    version: Version
    deadline: UnixTime
    state_hash: int
    settling: bool = False


@dataclass(frozen=True, slots=True)
class Payout:
    """What ended a channel, or a part of it: for the properties; the contract keeps none of it."""

    channel: Channel
    before: Funds
    net: int
    resolved: tuple[Resolved, ...]
    remaining: tuple[Nano, ...]
    alice: int
    bob: int
    version: Version | None
    """The registered version; None for a co-signed `Close`."""
    settling: bool
    """Whether an earlier payout had already paid the free money."""


@dataclass(slots=True)
class MSContract:
    ledger: Ledger
    domain: MSContractDomain
    funds: dict[Key, Funds] = field(default_factory=dict)
    disputes: dict[Key, Dispute] = field(default_factory=dict)
    credits: dict[tuple[Asset, Address], int] = field(default_factory=dict)
    deposited: dict[Key, int] = field(default_factory=dict)
    """All that ever came into a channel; for the properties, not in the contract."""
    paid: dict[Key, int] = field(default_factory=dict)
    """All that ever went out of a channel; for the properties, not in the contract."""
    payouts: list[Payout] = field(default_factory=list)

    # ---------------------------------------------------------------------------------- money in

    def open(
        self, caller: Address, value: int, channel: Channel, amount: Wei, valid_until: UnixTime
    ) -> None:
        """Deposit for the caller's own side, and announce the channel."""
        key = self._key(channel)
        if caller not in (channel.alice, channel.bob):
            raise NotAParty(key[1], caller)
        self._in_time(valid_until)
        self.ledger.emit("Opened", key[1], channel.alice, channel.bob, channel)
        self._deposit(caller, value, key, caller != channel.alice, amount)

    def deposit(
        self,
        caller: Address,
        value: int,
        asset: Asset,
        channel: ChannelId,
        to_bob: bool,
        amount: Wei,
        valid_until: UnixTime,
    ) -> None:
        """Add to one side, whoever pays; nothing here knows who the parties are."""
        self._in_time(valid_until)
        self._deposit(caller, value, (asset, channel), to_bob, amount)

    def open_both(
        self,
        caller: Address,
        value: int,
        channel: Channel,
        alice_amount: Wei,
        bob_amount: Wei,
        valid_until: UnixTime,
        signature: Signature,
    ) -> None:
        """Fund both sides at once: the caller's by the call, the other's out of its credit.

        Once in a channel's life: the *drawn* bit, and the short life of an `Open` [C5].
        """
        key = self._key(channel)
        if caller not in (channel.alice, channel.bob):
            raise NotAParty(key[1], caller)
        self._in_time(valid_until)
        if valid_until > self.ledger.now + channel.challenge:
            raise ValidUntilTooFar(valid_until, self.ledger.now + channel.challenge)
        by_alice = caller == channel.alice
        drawn_on = channel.bob if by_alice else channel.alice
        share, drawn = (alice_amount, bob_amount) if by_alice else (bob_amount, alice_amount)
        offer = Open(key[1], alice_amount, bob_amount, valid_until)
        _signed(drawn_on, open_digest(self.domain, offer), signature)

        arrived = self._pull(caller, value, channel.asset, share)
        if arrived < share:
            raise ShareTooSmall(arrived, share)
        if key in self.disputes:
            raise InDispute(key[1])
        if self.funds.get(key, Funds()).drawn:
            raise AlreadyDrawn(key[1])
        self._debit(channel.asset, drawn_on, drawn)
        self.ledger.emit("Opened", key[1], channel.alice, channel.bob, channel)
        to_alice, to_bob = (arrived, drawn) if by_alice else (drawn, arrived)
        self._raise_sides(key, to_alice, to_bob, drawn=True)

    def fund(
        self, caller: Address, value: int, asset: Asset, account: Address, amount: Wei
    ) -> None:
        """Add to an account's credit, whoever pays."""
        if account == ZERO_ADDRESS:
            raise ZeroAddress
        self._give_credit(asset, account, self._pull(caller, value, asset, amount))

    # --------------------------------------------------------------------------------- money out

    def close(
        self,
        caller: Address,
        channel: Channel,
        net: Wei,
        valid_until: UnixTime,
        to_credit: int,
        signature_alice: Signature,
        signature_bob: Signature,
    ) -> None:
        """End a channel by agreement: possible until a dispute's deadline, not after it [B3]."""
        key = self._key(channel)
        if key not in self.funds and key not in self.disputes:
            raise EmptyChannel(key[1])
        self._in_time(valid_until)
        if key in self.disputes:
            self._in_time(self.disputes[key].deadline)
        offer = Close(key[1], net, valid_until, to_credit)
        digest = close_digest(self.domain, offer)
        self._both_agree(channel, caller, digest, signature_alice, signature_bob)
        before = self.funds.get(key, Funds())
        alice, bob = _free(key, before, net, ())

        self._store(key, Funds())
        self.disputes.pop(key, None)
        self.ledger.emit("Closed", key[1], alice, bob)
        self._pay_out(Payout(channel, before, net, (), (), alice, bob, None, False), to_credit)

    def withdraw(
        self,
        caller: Address,
        channel: Channel,
        index: int,
        alice_amount: Wei,
        bob_amount: Wei,
        valid_until: UnixTime,
        signature_alice: Signature,
        signature_bob: Signature,
    ) -> None:
        """Pay out of an open channel by agreement.

        Each side falls by what it is paid, so every state keeps its meaning, and one that would
        pay the same money again is insolvent [B8]. The count of withdrawals stays behind even in
        a channel that holds nothing any more.
        """
        key = self._key(channel)
        if key in self.disputes:
            raise InDispute(key[1])
        self._in_time(valid_until)
        before = self.funds.get(key, Funds())
        if index != before.withdrawals or index == MOST_WITHDRAWALS:
            raise WrongIndex(index, before.withdrawals)
        offer = Withdraw(key[1], index, alice_amount, bob_amount, valid_until)
        digest = withdraw_digest(self.domain, offer)
        self._both_agree(channel, caller, digest, signature_alice, signature_bob)
        alice, bob = before.alice - alice_amount, before.bob - bob_amount
        if alice + bob < 0:
            raise Insolvent(key[1], alice, bob)

        self._store(key, replace(before, alice=alice, bob=bob, withdrawals=index + 1))
        self.ledger.emit("Withdrawn", key[1], index, alice_amount, bob_amount)
        self._pay(key, channel.alice, alice_amount)
        self._pay(key, channel.bob, bob_amount)

    def claim(self, caller: Address, asset: Asset, amount: Wei, to: Address) -> None:
        """Take one's own credit out: the only payment that fails instead of becoming credit.

        It is also the only one that may use all the gas there is.
        """
        if to == ZERO_ADDRESS:
            raise ZeroAddress
        self._debit(asset, caller, amount)
        self.ledger.emit("Claimed", asset, caller, amount, to)
        if amount and not self.ledger.pay(asset, self.domain.contract, to, amount):
            raise ClaimFailed(to) if asset == ETH else TokenRefused(asset)

    # ---------------------------------------------------------------------------------- disputes

    def register(
        self,
        caller: Address,
        channel: Channel,
        version: Version,
        net: Wei,
        nanos: tuple[Nano, ...],
        signature_alice: Signature,
        signature_bob: Signature,
        evidence: Sequence[bytes],
    ) -> None:
        """Open a dispute with a state, or answer one with a newer state, and pass evidence on.

        A version that is not higher is not even looked at and does no harm: what somebody else
        registers meanwhile can never make an answer fail [A5, P10].
        """
        key = self._key(channel)
        known = self.disputes.get(key)
        if known:
            self._in_time(known.deadline)
            deadline = known.deadline
        else:
            deadline = self._first_deadline(key, channel, caller)
        if not known or version > known.version:
            self._check_state(channel, caller, version, net, nanos, signature_alice, signature_bob)
            registered = state_hash(key[1], version, net, nanos)
            self.disputes[key] = Dispute(version, deadline, registered)
            self.ledger.emit("Registered", key[1], version, net, nanos, deadline)
        if len(evidence) > len(nanos):
            raise TooMuchEvidence(len(evidence), len(nanos))
        for index, piece in enumerate(evidence):
            if piece and not self.ledger.tell(nanos[index].app, piece):
                self.ledger.emit("EvidenceFailed", key[1], index)

    def settle(self, channel: Channel, net: Wei, nanos: tuple[Nano, ...]) -> None:
        """After the deadline: pay free money at once, and every nano that is resolved.

        What is still locked stays behind as the channel's only money, in a dispute over
        "net 0 and the nanos that remain", and only `settle` can touch it again [B3].
        """
        key = self._key(channel)
        known = self.disputes.get(key)
        if not known:
            raise NotInDispute(key[1])
        if self.ledger.now <= known.deadline:
            raise DisputeStillOpen(key[1], known.deadline, self.ledger.now)
        given = state_hash(key[1], known.version, net, nanos)
        if given != known.state_hash:
            raise StateMismatch(key[1], given, known.state_hash)
        self._settle(key, known, channel, net, nanos)

    def settle_many(self, settlements: Sequence[Settlement]) -> None:
        """`settle` for many; an item that does not match is skipped and stops nobody [C4]."""
        for item in settlements:
            try:
                self.settle(item.channel, item.net, item.nanos)
            except (NotInDispute, DisputeStillOpen, StateMismatch):
                self.ledger.emit("SettleSkipped", self.channel_id(item.channel))

    # ------------------------------------------------------------------------------------- views

    def channel_id(self, channel: Channel) -> ChannelId:
        return channel_id(self.domain, channel)

    def holdings(self, asset: Asset, channel: ChannelId) -> tuple[int, int, int, bool, bool]:
        """(alice, bob, withdrawals, drawn, disputed)."""
        funds = self.funds.get((asset, channel), Funds())
        disputed = (asset, channel) in self.disputes
        return funds.alice, funds.bob, funds.withdrawals, funds.drawn, disputed

    def dispute(self, asset: Asset, channel: ChannelId) -> tuple[int, int, bool, int]:
        """(version, deadline, settling, low 173 bits of the state hash); zeros if there is none."""
        known = self.disputes.get((asset, channel))
        if not known:
            return 0, 0, False, 0
        return known.version, known.deadline, known.settling, known.state_hash

    def credit(self, asset: Asset, account: Address) -> int:
        return self.credits.get((asset, account), 0)

    # ------------------------------------------------------------------- what refuses, in detail

    def _in_time(self, limit: int) -> None:
        """A time limit includes its last second [B5]."""
        if self.ledger.now > limit:
            raise TooLate(limit, self.ledger.now)

    def _both_agree(
        self,
        channel: Channel,
        caller: Address,
        digest: Digest,
        by_alice: Signature,
        by_bob: Signature,
    ) -> None:
        """Each party signed with its key, or sends the transaction from its account or key."""
        if by_alice or caller not in (channel.alice, channel.alice_key):
            _signed(channel.alice_key, digest, by_alice)
        if by_bob or caller not in (channel.bob, channel.bob_key):
            _signed(channel.bob_key, digest, by_bob)

    def _first_deadline(self, key: Key, channel: Channel, caller: Address) -> UnixTime:
        """Who may open a dispute, of what, and until when it lasts."""
        if caller not in (channel.alice, channel.bob, channel.alice_key, channel.bob_key):
            raise NotAParty(key[1], caller)
        funds = self.funds.get(key, Funds())
        if funds.alice == 0 and funds.bob == 0:
            raise EmptyChannel(key[1])
        deadline = UnixTime(self.ledger.now + channel.challenge)
        if deadline > MAX_DEADLINE:
            raise DeadlineTooFar(deadline)
        return deadline

    def _check_state(
        self,
        channel: Channel,
        caller: Address,
        version: Version,
        net: Wei,
        nanos: tuple[Nano, ...],
        signature_alice: Signature,
        signature_bob: Signature,
    ) -> None:
        """Both agreed to it, or it is the start; its list is in order; it can be paid."""
        key = self._key(channel)
        if version == 0:
            if net != 0 or nanos:
                raise VersionZeroNotEmpty(net, len(nanos))
        else:
            digest = state_digest(self.domain, State(key[1], version, net, nanos))
            self._both_agree(channel, caller, digest, signature_alice, signature_bob)
        check_order(nanos)
        for locks in ([n.alice_lock for n in nanos], [n.bob_lock for n in nanos]):
            if sum(locks) > MAX_AMOUNT:  # what stays locked becomes the holdings
                raise AmountTooLarge(0, sum(locks))
        _free(key, self.funds.get(key, Funds()), net, nanos)

    # --------------------------------------------------------------------------- how money moves

    def _deposit(self, caller: Address, value: int, key: Key, to_bob: bool, amount: Wei) -> None:
        arrived = self._pull(caller, value, key[0], amount)
        if key in self.disputes:
            raise InDispute(key[1])
        self._raise_sides(key, 0 if to_bob else arrived, arrived if to_bob else 0)

    def _raise_sides(self, key: Key, to_alice: int, to_bob: int, drawn: bool = False) -> None:
        old = self.funds.get(key, Funds())
        for side, amount in ((old.alice, to_alice), (old.bob, to_bob)):
            if side + amount > MAX_AMOUNT or amount > MAX_AMOUNT:
                raise AmountTooLarge(side, amount)
        alice, bob = old.alice + to_alice, old.bob + to_bob
        self._store(key, replace(old, alice=alice, bob=bob, drawn=old.drawn or drawn))
        self.deposited[key] = self.deposited.get(key, 0) + to_alice + to_bob
        self.ledger.emit("Deposited", key[1], key[0], alice, bob)

    def _settle(
        self, key: Key, known: Dispute, channel: Channel, net: Wei, nanos: tuple[Nano, ...]
    ) -> None:
        before = self.funds.get(key, Funds())
        answers = [(nano, resolve(nano, self.ledger)) for nano in nanos]
        resolved = tuple(answer for _, answer in answers if answer)
        remaining = tuple(nano for nano, answer in answers if not answer)
        if known.settling and not resolved:
            return  # nothing new

        alice, bob = _free(key, before, net, nanos)
        alice += sum(answer.alice for answer in resolved)
        bob += sum(answer.bob for answer in resolved)
        if remaining:
            rest = state_hash(key[1], known.version, Wei(0), remaining)
            locked_alice = sum(nano.alice_lock for nano in remaining)
            locked_bob = sum(nano.bob_lock for nano in remaining)
            self._store(key, replace(before, alice=locked_alice, bob=locked_bob))
            self.disputes[key] = replace(known, state_hash=rest, settling=True)
        else:
            self._store(key, Funds())
            del self.disputes[key]
        self.ledger.emit("Settled", key[1], alice, bob, remaining)
        payout = Payout(
            channel, before, net, resolved, remaining, alice, bob, known.version, known.settling
        )
        self._pay_out(payout, 0)

    def _pay_out(self, payout: Payout, to_credit: int) -> None:
        self.payouts.append(payout)
        key = self._key(payout.channel)
        self._pay(key, payout.channel.alice, payout.alice, bool(to_credit & 1))
        self._pay(key, payout.channel.bob, payout.bob, bool(to_credit & 2))

    def _pay(self, key: Key, to: Address, amount: int, to_credit: bool = False) -> None:
        """Pay out of a channel; what cannot be delivered becomes the account's credit."""
        if amount == 0:
            return
        self.paid[key] = self.paid.get(key, 0) + amount
        if to_credit or not self.ledger.pay(key[0], self.domain.contract, to, amount):
            self._give_credit(key[0], to, amount)

    def _pull(self, caller: Address, value: int, asset: Asset, amount: Wei) -> int:
        return self.ledger.pull(asset, caller, self.domain.contract, amount, value)

    def _give_credit(self, asset: Asset, account: Address, amount: int) -> None:
        self.credits[asset, account] = self.credit(asset, account) + amount
        self.ledger.emit("Credited", asset, account, amount)

    def _debit(self, asset: Asset, account: Address, amount: Wei) -> None:
        has = self.credit(asset, account)
        if has < amount:
            raise InsufficientCredit(asset, account, has, amount)
        self.credits[asset, account] = has - amount

    def _key(self, channel: Channel) -> Key:
        return channel.asset, self.channel_id(channel)

    def _store(self, key: Key, funds: Funds) -> None:
        """Both slots are zero before and after a channel's life: what is empty is not kept."""
        if funds == Funds():
            self.funds.pop(key, None)
        else:
            self.funds[key] = funds


def _free(key: Key, funds: Funds, net: Wei, nanos: Sequence[Nano]) -> tuple[int, int]:
    """What no nano locks: Alice's and Bob's. A state is solvent when neither is negative."""
    alice = funds.alice - net - sum(nano.alice_lock for nano in nanos)
    bob = funds.bob + net - sum(nano.bob_lock for nano in nanos)
    if alice < 0 or bob < 0:
        raise Insolvent(key[1], alice, bob)
    return alice, bob


def _signed(signer: Address, digest: Digest, signature: Signature) -> None:
    """`signer` must be a plain key: what a contract says of a signature (ERC-1271) never counts."""
    recovered = recover(digest, signature) or ZERO_ADDRESS
    if recovered != signer or recovered == ZERO_ADDRESS:
        raise WrongSigner(signer, recovered)
