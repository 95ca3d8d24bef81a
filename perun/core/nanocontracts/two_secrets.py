"""Two secrets decide who pays, and who stays silent pays all: coin flips and hands (section 4).

Each end says its secret off chain once the instance is locked for good, and the removal at the
result follows. Whoever gets no answer says it on chain, in time; then silence costs the other its
lock.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container
from typing import Any, ClassVar, TypeVar

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.faults import BadProposal, InstanceRejected
from perun.core.limits import Limits
from perun.core.nanocontracts.kind import Due, Kind
from perun.core.nanocontracts.shifts import check_times, named_totals, proposes, saying
from perun.core.rules.accounting import gain
from perun.core.state import InstanceView, Role, Totals
from perun.encoding.coin_flip import flip_commit
from perun.encoding.messages import OfInstance, Propose, RevealSecret
from perun.types import Address, Flip, FlipRecord, Hands, Preimage, UnixTime, Wei

__all__ = ["TwoSecrets"]

Secrets = Flip | Hands
P = TypeVar("P", Flip, Hands)


class TwoSecrets(Kind[P, FlipRecord]):
    """What the kinds have in common; a flip stands for its terms."""

    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = True

    called: ClassVar[str]
    """For people."""

    @abstractmethod
    def results(self, terms: P) -> Container[tuple[int, int]]:
        """What the secrets can decide: what Alice pays, and what Bob pays."""

    @abstractmethod
    def shift(self, terms: P, alice: bytes, bob: bytes) -> Wei:
        """What the two secrets decide."""

    @abstractmethod
    def evidence(self, terms: P, bob: bool, secret: bytes) -> bytes:
        """What brings a secret to the chain."""

    # ------------------------------------------------------------------------ what its terms say

    def locks(self, terms: P) -> tuple[Wei, Wei]:
        return terms.alice_lock, terms.bob_lock

    def signers(self, terms: P) -> tuple[Address, Address] | None:
        return None

    def last_time(self, terms: P) -> UnixTime:
        return terms.validity

    def end_time(self, terms: P) -> UnixTime:
        return UnixTime(terms.validity + terms.window)

    def check(self, limits: Limits, terms: P) -> None:
        check_times(limits, self.end_time(terms), terms.window, "window")
        if not terms.alice_lock or not terms.bob_lock:
            raise InstanceRejected("one side has nothing to lose")

    def taken(self, terms: P, role: Role) -> Wei:
        """Luck may take our whole lock, and nothing we do prevents it."""
        return self.locks(terms)[role]

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: P, on: FlipRecord | None, time: UnixTime) -> Wei | None:
        if on is None:
            return None
        if on.alice and on.bob:
            return self.shift(terms, on.alice, on.bob)
        if time <= on.deadline:
            return None
        return _loss(terms, Role.BOB if on.alice else Role.ALICE)

    def known(self, terms: P, instance: InstanceView, totals: Totals) -> Wei | None:
        alice, bob = instance.secrets
        return self.shift(terms, alice, bob) if alice and bob else None

    def enforceable(self, terms: P, instance: InstanceView, totals: Totals, time: UnixTime) -> Wei:
        """While the other end's secret is not known, it may be the one by which we lose."""
        if instance.head is None and time > terms.validity:
            return Wei(0)
        return self.worst(terms, instance, totals)

    def worst(self, terms: P, instance: InstanceView, totals: Totals) -> Wei:
        if instance.role is None:
            return Wei(0)
        known = self.known(terms, instance, totals)
        return _loss(terms, instance.role) if known is None else known

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return f"nobody signs in {self.called}"

    # ------------------------------------------------------------------- what its ends do unasked

    # Rules flip-3, flip-4, throw-2.
    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """Says our secret while the chain would still hold the other end to its own."""
        flip = _terms(instance)
        in_time = draft.now <= flip.validity - draft.config.limits.margin
        assert instance.role is not None
        other = instance.secrets[instance.role.other]
        both_ready = not instance.via or (instance.ready_sent and bool(instance.ready))
        if in_time and (both_ready or other):
            own = instance.secrets[instance.role]
            draft.send(instance.end, RevealSecret(instance.id, own), instance.via)
        return bool(other) and proposes(instance, self.shift(flip, *instance.secrets))

    def wins(self, instance: InstanceView) -> bool:
        """Whether we, an end that knows both secrets, are paid."""
        return self._gain(instance) > 0

    def _gain(self, instance: InstanceView) -> int:
        """What an end that knows both secrets is paid, or pays."""
        assert instance.role is not None
        return gain(instance.role, self.shift(_terms(instance), *instance.secrets))

    def hear(self, draft: Draft, instance: InstanceView, message: OfInstance) -> bool:
        """The other end has revealed."""
        if not isinstance(message, RevealSecret):
            return super().hear(draft, instance, message)
        assert instance.role is not None
        return _keep(draft, instance, instance.role.other, message.secret)

    # ------------------------------------------------------------------------ what the chain says

    def fold(self, on: FlipRecord | None, announced: FlipRecord) -> FlipRecord:
        """An event says one secret."""
        if on is None:
            return announced
        alice, bob = on.alice or announced.alice, on.bob or announced.bob
        return FlipRecord(alice, bob, announced.deadline)

    def learn(self, draft: Draft, instance: InstanceView) -> None:
        on = instance.head
        if isinstance(on, FlipRecord) and instance.role is not None:
            for role, secret in zip(Role, (on.alice, on.bob), strict=True):
                _keep(draft, draft.instance(instance.id), role, secret)

    # ------------------------------------------------------------------------------- what proves it

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """Our secret to who knows the other; to a hub what each side pays by the result."""
        if instance.role is None:
            return message
        if not instance.via:
            return replace(message, preimage=Preimage(instance.secrets[instance.role]))
        shift = self.known(_terms(instance), instance, draft.totals(instance.id)) or Wei(0)
        return saying(message, instance.role, shift)

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        if instance.role is not None and message.preimage is not None:
            _keep(draft, instance, instance.role.other, message.preimage)

    # Rule flip-4.
    def named(
        self, terms: P, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """What both ends say alike is as good as a result: a hub pays it on, and no more."""
        totals = named_totals(message, peer)
        if totals not in self.results(terms):
            raise BadProposal(f"no result of {self.called}")
        return Wei(totals[0] - totals[1]), totals

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """A hub has no secret, and needs none."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """Both sides can lose by it: rule (c) is not for it."""
        return False

    # Rules flip-5, throw-2.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """Our secret, unless it would only make us pay: then the other end has to say its own, and
        silence costs us no more than that. Where nobody is paid it only answers the other one's."""
        role, on, flip = instance.role, instance.head, _terms(instance)
        if role is None or not instance.secrets[role]:
            return None
        if all(instance.secrets):
            paid = self._gain(instance)
            if paid < 0 or (paid == 0 and on is None):
                return None
        limit = flip.validity
        if on is not None:
            assert isinstance(on, FlipRecord)
            limit = on.deadline
        said = isinstance(on, FlipRecord) and bool((on.alice, on.bob)[role])
        if said or draft.now > limit:
            return None
        bob = role is Role.BOB
        evidence = self.evidence(_terms(instance), bob, instance.secrets[role])
        return Due(evidence, limit, answers=on is not None)


def _terms(instance: InstanceView) -> Any:
    """Any: of the kind whose instance it is."""
    return instance.terms


def _loss(flip: Secrets, role: Role) -> Wei:
    """The shift by which a side loses its whole lock."""
    return Wei(flip.alice_lock if role is Role.ALICE else -flip.bob_lock)


def _keep(draft: Draft, instance: InstanceView, role: Role, secret: bytes) -> bool:
    """Keeps a side's secret if it is what that side has committed to; False: nothing new."""
    flip = _terms(instance)
    commit = flip.alice_commit if role is Role.ALICE else flip.bob_commit
    if instance.secrets[role] or flip_commit(role is Role.BOB, secret) != commit:
        return False
    alice, bob = instance.secrets
    secrets = (secret, bob) if role is Role.ALICE else (alice, secret)
    draft.put(replace(instance, secrets=secrets))
    return True
