"""Bets on a price: invite, bring what the reporter has signed, and look.

Who is invited agrees by `answer`, as to any offer. A price that one side brings is told to the
other, or else to the chain, by itself.
"""

from __future__ import annotations

from typing import Final

from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.inviting import end_of, meet, place
from perun.app.locked import Locked, Sort, decided
from perun.app.methods import BringPrice, GetBets, OfferBet
from perun.app.texts import Who, amount_of, bytes_of, hexed, show_account
from perun.app.work import Caller, Work
from perun.core.nanocontracts.price_bet import BETS, CommandBet, CommandPrice
from perun.core.rules.accounting import gain
from perun.core.state import Role
from perun.types import Address, Asset, Bet, Salt, Signature, UnixTime, Wei

__all__ = ["bets", "bring", "feed_bytes", "feed_name", "offer"]


def offer(work: Work, caller: Caller, params: OfferBet) -> v.Bet:
    """Invites somebody to a bet; nothing is locked before they agree."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        meet(work, to, params.invitation)
        view = place(work, to, asset, own, theirs)
        if not own + theirs:
            raise BadParams("nothing is at stake: say for how much")
        if not int(params.slope):
            raise BadParams("no price would move anything: the slope is 0")
        random = work.random()
        work.desk.do(
            CommandBet(
                view.id,
                Address(bytes_of(params.reporter.lower(), 20, "reporter")),
                feed_bytes(params.feed),
                UnixTime(params.time),
                # What moves from us to them is what it costs us.
                *(Wei(int(params.strike)), Wei(-int(params.slope)), amount_of(params.scale)),
                *(own, theirs, UnixTime(params.time + params.seconds)),
                *(work.config.limits.least_machine_challenge, random, end_of(view, to)),
            )
        )
        return random

    return _SORT.invite(work, caller, "bet", params, begin)


def bring(work: Work, caller: Caller, params: BringPrice) -> v.Bet:
    """Brings the reporter's word; the other side hears it, or else the chain."""
    instance = _SORT.find(work, params.id)
    signature = Signature(bytes_of(params.signature, 65, "signature"))
    command = CommandPrice(instance.id, Wei(int(params.price)), signature)
    return _SORT.order(work, caller, "bringPrice", params, instance, lambda: work.desk.do(command))


def bets(work: Work, params: GetBets) -> tuple[v.Bet, ...]:
    """Invitations, what is locked, and what has ended lately; the newest last."""
    return _SORT.all(work, params.id)


def feed_bytes(text: str) -> bytes:
    """A feed as it is signed: 32 bytes in hex as they are, or a name, filled up with zeros.

    Raises:
        BadParams: longer than 32 bytes.
    """
    if text.startswith("0x"):
        try:
            return bytes_of(text.lower(), 32, "feed")
        except ValueError:
            raise BadParams(f"the feed {text} is no hex") from None
    name = text.encode()
    if not 0 < len(name) <= 32:
        raise BadParams(f"the feed's name has {len(name)} bytes, not 1 to 32")
    return name.ljust(32, b"\0")


def feed_name(feed: bytes) -> str:
    """The name, or the bytes in hex if that is none."""
    try:
        name = feed.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return hexed(feed)
    plain = name.isprintable() and name and not name.startswith("0x")
    return name if plain else hexed(feed)


# --------------------------------------------------------------------------------------- in parts


def _bet(_work: Work, one: Locked) -> v.Bet:
    terms = one.terms
    assert isinstance(terms, Bet)
    own, theirs = (terms.alice_lock, terms.bob_lock)[:: -1 if one.role is Role.BOB else 1]
    return v.Bet(
        id=one.id,
        instance=one.instance,
        peer=one.peer,
        name=one.name,
        asset=one.asset,
        reporter=show_account(terms.oracle),
        feed=feed_name(terms.feed),
        time=terms.time,
        strike=str(terms.strike),
        slope=str(gain(one.role, terms.slope)),
        scale=str(terms.scale),
        state=decided(one.far),
        amount=str(own),
        peer_amount=str(theirs),
        invited=one.role is Role.ALICE,
        until=terms.validity,
        prices=tuple(str(held.price) for held in BETS.of(one.view).prices),
        gain=one.gain,
    )


_SORT: Final = Sort("bet", (Bet,), ("bet",), v.Bet, _bet)
