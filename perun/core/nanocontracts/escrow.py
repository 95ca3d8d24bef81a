"""The deal in escrow: an arbiter, both parties or a clock share out two locks (section 4).

Off chain it goes at the award that an end holds, or at the shift that both users have named. The
arbiter can award us nothing at any time, so our whole lock counts as lost until it is gone.
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
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.crypto.signatures import recover
from perun.encoding.escrow import (
    EscrowDomain,
    award_digest,
    award_evidence,
    deal_id,
    late_evidence,
)
from perun.encoding.messages import LetGo, OfInstance, Propose
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Award,
    ChannelId,
    Deal,
    DealId,
    DealRecord,
    InstanceId,
    Record,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)

__all__ = [
    "DEALS",
    "ESCROW",
    "CommandAward",
    "CommandDeal",
    "CommandLetGo",
    "DealView",
    "HeldAward",
]

LATE, AWARDED, CONFLICT, AGREED = range(4)
"""Ranks of evidence, as the contract stores them."""

_NOBODY = Signature(b"")


class HeldAward(Record, frozen=True, gc=False, array_like=True):
    """The arbiter's word."""

    shift: Wei
    signature: Signature


class DealView(Record, frozen=True, gc=False, array_like=True):
    """What is kept of a deal."""

    awards: tuple[HeldAward, ...] = ()
    """Those that we hold, no two alike and two at most: two void each other."""
    shifts: tuple[Wei | None, Wei | None] = (None, None)
    """The shifts at which our user, and the other end, let it go."""


DEALS: Final = Keeping(DealView)


# ------------------------------------------------------------------------------------- our user


class CommandDeal(Command, frozen=True, gc=False):
    """Invite an end to a deal in escrow: the channel's peer, or somebody behind it as the hub.
    Nothing is locked before the other end's user has agreed."""

    channel: ChannelId
    arbiter: Address
    """The key that may award any part of both locks, whoever holds it."""
    own_lock: Wei
    peer_lock: Wei
    late_shift: Wei
    """What moves from us to the other end if nobody has said anything by `due`."""
    due: UnixTime
    validity: UnixTime
    challenge: Seconds
    random: Salt
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


class CommandAward(Command, frozen=True, gc=False):
    """Bring the arbiter's word about a deal: off chain if the other end follows, else on chain."""

    instance: InstanceId
    shift: Wei
    """From the deal's Alice to its Bob."""
    signature: Signature


class CommandLetGo(Command, frozen=True, gc=False):
    """Let a deal go at this shift, if the other end does, too; giving it all needs no answer."""

    instance: InstanceId
    shift: Wei
    """From the deal's Alice to its Bob."""


# Rule deal-1.
def propose(draft: Draft, command: CommandDeal, own: Address, end: Address) -> Deal:  # noqa: ARG001
    """What our user invites to."""
    return Deal(
        own,
        end,
        command.arbiter,
        command.own_lock,
        command.peer_lock,
        command.late_shift,
        command.due,
        command.validity,
        command.challenge,
        command.random,
    )


def award(draft: Draft, command: CommandAward) -> None:
    """Our user brings the arbiter's word.

    Raises:
        NotAllowedNow: it is not the arbiter's, or for more than a lock.
    """
    instance = _ours(draft, command.instance, "take the award")
    if not is_award(draft.config.deployment, instance, command.shift, command.signature):
        raise NotAllowedNow("take the award", "the arbiter has not signed this for this deal")
    _keep(draft, instance, command.shift, command.signature)


def let_go(draft: Draft, command: CommandLetGo) -> None:
    """Our user names the shift at which the deal may go.

    Raises:
        NotAllowedNow: it is more than a lock.
    """
    instance = _ours(draft, command.instance, "let it go")
    deal = _terms(instance)
    if not -deal.bob_lock <= command.shift <= deal.alice_lock:
        raise NotAllowedNow("let it go", "it is more than the side that pays has locked")
    kept = DEALS.of(instance)
    draft.put(DEALS.into(instance, replace(kept, shifts=(command.shift, kept.shifts[1]))))


def _ours(draft: Draft, id: InstanceId, what: str) -> InstanceView:
    instance = draft.instance(id)
    if not isinstance(instance.terms, Deal) or instance.role is None:
        raise NotAllowedNow(what, "this is not a deal of ours")
    return instance


