"""The coin flip: two secrets decide who pays, and who stays silent pays all (section 4).

Each end says its secret off chain once the flip is locked for good, and the removal at the result
follows. Whoever gets no answer says it on chain, in time; then silence costs the other its lock.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from msgspec.structs import replace

from perun import checks
from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.faults import BadProposal, InstanceRejected
from perun.core.inputs import Command
from perun.core.limits import Limits
from perun.core.nanocontracts.kind import Due, Kind, domain_in
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.crypto.hashing import keccak
from perun.encoding.coin_flip import (
    CoinFlipDomain,
    flip_commit,
    flip_evidence,
    flip_id,
    flip_words,
)
from perun.encoding.messages import OfInstance, Propose, RevealSecret
from perun.types import (
    Address,
    ChannelId,
    Flip,
    FlipRecord,
    InstanceId,
    Preimage,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["COIN_FLIP", "CommandFlip", "flip_shift"]

CASES = 2**16


def flip_shift(flip: Flip, alice: bytes, bob: bytes) -> Wei:
    """What the two secrets decide."""
    total = int.from_bytes(alice[-2:], "big") + int.from_bytes(bob[-2:], "big")
    return Wei(flip.alice_lock if total % CASES < flip.odds else -flip.bob_lock)


class CommandFlip(Command, frozen=True, gc=False):
    """Flip a coin for money with an end: the channel's peer, or somebody behind it as the hub."""

    channel: ChannelId
    own_lock: Wei
    """What we pay if we lose."""
    peer_lock: Wei
    odds: int
    """We lose in so many of 65,536 cases."""
    validity: UnixTime
    window: Seconds
    random: Salt
    secret: Preimage
    """32 random bytes that are used for nothing else."""
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


def flip(draft: Draft, command: CommandFlip, own: Address, end: Address) -> Flip:  # noqa: ARG001
    """What our user invites to; the other end's commitment comes with its answer."""
    checks.length("secret", command.secret, 32)
    return Flip(
        command.own_lock,
        command.peer_lock,
        flip_commit(False, command.secret),
        bytes(32),
        command.odds,
        command.validity,
        command.window,
        command.random,
    )


