"""More bugs: of hands, deals, bets and streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perun.core.books import Draft
from perun.core.nanocontracts import escrow, hash_chain, price_bet
from perun.core.nanocontracts.escrow import DEALS, ESCROW
from perun.core.nanocontracts.hash_chain import HASH_CHAIN
from perun.core.nanocontracts.price_bet import PRICE_BET
from perun.core.nanocontracts.rock_paper_scissors import ROCK_PAPER_SCISSORS
from perun.core.state import InstanceView, Totals
from perun.core.virtual import doing
from perun.encoding.messages import RevealSecret
from perun.types import Deal, Hands, Wei
from tests.games.planted.above import Plan

__all__ = ["PLANS"]


def _nothing(*_: object) -> None:
    """Does not do it."""


def _always(*_: object) -> bool:
    return True


def _believes_any_shift(
    _: object, terms: Deal, instance: InstanceView, totals: Totals
) -> Wei | None:
    theirs = DEALS.of(instance).shifts[1]
    return _known(terms, instance, totals) if theirs is None else theirs


_known = ESCROW.known


def _says_hands_at_once(draft: Draft, instance: InstanceView) -> None:
    if instance.role is not None and isinstance(instance.terms, Hands):
        secret = instance.secrets[instance.role]
        draft.send(instance.end, RevealSecret(instance.id, secret), instance.via)
    else:
        _act(draft, instance)


_act = doing.act


def _no_proof(*_: Any) -> None:
    """Whatever the payer says."""


PLANS: Sequence[Plan] = (
    (
        "hand said before it is locked",
        "throw-2: only while the newest fully signed state lists it",
        ((doing, "act", _says_hands_at_once),),
    ),
    (
        "hand never said on chain",
        "throw-2: who gets no answer says it on chain",
        ((type(ROCK_PAPER_SCISSORS), "due", _nothing),),
    ),
    (
        "award never taken to the chain",
        "deal-5: an award by which we are paid goes to the chain in time",
        ((type(ESCROW), "due", _nothing),),
    ),
    (
        "anybody's award is believed",
        "deal-2: only what the arbiter has signed for this deal",
        ((escrow, "is_award", _always),),
    ),
    (
        "a deal goes at any shift that the other end names",
        "deal-3: at a shift that both users have named, or one gives all",
        ((type(ESCROW), "known", _believes_any_shift),),
    ),
    (
        "price never shown on chain",
        "bet-5: a price by which we are paid goes to the chain in time",
        ((type(PRICE_BET), "due", _nothing),),
    ),
    (
        "anybody's price is believed",
        "bet-2: only what the reporter has signed for this feed and second",
        ((price_bet, "is_price", _always),),
    ),
    (
        "ticks never shown on chain",
        "stream-6: the newest tick goes to the chain in time",
        ((type(HASH_CHAIN), "due", _nothing),),
    ),
    (
        "ticks counted unproved",
        "stream-3: only what the chain would count",
        ((hash_chain, "_check", _no_proof),),
    ),
)
