"""Sees the deals, bets and streams of an honest party, and counts what they must bring (section 4).

In a deal or bet that is our whole lock at the worst; once we hold the word of an arbiter or
reporter by which we are paid, in time, nothing but another word of the same mouth takes that away.
A stream costs its payer what its user wanted paid, and brings its payee what its node has counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perun.core.nanocontracts.escrow import DEALS
from perun.core.nanocontracts.hash_chain import STREAMS
from perun.core.nanocontracts.price_bet import BETS
from perun.core.notices import InstanceRemoved, TicksReceived
from perun.core.state import InstanceView, LegStatus, Role
from perun.encoding.messages import Ticked, Ticks
from perun.types import Bet, Chain, Deal, InstanceId, Stream
from tests.games.simulation import shares
from tests.games.simulation.violated import Violated

if TYPE_CHECKING:
    from tests.games.simulation.witness import Witness


@dataclass(slots=True)
class Stakes:
    """Of one honest party, in all its lives."""

    witness: Witness
    terms: dict[InstanceId, Deal | Bet] = field(default_factory=dict)
    roles: dict[InstanceId, Role] = field(default_factory=dict)
    secured: dict[InstanceId, int] = field(default_factory=dict)
    """What a word that it held in time brings, by deal or bet."""
    done: dict[InstanceId, int] = field(default_factory=dict)
    """What those have brought that were removed by both."""
    named: dict[InstanceId, set[int]] = field(default_factory=dict)
    """At what its user lets a deal go."""
    gone: dict[InstanceId, int] = field(default_factory=dict)
    """Payer of a stream: what its user wanted paid."""
    given: dict[InstanceId, int] = field(default_factory=dict)
    """… and what has left."""
    came: dict[InstanceId, int] = field(default_factory=dict)
    """Payee of one: what its node has counted."""
    chains: dict[tuple[bytes, int], Chain] = field(default_factory=dict)

    # --------------------------------------------------------------------------------- counting

    @property
    def gains(self) -> list[int]:
        """What each brings at least; negative: it costs so much."""
        streams = [*self.came.values(), *(-paid for paid in self.gone.values())]
        return [*(self._worth(id) for id in self.terms), *streams]

    @property
    def lost(self) -> int:
        """What they cost at the worst, if all that is known of them is from an old copy."""
        undecided = [id for id in self.terms if id not in self.done]
        locked = [shares.locks(self.terms[id])[self.roles[id]] for id in undecided]
        return sum(locked) + sum(self.gone.values()) + sum(max(0, -x) for x in self.done.values())

    def _worth(self, id: InstanceId) -> int:
        """A second word voids the first: then nothing moves, or what is better for us."""
        if id in self.done:
            return self.done[id]
        terms = self.terms[id]
        if id in self.secured:
            return self.secured[id] if len(self._said(id)) == 1 else 0
        return -shares.locks(terms)[self.roles[id]]

    def _said(self, id: InstanceId) -> list[int]:
        """What we gain by each word that was ever signed about it."""
        said = self.witness.actor.world.outsiders.about(id, self.terms[id])
        return [_gain(self.roles[id], shift) for shift in said]

    def look(self) -> None:
        """What it has the right to now; only of what is on the disk."""
        books, limits = self.witness.actor.node.books, self.witness.actor.world.limits
        for one in books.instances.values():
            agreed = one.legs and one.legs[0].status is not LegStatus.NEW
            if not isinstance(one.terms, Deal | Bet) or one.role is None or not agreed:
                continue
            self.terms[one.id], self.roles[one.id] = one.terms, one.role
            in_time = books.chain.head_time <= one.terms.validity - 2 * limits.margin
            if not in_time or self.witness.leaving(one.id):
                continue
            held = DEALS.of(one).awards if isinstance(one.terms, Deal) else BETS.of(one).prices
            best = max((_gain(one.role, word.shift) for word in held), default=0)
            if best > self.secured.get(one.id, 0):
                self.secured[one.id] = best
                self.witness.seen[f"{_name(one.terms)}s won"] += 1

    def removed(self, notice: InstanceRemoved) -> None:
        """By both: at what was said, or what the chain has decided."""
        id = notice.instance
        name, gain = _name(self.terms[id]), _gain(self.roles[id], notice.shift)
        least = self._least(id)
        if id in self.secured:
            least = max(least, self._worth(id))
        if gain < least and not self.witness.copied:
            raise Violated(f"P2: a {name} removed below what was said", notice=notice, least=least)
        self.done[id] = gain
        self.witness.seen[f"{name}s removed by both"] += 1

    def _least(self, id: InstanceId) -> int:
        """The worst for us of all that was said: it may go at nothing below."""
        terms, role, actor = self.terms[id], self.roles[id], self.witness.actor
        said = self._said(id)
        found = [shares.locks(terms)[role.other], *said]
        found += [_gain(role, shift) for shift in self.named.get(id, ())]
        shown = [_gain(role, event.shift) for event in actor.world.decisions(id)]
        lapsed = not shown and actor.node.books.chain.final_time > terms.validity
        return min([*found, *shown, *([0] if lapsed or len(said) > 1 else [])])

    # ---------------------------------------------------------------------------------- streams

    def wants(self, id: InstanceId, amount: int) -> None:
        """Its user wants so much paid, or, negative, has been refused."""
        self.gone[id] = self.gone.get(id, 0) + amount

    def chain(self, signed: Chain) -> None:
        """Raises `Violated` if it must not be signed now."""
        id, witness = InstanceId(signed.stream), self.witness
        view, listed = witness.listed(id)
        if view is None or not listed:
            raise Violated("stream-2: a chain of hashes in what no state lists", signed=signed)
        witness.may_sign(view, "Chain")
        one = witness.actor.node.books.instances[id]
        if one.via and not witness.actor.heard_ready(id):
            raise Violated("stream-2: a chain of hashes without the other end's Ready", id=id)
        if signed.base > self.gone.get(id, 0):
            raise Violated("stream-2: a chain pays more than its user wanted", signed=signed)
        if self.chains.setdefault((id, signed.base), signed) != signed:
            raise Violated("stream-2: two chains of hashes from one total", signed=signed)

    def left(self, message: Ticks | Ticked) -> None:
        """What it relies on is on the disk."""
        row = self.witness.actor.store.row(InstanceView, message.instance)
        if row is None:
            return  # Over and dropped in the same turn.
        assert isinstance(row, InstanceView)
        assert isinstance(row.terms, Stream)
        stored = _paid(row)
        if isinstance(message, Ticked):
            if message.total > stored:
                raise Violated("acknowledged before it was stored", ticks=message.total)
            return
        id, total = row.id, message.base + message.ticks * row.terms.tick
        if total > stored:
            raise Violated("write before you send: ticks", total=total, stored=stored)
        if total > self.gone.get(id, 0):
            raise Violated("stream-2: more ticks than its user wanted", total=total)
        self.given[id] = max(self.given.get(id, 0), total)

    def received(self, notice: TicksReceived) -> None:
        """Its node has counted ticks."""
        witness, id = self.witness, notice.instance
        if notice.total <= self.came.get(id, 0):
            return
        books, limits = witness.actor.node.books, witness.actor.world.limits
        one, (view, _) = books.instances[id], witness.listed(id)
        assert isinstance(one.terms, Stream)
        if (view is None or witness.leaving(id)) and id in witness.left_before:
            raise Violated("stream-3: ticks of what is not listed, or leaving", notice=notice)
        if books.chain.head_time > one.terms.validity - limits.margin:
            raise Violated("stream-3: ticks too late to enforce", notice=notice)
        if one.head is not None or (view is not None and view.head.dispute is not None):
            raise Violated("stream-3: ticks after a submission or in a dispute", notice=notice)
        if notice.total > one.terms.lock:
            raise Violated("stream-3: more ticks than its lock covers", notice=notice)
        if witness.actor.world.clock - books.chain.head_time > limits.freshness:
            raise Violated("A6: ticks counted with a stale view", notice=notice)
        self.came[id] = notice.total

    def streams(self, id: InstanceId) -> bool:
        """Whether it is a stream in which something was paid."""
        return id in self.gone or id in self.came

    def ended(self, notice: InstanceRemoved) -> None:
        """A stream, removed by both."""
        id, shift = notice.instance, notice.shift
        if shift < self.came.get(id, 0):
            raise Violated("P2: a stream removed below what it has paid", notice=notice)
        if id in self.gone and shift > self.gone[id]:
            raise Violated("P2: a stream removed above what its user wanted", notice=notice)
        for totals in (self.came, self.gone):
            if id in totals:
                totals[id] = shift
        self.witness.seen["streams removed by both"] += 1


def _name(terms: Deal | Bet) -> str:
    return type(terms).__name__.lower()


def _gain(role: Role, shift: int) -> int:
    return -shift if role is Role.ALICE else shift


def _paid(one: InstanceView) -> int:
    view = STREAMS.of(one)
    assert isinstance(one.terms, Stream)
    return min(view.base + view.ticks * one.terms.tick, one.terms.lock)
