"""The hash time lock: an amount that moves if a secret is revealed in time (section 4)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.faults import BadProposal, NotAllowedNow
from perun.core.inputs import Command
from perun.core.limits import Limits
from perun.core.nanocontracts.kind import Due, Kind, domain_in
from perun.core.notices import PreimageLearnt
from perun.core.state import InstanceView, LegStatus, PeerId, Role, Totals
from perun.crypto.hashing import keccak
from perun.encoding.hash_lock import (
    HashTimeLockDomain,
    lock_id,
    reveal_evidence,
)
from perun.encoding.messages import Propose
from perun.types import (
    Address,
    ChannelId,
    InstanceId,
    Lock,
    LockRecord,
    Preimage,
    Salt,
    UnixTime,
    Wei,
)

__all__ = ["HASH_LOCK", "CommandLock", "CommandReveal", "lock_shift", "payer_of_lock"]


def lock_shift(lock: Lock) -> Wei:
    """The shift of a hash lock whose preimage is known."""
    return Wei(-lock.amount if lock.bob_pays else lock.amount)


def payer_of_lock(lock: Lock) -> Role:
    """Who pays when the secret comes out."""
    return Role.BOB if lock.bob_pays else Role.ALICE


# ------------------------------------------------------------------------------------- our user


class CommandLock(Command, frozen=True, gc=False):
    """Lock a payment that happens if a secret is revealed in time; we pay."""

    channel: ChannelId
    amount: Wei
    hash: bytes
    """keccak256 of the preimage."""
    deadline: UnixTime
    random: Salt
    end: PeerId = b""
    """The receiver behind the hub; empty: the channel's peer."""
    route: tuple[PeerId, ...] = ()
    """Over several hubs: those after the channel's peer, in order."""


class CommandReveal(Command, frozen=True, gc=False):
    """Cash a hash time lock with its preimage: off chain if the payer follows, else on chain."""

    instance: InstanceId
    preimage: Preimage


def lock(draft: Draft, command: CommandLock, own: Address, end: Address) -> Lock:  # noqa: ARG001
    """What our user invites to: who is invited receives."""
    return Lock(command.amount, False, command.hash, command.deadline, command.random)


def reveal(draft: Draft, command: CommandReveal) -> None:
    """Our user knows the secret: keep it; the removal that pays us is proposed unasked.

    In a channel of two the receiver proposes it with the secret; over a hub too, which pays by rule
    (c) and is paid in turn by rule (d). If nobody answers, `due` reveals on chain.

    Raises:
        NotAllowedNow: it is not the secret, or not our lock to cash.
    """
    instance, preimage = draft.instance(command.instance), command.preimage
    terms = instance.lock
    if terms is None or keccak(preimage) != terms.hash:
        raise NotAllowedNow("reveal", "this is not the secret of a lock of ours")
    if instance.role is not payer_of_lock(terms).other:
        raise NotAllowedNow("reveal", "the other side is paid by it")
    draft.put(replace(instance, preimage=preimage))


class _HashLockKind(Kind[Lock, LockRecord]):
    terms = Lock
    domain = HashTimeLockDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = False
    rises: ClassVar[bool] = True
    invites = MappingProxyType({CommandLock: lock})
    orders = MappingProxyType({CommandReveal: reveal})

    def route(self, command: Any) -> tuple[PeerId, ...]:
        assert isinstance(command, CommandLock)
        return command.route

    def id(self, deployment: Deployment, terms: Lock) -> InstanceId:
        return lock_id(domain_in(deployment, HashTimeLockDomain), terms)

    def locks(self, terms: Lock) -> tuple[Wei, Wei]:
        return (Wei(0), terms.amount) if terms.bob_pays else (terms.amount, Wei(0))

    def signers(self, terms: Lock) -> tuple[Address, Address] | None:
        return None

    def last_time(self, terms: Lock) -> UnixTime:
        return terms.deadline

    def end_time(self, terms: Lock) -> UnixTime:
        return terms.deadline

    def check(self, limits: Limits, terms: Lock) -> None:
        """Nothing beside its times."""

    def taken(self, terms: Lock, role: Role) -> Wei:
        """A lock that we pay is as good as paid."""
        return self.locks(terms)[role]

    def outcome(self, terms: Lock, on: LockRecord | None, time: UnixTime) -> Wei | None:
        return lock_shift(terms) if on is not None else None

    def known(self, terms: Lock, instance: InstanceView, totals: Totals) -> Wei | None:
        if _secret(instance) is None:
            return None
        return lock_shift(terms)

    def enforceable(
        self, terms: Lock, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        in_time = time <= terms.deadline
        return lock_shift(terms) if instance.preimage is not None and in_time else Wei(0)

    def worst(self, terms: Lock, instance: InstanceView, totals: Totals) -> Wei:
        """A lock that we pay counts as paid from the day it is locked."""
        paid = instance.preimage is not None or instance.role is payer_of_lock(terms)
        return lock_shift(terms) if paid else Wei(0)

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return "nobody signs in a hash lock"

    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """It is for the receiver to take it out."""
        return instance.preimage is not None and _is_receiver(instance)

    def learn(self, draft: Draft, instance: InstanceView) -> None:
        secret = _secret(instance)
        if secret is not None and instance.preimage is None:
            draft.put(replace(instance, preimage=secret))
            draft.notify(PreimageLearnt(instance.id, secret))
            _cash_others(draft, instance, secret)

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        return replace(message, preimage=_secret(instance))

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        preimage = message.preimage
        if preimage is not None and keccak(preimage) == _terms(instance).hash:
            draft.put(replace(instance, preimage=preimage))
            _cash_others(draft, instance, preimage)

    def named(
        self, terms: Lock, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        if _secret(instance) is None:
            raise BadProposal("the secret is not known, and the lock has not lapsed")
        shift = lock_shift(terms)
        return shift, (shift, Wei(0))

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """`believe` has kept the secret."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        in_time = draft.now <= _terms(instance).deadline - draft.config.limits.margin
        return (instance.preimage is not None and in_time) or instance.final is not None

    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """If the chain does not know the secret, may still learn it, and we gain by it."""
        lock, known = _terms(instance), instance.preimage
        in_time = draft.now <= lock.deadline
        if known is None or instance.head is not None or not in_time or not _is_receiver(instance):
            return None
        return Due(reveal_evidence(lock, known), lock.deadline)


HASH_LOCK = _HashLockKind()


# Rule swap-5.
def _cash_others(draft: Draft, learnt: InstanceView, secret: Preimage) -> None:
    """A secret that comes out in one lock opens every other one under its hash: those that pay us
    are taken by it, whoever of us is looking."""
    if learnt.role is None:
        return
    for id in list(draft.books.instances):
        one = draft.instance(id)
        lock = one.lock
        if lock is None or lock.hash != _terms(learnt).hash or one.id == learnt.id:
            continue
        if one.role is not None and one.preimage is None and _is_receiver(one):
            draft.put(replace(one, preimage=secret))


def _terms(instance: InstanceView) -> Lock:
    assert isinstance(instance.terms, Lock)
    return instance.terms


def _secret(instance: InstanceView) -> Preimage | None:
    """As we hold it, or as the newest block shows it."""
    on = instance.head
    return instance.preimage or (on.preimage if isinstance(on, LockRecord) else None)


def _is_receiver(instance: InstanceView) -> bool:
    """Whether we are paid by it."""
    if instance.role is None:
        # A hub is the receiver towards the payer; what it may claim it has paid on already.
        return any(leg.status is LegStatus.REMOVED for leg in instance.legs)
    return instance.role is payer_of_lock(_terms(instance)).other
