"""MSContract, which holds every channel of a chain (protocol, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from perun import encoding
from perun.bindings import events
from perun.bindings import ms_contract_calls as calls
from perun.bindings.calls import Fees
from perun.bindings.front import Front
from perun.bindings.ms_contract_calls import Dispute, Holdings
from perun.bindings.nanocontract import domain_separator
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike, SignatureLike, address, signature_bytes
from perun.encoding import MSContractDomain
from perun.errors import WrongChannel
from perun.types import (
    Asset,
    Channel,
    ChannelId,
    Close,
    DomainSeparator,
    Open,
    Settlement,
    State,
    UnixTime,
    Wei,
    Withdraw,
)


class MSContract(Front):
    """The contract that holds every basic channel: custody, agreement, dispute.

    Source: protocol, section 3, and `contracts/interfaces/IMSContract.sol`. Amounts in the asset's
    smallest unit (ETH goes along by itself, tokens must be approved first), times in Unix seconds;
    sending and errors as in `Front`. A signature is left out by the party whose account or key
    sends. Where a record names a channel by id, it must be the channel's own: `WrongChannel`.
    """

    table = events.MS_CONTRACT

    @cached_property
    def domain(self) -> MSContractDomain:
        """What states, closes, withdrawals and opens are signed in."""
        return encoding.ms_contract_domain(self.chain_id, self.address)

    # ---------------------------------------------------------------------------------- money in

    def open(
        self,
        channel: Channel,
        amount: Wei,
        valid_until: UnixTime,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Deposits for the sender's side and announces the channel: `Opened`, `Deposited`.

        Args:
            valid_until: last second at which it may be mined.
        """
        call = calls.open_channel(self.address, channel, amount, valid_until)
        return self._send(call, sender, gas, fees)

    def open_both(
        self,
        channel: Channel,
        offer: Open,
        signature: SignatureLike,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Funds both sides: the sender's share goes along, the other's comes out of its credit.

        Args:
            offer, signature: by the other *account*; at most a challenge ahead.
        """
        self._require(channel, offer.channel)
        call = calls.open_both(
            self.address,
            channel,
            offer,
            signature_bytes(signature),
            by_bob=address(sender) != channel.alice,
        )
        return self._send(call, sender, gas, fees)

    def deposit(
        self,
        channel: Channel,
        amount: Wei,
        valid_until: UnixTime,
        *,
        to_bob: bool,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Adds to one side of a channel, without announcing the channel: `Deposited`.

        Asset and id are computed from the channel: a deposit under wrong ones would be lost.
        """
        id = encoding.channel_id(self.domain, channel)
        call = calls.deposit(self.address, channel.asset, id, amount, valid_until, to_bob=to_bob)
        return self._send(call, sender, gas, fees)

    def fund(
        self,
        asset: Asset,
        account: AddressLike,
        amount: Wei,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Adds to the credit of an account: `Credited`."""
        call = calls.fund(self.address, asset, address(account), amount)
        return self._send(call, sender, gas, fees)

    # --------------------------------------------------------------------------------- money out

    def close(
        self,
        channel: Channel,
        agreed: Close,
        signature_alice: SignatureLike = b"",
        signature_bob: SignatureLike = b"",
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Ends a channel by agreement and pays both: `Closed`."""
        self._require(channel, agreed.channel)
        call = calls.close(
            self.address,
            channel,
            agreed,
            signature_bytes(signature_alice),
            signature_bytes(signature_bob),
        )
        return self._send(call, sender, gas, fees)

    def withdraw(
        self,
        channel: Channel,
        agreed: Withdraw,
        signature_alice: SignatureLike = b"",
        signature_bob: SignatureLike = b"",
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Pays out of an open channel by agreement: `Withdrawn`."""
        self._require(channel, agreed.channel)
        call = calls.withdraw(
            self.address,
            channel,
            agreed,
            signature_bytes(signature_alice),
            signature_bytes(signature_bob),
        )
        return self._send(call, sender, gas, fees)

    def claim(
        self,
        asset: Asset,
        amount: Wei,
        to: AddressLike,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Takes the sender's credit out: `Claimed`."""
        return self._send(calls.claim(self.address, asset, amount, address(to)), sender, gas, fees)

    # ---------------------------------------------------------------------------------- disputes

    def register(
        self,
        channel: Channel,
        state: State,
        signature_alice: SignatureLike = b"",
        signature_bob: SignatureLike = b"",
        evidence: Sequence[bytes] = (),
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Opens a dispute, or answers one with a newer state: `Registered`; passes evidence on.

        One that is not newer changes nothing and announces nothing.

        Args:
            evidence: item i, unless empty, goes to the nanocontract of `state.nanos[i]`; made by
                `perun.statements_evidence` and `perun.reveal_evidence`.
        """
        self._require(channel, state.channel)
        call = calls.register(
            self.address,
            channel,
            state,
            signature_bytes(signature_alice),
            signature_bytes(signature_bob),
            evidence,
        )
        return self._send(call, sender, gas, fees)

    def settle(
        self,
        settlement: Settlement,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """After the deadline: pays free money and resolved locks, again and again: `Settled`."""
        return self._send(calls.settle(self.address, settlement), sender, gas, fees)

    def settle_many(
        self,
        settlements: Sequence[Settlement],
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """`settle` for many channels; those that no longer match are skipped: `SettleSkipped`."""
        return self._send(calls.settle_many(self.address, settlements), sender, gas, fees)

    # ------------------------------------------------------------------------------------- views

    def channel_id(self, channel: Channel) -> ChannelId:
        """The contract's own answer; `perun.channel_id(ms.domain, channel)` needs no node."""
        return self._ask(calls.channel_id(self.address, channel))

    def holdings(self, channel: Channel) -> Holdings:
        """What a channel holds, and the marks of this life of it."""
        id = encoding.channel_id(self.domain, channel)
        return self._ask(calls.holdings(self.address, channel.asset, id))

    def dispute(self, channel: Channel) -> Dispute:
        """The dispute of a channel; all zero if there is none."""
        id = encoding.channel_id(self.domain, channel)
        return self._ask(calls.dispute(self.address, channel.asset, id))

    def credit(self, asset: Asset, account: AddressLike) -> Wei:
        """Balance of an account in the contract."""
        return self._ask(calls.credit(self.address, asset, address(account)))

    def domain_separator(self) -> DomainSeparator:
        """What the contract's digests and ids begin with (EIP-712)."""
        return self._ask(domain_separator(self.address))

    def _require(self, channel: Channel, named: ChannelId) -> None:
        """A signed record must be about the channel it is sent for."""
        id = encoding.channel_id(self.domain, channel)
        if id != named:
            raise WrongChannel(channel=id, named=named)
