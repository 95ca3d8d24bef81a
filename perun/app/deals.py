"""Deals in escrow: invite, bring the arbiter's word, agree with the other side, and look.

Who is invited agrees by `answer`, as to any offer. What nobody answers goes to the chain by itself.
"""

from __future__ import annotations

from typing import Final

from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.inviting import end_of, place
from perun.app.locked import Locked, Sort, decided
from perun.app.methods import BringAward, Escrow, GetDeals, LetGo
from perun.app.texts import Who, bytes_of, show_account
from perun.app.work import Caller, Work
from perun.core.nanocontracts.escrow import (
    DEALS,
    CommandAward,
    CommandDeal,
    CommandLetGo,
)
from perun.core.rules.accounting import gain
from perun.core.state import Role
from perun.types import Address, Asset, Deal, Salt, Signature, UnixTime, Wei

__all__ = ["award", "deals", "escrow", "let_go"]


def escrow(work: Work, caller: Caller, params: Escrow) -> v.Deal:
    """Invites somebody to a deal; nothing is locked before they agree."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        view = place(work, to, asset, own, theirs)
        late, limits = int(params.late_gain), work.config.limits
        if params.due >= params.seconds and late:
            raise BadParams("it is due after it is over")
        now, random = work.books.chain.head_time, work.random()
        work.desk.do(
            CommandDeal(
                view.id,
                Address(bytes_of(params.arbiter.lower(), 20, "arbiter")),
                *(own, theirs, Wei(-late)),
                *(UnixTime(now + params.due), UnixTime(now + params.seconds)),
                limits.least_machine_challenge,
                random,
                end_of(view, to),
            )
        )
        return random

    return _SORT.invite(work, caller, "escrow", params, begin)


def award(work: Work, caller: Caller, params: BringAward) -> v.Deal:
    """Brings the arbiter's word; the other side hears it, or else the chain."""
    instance = _SORT.find(work, params.id)
    signature = Signature(bytes_of(params.signature, 65, "signature"))
    command = CommandAward(instance.id, Wei(int(params.shift)), signature)
    return _SORT.order(work, caller, "bringAward", params, instance, lambda: work.desk.do(command))


def let_go(work: Work, caller: Caller, params: LetGo) -> v.Deal:
    """Says at what the deal may go; it does if the other side says the same."""
    instance = _SORT.find(work, params.id)
    assert instance.role is not None
    command = CommandLetGo(instance.id, Wei(gain(instance.role, int(params.gain))))
    return _SORT.order(work, caller, "letGo", params, instance, lambda: work.desk.do(command))


def deals(work: Work, params: GetDeals) -> tuple[v.Deal, ...]:
    """Invitations, what is locked, and what has ended lately; the newest last."""
    return _SORT.all(work, params.id)


# --------------------------------------------------------------------------------------- in parts


def _deal(_work: Work, one: Locked) -> v.Deal:
    terms, role = one.terms, one.role
    assert isinstance(terms, Deal)

    def ours(moved: Wei | None) -> str | None:
        return None if moved is None else str(gain(role, moved))

    own, theirs = (terms.alice_lock, terms.bob_lock)[:: -1 if role is Role.BOB else 1]
    kept = DEALS.of(one.view)
    awards, shifts = kept.awards, kept.shifts
    return v.Deal(
        id=one.id,
        instance=one.instance,
        peer=one.peer,
        name=one.name,
        asset=one.asset,
        arbiter=show_account(terms.arbiter),
        state=decided(one.far),
        amount=str(own),
        peer_amount=str(theirs),
        invited=role is Role.ALICE,
        late_gain=str(gain(role, terms.late_shift)),
        due=terms.due,
        until=terms.validity,
        awards=tuple(str(gain(role, held.shift)) for held in awards),
        offered=ours(shifts[0]),
        peer_offered=ours(shifts[1]),
        gain=one.gain,
    )


_SORT: Final = Sort("deal", (Deal,), ("escrow",), v.Deal, _deal)
