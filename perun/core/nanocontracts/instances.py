"""Instances of any kind: the nano each must be, what an honest party locks, and final shifts."""

from __future__ import annotations

from perun.core.chain_view import ChainView
from perun.core.config import Config, Deployment
from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.worth import dust_of, least_lock
from perun.core.state import (
    ChannelView,
    InstanceView,
    Leg,
    Role,
)
from perun.types import ETH, Address, Asset, InstanceId, Nano, Recorded, Terms, UnixTime, Wei
from perun.units import format_ether

__all__ = [
    "app_of",
    "check_terms",
    "check_worth",
    "decided_shift",
    "end_time",
    "finally_decided",
    "instance_id",
    "last_time",
    "leg_in",
    "locks",
    "nano_of",
    "one_way",
    "signer",
    "untouched",
]


def instance_id(deployment: Deployment, terms: Terms) -> InstanceId:
    """The hash of all parameters."""
    return kind_of(terms).id(deployment, terms)


def app_of(deployment: Deployment, terms: Terms) -> Address:
    """The nanocontract that decides it."""
    return kind_of(terms).app(deployment)


def end_time(terms: Terms) -> UnixTime:
    """What is not done then never will be."""
    return kind_of(terms).end_time(terms)


def last_time(terms: Terms) -> UnixTime:
    """Last second for first evidence."""
    return kind_of(terms).last_time(terms)


def locks(terms: Terms) -> tuple[Wei, Wei]:
    """What the instance's Alice and Bob may lose."""
    return kind_of(terms).locks(terms)


def signer(terms: Terms, role: Role) -> Address | None:
    """The key that signs for a side; None: nobody signs in such an instance."""
    keys = kind_of(terms).signers(terms)
    return None if keys is None else keys[role]


def one_way(terms: Terms) -> Role | None:
    """The only side that can lose, if there is just one: its outcome only rises [A10]."""
    alice, bob = locks(terms)
    if bob == 0:
        return Role.ALICE
    return Role.BOB if alice == 0 else None


# Rule state-2.
def nano_of(deployment: Deployment, id: InstanceId, terms: Terms, swapped: bool) -> Nano:
    """The only nano by which an honest party locks the instance [A9]."""
    kind = kind_of(terms)
    alice, bob = kind.locks(terms)
    if swapped:
        alice, bob = bob, alice
    return Nano(kind.app(deployment), id, alice, bob, kind.end_time(terms), swapped)


def leg_in(instance: InstanceView, view: ChannelView) -> Leg | None:
    """The instance's leg in a channel."""
    for leg in instance.legs:
        if leg.channel == view.id:
            return leg
    return None


def check_terms(config: Config, now: UnixTime, terms: Terms) -> None:
    """Raises `InstanceRejected` unless the limits on time hold (section 4, section 5)."""
    limits, kind = config.limits, kind_of(terms)
    if not kind.exists(config.deployment):
        raise InstanceRejected("no such contract is known on this chain")
    kind.check(limits, terms)
    if sum(kind.locks(terms)) == 0:
        raise InstanceRejected("it locks nothing")
    last = kind.last_time(terms)
    if last <= now + 2 * limits.margin:
        raise InstanceRejected("it ends too soon to enforce")
    if last > now + limits.greatest_validity:
        raise InstanceRejected("it ends too far ahead")


def check_worth(config: Config, chain: ChainView, asset: Asset, terms: Terms) -> None:
    """Raises `InstanceRejected` for a lock that costs more to enforce than it holds.

    Asked once, when an instance is agreed on: what both have agreed on is not refused because the
    price of gas has risen since.
    """
    least = Wei(kind_of(terms).submissions * least_lock(config.limits, chain))
    dust = dust_of(config.policy, asset, least)
    if any(0 < lock < dust for lock in locks(terms)):
        costs = f"{format_ether(dust)} ETH" if asset == ETH else f"{dust} of the token's least unit"
        raise InstanceRejected(f"a lock is below dust: enforcing it may cost {costs}")


def decided_shift(instance: InstanceView, on: Recorded | None, time: UnixTime) -> Wei | None:
    """The outcome that a block of this time shows, 0 once it is too late for any; None: open."""
    return kind_of(instance.terms).decided_in(instance, on, time)


def finally_decided(instance: InstanceView, chain: ChainView) -> Wei | None:
    """The shift that a final block shows: see `Kind.decided`."""
    return kind_of(instance.terms).decided(instance, chain)


def untouched(instance: InstanceView) -> bool:
    """Whether nobody has ever submitted anything, as far as our view shows [A4]."""
    return instance.head is None and instance.final is None
