"""What the core wants done on chain, as the calls that do it."""

from __future__ import annotations

from perun.bindings import ms_contract_calls
from perun.bindings.calls import Call
from perun.chain.kinds import known_apps
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
    WithdrawMoney,
)
from perun.types import (
    ETH,
    Address,
    Asset,
    ChannelId,
    Open,
    Record,
    Settlement,
    State,
    UnixTime,
    Wei,
)

__all__ = ["Wish", "call_of", "wish_of"]


class Wish(Record, frozen=True, gc=False, array_like=True):
    """A call that is to have its effect, and what sending it twice would mean."""

    key: bytes
    """Names the wish; two calls under one key replace each other."""
    kind: str
    """Name of the effect, for people."""
    call: Call
    until: UnixTime | None = None
    """Last second at which it may be mined, or is of use."""
    once: bool = False
    """Whether a second mined transaction would move money a second time."""
    token: Asset = ETH
    """What MSContract pulls from the sender …"""
    pulls: Wei = Wei(0)
    """… and how much, if it is a token."""
    stake: Wei | None = None
    """What it saves at most, in wei: it costs no more; None: not known."""


def wish_of(submit: Submit, deployment: Deployment, account: Address) -> Wish:
    """The call that has the effect of a `Submit`, sent by `account`."""
    transaction = submit.transaction
    limits = [limit for limit in (submit.before, _valid_until(transaction)) if limit is not None]
    asset, pulls = _pulled(transaction)
    return Wish(
        key=submit.key,
        kind=type(transaction).__name__,
        call=call_of(transaction, deployment, account),
        until=min(limits, default=None),
        # Everything else is idempotent, or protected by an index, a bit or a balance on chain.
        once=isinstance(transaction, OpenChannel | DepositMoney),
        token=asset,
        pulls=Wei(0) if asset == ETH else pulls,
        stake=submit.stake,
    )


def call_of(transaction: Transaction, deployment: Deployment, account: Address) -> Call:
    """The call that does a transaction, sent by `account`."""
    contract = deployment.contract.contract
    match transaction:
        case OpenChannel(channel, amount, valid_until):
            return ms_contract_calls.open_channel(contract, channel, amount, valid_until)
        case OpenBoth(channel, alice, bob, valid_until, signature):
            # The contract computes the id from the channel; the call carries only the amounts.
            offer = Open(ChannelId(bytes(32)), alice, bob, valid_until)
            return ms_contract_calls.open_both(
                contract, channel, offer, signature, by_bob=account == channel.bob
            )
        case DepositMoney(asset, id, to_bob, amount, valid_until):
            return ms_contract_calls.deposit(
                contract, asset, id, amount, valid_until, to_bob=to_bob
            )
        case CloseChannel(channel, close, alice_signed, bob_signed):
            return ms_contract_calls.close(contract, channel, close, alice_signed, bob_signed)
        case WithdrawMoney(channel, withdraw, alice_signed, bob_signed):
            return ms_contract_calls.withdraw(contract, channel, withdraw, alice_signed, bob_signed)
        case Register(channel, id, version, net, nanos, alice_signed, bob_signed, evidence):
            state = State(id, version, net, nanos)
            return ms_contract_calls.register(
                contract, channel, state, alice_signed, bob_signed, evidence
            )
        case Settle(channel, _, net, nanos):
            return ms_contract_calls.settle(contract, Settlement(channel, net, nanos))
        case SubmitEvidence(app, _, evidence):
            return known_apps(deployment)[app].reader.call(app, evidence)
        case ClaimCredit(asset, amount, to):
            return ms_contract_calls.claim(contract, asset, amount, to)


def _valid_until(transaction: Transaction) -> UnixTime | None:
    match transaction:
        case OpenChannel() | OpenBoth() | DepositMoney():
            return transaction.valid_until
        case CloseChannel():
            return transaction.close.valid_until
        case WithdrawMoney():
            return transaction.withdraw.valid_until
        case _:
            return None


def _pulled(transaction: Transaction) -> tuple[Asset, Wei]:
    match transaction:
        case OpenChannel():
            return transaction.channel.asset, transaction.amount
        case OpenBoth():
            return transaction.channel.asset, transaction.own_amount
        case DepositMoney():
            return transaction.asset, transaction.amount
        case _:
            return ETH, Wei(0)
