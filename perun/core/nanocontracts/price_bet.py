"""The bet on a price: two locks shared out by what a reporter signs (protocol, section 4).

Off chain it goes at the price that an end holds, and at nothing if there are two that contradict
each other. The reporter can sign anything, so our whole lock counts as lost until it is gone.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.faults import InstanceRejected, NotAllowedNow
from perun.core.inputs import Command
from perun.core.limits import Limits
from perun.core.nanocontracts.keeping import Keeping
from perun.core.nanocontracts.kind import Due, Kind, domain_in
from perun.core.nanocontracts.shifts import check_times, named_part, proposes, saying
from perun.core.rules.accounting import gain
from perun.core.rules.phases import fresh
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.crypto.signatures import recover
from perun.encoding.messages import OfInstance, Propose, ShowPrice
from perun.encoding.price_bet import (
    PRICE_DOMAIN,
    PriceBetDomain,
    bet_id,
    price_digest,
    price_evidence,
)
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Bet,
    BetRecord,
    ChannelId,
    InstanceId,
    Price,
    Record,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)

__all__ = ["BETS", "PRICE_BET", "BetView", "CommandBet", "CommandPrice", "HeldPrice", "moved"]


class HeldPrice(Record, frozen=True, gc=False, array_like=True):
    """The reporter's word."""

    price: Wei
    """In the feed's unit."""
    shift: Wei
    """What moves by it from the bet's Alice to its Bob."""
    signature: Signature


class BetView(Record, frozen=True, gc=False, array_like=True):
    """What is kept of a bet."""

    prices: tuple[HeldPrice, ...] = ()
    """Those that we hold, no two that move the same and two at most: two void each other."""


BETS: Final = Keeping(BetView)


# ------------------------------------------------------------------------------------- our user


class CommandBet(Command, frozen=True, gc=False):
    """Invite an end to a bet on a price: the channel's peer, or somebody behind it as the hub.
    Nothing is locked before the other end's user has agreed."""

    channel: ChannelId
    oracle: Address
    """The key of the reporter."""
    feed: bytes
    time: UnixTime
    """The second whose price counts."""
    strike: Wei
    slope: Wei
    """What moves from us to the other end for `scale` above the strike."""
    scale: Wei
    own_lock: Wei
    peer_lock: Wei
    validity: UnixTime
    challenge: Seconds
    random: Salt
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


class CommandPrice(Command, frozen=True, gc=False):
    """Bring what the reporter has signed: off chain if the other end follows, else on chain."""

    instance: InstanceId
    price: Wei
    signature: Signature


# Rule bet-1.
def propose(draft: Draft, command: CommandBet, own: Address, end: Address) -> Bet:  # noqa: ARG001
    """What our user invites to."""
    return Bet(
        command.oracle,
        command.feed,
        command.time,
        command.strike,
        command.slope,
        command.scale,
        command.own_lock,
        command.peer_lock,
        command.validity,
        command.challenge,
        command.random,
    )


def bring(draft: Draft, command: CommandPrice) -> None:
    """Our user brings the reporter's word.

    Raises:
        NotAllowedNow: it is not the reporter's, or for another thing or second.
    """
    instance = draft.instance(command.instance)
    if not isinstance(instance.terms, Bet) or instance.role is None:
        raise NotAllowedNow("take the price", "this is not a bet of ours")
    if not is_price(instance.terms, command.price, command.signature):
        raise NotAllowedNow("take the price", "the reporter has not signed this for this bet")
    _keep(draft, instance, command.price, command.signature)


