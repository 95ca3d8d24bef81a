"""Deals in escrow: invite, bring the arbiter's word, agree with the other side, and look.

Who is invited agrees by `answer`, as to any offer. What nobody answers goes to the chain by itself.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec.structs import replace

from perun.app import locked
from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.methods import BringAward, Escrow, GetDeals, LetGo
from perun.app.rows import Errand
from perun.app.spending import digest_of, known_errand
from perun.app.texts import bytes_of, hexed, show_account, show_node
from perun.app.work import Caller, Work
from perun.core.nanocontracts.escrow import (
    DEALS,
    CommandAward,
    CommandDeal,
    CommandLetGo,
)
from perun.core.rules.accounting import gain
from perun.core.state import InstanceView, Invitation, Role
from perun.types import Address, Deal, Signature, UnixTime, Wei

__all__ = ["award", "deals", "escrow", "let_go"]

_DEALS: Final = (Deal,)


def escrow(work: Work, caller: Caller, params: Escrow) -> v.Deal:
    """Invites somebody to a deal; nothing is locked before they agree."""
    digest = digest_of("escrow", params)
    known = known_errand(work, params.idempotency_key, digest, "escrow")
    if known is not None:
        return _again(work, known)
    to, own, theirs, asset = locked.stakes(work, caller, params)
    view = locked.place(work, to, asset, own, theirs)
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
            locked.end_of(view, to),
        )
    )
    key = params.idempotency_key
    return locked.invited(work, caller, "escrow", key, digest, random, asset, own, _invitation)


def award(work: Work, caller: Caller, params: BringAward) -> v.Deal:
    """Brings the arbiter's word; the other side hears it, or else the chain."""
    instance = _find(work, params.id)
    signature = Signature(bytes_of(params.signature, 65, "signature"))
    command = CommandAward(instance.id, Wei(int(params.shift)), signature)
    locked.once(work, caller, "bringAward", params, instance, lambda: work.desk.do(command))
    return _show(work, work.books.instances[instance.id])


def let_go(work: Work, caller: Caller, params: LetGo) -> v.Deal:
    """Says at what the deal may go; it does if the other side says the same."""
    instance = _find(work, params.id)
    assert instance.role is not None
    command = CommandLetGo(instance.id, Wei(gain(instance.role, int(params.gain))))
    locked.once(work, caller, "letGo", params, instance, lambda: work.desk.do(command))
    return _show(work, work.books.instances[instance.id])


def deals(work: Work, params: GetDeals) -> tuple[v.Deal, ...]:
    """Invitations, what is locked, and what has ended lately; the newest last."""
    found = [_invitation(work, one) for one in locked.invitations(work, _DEALS)]
    found += [_show(work, one) for one in locked.instances(work, _DEALS)]
    found += locked.refused(work, v.Deal, ("escrow",), found)
    return locked.chosen(found, params.id, "deal")


# --------------------------------------------------------------------------------------- in parts


def _find(work: Work, text: str) -> InstanceView:
    return locked.instance_of(work, _DEALS, text, "deal")


def _again(work: Work, known: Errand) -> v.Deal:
    def look() -> v.Deal:
        return _show(work, _find(work, hexed(known.subject)))

    return locked.again(work, known, v.Deal, partial(_invitation, work), look)


def _invitation(work: Work, held: Invitation) -> v.Deal:
    assert isinstance(held.terms, Deal)
    role = Role.BOB if held.theirs else Role.ALICE
    asset = work.books.channels[held.channel].channel.asset
    state: v.DealState = "asked" if held.theirs else "invited"
    deal = _deal(work, held.id, None, held.terms, role, held.end, asset, state)
    return replace(deal, why=locked.why_invited(work, held), reached=locked.reached(work, held))


def _show(work: Work, instance: InstanceView) -> v.Deal:
    assert isinstance(instance.terms, Deal)
    assert instance.role is not None
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    known = instance.invitation or instance.id
    far, shift = locked.how_far(work, instance)
    state: v.DealState = "decided" if far == "ruled" or far == "known" else far
    role, end = instance.role, instance.end
    return _deal(work, known, instance, instance.terms, role, end, asset, state, shift)


def _deal(
    work: Work,
    known: bytes,
    instance: InstanceView | None,
    terms: Deal,
    role: Role,
    end: bytes,
    asset: bytes,
    state: v.DealState,
    shift: Wei | None = None,
) -> v.Deal:
    def ours(moved: Wei | None) -> str | None:
        return None if moved is None else str(gain(role, moved))

    contact = work.shelf.names.get(end)
    own, theirs = (terms.alice_lock, terms.bob_lock)[:: -1 if role is Role.BOB else 1]
    kept = DEALS.of(instance)
    awards, shifts = kept.awards, kept.shifts
    return v.Deal(
        id=hexed(known),
        instance=None if instance is None else hexed(instance.id),
        peer=show_node(end),
        name="" if contact is None else contact.name,
        asset=show_account(asset),
        arbiter=show_account(terms.arbiter),
        state=state,
        amount=str(own),
        peer_amount=str(theirs),
        invited=role is Role.ALICE,
        late_gain=str(gain(role, terms.late_shift)),
        due=terms.due,
        until=terms.validity,
        awards=tuple(str(gain(role, held.shift)) for held in awards),
        offered=ours(shifts[0]),
        peer_offered=ours(shifts[1]),
        gain=ours(shift),
    )
