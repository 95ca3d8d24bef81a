"""Instances: ids, the nano each must be, what an honest party locks, and final shifts (section 4).

The one place that knows how the parameters of each nanocontract become a nano, and when and how
the chain has decided it.
"""

from __future__ import annotations

from perun.core.config import Config, Deployment
from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.worth import dust_of, least_lock
from perun.core.state import (
    UNTOUCHED,
    ChainView,
    ChannelView,
    InstanceView,
    Leg,
    OnChainInstance,
    Role,
    Totals,
)
from perun.encoding.ids import lock_id, machine_id
from perun.types import Address, Asset, InstanceId, Lock, Machine, Nano, UnixTime, Wei

__all__ = [
    "app_of",
    "check_terms",
    "check_worth",
    "decided_shift",
    "final_time",
    "finally_decided",
    "instance_id",
    "last_time",
    "leg_in",
    "lock_shift",
    "locks",
    "nano_of",
    "one_way",
    "paid_by",
    "payer_of_lock",
    "totals_shift",
    "untouched",
]


def instance_id(deployment: Deployment, terms: Machine | Lock) -> InstanceId:
    """The hash of all parameters."""
    if isinstance(terms, Machine):
        return machine_id(deployment.vpm, terms)
    return lock_id(deployment.hash_time_lock, terms)


def app_of(deployment: Deployment, terms: Machine | Lock) -> Address:
    """The nanocontract that decides it."""
    if isinstance(terms, Machine):
        return deployment.vpm.contract
    return deployment.hash_time_lock.contract


def final_time(terms: Machine | Lock) -> UnixTime:
    """What is not done then never will be."""
    if isinstance(terms, Machine):
        return UnixTime(terms.validity + terms.challenge)
    return terms.deadline


def last_time(terms: Machine | Lock) -> UnixTime:
    """Last second for first evidence: `validity`, or the lock's deadline."""
    return terms.validity if isinstance(terms, Machine) else terms.deadline


def locks(terms: Machine | Lock) -> tuple[Wei, Wei]:
    """What the instance's Alice and Bob may lose."""
    if isinstance(terms, Machine):
        return terms.alice_lock, terms.bob_lock
    return (Wei(0), terms.amount) if terms.bob_pays else (terms.amount, Wei(0))


def one_way(terms: Machine | Lock) -> Role | None:
    """The only side that can lose, if there is just one: its outcome only rises [A10]."""
    alice, bob = locks(terms)
    if bob == 0:
        return Role.ALICE
    return Role.BOB if alice == 0 else None


def nano_of(deployment: Deployment, id: InstanceId, terms: Machine | Lock, swapped: bool) -> Nano:
    """The only nano by which an honest party locks the instance [A9]."""
    alice, bob = locks(terms)
    if swapped:
        alice, bob = bob, alice
    return Nano(app_of(deployment, terms), id, alice, bob, final_time(terms), swapped)


def leg_in(instance: InstanceView, view: ChannelView) -> Leg | None:
    """The instance's leg in a channel."""
    for leg in instance.legs:
        if leg.channel == view.id:
            return leg
    return None


def check_terms(config: Config, now: UnixTime, terms: Machine | Lock) -> None:
    """Raises `InstanceRejected` unless the limits on time hold (section 4, section 5)."""
    limits = config.limits
    if isinstance(terms, Machine):
        if terms.validity + terms.challenge >= 2**34:
            raise InstanceRejected("its final time does not fit the record [B6]")
        if not limits.least_machine_challenge <= terms.challenge <= limits.greatest_challenge:
            raise InstanceRejected(f"its challenge of {terms.challenge} s is outside our limits")
        if terms.alice == terms.bob:
            raise InstanceRejected("one key on both sides")
    if sum(locks(terms)) == 0:
        raise InstanceRejected("it locks nothing")
    if last_time(terms) <= now + 2 * limits.margin:
        raise InstanceRejected("it ends too soon to enforce")
    if last_time(terms) > now + limits.greatest_validity:
        raise InstanceRejected("it ends too far ahead")


def check_worth(config: Config, chain: ChainView, asset: Asset, terms: Machine | Lock) -> None:
    """Raises `InstanceRejected` for a lock that costs more to enforce than it holds.

    Asked once, when an instance is agreed on: what both have agreed on is not refused because the
    price of gas has risen since.
    """
    dust = dust_of(config.policy, asset, least_lock(config.limits, chain))
    if any(0 < lock < dust for lock in locks(terms)):
        raise InstanceRejected(f"a lock is below dust ({dust})")


def paid_by(instance: InstanceView, totals: Totals, role: Role) -> Wei:
    """The total of one side as we, an end, know it."""
    return totals.sent if instance.role is role else totals.received


def totals_shift(machine: Machine, by_alice: int, by_bob: int) -> Wei:
    """Difference of totals; a side without lock has paid nothing [A10]. Not clamped."""
    return Wei((by_alice if machine.alice_lock else 0) - (by_bob if machine.bob_lock else 0))


def decided_shift(instance: InstanceView, on: OnChainInstance, time: UnixTime) -> Wei | None:
    """The outcome that a block of this time shows, 0 once it is too late for any; None: open."""
    if instance.machine is not None:
        if on.deadline:
            if time <= on.deadline:
                return None
            return totals_shift(instance.machine, on.paid_by_alice, on.paid_by_bob)
    elif instance.lock is not None and on.preimage is not None:
        return lock_shift(instance.lock)
    return Wei(0) if time > final_time(instance.terms) else None


def finally_decided(instance: InstanceView, chain: ChainView) -> Wei | None:
    """The shift that a final block shows: what may be believed off chain [C8], rules (a), (b)."""
    return decided_shift(instance, instance.final, chain.final_of(instance.told))


def lock_shift(lock: Lock) -> Wei:
    """The shift of a hash lock whose preimage is known."""
    return Wei(-lock.amount if lock.bob_pays else lock.amount)


def payer_of_lock(lock: Lock) -> Role:
    """Who pays when the secret comes out."""
    return Role.BOB if lock.bob_pays else Role.ALICE


def untouched(instance: InstanceView) -> bool:
    """Whether nobody has ever submitted anything, as far as our view shows [A4]."""
    return instance.head == UNTOUCHED and instance.final == UNTOUCHED
