"""Statements and secrets on their way to the chain (protocol, section 5, Cashing in).

A total that we received is submitted when the end of the machine is a margin away, at once when the
channel is in dispute, and in answer to any submission with an older total. What a register of ours
carries is not submitted beside it, while there is time to see what became of it.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.effects import RevealPreimage, SubmitStatements
from perun.core.nanocontracts.instances import last_time, one_way, payer_of_lock
from perun.core.nanocontracts.worth import dust_of, enforcing_costs
from perun.core.rules.keys import machine_key
from perun.core.rules.phases import registering
from perun.core.rules.signing import exact
from perun.core.state import ChannelView, InstanceView, LegStatus, Role, Totals
from perun.encoding.evidence import reveal_evidence, statements_evidence
from perun.types import ChannelId, MachineId, Nano, Signature, Wei

__all__ = ["duties", "is_worth_it", "piece"]

_NOTHING = Signature(b"")


def duties(draft: Draft, instance: InstanceView) -> None:
    """What must be on its way to the chain for this instance now."""
    if not _counts(draft, instance):
        return
    urgent = _disputed(draft, instance) or (
        draft.now >= last_time(instance.terms) - draft.config.limits.margin
    )
    if instance.lock is not None:
        receives = _receiver(instance) is not None
        known = instance.preimage
        if receives and known is not None and urgent and instance.head.preimage is None:
            deadline = instance.lock.deadline
            if draft.now <= deadline:
                reveal = RevealPreimage(instance.lock, instance.id, known)
                draft.submit(b"v" + instance.id, reveal, deadline)
        return
    held = _useful(draft, instance)
    if held is None:
        return
    on = instance.head
    limit = on.deadline or last_time(instance.terms)
    # A submission with an older total is answered at once; the first one waits for its time.
    if draft.now <= limit and (on.deadline or urgent):
        draft.submit(b"t" + instance.id, _transaction(draft, instance, held), limit)


def piece(draft: Draft, nano: Nano) -> bytes:
    """Evidence that travels with a register; empty if we have none, or it would come too late."""
    instance = draft.find_instance(nano.id)
    if instance is None:
        return b""
    if instance.lock is not None:
        if instance.preimage is None or instance.head.preimage is not None:
            return b""
        if draft.now > instance.lock.deadline or _receiver(instance) is None:
            return b""
        return reveal_evidence(instance.lock, instance.preimage)
    held = _useful(draft, instance)
    if held is None or draft.now > (instance.head.deadline or last_time(instance.terms)):
        return b""
    wish = _transaction(draft, instance, held)
    return statements_evidence(
        wish.machine,
        wish.paid_by_alice,
        wish.signature_alice,
        wish.paid_by_bob,
        wish.signature_bob,
    )


def _counts(draft: Draft, instance: InstanceView) -> bool:
    """Whether a channel of ours would be paid differently for it."""
    for leg in instance.legs:
        if leg.status in (LegStatus.LISTED, LegStatus.REMOVING):
            view = draft.channel(leg.channel)
            if not view.final.ended:
                return instance.role is not None or _half(instance)
        elif leg.status is not LegStatus.REMOVED and _in_dispute(draft, instance, leg.channel):
            return True
    return False


def _half(instance: InstanceView) -> bool:
    """Hub: removed where it pays, not yet where it receives: rule (c) wants its evidence used."""
    statuses = {leg.status for leg in instance.legs}
    return LegStatus.REMOVED in statuses


def _in_dispute(draft: Draft, instance: InstanceView, channel: bytes) -> bool:
    view = draft.books.channels.get(ChannelId(channel))
    dispute = view.head.dispute if view is not None else None
    return dispute is not None and any(nano.id == instance.id for nano in dispute.nanos)


def _disputed(draft: Draft, instance: InstanceView) -> bool:
    """Whether a channel is in dispute, or left, and no register of ours carries the evidence."""
    views: list[ChannelView] = [draft.channel(leg.channel) for leg in instance.legs]
    if any(registering(view, draft.chain) and _lists(view, instance) for view in views):
        return False
    return any(view.head.dispute is not None or view.leaving for view in views)


def _lists(view: ChannelView, instance: InstanceView) -> bool:
    agreed = view.agreed
    return agreed is not None and any(nano.id == instance.id for nano in agreed.state.nanos)


def _receiver(instance: InstanceView) -> Role | None:
    """The side of a hash lock that we are paid on; None if we pay, or have nothing to gain."""
    assert instance.lock is not None
    receiver = payer_of_lock(instance.lock).other
    if instance.role is None:
        # A hub is the receiver towards the payer; what it may claim it has paid on already.
        return receiver if _half(instance) else None
    return receiver if instance.role is receiver else None


def _useful(draft: Draft, instance: InstanceView) -> Totals | None:
    """What we received, if the chain does not have it yet and it is worth the gas."""
    assert instance.machine is not None
    held = draft.totals(instance.id)
    payer = _payer(instance)
    lock = instance.machine.alice_lock if payer is Role.ALICE else instance.machine.bob_lock
    on = instance.head
    recorded = on.paid_by_alice if payer is Role.ALICE else on.paid_by_bob
    if lock == 0 or held.received <= recorded or not held.received_signature:
        return None
    return held if is_worth_it(draft, instance, held.received) else None


def is_worth_it(draft: Draft, instance: InstanceView, total: Wei) -> bool:
    """Whether we would submit a total at all today: not below dust."""
    asset = draft.channel(instance.legs[0].channel).channel.asset
    cost = enforcing_costs(draft.config.limits, draft.chain)
    return total >= dust_of(draft.config.policy, asset, cost)


def _payer(instance: InstanceView) -> Role:
    """Whose statements we hold: the other end's; for a hub those of a one-way machine's payer."""
    if instance.role is not None:
        return instance.role.other
    return one_way(instance.terms) or Role.ALICE


def _transaction(draft: Draft, instance: InstanceView, held: Totals) -> SubmitStatements:
    machine = instance.machine
    assert machine is not None
    payer = _payer(instance)
    key = machine_key(machine, payer)
    deployment = draft.config.deployment
    signature = exact(
        deployment, MachineId(instance.id), held.received, held.received_signature, key
    )
    if payer is Role.ALICE:
        return SubmitStatements(machine, instance.id, held.received, signature, Wei(0), _NOTHING)
    return SubmitStatements(machine, instance.id, Wei(0), _NOTHING, held.received, signature)
