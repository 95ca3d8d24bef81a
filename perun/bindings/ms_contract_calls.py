"""Calls of MSContract and questions to it, as data (`contracts/interfaces/IMSContract.sol`).

What is signed is given as the record that was signed, so that a call cannot carry other values.
Signatures are 65 or 64 bytes, or empty for the party whose account or key sends the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from perun import checks
from perun.bindings import abi, allowances
from perun.bindings.calls import Call, Query
from perun.types import (
    ETH,
    Address,
    Asset,
    Channel,
    ChannelId,
    Close,
    Open,
    Record,
    Settlement,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

OPEN = f"open({abi.CHANNEL},uint112,uint40)"
OPEN_BOTH = f"openBoth({abi.CHANNEL},uint112,uint112,uint40,bytes)"
DEPOSIT = "deposit(address,bytes32,bool,uint112,uint40)"
CLOSE = f"close({abi.CHANNEL},int112,uint40,uint8,bytes,bytes)"
WITHDRAW = f"withdraw({abi.CHANNEL},uint32,uint112,uint112,uint40,bytes,bytes)"
REGISTER = f"register({abi.CHANNEL},uint48,int112,{abi.NANO}[],bytes,bytes,bytes[])"
SETTLE = f"settle({abi.CHANNEL},int112,{abi.NANO}[])"
SETTLE_MANY = f"settleMany({abi.SETTLEMENT}[])"
FUND = "fund(address,address,uint256)"
CLAIM = "claim(address,uint256,address)"
CHANNEL_ID = f"channelId({abi.CHANNEL})"
HOLDINGS = "holdings(address,bytes32)"
DISPUTE = "dispute(address,bytes32)"
CREDIT = "credit(address,address)"


class Holdings(Record, frozen=True, gc=False):
    """What a channel holds: deposited minus withdrawn, by side (protocol, section 3)."""

    alice: Wei
    bob: Wei
    withdrawals: int
    """Count so far; a `Withdraw` carries it as `index`."""
    drawn: bool
    """Whether it was funded by `open_both`."""
    disputed: bool


class Dispute(Record, frozen=True, gc=False):
    """The dispute of a channel; all zero if there is none (protocol, section 3)."""

    version: Version
    deadline: UnixTime
    """Last second at which a newer state may be registered."""
    settling: bool
    """Whether free money is paid already, and only locked money waits."""
    state_hash: int
    """Low 173 bits of the registered state's hash (`perun.state_hash`)."""


# -------------------------------------------------------------------------------------- money in


def open_channel(contract: Address, channel: Channel, amount: Wei, valid_until: UnixTime) -> Call:
    """Deposits for the sender's side and announces the channel; ETH goes along by itself."""
    checks.amount("amount", amount)
    checks.unsigned("valid_until", valid_until, 40)
    data = abi.encode_call(OPEN, channel, amount, valid_until)
    return Call(contract, data, _value(channel.asset, amount))


def open_both(
    contract: Address, channel: Channel, offer: Open, signature: Signature, *, by_bob: bool
) -> Call:
    """Funds both sides: the sender's share goes along, the other's comes out of its credit.

    Args:
        offer: what the other account has signed.
        by_bob: whether Bob sends it, else Alice.
    """
    data = abi.encode_call(
        OPEN_BOTH,
        channel,
        offer.alice_amount,
        offer.bob_amount,
        offer.valid_until,
        signature,
    )
    share = offer.bob_amount if by_bob else offer.alice_amount
    return Call(contract, data, _value(channel.asset, share))


def deposit(
    contract: Address,
    asset: Asset,
    id: ChannelId,
    amount: Wei,
    valid_until: UnixTime,
    *,
    to_bob: bool,
) -> Call:
    """Adds to one side of a channel. Lost if asset or id are wrong: compute both, never copy."""
    checks.amount("amount", amount)
    checks.unsigned("valid_until", valid_until, 40)
    data = abi.encode_call(DEPOSIT, asset, id, to_bob, amount, valid_until)
    return Call(contract, data, _value(asset, amount))


def fund(contract: Address, asset: Asset, account: Address, amount: Wei) -> Call:
    """Adds to the credit of an account."""
    checks.wide_amount("amount", amount)
    data = abi.encode_call(FUND, asset, account, amount)
    return Call(contract, data, _value(asset, amount))


