"""Bets on a price: invite, bring what the reporter has signed, and look.

Who is invited agrees by `answer`, as to any offer. A price that one side brings is told to the
other, or else to the chain, by itself.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec.structs import replace

from perun.app import locked
from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.methods import BringPrice, GetBets, OfferBet
from perun.app.rows import Errand
from perun.app.spending import digest_of, known_errand
from perun.app.texts import amount_of, bytes_of, hexed, show_account, show_node
from perun.app.work import Caller, Work
from perun.core.nanocontracts.price_bet import BETS, CommandBet, CommandPrice
from perun.core.rules.accounting import gain
from perun.core.state import InstanceView, Invitation, Role
from perun.types import Address, Bet, Signature, UnixTime, Wei

__all__ = ["bets", "bring", "feed_bytes", "feed_name", "offer"]

_BETS: Final = (Bet,)


def offer(work: Work, caller: Caller, params: OfferBet) -> v.Bet:
    """Invites somebody to a bet; nothing is locked before they agree."""
    digest = digest_of("bet", params)
    known = known_errand(work, params.idempotency_key, digest, "bet")
    if known is not None:
        return _again(work, known)
    to, own, theirs, asset = locked.stakes(work, caller, params)
    locked.meet(work, to, params.invitation)
    view = locked.place(work, to, asset, own, theirs)
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
            *(work.config.limits.least_machine_challenge, random, locked.end_of(view, to)),
        )
    )
    key = params.idempotency_key
    return locked.invited(work, caller, "bet", key, digest, random, asset, own, _invitation)


def bring(work: Work, caller: Caller, params: BringPrice) -> v.Bet:
    """Brings the reporter's word; the other side hears it, or else the chain."""
    instance = locked.instance_of(work, _BETS, params.id, "bet")
    signature = Signature(bytes_of(params.signature, 65, "signature"))
    command = CommandPrice(instance.id, Wei(int(params.price)), signature)
    locked.once(work, caller, "bringPrice", params, instance, lambda: work.desk.do(command))
    return _show(work, work.books.instances[instance.id])


def bets(work: Work, params: GetBets) -> tuple[v.Bet, ...]:
    """Invitations, what is locked, and what has ended lately; the newest last."""
    found = [_invitation(work, one) for one in locked.invitations(work, _BETS)]
    found += [_show(work, one) for one in locked.instances(work, _BETS)]
    found += locked.refused(work, v.Bet, ("bet",), found)
    return locked.chosen(found, params.id, "bet")


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


def _again(work: Work, known: Errand) -> v.Bet:
    def look() -> v.Bet:
        return _show(work, locked.instance_of(work, _BETS, hexed(known.subject), "bet"))

    return locked.again(work, known, v.Bet, partial(_invitation, work), look)


def _invitation(work: Work, held: Invitation) -> v.Bet:
    assert isinstance(held.terms, Bet)
    role = Role.BOB if held.theirs else Role.ALICE
    asset = work.books.channels[held.channel].channel.asset
    state: v.DealState = "asked" if held.theirs else "invited"
    bet = _bet(work, held.id, None, held.terms, role, held.end, asset, state)
    return replace(bet, why=locked.why_invited(work, held), reached=locked.reached(work, held))


def _show(work: Work, instance: InstanceView) -> v.Bet:
    assert isinstance(instance.terms, Bet)
    assert instance.role is not None
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    known = instance.invitation or instance.id
    far, shift = locked.how_far(work, instance)
    state: v.DealState = "decided" if far == "ruled" or far == "known" else far
    role, end = instance.role, instance.end
    return _bet(work, known, instance, instance.terms, role, end, asset, state, shift)


def _bet(
    work: Work,
    known: bytes,
    instance: InstanceView | None,
    terms: Bet,
    role: Role,
    end: bytes,
    asset: bytes,
    state: v.DealState,
    shift: Wei | None = None,
) -> v.Bet:
    contact = work.shelf.names.get(end)
    own, theirs = (terms.alice_lock, terms.bob_lock)[:: -1 if role is Role.BOB else 1]
    return v.Bet(
        id=hexed(known),
        instance=None if instance is None else hexed(instance.id),
        peer=show_node(end),
        name="" if contact is None else contact.name,
        asset=show_account(asset),
        reporter=show_account(terms.oracle),
        feed=feed_name(terms.feed),
        time=terms.time,
        strike=str(terms.strike),
        slope=str(gain(role, terms.slope)),
        scale=str(terms.scale),
        state=state,
        amount=str(own),
        peer_amount=str(theirs),
        invited=role is Role.ALICE,
        until=terms.validity,
        prices=tuple(str(held.price) for held in BETS.of(instance).prices),
        gain=None if shift is None else str(gain(role, shift)),
    )
