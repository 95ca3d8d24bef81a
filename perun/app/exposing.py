"""What of ours depends on others, and until when we can be away (docs/app.md).

`valuation` says what we have, and what the chain would pay us alone; `owed_by` by when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from perun.app import values as v
from perun.app.methods import GetExposure
from perun.app.texts import hexed, show_account, show_node
from perun.app.work import Work
from perun.core.books import Draft
from perun.core.nanocontracts.evidence import due
from perun.core.nanocontracts.gate import what_counts
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import gain
from perun.core.rules.phases import Phase, phase
from perun.core.rules.worth import dust_of, enforcing_costs
from perun.core.state import ChannelView, InstanceView, Totals
from perun.core.states.content import agreed_content, agreed_version
from perun.core.states.valuation import balance
from perun.node.owed import owed_by
from perun.types import ChannelId, UnixTime

__all__ = ["Watchers", "exposure"]

Watchers = Callable[[ChannelId], Sequence[v.Watcher]]
"""Who has acknowledged that it watches a channel, and up to which state."""


def exposure(work: Work, params: GetExposure, watchers: Watchers) -> v.Exposures:  # noqa: ARG001
    """Every channel that has not ended."""
    owed = {one.channel: one for one in owed_by(work.books)}
    found = []
    for view in work.books.channels.values():
        if view.head.ended or not (view.final.alice or view.final.bob or view.head.dispute):
            continue
        claim = owed.get(view.id)
        until, reason = _online_by(work, view)
        found.append(
            v.Exposure(
                channel=hexed(view.id),
                peer=show_node(view.peer),
                asset=show_account(view.channel.asset),
                have=str(_have(work, view)),
                alone="0" if claim is None else str(claim.amount),
                alone_by=0 if claim is None else claim.until,
                alone_gas=0 if claim is None else claim.gas,
                unenforceable=str(_unenforceable(work, view)),
                online_by=until,
                reason=reason,
                watchers=tuple(watchers(view.id)),
            )
        )
    times = [one.online_by for one in found if one.online_by is not None]
    return v.Exposures(channels=tuple(found), online_by=min(times, default=None))


def _have(work: Work, view: ChannelView) -> int:
    ours = balance(work.books, view)
    return ours.free + ours.locked


def _listed(work: Work, view: ChannelView) -> Iterator[InstanceView]:
    _, nanos = agreed_content(view)
    for nano in nanos:
        instance = work.books.instances.get(nano.id)
        if instance is not None:
            yield instance
            inside = what_counts(Draft(work.books), instance)
            if inside is not instance:
                yield inside


def _unenforceable(work: Work, view: ChannelView) -> int:
    """What we have received in machines where it is not worth a transaction."""
    costs = enforcing_costs(work.config.limits, work.books.chain)
    dust = dust_of(work.config.policy, view.channel.asset, costs)
    total = 0
    for instance in _listed(work, view):
        received = _received(work, instance)
        if 0 < received < dust:
            total += received
    return total


def _received(work: Work, instance: InstanceView) -> int:
    """What an instance has brought us beyond what we paid in it, as an end."""
    if instance.role is None:
        return 0
    totals = work.books.totals.get(instance.id) or Totals(instance.id)
    kind = kind_of(instance.terms)
    return gain(instance.role, kind.worst(instance.terms, instance, totals))


def _online_by(work: Work, view: ChannelView) -> tuple[UnixTime | None, str]:
    """The earliest time at which being away would cost us something, and what."""
    found = sorted(_duties(work, view), key=lambda one: one[0])
    return found[0] if found else (None, "")


def _duties(work: Work, view: ChannelView) -> Iterator[tuple[UnixTime, str]]:
    margin = work.config.limits.margin
    dispute = view.head.dispute
    now = phase(view, work.books.chain)
    if dispute is not None and not dispute.settling:
        if agreed_version(view) > dispute.version and now is Phase.DISPUTED:
            yield UnixTime(dispute.deadline - margin), "to answer the dispute with a newer state"
    elif dispute is None and _could_be_cheated(view):
        seen = work.books.chain.head_time
        when = UnixTime(seen + view.channel.challenge - margin)
        yield when, "in case an old state is brought to the chain from now on"
    for instance in _listed(work, view):
        found = due(Draft(work.books), instance)
        if found is not None:
            why = "to answer what was submitted" if found.answers else "to cash in what you hold"
            yield UnixTime(found.before - margin), why


def _could_be_cheated(view: ChannelView) -> bool:
    """Whether an older state could serve the peer: there is one, if anything was ever signed."""
    return view.agreed is not None and view.agreed.state.version > 0
