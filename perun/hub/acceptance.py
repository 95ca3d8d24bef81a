"""To whom a hub gives a share out of its credit: asked before it signs an `Open` [N4].

Keys cost nothing, so they are not what is counted. What an `Open` needs: an account that shows the
money for its own side on chain, one at a time for each account and each network address, and no
more than a part of the credit under way in all. An address that lets one lapse waits, twice as long
each time. So whoever wants to lock up a hub's credit has to bring as much money and many addresses,
and locks a tenth of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from perun.core import gas
from perun.core.books import Books
from perun.core.rules.keys import peer_account
from perun.core.rules.worth import most_of, worth_of
from perun.core.state import ChannelView, Role, Stage
from perun.hub.rows import Granted, Strikes
from perun.hub.tariff import Tariff
from perun.types import Asset, Record, Seconds, UnixTime, Wei

__all__ = ["Bounds", "Refusal", "gas_money", "own_deposits", "strike", "why_not_yet", "why_poor"]

_MOST_DOUBLINGS: Final = 16


class Bounds(Record, frozen=True):
    """How much of a hub's money may be where."""

    greatest_deposits: Wei
    """Ours in all channels of one asset together, in wei or what is worth that."""
    under_way: int = 10
    """All `Open`s that wait to be used hold at most this part, one in so many, of the credit."""
    patience: Seconds = Seconds(60)
    """How long an offer waits for its turn."""
    waiting: int = 1_024
    """Offers that wait for their turn …"""
    waiting_of_address: int = 16
    """… and those of one address."""
    longest_wait: Seconds = Seconds(86_400)
    """Of an address that has let `Open`s lapse; also when that is forgotten."""


class Refusal(Record, frozen=True):
    """Why no `Open` is signed now."""

    reason: str
    passes: bool = False
    """Whether waiting may help."""


def own_deposits(books: Books, asset: Asset) -> int:
    """What we have, or have agreed to have, in channels that have not ended."""
    held = 0
    for view in books.channels.values():
        if view.channel.asset != asset or view.stage is not Stage.JOINED or view.final.ended:
            continue
        promised = view.funding.bob_amount if view.role is Role.BOB else view.funding.alice_amount
        shown = view.final.bob if view.role is Role.BOB else view.final.alice
        held += max(promised if not view.final.withdrawals else 0, shown)
    return held


def why_not_yet(
    books: Books,
    view: ChannelView,
    group: str,
    granted: Iterable[Granted],
    strikes: Strikes | None,
    tariff: Tariff,
    bounds: Bounds,
    held: int,
) -> Refusal | None:
    """Why a channel offered to us gets no share, as far as our own books say; None: it may.

    Args:
        held: what `own_deposits` says.
    """
    share, asset = view.funding.bob_amount, view.channel.asset
    fee = 0 if view.held is None else view.held.state.net
    flat = worth_of(books.config.policy, asset, tariff.flat(books.chain.gas_price))
    if flat is None:
        return Refusal("what this token is worth is not known here, so our share has no price")
    price = tariff.least(share, flat)
    if fee < price:
        return Refusal(f"our share of {share} costs {price}, you offer {fee}")
    room = most_of(books.config.policy, asset, bounds.greatest_deposits) - held
    if share > room:
        return Refusal(f"all our channels together may hold {room} more of ours, not {share}")
    now = books.chain.clock
    if strikes is not None and now < strikes.until:
        wait = strikes.until - now
        return Refusal(f"{strikes.count} unused from your address; ask again in {wait} s")
    waiting = [one for one in granted if not _is_used(books, one)]
    account = peer_account(view)
    if any(one.account == account for one in waiting):
        return Refusal("your account has an Open already: use it, or let it lapse", passes=True)
    if any(one.group == group for one in waiting):
        return Refusal("your address has an Open already: use it, or let it lapse", passes=True)
    credit = books.credits.get((asset, books.config.identity.account))
    most = 0 if credit is None else credit.amount // bounds.under_way
    if share > most:
        return Refusal(f"we give at most {most} at a time, not {share}")
    if share + sum(one.amount for one in waiting if one.asset == asset) > most:
        return Refusal(f"others are opening channels: {most} for all at a time", passes=True)
    return None


def _is_used(books: Books, given: Granted) -> bool:
    view = books.channels.get(given.channel)
    return view is None or view.head.drawn


def gas_money(books: Books) -> int:
    """What the opener's transaction costs, in wei."""
    return gas.OPEN_BOTH_GAS * books.chain.gas_price


def why_poor(books: Books, view: ChannelView, ether: int) -> Refusal | None:
    """Why what the opener's account has on chain does not do.

    Args:
        ether: wei of the account in the newest block. Tokens are pulled by the transaction itself.
    """
    from_ether = view.funding.alice_amount if view.channel.asset == bytes(20) else 0
    needs = from_ether + gas_money(books)
    if ether >= needs:
        return None
    return Refusal(f"your account shows {ether} wei on chain; share and gas are {needs} wei")


def strike(before: Strikes | None, group: str, base: int, bounds: Bounds, now: int) -> Strikes:
    """What another `Open` that lapsed means for an address: it waits, twice as long each time."""
    recent = before is not None and now < before.until + bounds.longest_wait
    count = 1 if before is None or not recent else before.count + 1
    wait = min(base << min(count, _MOST_DOUBLINGS), bounds.longest_wait)
    return Strikes(group, count, UnixTime(now + wait))
