"""What goes on in streams by itself: paying at a rate, and telling how much was paid.

A tick that is due is paid in the second in which it can be. Who is away for longer is paid nothing
for that time: time counts as paid up to now, however little of it was.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from perun.app.rows import Flow
from perun.app.texts import hexed
from perun.app.work import Work
from perun.core.nanocontracts.hash_chain import STREAMS, CommandSettle, CommandTick, paid_in
from perun.core.nanocontracts.payments import why_not
from perun.core.state import InstanceView, LegStatus, Role
from perun.errors import Misuse
from perun.types import InstanceId, Seconds, Stream, UnixTime, Wei

__all__ = ["Told", "flow_of", "flow_on", "prune", "why_dry"]

_AHEAD: Final = 10
"""Seconds whose ticks are paid at once, and may be on their way; else one interval's."""
_MOST_TOLD: Final = 10_000


def flow_of(work: Work, instance: InstanceView) -> Flow:
    """Its row."""
    id = _id(instance)
    return work.shelf.flows.get(id) or Flow(id)


def _id(instance: InstanceView) -> bytes:
    return bytes(instance.invitation if instance.role is Role.ALICE else instance.id)


def _at_once(flow: Flow) -> int:
    """Intervals whose ticks may be paid together."""
    return max(1, _AHEAD // flow.every)


# ----------------------------------------------------------------------------------- at a rate


def flow_on(work: Work) -> None:
    """With every second: pays what is due in the streams that run by themselves."""
    running = {id: flow for id, flow in work.shelf.flows.items() if flow.every}
    if not running:
        return
    for instance in list(work.books.instances.values()):
        if isinstance(instance.terms, Stream) and instance.role is Role.ALICE:
            flow = running.get(_id(instance))
            if flow is not None:
                _pay_due(work, instance, instance.terms, flow)


def _pay_due(work: Work, instance: InstanceView, stream: Stream, flow: Flow) -> None:
    if instance.leave_sent or instance.legs[0].status is LegStatus.REMOVED:
        work.put(replace(flow, every=Seconds(0)))
        return
    if why_dry(work, instance, flow):
        return
    if not flow.since:
        work.put(replace(flow, since=work.now))
        return
    left = (stream.lock - STREAMS.of(instance).wanted) // stream.tick
    if not left:
        work.desk.do(CommandSettle(instance.id))
        return
    # A clock that was set back is no time that has passed.
    passed = max(0, work.now - flow.since)
    due, most = passed // flow.every, _at_once(flow)
    if not due and work.now >= flow.since:
        return
    ticks = min(left, min(due, most) * flow.ticks)
    if ticks:
        try:
            work.desk.do(CommandTick(instance.id, ticks))
        except Misuse:
            return
    since = UnixTime(flow.since + due * flow.every) if 0 < due <= most else work.now
    work.put(replace(flow, since=since))


def why_dry(work: Work, instance: InstanceView, flow: Flow) -> str:
    """Why nothing is paid in a stream now that should flow by itself; empty: something is."""
    stream, view = instance.terms, STREAMS.of(instance)
    assert isinstance(stream, Stream)
    if not flow.every:
        return ""
    if instance.via and not (instance.ready and instance.ready_sent):
        return f"{work.name(instance.end)} has not said that it is ready"
    if view.wanted - view.held > _at_once(flow) * flow.ticks * stream.tick:
        return f"{work.name(instance.end)} has not said that it has the last ticks"
    return why_not(work.books, instance, stream) or ""


# -------------------------------------------------------------------------------------- telling


class Told:
    """What events tell of streams: at once, and at most once a second of each.

    One event tells all since the one before, however many ticks that were.
    """

    def __init__(self) -> None:
        self._at: dict[InstanceId, UnixTime] = {}
        self._late: set[InstanceId] = set()

    def heard(self, work: Work, id: InstanceId) -> None:
        """Something was paid, or has come."""
        if work.now > self._at.get(id, 0):
            self._tell(work, id)
        else:
            self._late.add(id)

    def again(self, work: Work) -> None:
        """After a start: what may not have been told."""
        every = work.books.instances.values()
        self._late = {
            one.id for one in every if isinstance(one.terms, Stream) and one.role is not None
        }

    def catch_up(self, work: Work) -> None:
        """With every second, and before it is told that one has ended."""
        for id in self._late:
            self._tell(work, id)
        self._late.clear()
        if len(self._at) > _MOST_TOLD:
            self._at.clear()

    def _tell(self, work: Work, id: InstanceId) -> None:
        instance = work.books.instances.get(id)
        if instance is None or not isinstance(instance.terms, Stream):
            return
        pays, flow = instance.role is Role.ALICE, flow_of(work, instance)
        total = STREAMS.of(instance).held if pays else paid_in(instance.terms, instance)
        if total <= flow.told:
            return
        data = {
            "notice": "TicksDelivered" if pays else "TicksReceived",
            "instance": hexed(instance.id),
            "amount": str(total - flow.told),
            "total": str(total),
        }
        work.event("stream", instance.invitation or instance.id, data)
        work.put(replace(flow, told=Wei(total)))
        self._at[id] = work.now


def prune(work: Work) -> None:
    """Forgets rows of streams that the core has forgotten."""
    flows = work.shelf.flows
    if not flows:
        return
    known = {_id(one) for one in work.books.instances.values() if isinstance(one.terms, Stream)}
    for id, flow in list(flows.items()):
        if id not in known and id not in work.books.invitations:
            work.drop(flow)
