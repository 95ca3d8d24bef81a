"""A dispute about a channel, played on top of the newest block and never sent.

The contracts themselves play it, at the chain's node (`eth_simulateV1`): their code, their storage,
the signatures and evidence that we would show. So no rule is told here; what is told is who calls
what and when, and what comes out is read from what the contracts announce.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeVar

from perun.bindings.events import MS_CONTRACT, Registered, Settled
from perun.bindings.failures import NodeRefused
from perun.chain.wishes import call_of
from perun.core.books import Books, Draft
from perun.core.channel.disputes import registration, start
from perun.core.config import Deployment
from perun.core.effects import Settle, SubmitEvidence, Transaction
from perun.core.nanocontracts.evidence import due
from perun.core.nanocontracts.instances import app_of
from perun.core.rules.keys import peer_account
from perun.core.state import ChannelView, Role
from perun.encoding.machine import statements_evidence
from perun.errors import ChainFault, Misuse
from perun.page.endpoint import Act, Acted
from perun.types import Address, Machine, Nano, Record, Signature, UnixTime, Wei

__all__ = ["CannotPlay", "NotSigned", "Play", "Scene", "rehearse"]

Play = Callable[[Sequence[Act]], tuple[Acted, ...]]
E = TypeVar("E", Registered, Settled)
Name = Literal["vanished", "newest", "answered", "unanswered"]

_NAMES: Final[tuple[Name, ...]] = ("vanished", "newest", "answered", "unanswered")


@dataclass(eq=False)
class NotSigned(Misuse):
    """Nobody has signed anything about a channel, or it is not open."""

    reason: str

    template: ClassVar[str] = "nothing to rehearse: {reason}"
    hint: ClassVar[str] = "pay something first, or wait until the channel is open"


@dataclass(eq=False)
class CannotPlay(ChainFault):
    """The chain's node does not know `eth_simulateV1`."""

    reason: str

    template: ClassVar[str] = "the chain's node cannot rehearse anything: {reason}"
    hint: ClassVar[str] = "ask another one that knows eth_simulateV1: lock the page, and name it"


class Scene(Record, frozen=True):
    """How one of them ends."""

    name: Name
    """`vanished`: we register our newest state, alone; `newest`: they do; `answered`: they begin
    with the start, and we answer; `unanswered`: and nobody answers."""
    refusal: str
    """Why the contracts refuse to play it; empty: they do not."""
    ours: Wei
    """What we are paid in all …"""
    theirs: Wei
    soon: Wei
    """… and of ours, what when the dispute is decided."""
    deadline: UnixTime
    """Last second for an answer; right after it, it is decided …"""
    until: UnixTime
    """… and then the last lock is."""
    gas: int
    """Of our transactions."""


def rehearse(
    books: Books, view: ChannelView, deployment: Deployment, play: Play
) -> tuple[Scene, ...]:
    """How a dispute about a channel would end that begins now.

    Raises:
        NotSigned: there is nothing to show to the chain, or it is shown already.
        CannotPlay: the chain's node cannot.
        ChainFault: it does not answer.
    """
    if view.head.dispute is not None or view.head.ended:
        raise NotSigned("its dispute has begun, and the chain decides it")
    if not (view.head.alice or view.head.bob):
        raise NotSigned("no money of it is on the chain yet")
    return tuple(_Stage(books, view, deployment, play).scene(name) for name in _NAMES)


class _Refused(Exception):
    """By a contract, in its words."""