def _value(asset: Asset, amount: Wei) -> Wei:
    """ETH goes with the call; tokens are pulled from the sender."""
    return amount if asset == ETH else Wei(0)


# ------------------------------------------------------------------------------------- money out


def close(
    contract: Address,
    channel: Channel,
    agreed: Close,
    signature_alice: Signature,
    signature_bob: Signature,
) -> Call:
    """Ends a channel by agreement and pays both."""
    data = abi.encode_call(
        CLOSE,
        channel,
        agreed.net,
        agreed.valid_until,
        agreed.to_credit,
        signature_alice,
        signature_bob,
    )
    return Call(contract, data, reserve=allowances.payouts(channel.asset))


def withdraw(
    contract: Address,
    channel: Channel,
    agreed: Withdraw,
    signature_alice: Signature,
    signature_bob: Signature,
) -> Call:
    """Pays out of an open channel by agreement."""
    data = abi.encode_call(
        WITHDRAW,
        channel,
        agreed.index,
        agreed.alice_amount,
        agreed.bob_amount,
        agreed.valid_until,
        signature_alice,
        signature_bob,
    )
    return Call(contract, data, reserve=allowances.payouts(channel.asset))


def claim(contract: Address, asset: Asset, amount: Wei, to: Address) -> Call:
    """Takes the sender's credit out."""
    checks.wide_amount("amount", amount)
    return Call(contract, abi.encode_call(CLAIM, asset, amount, to))


# -------------------------------------------------------------------------------------- disputes


def register(
    contract: Address,
    channel: Channel,
    state: State,
    signature_alice: Signature,
    signature_bob: Signature,
    evidence: Sequence[bytes] = (),
) -> Call:
    """Opens a dispute with a state, or answers one with a newer state, and passes evidence on.

    Args:
        evidence: item i, unless empty, goes to the nanocontract of `state.nanos[i]`.
    """
    data = abi.encode_call(
        REGISTER,
        channel,
        state.version,
        state.net,
        state.nanos,
        signature_alice,
        signature_bob,
        list(evidence),
    )
    return Call(contract, data, reserve=allowances.evidence(sum(map(bool, evidence))))


def settle(contract: Address, settlement: Settlement) -> Call:
    """After the deadline: pays free money, and what is locked under resolved nanocontracts."""
    data = abi.encode_call(SETTLE, settlement.channel, settlement.net, settlement.nanos)
    return Call(contract, data, reserve=_settling([settlement]))


def settle_many(contract: Address, settlements: Sequence[Settlement]) -> Call:
    """`settle` for many channels; those that no longer match are skipped."""
    return Call(
        contract, abi.encode_call(SETTLE_MANY, list(settlements)), reserve=_settling(settlements)
    )


def _settling(settlements: Sequence[Settlement]) -> int:
    return sum(allowances.outcomes(len(item.nanos), item.channel.asset) for item in settlements)


# ----------------------------------------------------------------------------------------- views


def channel_id(contract: Address, channel: Channel) -> Query[ChannelId]:
    """Asks for a channel's id; `perun.channel_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(CHANNEL_ID, channel),
        lambda data: ChannelId(abi.decode(("bytes32",), data)[0]),
    )


def holdings(contract: Address, asset: Asset, id: ChannelId) -> Query[Holdings]:
    """Asks what a channel holds."""
    types = ("int112", "int112", "uint256", "bool", "bool")
    return Query(
        contract,
        abi.encode_call(HOLDINGS, asset, id),
        lambda data: Holdings(*abi.decode(types, data)),
    )


def dispute(contract: Address, asset: Asset, id: ChannelId) -> Query[Dispute]:
    """Asks for a channel's dispute."""
    types = ("uint48", "uint40", "bool", "uint256")
    return Query(
        contract,
        abi.encode_call(DISPUTE, asset, id),
        lambda data: Dispute(*abi.decode(types, data)),
    )


def credit(contract: Address, asset: Asset, account: Address) -> Query[Wei]:
    """Asks for an account's balance in the contract."""
    return Query(
        contract,
        abi.encode_call(CREDIT, asset, account),
        lambda data: Wei(abi.decode(("uint256",), data)[0]),
    )