class _PriceBetKind(Kind[Bet, BetRecord]):
    terms = Bet
    domain = PriceBetDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = False
    asks: ClassVar[bool] = True
    invites = MappingProxyType({CommandBet: propose})
    orders = MappingProxyType({CommandPrice: bring})

    # ------------------------------------------------------------------------ what its terms say

    def id(self, deployment: Deployment, terms: Bet) -> InstanceId:
        return bet_id(domain_in(deployment, PriceBetDomain), terms)

    def locks(self, terms: Bet) -> tuple[Wei, Wei]:
        return terms.alice_lock, terms.bob_lock

    def signers(self, terms: Bet) -> tuple[Address | None, Address | None] | None:
        return None

    def last_time(self, terms: Bet) -> UnixTime:
        return terms.validity

    def end_time(self, terms: Bet) -> UnixTime:
        return UnixTime(terms.validity + terms.challenge)

    # Rule bet-1.
    def check(self, limits: Limits, terms: Bet) -> None:
        check_times(limits, self.end_time(terms), terms.challenge)
        if terms.oracle == ZERO_ADDRESS or terms.scale == 0:
            raise InstanceRejected("nobody reports its price, or it divides by zero")
        if terms.time + 2 * limits.margin > terms.validity:
            raise InstanceRejected("there is no time to show its price")

    def taken(self, terms: Bet, role: Role) -> Wei:
        """The price may take our whole lock."""
        return self.locks(terms)[role]

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: Bet, on: BetRecord | None, time: UnixTime) -> Wei | None:
        return None if on is None or time <= on.deadline else on.shift

    # Rule bet-3.
    def known(self, terms: Bet, instance: InstanceView, totals: Totals) -> Wei | None:
        held = BETS.of(instance).prices
        if not held:
            return None
        return held[0].shift if len(held) == 1 else Wei(0)

    def enforceable(
        self, terms: Bet, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        on = instance.head
        if instance.role is None or (on is None and time > terms.validity):
            return Wei(0)
        shifts = {held.shift for held in BETS.of(instance).prices}
        if isinstance(on, BetRecord):
            if on.void or time > on.deadline:
                return on.shift
            shifts.add(on.shift)
        if not shifts:
            return self.worst(terms, instance, totals)
        return shifts.pop() if len(shifts) == 1 else Wei(0)

    def worst(self, terms: Bet, instance: InstanceView, totals: Totals) -> Wei:
        if instance.role is None:
            return Wei(0)
        return Wei(terms.alice_lock if instance.role is Role.ALICE else -terms.bob_lock)

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return "nobody signs in a bet"

    # ------------------------------------------------------------------- what its ends do unasked

    # Rules bet-2, bet-3.
    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """Tells the other end every price that we hold."""
        if not fresh(draft):
            return False
        for held in BETS.of(instance).prices:
            message = ShowPrice(instance.id, held.price, held.signature)
            draft.send(instance.end, message, instance.via)
        shift = self.known(_terms(instance), instance, draft.totals(instance.id))
        return shift is not None and proposes(instance, shift)

    def hear(self, draft: Draft, instance: InstanceView, message: OfInstance) -> bool:
        """A price that the other end holds."""
        if not isinstance(message, ShowPrice):
            return super().hear(draft, instance, message)
        if not is_price(_terms(instance), message.price, message.signature):
            return False
        return _keep(draft, instance, message.price, message.signature)

    # --------------------------------------------------------------- what a tower is given of one

    def why_unwatched(self, deployment: Deployment, instance: InstanceView) -> str | None:
        for held in BETS.of(instance).prices:
            if not is_price(_terms(instance), held.price, held.signature):
                return "a price is not signed by the reporter"
        return None

    def height(self, instance: InstanceView) -> int | None:
        return len(BETS.of(instance).prices) or None

    def laid_over(self, row: InstanceView, seen: InstanceView) -> InstanceView:
        """Prices are only ever added."""
        if len(BETS.of(row).prices) >= len(BETS.of(seen).prices):
            return row
        return replace(row, kept=seen.kept)

    # ------------------------------------------------------------------------------- what proves it

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """What each side pays by the price; `ShowPrice` has said why."""
        if instance.role is None:
            return message
        shift = self.known(_terms(instance), instance, draft.totals(instance.id)) or Wei(0)
        return saying(message, instance.role, shift)

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        """A removal proves nothing that `ShowPrice` has not said."""

    # Rule bet-4.
    def named(
        self, terms: Bet, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """What both ends say alike a hub pays on, and no more."""
        return named_part(message, peer, self.locks(terms), "part of a lock of the bet")

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """A hub needs no proof: it waits for both ends, or for the chain."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """Another price may come and void the one we hold: rule (c) is not for it."""
        return False

    # Rule bet-5.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """A price by which we are paid, or that voids one by which we pay."""
        bet, on, role = _terms(instance), instance.head, instance.role
        if role is None or draft.now <= bet.time:
            return None
        if isinstance(on, BetRecord):
            if on.void or draft.now > on.deadline or gain(role, on.shift) >= 0:
                return None
            useful = [held for held in BETS.of(instance).prices if held.shift != on.shift]
        else:
            useful = [held for held in BETS.of(instance).prices if gain(role, held.shift) > 0]
        limit = on.deadline if isinstance(on, BetRecord) else bet.validity
        if not useful or draft.now > limit:
            return None
        evidence = price_evidence(bet, useful[0].price, useful[0].signature)
        return Due(evidence, limit, answers=on is not None, tag=tag_of(useful[0].price))


PRICE_BET = _PriceBetKind()


def tag_of(price: Wei) -> bytes:
    """Tells one price from another."""
    return price.to_bytes(14, "big", signed=True)


def moved(bet: Bet, price: Wei) -> Wei:
    """What moves at a price: rounded towards zero, clamped to the locks."""
    product = (price - bet.strike) * bet.slope
    whole = abs(product) // bet.scale
    return Wei(max(-bet.bob_lock, min(bet.alice_lock, whole if product > 0 else -whole)))


def is_price(bet: Bet, price: Wei, signature: Signature) -> bool:
    """Whether the reporter of a bet has signed this price for its feed and second."""
    said = Price(bet.feed, bet.time, price)
    return recover(price_digest(PRICE_DOMAIN, said), signature) == bet.oracle


def _terms(instance: InstanceView) -> Bet:
    assert isinstance(instance.terms, Bet)
    return instance.terms


def _keep(draft: Draft, instance: InstanceView, price: Wei, signature: Signature) -> bool:
    """Two by which something else moves void each other: a third one changes nothing."""
    shift = moved(_terms(instance), price)
    prices = BETS.of(instance).prices
    known = {held.shift for held in prices}
    if shift in known or len(known) == 2:
        return False
    held = HeldPrice(price, shift, signature)
    draft.put(BETS.into(instance, BetView((*prices, held))))
    return True