class _Stage:
    """A channel, the two of it, and what they can show."""

    def __init__(self, books: Books, view: ChannelView, deployment: Deployment, play: Play) -> None:
        self._draft, self._view = Draft(books), view
        self._deployment, self._play = deployment, play
        self._us = books.config.identity.account
        self._them = peer_account(view)
        self._now = books.chain.head_time
        self._start = start(view)
        # Where nobody has signed anything yet, the start is the newest.
        self._newest = registration(self._draft, view) or self._start

    def scene(self, name: Name) -> Scene:
        """Plays one, as far as the contracts let it."""
        try:
            return self._to_its_end(name)
        except _Refused as refused:
            now, nothing = self._now, Wei(0)
            return Scene(name, str(refused), nothing, nothing, nothing, now, now, 0)

    def _to_its_end(self, name: Name) -> Scene:
        acts = list(self._opening(name))
        registered = self._announced(self._played(acts), Registered)
        deadline = registered[0].deadline
        counts = self._start if name == "unanswered" else self._newest
        # A breath later, what was shown after the register is decided as well.
        decided = UnixTime(deadline + 1 + len(acts))
        acts.append(self._settle(decided, counts.net, counts.nanos))
        done = self._played(acts)
        remaining = self._announced(done, Settled)[-1].remaining
        until = deadline
        if remaining:
            until = UnixTime(max(nano.expiry for nano in remaining))
            acts.append(self._settle(UnixTime(until + 1), Wei(0), remaining))
            done = self._played(acts)
        paid = self._announced(done, Settled)
        ours = [event.alice_paid if self._is_alice else event.bob_paid for event in paid]
        theirs = [event.bob_paid if self._is_alice else event.alice_paid for event in paid]
        gas = sum(one.gas for act, one in zip(acts, done, strict=True) if act.sender == self._us)
        return Scene(name, "", Wei(sum(ours)), Wei(sum(theirs)), Wei(ours[0]), deadline, until, gas)

    def _played(self, acts: Sequence[Act]) -> tuple[Acted, ...]:
        try:
            done = self._play(acts)
        except NodeRefused as refused:
            raise CannotPlay(refused.reason) from None
        for one in done:
            if one.refusal:
                raise _Refused(one.refusal)
        return done

    def _opening(self, name: Name) -> Iterator[Act]:
        """What happens before the deadline, a second apart."""
        begins = self._us if name == "vanished" else self._them
        first = self._start if name in ("answered", "unanswered") else self._newest
        steps: list[tuple[Address, Transaction]] = [(begins, first)]
        if name in ("newest", "answered") and self._newest != self._start:
            steps.append((self._us, self._newest))
        if name != "unanswered":
            steps += [(self._us, one) for one in self._evidence()]
        if name in ("newest", "answered"):
            steps += [(self._them, one) for one in self._paid_by_us()]
        for after, (sender, transaction) in enumerate(steps, start=1):
            yield self._act(UnixTime(self._now + after), sender, transaction)

    def _evidence(self) -> Iterator[SubmitEvidence]:
        """What a register does not bring along."""
        for nano in self._newest.nanos:
            instance = self._draft.find_instance(nano.id)
            found = None if instance is None else due(self._draft, instance)
            if instance is not None and found is not None and not found.rides:
                app = app_of(self._deployment, instance.terms)
                yield SubmitEvidence(app, instance.id, found.evidence)

    def _paid_by_us(self) -> Iterator[SubmitEvidence]:
        """What whoever is there shows of our payments. What they hold of games and deals only they
        know."""
        for nano in self._newest.nanos:
            instance, totals = self._draft.find_instance(nano.id), self._draft.totals(nano.id)
            if instance is None or instance.role is None or not totals.sent_signature:
                continue
            if isinstance(instance.terms, Machine):
                none = (Wei(0), Signature(b""))
                shown = (totals.sent, totals.sent_signature)
                sides = (shown, none) if instance.role is Role.ALICE else (none, shown)
                evidence = statements_evidence(instance.terms, *sides[0], *sides[1])
                app = app_of(self._deployment, instance.terms)
                yield SubmitEvidence(app, instance.id, evidence)

    def _settle(self, time: UnixTime, net: Wei, nanos: tuple[Nano, ...]) -> Act:
        settle = Settle(self._view.channel, self._view.id, net, nanos)
        return self._act(time, self._us, settle)

    def _act(self, time: UnixTime, sender: Address, transaction: Transaction) -> Act:
        return Act(time, sender, call_of(transaction, self._deployment, sender))

    @property
    def _is_alice(self) -> bool:
        return self._view.role is Role.ALICE

    def _announced(self, done: Sequence[Acted], kind: type[E]) -> list[E]:
        contract = self._deployment.contract.contract
        events = [e for one in done for e in MS_CONTRACT.read_from(contract, one.logs)]
        return [event for event in events if isinstance(event, kind)]
