"""Money into a channel (protocol, section 3, open, openBoth, deposit; section 5 [B7]).

A deposit on its way is like a signature: until it is mined or has lapsed in a final block, no Close
or Withdraw of that channel is signed, and no second deposit is sent.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import DepositMoney, OpenBoth, OpenChannel
from perun.core.faults import NotAllowedNow
from perun.core.inputs import CommandFund
from perun.core.rules.admission import has_room
from perun.core.rules.phases import fresh, lapsed
from perun.core.state import ChannelView, Deposit, Role, Stage
from perun.types import UnixTime, Wei

__all__ = ["deposit", "fund", "fund_in_turn", "submit_deposits", "submit_open_both"]


def submit_open_both(draft: Draft, view: ChannelView) -> None:
    """Funds both sides at once, while the peer's `Open` lives; its repetition is harmless, since
    the contract draws once per life of a channel."""
    for permit in view.opens:
        if permit.ours or view.head.drawn or lapsed(permit.open.valid_until, draft.chain):
            continue
        funding = view.funding
        transaction = OpenBoth(
            view.channel,
            funding.alice_amount,
            funding.bob_amount,
            permit.open.valid_until,
            permit.signature,
            funding.alice_amount,
        )
        draft.submit(b"o" + view.id, transaction, permit.open.valid_until)


def fund(draft: Draft, view: ChannelView, command: CommandFund) -> None:
    """Our user adds to our own side."""
    deposit(draft, view, command.amount)


def deposit(draft: Draft, view: ChannelView, amount: Wei) -> None:
    """Deposits to our own side of a channel that our fresh view shows undisputed [B7].

    The first deposit is announced, so that the channel's fields are on chain [C6].
    """
    why = None
    if not fresh(draft) or draft.books.exit_only:
        why = "our view of the chain is too old, or this store is exit only"
    elif view.head.dispute is not None or view.head.ended or view.leaving:
        why = "the channel is in dispute, or ended"
    elif view.close is not None or view.withdraws or any(o.ours for o in view.opens):
        why = "an offer that we signed is alive"
    elif view.deposits:
        why = "another deposit is on its way"
    elif not view.proven:
        why = "the peer has not proved its key"
    if why is not None:
        raise NotAllowedNow("deposit", why)
    life = min(draft.config.limits.offer_validity, view.channel.challenge)
    own = view.final.alice if view.role is Role.ALICE else view.final.bob
    announce = not any(view.final.announced_by)
    deposit = Deposit(amount, UnixTime(draft.now + life), own, announce)
    view = replace(view, deposits=(deposit,))
    draft.put(view)
    submit_deposits(draft, view)


def submit_deposits(draft: Draft, view: ChannelView) -> None:
    """Our deposit on its way; one at a time, so the key names it for good."""
    for deposit in view.deposits:
        key = b"d" + view.id + deposit.valid_until.to_bytes(5, "big")
        if deposit.announce:
            draft.submit(
                key,
                OpenChannel(view.channel, deposit.amount, deposit.valid_until),
                deposit.valid_until,
            )
        else:
            to_bob = view.role is Role.BOB
            money = DepositMoney(
                view.channel.asset, view.id, to_bob, deposit.amount, deposit.valid_until
            )
            draft.submit(key, money, deposit.valid_until)


# Rule join-6.
def fund_in_turn(draft: Draft, view: ChannelView) -> None:
    """Bob never puts in first: his share follows Alice's, once that is final."""
    funding = view.funding
    if (
        view.role is Role.BOB
        and view.stage is Stage.JOINED
        and not funding.drawn
        and funding.bob_amount
        and view.final.bob == 0
        and not view.final.withdrawals
        and view.final.alice >= funding.alice_amount > 0
        and not view.deposits
        and view.agreed is None
        and view.final.dispute is None
        and view.head.dispute is None
        and not view.leaving
        and view.close is None
        and not view.withdraws
        and fresh(draft)
        and not draft.books.exit_only
        and not view.final.ended
        and has_room(draft, view)
    ):
        deposit(draft, view, funding.bob_amount)