class _EscrowKind(Kind[Deal, DealRecord]):
    terms = Deal
    domain = EscrowDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = False
    asks: ClassVar[bool] = True
    invites = MappingProxyType({CommandDeal: propose})
    orders = MappingProxyType({CommandAward: award, CommandLetGo: let_go})

    # Rule deal-1.
    def check_invited(self, books: Books, terms: Deal) -> None:
        """Our user is asked: it is for him to trust the arbiter."""

    # ------------------------------------------------------------------------ what its terms say

    def id(self, deployment: Deployment, terms: Deal) -> InstanceId:
        return deal_id(domain_in(deployment, EscrowDomain), terms)

    def locks(self, terms: Deal) -> tuple[Wei, Wei]:
        return terms.alice_lock, terms.bob_lock

    def signers(self, terms: Deal) -> tuple[Address, Address] | None:
        return terms.alice, terms.bob

    def last_time(self, terms: Deal) -> UnixTime:
        return terms.validity

    def end_time(self, terms: Deal) -> UnixTime:
        return UnixTime(terms.validity + terms.challenge)

    # Rule deal-1.
    def check(self, limits: Limits, terms: Deal) -> None:
        check_times(limits, self.end_time(terms), terms.challenge)
        if terms.alice == terms.bob or terms.arbiter in (terms.alice, terms.bob, ZERO_ADDRESS):
            raise InstanceRejected("its arbiter must be a third key")
        if not -terms.bob_lock <= terms.late_shift <= terms.alice_lock:
            raise InstanceRejected("it moves more than a lock if it is late")
        if terms.late_shift and terms.due + 2 * limits.margin > terms.validity:
            raise InstanceRejected("there is no time to say that it is late")

    def taken(self, terms: Deal, role: Role) -> Wei:
        """The arbiter may award our whole lock."""
        return self.locks(terms)[role]

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: Deal, on: DealRecord | None, time: UnixTime) -> Wei | None:
        return None if on is None or time <= on.deadline else on.shift

    # Rules deal-2, deal-3.
    def known(self, terms: Deal, instance: InstanceView, totals: Totals) -> Wei | None:
        kept = DEALS.of(instance)
        if kept.awards:
            return kept.awards[0].shift if len(kept.awards) == 1 else Wei(0)
        ours, theirs = kept.shifts
        if instance.role is None:
            return None
        best, worst = (_whole(terms, role) for role in (instance.role.other, instance.role))
        if theirs is not None and theirs in (ours, best):
            return theirs
        return ours if ours == worst else None

    def enforceable(
        self, terms: Deal, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        on = instance.head
        if instance.role is None or (on is None and time > terms.validity):
            return Wei(0)
        if isinstance(on, DealRecord) and (on.rank >= CONFLICT or time > on.deadline):
            return on.shift
        shifts = {held.shift for held in DEALS.of(instance).awards}
        if isinstance(on, DealRecord) and on.rank == AWARDED:
            shifts.add(on.shift)
        if len(shifts) > 1:
            return Wei(0)
        if shifts:
            return shifts.pop()
        return on.shift if isinstance(on, DealRecord) else self.worst(terms, instance, totals)

    def worst(self, terms: Deal, instance: InstanceView, totals: Totals) -> Wei:
        return Wei(0) if instance.role is None else _whole(terms, instance.role)

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return "its parties sign nothing in a deal"

    # ------------------------------------------------------------------- what its ends do unasked

    # Rules deal-2, deal-3.
    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """Tells the other end every award that we hold, and the shift our user has named."""
        kept = DEALS.of(instance)
        for held in kept.awards:
            self._say(draft, instance, held.shift, held.signature)
        ours = kept.shifts[0]
        if ours is not None and not kept.awards:
            self._say(draft, instance, ours, _NOBODY)
        shift = self.known(_terms(instance), instance, draft.totals(instance.id))
        return shift is not None and proposes(instance, shift)

    def _say(self, draft: Draft, instance: InstanceView, shift: Wei, signature: Signature) -> None:
        draft.send(instance.end, LetGo(instance.id, shift, signature), instance.via)

    def hear(self, draft: Draft, instance: InstanceView, message: OfInstance) -> bool:
        """An award, or the shift at which the other end lets it go."""
        if not isinstance(message, LetGo):
            return super().hear(draft, instance, message)
        return _hear(draft, instance, message.shift, message.signature)

    # --------------------------------------------------------------- what a tower is given of one

    def defending(self, instance: InstanceView) -> InstanceView:
        return DEALS.into(instance, replace(DEALS.of(instance), shifts=(None, None)))

    def why_unwatched(self, deployment: Deployment, instance: InstanceView) -> str | None:
        for held in DEALS.of(instance).awards:
            if not is_award(deployment, instance, held.shift, held.signature):
                return "an award is not signed by the arbiter"
        return None

    def height(self, instance: InstanceView) -> int | None:
        return len(DEALS.of(instance).awards) or None

    def laid_over(self, row: InstanceView, seen: InstanceView) -> InstanceView:
        """Awards are only ever added."""
        if len(DEALS.of(row).awards) >= len(DEALS.of(seen).awards):
            return row
        return replace(row, kept=seen.kept)

    # ------------------------------------------------------------------------------- what proves it

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """The shift, and the award behind it if there is just one."""
        if instance.role is None:
            return message
        shift = self.known(_terms(instance), instance, draft.totals(instance.id)) or Wei(0)
        awards = DEALS.of(instance).awards
        proof = awards[0].signature if len(awards) == 1 else _NOBODY
        return replace(saying(message, instance.role, shift), paid_signature=proof)

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        if instance.role is None:
            return
        shift = Wei(message.paid - message.received)
        shift = shift if instance.role is Role.BOB else Wei(-shift)
        _hear(draft, instance, shift, message.paid_signature)

    # Rule deal-4.
    def named(
        self, terms: Deal, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """What both ends say alike a hub pays on, and no more."""
        return named_part(message, peer, self.locks(terms), "part of a lock of the deal")

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """A hub needs no proof: it waits for both ends, or for the chain."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """Another award may come and void the one we hold: rule (c) is not for it."""
        return False

    # Rule deal-5.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """An award by which we are paid, or that voids one by which we pay; or that it is late."""
        deal, on, role = _terms(instance), instance.head, instance.role
        if role is None or (isinstance(on, DealRecord) and on.rank >= CONFLICT):
            return None
        limit = on.deadline if isinstance(on, DealRecord) else deal.validity
        if draft.now > limit:
            return None
        stands = gain(role, on.shift) if isinstance(on, DealRecord) else 0
        awards = DEALS.of(instance).awards
        answers, voids = on is not None, isinstance(on, DealRecord) and on.rank == AWARDED
        for held in awards:
            new = voids and isinstance(on, DealRecord) and held.shift != on.shift
            better = 0 if voids else gain(role, held.shift)
            if (new or not voids) and better > stands:
                evidence = award_evidence(deal, held.shift, held.signature)
                return Due(evidence, limit, answers, tag=tag_of(held.shift))
        is_late = draft.now > deal.due and gain(role, deal.late_shift) > 0
        if is_late and on is None and not awards:
            return Due(late_evidence(deal), limit)
        return None


ESCROW = _EscrowKind()


def tag_of(shift: Wei) -> bytes:
    """Tells one award from another."""
    return shift.to_bytes(14, "big", signed=True)


# ---------------------------------------------------------------------------------------- parts


def _terms(instance: InstanceView) -> Deal:
    assert isinstance(instance.terms, Deal)
    return instance.terms


def _whole(deal: Deal, role: Role) -> Wei:
    """The shift by which a side loses its whole lock."""
    return Wei(deal.alice_lock if role is Role.ALICE else -deal.bob_lock)


def is_award(
    deployment: Deployment, instance: InstanceView, shift: Wei, signature: Signature
) -> bool:
    """Whether the arbiter of a deal has signed this, and its contract takes it."""
    deal = _terms(instance)
    if not -deal.bob_lock <= shift <= deal.alice_lock:
        return False
    domain = domain_in(deployment, EscrowDomain)
    said = Award(DealId(instance.id), shift)
    return recover(award_digest(domain, said), signature) == deal.arbiter


def _hear(draft: Draft, instance: InstanceView, shift: Wei, signature: Signature) -> bool:
    """Keeps an award, or the shift that the other end has named. False: nothing new, or nothing."""
    if signature:
        known = is_award(draft.config.deployment, instance, shift, signature)
        return known and _keep(draft, instance, shift, signature)
    kept = DEALS.of(instance)
    if kept.shifts[1] == shift:
        return False
    draft.put(DEALS.into(instance, replace(kept, shifts=(kept.shifts[0], shift))))
    return True


def _keep(draft: Draft, instance: InstanceView, shift: Wei, signature: Signature) -> bool:
    """Two that differ void each other: a third one changes nothing."""
    kept = DEALS.of(instance)
    known = {held.shift for held in kept.awards}
    if shift in known or len(known) == 2:
        return False
    awards = (*kept.awards, HeldAward(shift, signature))
    draft.put(DEALS.into(instance, replace(kept, awards=awards)))
    return True
