"""What the contract keeps: two slots a channel, credit, and how money moves (protocol, section 3).

Nothing here looks at a signature or the clock: who may move what, and when, is said in `agreement`
and `ms_contract`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from perun.encoding import MSContractDomain, channel_id
from perun.spec.host import Host
from perun.spec.nanos import Resolved
from perun.spec.reverts import AmountTooLarge, InsufficientCredit
from perun.types import (
    MAX_AMOUNT,
    Address,
    Asset,
    Channel,
    ChannelId,
    Nano,
    UnixTime,
    Version,
    Wei,
)

__all__ = ["Custody", "Dispute", "Funds", "Key", "Payout"]

MOST_CREDIT = 2**256 - 1
"""Credit is counted in one word."""

Key = tuple[Asset, ChannelId]
"""Where a channel's money is found: by asset and id together [B2]."""


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
class Custody:
    """Every channel's money and every account's credit, beside the balance that covers them."""

    host: Host
    domain: MSContractDomain
    funds: dict[Key, Funds] = field(default_factory=dict)
    disputes: dict[Key, Dispute] = field(default_factory=dict)
    credits: dict[tuple[Asset, Address], int] = field(default_factory=dict)
    deposited: dict[Key, int] = field(default_factory=dict)
    """All that ever came into a channel; for the properties, not in the contract."""
    paid: dict[Key, int] = field(default_factory=dict)
    """All that ever went out of a channel; for the properties, not in the contract."""
    payouts: list[Payout] = field(default_factory=list)
    """What each channel's ends were; for the properties, not in the contract."""

    # ------------------------------------------------------------------------------- what is where

    def channel_id(self, channel: Channel) -> ChannelId:
        return channel_id(self.domain, channel)

    def _key(self, channel: Channel) -> Key:
        return channel.asset, self.channel_id(channel)

    def holds(self, key: Key) -> Funds:
        """A channel's money; nothing before and after its life."""
        return self.funds.get(key, Funds())

    def credit(self, asset: Asset, account: Address) -> int:
        return self.credits.get((asset, account), 0)

    # --------------------------------------------------------------------------- how money moves

    def _pull(self, caller: Address, value: int, asset: Asset, amount: Wei) -> int:
        """From the caller; what arrives counts."""
        return self.host.pull(asset, caller, self.domain.contract, amount, value)

    def _raise_sides(self, key: Key, to_alice: int, to_bob: int, drawn: bool = False) -> None:
        old = self.holds(key)
        for side, amount in ((old.alice, to_alice), (old.bob, to_bob)):
            if side + amount > MAX_AMOUNT or amount > MAX_AMOUNT:
                raise AmountTooLarge(side, amount)
        alice, bob = old.alice + to_alice, old.bob + to_bob
        self._store(key, replace(old, alice=alice, bob=bob, drawn=old.drawn or drawn))
        self.deposited[key] = self.deposited.get(key, 0) + to_alice + to_bob
        self.host.emit("Deposited", key[1], key[0], alice, bob)

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
        if to_credit or not self.host.pay(key[0], self.domain.contract, to, amount):
            self._give_credit(key[0], to, amount)

    def _give_credit(self, asset: Asset, account: Address, amount: int) -> None:
        """Credit stops at the greatest number; only a token that lies about balances gets there.

        A payout that became credit and was refused for it would take the other party's with it.
        """
        has = self.credit(asset, account)
        grown = min(amount, MOST_CREDIT - has)
        self.credits[asset, account] = has + grown
        self.host.emit("Credited", asset, account, grown)

    def _debit(self, asset: Asset, account: Address, amount: Wei) -> None:
        has = self.credit(asset, account)
        if has < amount:
            raise InsufficientCredit(asset, account, has, amount)
        self.credits[asset, account] = has - amount

    def _store(self, key: Key, funds: Funds) -> None:
        """Both slots are zero before and after a channel's life: what is empty is not kept."""
        if funds == Funds():
            self.funds.pop(key, None)
        else:
            self.funds[key] = funds
