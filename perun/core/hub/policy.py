"""A hub's policy: pure arithmetic on what it may lock, and what it charges (protocol, section 6).

Every listed nano is priced and limited as if it went to chain [C3]. A refusal is a reason in words.
"""

from __future__ import annotations

from perun.core.chain_view import ChainView
from perun.core.config import Config, HubPolicy
from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.instances import check_terms, check_worth, last_time, locks
from perun.core.rules.accounting import free_money, own_lock, reliable_holdings
from perun.core.rules.worth import most_of
from perun.core.state import ChannelView
from perun.core.states.content import agreed_content
from perun.types import InstanceId, Nano, Terms, UnixTime, Wei

__all__ = ["fee_for", "why_refuse"]

_MILLION = 1_000_000
_DAY = 86_400


# Rule fee-1.
def fee_for(policy: HubPolicy, base: Wei, terms: Terms, now: UnixTime, final: UnixTime) -> Wei:
    """Base, plus a share of what the hub locks, plus a share of it per day; rounded up.

    The hub locks towards each end what the other end locks: the sum of both locks.

    Args:
        base: in the asset of the locks (`worth.base_fee_of`).
    """
    locked = sum(locks(terms))
    seconds = max(0, final - now)
    by_amount = -(-locked * policy.amount_ppm // _MILLION)
    by_time = -(-locked * policy.amount_day_ppm * seconds // (_MILLION * _DAY))
    return Wei(base + by_amount + by_time)


# Rule fee-2.
def why_refuse(
    config: Config,
    chain: ChainView,
    terms: Terms,
    legs: tuple[tuple[ChannelView, Nano], ...],
    replaces: InstanceId | None = None,
) -> str | None:
    """Why the hub does not take an instance into these two channels; None: it does.

    What it `replaces` is gone in the same state: its slot, its quota and its locks are free. At
    which shift it goes is not known yet, so of its money the best is supposed, on either side; the
    states themselves are judged in full.
    """
    policy = config.policy.hub
    if policy is None:
        return "no hub here"
    if policy.paused:
        return "this hub takes nothing new at the moment"
    try:
        check_terms(config, chain.head_time, terms)
        check_worth(config, chain, legs[0][0].channel.asset, terms)
    except InstanceRejected as error:
        return error.why
    asset = legs[0][0].channel.asset
    greatest_lock = most_of(config.policy, asset, policy.greatest_lock)
    quota = most_of(config.policy, asset, policy.peer_quota)
    small_lock = most_of(config.policy, asset, policy.small_lock)
    for view, nano in legs:
        net, nanos = agreed_content(view)
        gone: list[Nano] = []
        if replaces is not None:
            gone = [other for other in nanos if other.id == replaces]
            nanos = tuple(other for other in nanos if other.id != replaces)
        lock = own_lock(nano, view.role)
        if lock > greatest_lock:
            return f"more than {greatest_lock} locked by the hub"
        if sum(own_lock(other, view.role) for other in nanos) + lock > quota:
            return f"quota of {quota} for this peer is used up"
        slots = config.limits.greatest_nanos
        small = lock <= small_lock and last_time(terms) <= chain.head_time + policy.short_life
        if not small:
            slots = min(slots - policy.reserved_slots, config.limits.slots_per_peer)
        if len(nanos) >= slots:
            return "no slot left in the channel"
        holdings = reliable_holdings(view)
        won = sum(own_lock(other, view.role.other) for other in gone)
        if free_money(holdings, net, (*nanos, nano), view.role) + won < 0:
            return "the hub's money in the channel does not suffice"
        won = sum(own_lock(other, view.role) for other in gone)
        if free_money(holdings, net, (*nanos, nano), view.role.other) + won < 0:
            return "the end's money in its channel does not suffice"
    return None