class _CoinFlipKind(Kind[Flip, FlipRecord]):
    terms = Flip
    domain = CoinFlipDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = True
    invites = MappingProxyType({CommandFlip: flip})

    def secret(self, command: Any) -> bytes:
        return bytes(command.secret)

    # Rule flip-1.
    def half(self, seed: bytes, terms: Flip) -> tuple[Salt, bytes]:
        """Bob's part of the salt is his commitment. The secret follows from all that Alice fixed,
        her commitment included: she learns it in no other flip."""
        secret = keccak(seed + b"secret of a coin flip" + flip_words(terms))
        return Salt(flip_commit(True, secret)), secret

    def whole(self, terms: Flip, half: Salt) -> Flip:
        return replace(terms, bob_commit=half, salt=Salt(keccak(terms.salt + half)))

    # Rule flip-2.
    def check_invited(self, books: Books, terms: Flip) -> None:
        """Who is invited does not play against the odds."""
        wins, loses = terms.odds * terms.alice_lock, (CASES - terms.odds) * terms.bob_lock
        if wins < loses:
            raise InstanceRejected("the odds are against me")

    # ------------------------------------------------------------------------ what its terms say

    def id(self, deployment: Deployment, terms: Flip) -> InstanceId:
        return flip_id(domain_in(deployment, CoinFlipDomain), terms)

    def locks(self, terms: Flip) -> tuple[Wei, Wei]:
        return terms.alice_lock, terms.bob_lock

    def signers(self, terms: Flip) -> tuple[Address, Address] | None:
        return None

    def last_time(self, terms: Flip) -> UnixTime:
        return terms.validity

    def end_time(self, terms: Flip) -> UnixTime:
        return UnixTime(terms.validity + terms.window)

    def check(self, limits: Limits, terms: Flip) -> None:
        if terms.validity + terms.window >= 2**34:
            raise InstanceRejected("its final time does not fit the record [B6]")
        if not limits.least_machine_challenge <= terms.window <= limits.greatest_challenge:
            raise InstanceRejected(f"its window of {terms.window} s is outside our limits")
        if not terms.alice_lock or not terms.bob_lock:
            raise InstanceRejected("one side has nothing to lose")

    def taken(self, terms: Flip, role: Role) -> Wei:
        """Luck may take our whole lock, and nothing we do prevents it."""
        return self.locks(terms)[role]

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: Flip, on: FlipRecord | None, time: UnixTime) -> Wei | None:
        if on is None:
            return None
        if on.alice and on.bob:
            return flip_shift(terms, on.alice, on.bob)
        if time <= on.deadline:
            return None
        return _loss(terms, Role.BOB if on.alice else Role.ALICE)

    def known(self, terms: Flip, instance: InstanceView, totals: Totals) -> Wei | None:
        alice, bob = instance.secrets
        return flip_shift(terms, alice, bob) if alice and bob else None

    def enforceable(
        self, terms: Flip, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        """While the other end's secret is not known, it may be the one by which we lose."""
        if instance.head is None and time > terms.validity:
            return Wei(0)
        return self.worst(terms, instance, totals)

    def worst(self, terms: Flip, instance: InstanceView, totals: Totals) -> Wei:
        if instance.role is None:
            return Wei(0)
        known = self.known(terms, instance, totals)
        return _loss(terms, instance.role) if known is None else known

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return "nobody signs in a coin flip"

    # ------------------------------------------------------------------- what its ends do unasked

    # Rules flip-3, flip-4.
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
        if not other:
            return False
        # In a channel of two, the one who is paid proposes; a hub wants to hear it from both.
        return bool(instance.via) or self.wins(instance)

    def wins(self, instance: InstanceView) -> bool:
        """Whether we, an end that knows both secrets, are paid."""
        shift = flip_shift(_terms(instance), *instance.secrets)
        return (shift > 0) is (instance.role is Role.BOB)

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
        paid, received = max(shift, 0), max(-shift, 0)
        if instance.role is Role.BOB:
            paid, received = received, paid
        return replace(message, paid=Wei(paid), received=Wei(received))

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        if instance.role is not None and message.preimage is not None:
            _keep(draft, instance, instance.role.other, message.preimage)

    # Rule flip-4.
    def named(
        self, terms: Flip, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """What both ends say alike is as good as a result: a hub pays it on, and no more."""
        paid, received = message.paid, message.received
        totals = (paid, received) if peer is Role.ALICE else (received, paid)
        if totals not in ((terms.alice_lock, 0), (0, terms.bob_lock)):
            raise BadProposal("no result of a coin flip")
        return Wei(totals[0] - totals[1]), totals

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """A hub has no secret, and needs none."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """Both sides can lose by it: rule (c) is not for it."""
        return False

    # Rule flip-5.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """Our secret, unless it would only make us pay: then the other end has to say its own, and
        silence costs us no more than that."""
        role, on, flip = instance.role, instance.head, _terms(instance)
        if role is None or not instance.secrets[role]:
            return None
        if all(instance.secrets) and not self.wins(instance):
            return None
        limit = flip.validity
        if on is not None:
            assert isinstance(on, FlipRecord)
            limit = on.deadline
        said = isinstance(on, FlipRecord) and bool((on.alice, on.bob)[role])
        if said or draft.now > limit:
            return None
        bob = role is Role.BOB
        evidence = flip_evidence(flip, bob, instance.secrets[role])
        return Due(evidence, limit, answers=on is not None)


COIN_FLIP = _CoinFlipKind()


def _terms(instance: InstanceView) -> Flip:
    assert isinstance(instance.terms, Flip)
    return instance.terms


def _loss(flip: Flip, role: Role) -> Wei:
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
