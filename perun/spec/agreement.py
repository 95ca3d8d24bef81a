"""Money in, and money out while both agree (protocol, section 3).

Each function reads: what refuses the call, what is stored, what is announced, what is paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perun.encoding import close_digest, open_digest, withdraw_digest
from perun.spec.consent import both_agree, free_money, signed
from perun.spec.custody import Custody, Funds, Key, Payout
from perun.spec.reverts import (
    AlreadyDrawn,
    ClaimFailed,
    EmptyChannel,
    InDispute,
    Insolvent,
    NotAParty,
    ShareTooSmall,
    TokenRefused,
    TooLate,
    ValidUntilTooFar,
    WrongIndex,
    ZeroAddress,
)
from perun.types import (
    ETH,
    ZERO_ADDRESS,
    Address,
    Asset,
    Channel,
    ChannelId,
    Close,
    Open,
    Signature,
    UnixTime,
    Wei,
    Withdraw,
)

__all__ = ["Agreement"]

MOST_WITHDRAWALS = 2**30 - 1
"""The count of withdrawals is stored in 30 bits."""


@dataclass(slots=True)
class Agreement(Custody):
    """Everything about a channel but its disputes."""

    # ---------------------------------------------------------------------------------- money in

    def open(
        self, caller: Address, value: int, channel: Channel, amount: Wei, valid_until: UnixTime
    ) -> None:
        """Deposit for the caller's own side, and announce the channel."""
        key = self._key(channel)
        if caller not in (channel.alice, channel.bob):
            raise NotAParty(key[1], caller)
        self._in_time(valid_until)
        self.host.emit("Opened", key[1], channel.alice, channel.bob, channel)
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
        if valid_until > self.host.now + channel.challenge:
            raise ValidUntilTooFar(valid_until, self.host.now + channel.challenge)
        by_alice = caller == channel.alice
        drawn_on = channel.bob if by_alice else channel.alice
        share, drawn = (alice_amount, bob_amount) if by_alice else (bob_amount, alice_amount)
        offer = Open(key[1], alice_amount, bob_amount, valid_until)
        signed(drawn_on, open_digest(self.domain, offer), signature)

        arrived = self._pull(caller, value, channel.asset, share)
        if arrived < share:
            raise ShareTooSmall(arrived, share)
        if key in self.disputes:
            raise InDispute(key[1])
        if self.holds(key).drawn:
            raise AlreadyDrawn(key[1])
        self._debit(channel.asset, drawn_on, drawn)
        self.host.emit("Opened", key[1], channel.alice, channel.bob, channel)
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
        both_agree(channel, caller, digest, signature_alice, signature_bob)
        before = self.holds(key)
        alice, bob = free_money(key, before, net, ())

        self._store(key, Funds())
        self.disputes.pop(key, None)
        self.host.emit("Closed", key[1], alice, bob)
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
        before = self.holds(key)
        if index != before.withdrawals or index == MOST_WITHDRAWALS:
            raise WrongIndex(index, before.withdrawals)
        offer = Withdraw(key[1], index, alice_amount, bob_amount, valid_until)
        digest = withdraw_digest(self.domain, offer)
        both_agree(channel, caller, digest, signature_alice, signature_bob)
        alice, bob = before.alice - alice_amount, before.bob - bob_amount
        if alice + bob < 0:
            raise Insolvent(key[1], alice, bob)

        self._store(key, replace(before, alice=alice, bob=bob, withdrawals=index + 1))
        self.host.emit("Withdrawn", key[1], index, alice_amount, bob_amount)
        self._pay(key, channel.alice, alice_amount)
        self._pay(key, channel.bob, bob_amount)

    def claim(self, caller: Address, asset: Asset, amount: Wei, to: Address) -> None:
        """Take one's own credit out: the only payment that fails instead of becoming credit.

        It is also the only one that may use all the gas there is. The contract itself is no payee:
        what it holds of its own is nobody's.
        """
        if to == ZERO_ADDRESS:
            raise ZeroAddress
        self._debit(asset, caller, amount)
        self.host.emit("Claimed", asset, caller, amount, to)
        if amount and to == self.domain.contract:
            raise ClaimFailed(to)
        if amount and not self.host.pay(asset, self.domain.contract, to, amount):
            raise ClaimFailed(to) if asset == ETH else TokenRefused(asset)

    # ------------------------------------------------------------------- what refuses, in detail

    def _in_time(self, limit: int) -> None:
        """A time limit includes its last second [B5]."""
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)

    def _deposit(self, caller: Address, value: int, key: Key, to_bob: bool, amount: Wei) -> None:
        arrived = self._pull(caller, value, key[0], amount)
        if key in self.disputes:
            raise InDispute(key[1])
        self._raise_sides(key, 0 if to_bob else arrived, arrived if to_bob else 0)
