"""The payment machine: statements of totals, and the difference of the highest (section 4)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.faults import InstanceRejected, StatementRefused
from perun.core.inputs import CommandAddMachine, CommandReplace
from perun.core.limits import Limits
from perun.core.nanocontracts.kind import Due, Kind
from perun.core.nanocontracts.payments import accept, why_not
from perun.core.nanocontracts.shifts import check_times
from perun.core.rules.keys import machine_key
from perun.core.rules.worth import dust_of, enforcing_costs
from perun.core.signing import exact
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.encoding.machine import (
    VPMDomain,
    machine_id,
    statements_evidence,
)
from perun.encoding.messages import Propose
from perun.errors import BadSignature
from perun.types import (
    Address,
    InstanceId,
    Machine,
    MachineId,
    MachineRecord,
    Recorded,
    Signature,
    Statement,
    UnixTime,
    Wei,
)

__all__ = ["MACHINE", "machine_of", "paid_by", "totals_shift"]

_NOTHING = Signature(b"")


def paid_by(instance: InstanceView, totals: Totals, role: Role) -> Wei:
    """The total of one side as we, an end, know it."""
    return totals.sent if instance.role is role else totals.received


def totals_shift(machine: Machine, by_alice: int, by_bob: int) -> Wei:
    """Difference of totals; a side without lock has paid nothing [A10]. Not clamped."""
    return Wei((by_alice if machine.alice_lock else 0) - (by_bob if machine.bob_lock else 0))


def machine_of(
    draft: Draft,  # noqa: ARG001
    command: CommandAddMachine | CommandReplace,
    own: Address,
    end: Address,
) -> Machine:
    """What our user invites to, also in place of another."""
    return Machine(
        own,
        end,
        command.own_lock,
        command.peer_lock,
        command.validity,
        command.challenge,
        command.random,
    )


class _MachineKind(Kind[Machine, MachineRecord]):
    terms = Machine
    domain = VPMDomain
    talks: ClassVar[bool] = True
    readies: ClassVar[bool] = True
    invites = MappingProxyType({CommandAddMachine: machine_of})

    def route(self, command: Any) -> tuple[PeerId, ...]:
        assert isinstance(command, CommandAddMachine)
        return command.route

    rises: ClassVar[bool] = True

    def id(self, deployment: Deployment, terms: Machine) -> InstanceId:
        return machine_id(deployment.vpm, terms)

    def locks(self, terms: Machine) -> tuple[Wei, Wei]:
        return terms.alice_lock, terms.bob_lock

    def signers(self, terms: Machine) -> tuple[Address, Address] | None:
        return terms.alice, terms.bob

    def last_time(self, terms: Machine) -> UnixTime:
        return terms.validity

    def end_time(self, terms: Machine) -> UnixTime:
        return UnixTime(terms.validity + terms.challenge)

    def check(self, limits: Limits, terms: Machine) -> None:
        check_times(limits, self.end_time(terms), terms.challenge)
        if terms.alice == terms.bob:
            raise InstanceRejected("one key on both sides")

    def taken(self, terms: Machine, role: Role) -> Wei:
        """A machine takes from us what we sign for in it, and nothing before."""
        return Wei(0)

    def outcome(self, terms: Machine, on: MachineRecord | None, time: UnixTime) -> Wei | None:
        if on is None or time <= on.deadline:
            return None
        return totals_shift(terms, on.paid_by_alice, on.paid_by_bob)

    def known(self, terms: Machine, instance: InstanceView, totals: Totals) -> Wei | None:
        alice, bob = (paid_by(instance, totals, role) for role in Role)
        return totals_shift(terms, alice, bob)

    def enforceable(
        self, terms: Machine, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        on = instance.head
        if on is None and time > terms.validity:
            return Wei(0)
        held = [Wei(0), Wei(0)]
        if instance.role is not None:
            held = [paid_by(instance, totals, role) for role in Role]
        return totals_shift(terms, *(max(held[role], _recorded(on, role)) for role in Role))

    def worst(self, terms: Machine, instance: InstanceView, totals: Totals) -> Wei:
        """What we asked our signer to sign is gone, whatever became of the answer."""
        if instance.role is None:
            return Wei(0)
        ours, theirs = totals.asked, totals.received
        pair = (ours, theirs) if instance.role is Role.ALICE else (theirs, ours)
        return totals_shift(terms, *pair)

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return why_not(books, instance, _terms(instance))

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """The totals that a removal names, with the statements that prove them [A11]."""
        if instance.role is None:
            return self._show_next(draft, instance, message)
        totals = draft.totals(instance.id)
        id, key = MachineId(instance.id), machine_key(_terms(instance), instance.role.other)
        loose = totals.received_signature
        return replace(
            message,
            paid=totals.sent,
            paid_signature=totals.sent_signature,
            received=totals.received,
            received_signature=exact(draft.config.deployment, id, totals.received, loose, key),
        )

    # Rule path-7.
    def _show_next(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """Hub: over several, the one before us knows no more than we show; its Alice pays."""
        crossing, held = draft.hub_instance(instance.id), draft.totals(instance.id)
        if crossing is None or not crossing.onward:
            return message
        key = machine_key(_terms(instance), Role.ALICE)
        id, loose = MachineId(instance.id), held.received_signature
        signature = exact(draft.config.deployment, id, held.received, loose, key)
        return replace(message, received=held.received, received_signature=signature)

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        if instance.role is not None and message.paid_signature:
            accept(draft, instance, message.paid, message.paid_signature)

    def named(
        self, terms: Machine, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        paid, received = message.paid, message.received
        totals = (paid, received) if peer is Role.ALICE else (received, paid)
        return totals_shift(terms, *totals), totals

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """The payer's highest statement of a one-way machine; a hub's own `Totals.received`."""
        machine = instance.terms
        payer = _only_payer(instance)
        if payer is None or not isinstance(machine, Machine):
            return
        by_payer = peer is payer
        paid = message.paid if by_payer else message.received
        signature = message.paid_signature if by_payer else message.received_signature
        held = draft.totals(instance.id)
        if paid <= held.received or not signature:
            return
        key = machine_key(machine, payer)
        try:
            draft.checker.check_loosely(Statement(MachineId(instance.id), paid), signature, key)
        except (BadSignature, StatementRefused):
            return
        draft.put(Totals(instance.id, Wei(0), Wei(0), _NOTHING, paid, signature))

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        payer = _only_payer(instance)
        assert payer is not None, "rule (c) is for what only one side can lose by"
        on, margin = instance.head, draft.config.limits.margin
        owed = totals[payer]
        received = draft.totals(instance.id).received
        evidence = owed == 0 or (received >= owed and _is_worth_it(draft, instance, received))
        in_time = draft.now <= self.last_time(_terms(instance)) - margin
        still_rises = on is None or draft.now <= _deadline(on) - margin
        if evidence and in_time and still_rises:
            return True
        return min(_recorded(on, payer), _recorded(instance.final, payer)) >= owed

    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """An older total on chain is answered at once; a first submission waits for its time."""
        on, held = instance.head, _useful(draft, instance)
        limit = self.last_time(_terms(instance)) if on is None else _deadline(on)
        if held is None or draft.now > limit:
            return None
        return Due(_evidence(draft, instance, held), limit, answers=on is not None)


MACHINE = _MachineKind()


def _terms(instance: InstanceView) -> Machine:
    assert isinstance(instance.terms, Machine)
    return instance.terms


def _only_payer(instance: InstanceView) -> Role | None:
    """The only side that can lose by it, if there is just one: its outcome only rises [A10]."""
    machine = _terms(instance)
    if machine.bob_lock == 0:
        return Role.ALICE
    return Role.BOB if machine.alice_lock == 0 else None


def _payer(instance: InstanceView) -> Role:
    """Whose statements we hold: the other end's; for a hub those of a one-way machine's payer."""
    if instance.role is not None:
        return instance.role.other
    return _only_payer(instance) or Role.ALICE


def _recorded(on: Recorded | None, payer: Role) -> Wei:
    if on is None:
        return Wei(0)
    assert isinstance(on, MachineRecord)
    return on.paid_by_alice if payer is Role.ALICE else on.paid_by_bob


def _deadline(on: Recorded) -> UnixTime:
    assert isinstance(on, MachineRecord)
    return on.deadline


def _useful(draft: Draft, instance: InstanceView) -> Totals | None:
    """What we received, if the chain does not have it yet and it is worth the gas."""
    held, payer = draft.totals(instance.id), _payer(instance)
    lock = MACHINE.locks(_terms(instance))[payer]
    recorded = _recorded(instance.head, payer)
    if lock == 0 or held.received <= recorded or not held.received_signature:
        return None
    return held if _is_worth_it(draft, instance, held.received) else None


def _is_worth_it(draft: Draft, instance: InstanceView, total: Wei) -> bool:
    """Whether we would submit a total at all today: not below dust."""
    asset = draft.channel(instance.legs[0].channel).channel.asset
    cost = enforcing_costs(draft.config.limits, draft.chain)
    return total >= dust_of(draft.config.policy, asset, cost)


def _evidence(draft: Draft, instance: InstanceView, held: Totals) -> bytes:
    machine, payer = _terms(instance), _payer(instance)
    key = machine_key(machine, payer)
    deployment = draft.config.deployment
    signature = exact(
        deployment, MachineId(instance.id), held.received, held.received_signature, key
    )
    if payer is Role.ALICE:
        return statements_evidence(machine, held.received, signature, Wei(0), _NOTHING)
    return statements_evidence(machine, Wei(0), _NOTHING, held.received, signature)
