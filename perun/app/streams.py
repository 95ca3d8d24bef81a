"""Streams: invite to one, pay in it, let it run, stop it, and look.

Whoever is invited is paid and locks nothing, so its node agrees by itself. What is paid by and by,
and what is told of it, is `flowing`.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from perun.app import flowing
from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.inviting import end_of, meet, place
from perun.app.locked import Far, Locked, Sort
from perun.app.methods import GetStreams, OpenStream, PayTicks, RunStream, StopStream
from perun.app.rows import Flow
from perun.app.texts import Who, amount_of, money
from perun.app.work import Caller, Work
from perun.core.faults import NotAllowedNow, NotEnoughMoney
from perun.core.nanocontracts.hash_chain import (
    STREAMS,
    CommandSettle,
    CommandStream,
    CommandTick,
    paid_in,
)
from perun.core.state import InstanceView, Role
from perun.types import Asset, Salt, Seconds, Stream, UnixTime, Wei

__all__ = ["open_stream", "pay_ticks", "run", "stop", "streams"]


def open_stream(work: Work, caller: Caller, params: OpenStream) -> v.Stream:
    """Invites somebody to be paid by us; nothing is locked before their node agrees."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        tick = amount_of(params.tick_amount)
        if not 0 < tick <= own:
            raise BadParams(f"a tick of {money(asset, tick)} in a stream of {money(asset, own)}")
        meet(work, to, params.invitation)
        view = place(work, to, asset, own, theirs)
        now, random = work.books.chain.head_time, work.random()
        work.desk.do(
            CommandStream(
                *(view.id, own, tick, UnixTime(now + params.seconds)),
                *(work.config.limits.least_machine_challenge, random, end_of(view, to)),
            )
        )
        if params.every:
            work.put(Flow(random, params.ticks, Seconds(params.every)))
        return random

    return _SORT.invite(work, caller, "stream", params, begin)


def pay_ticks(work: Work, caller: Caller, params: PayTicks) -> v.Stream:
    """Pays so many ticks at once."""
    instance = _SORT.find(work, params.id)

    def act() -> None:
        _check_room(work, instance, params.ticks)
        work.desk.do(CommandTick(instance.id, params.ticks))

    return _SORT.order(work, caller, "tick", params, instance, act)


def run(work: Work, caller: Caller, params: RunStream) -> v.Stream:
    """From now on our node pays in it by itself, or no longer."""
    instance = _SORT.find(work, params.id)

    def act() -> None:
        if instance.role is not Role.ALICE:
            raise NotAllowedNow("let it run", "the other end pays in it")
        if instance.leave_sent and params.every:
            raise NotAllowedNow("let it run", "it is being closed")
        flow = flowing.flow_of(work, instance)
        since = work.now if params.every else UnixTime(0)
        work.put(replace(flow, ticks=params.ticks, every=Seconds(params.every), since=since))

    return _SORT.order(work, caller, "runStream", params, instance, act)


def stop(work: Work, caller: Caller, params: StopStream) -> v.Stream:
    """Pays no more in it, or wants no more, and lets it go at what was paid."""
    instance = _SORT.find(work, params.id)
    command = CommandSettle(instance.id)
    return _SORT.order(work, caller, "stopStream", params, instance, lambda: work.desk.do(command))


def streams(work: Work, params: GetStreams) -> tuple[v.Stream, ...]:
    """Invitations, what flows, and what has ended lately; the newest last."""
    return _SORT.all(work, params.id)


# --------------------------------------------------------------------------------------- in parts


def _check_room(work: Work, instance: InstanceView, ticks: int) -> None:
    """The core's own check, in words for people."""
    assert isinstance(instance.terms, Stream)
    left = instance.terms.lock - STREAMS.of(instance).wanted
    if ticks * instance.terms.tick > left:
        asset = work.books.channels[instance.legs[0].channel].channel.asset
        raise NotEnoughMoney("ticks", left, ticks * instance.terms.tick, asset)


_State = Literal["invited", "opening", "open", "stopping", "onChain", "decided", "over"]
_STATES: Final[dict[Far, _State]] = {
    "asked": "invited",
    "invited": "invited",
    "opening": "opening",
    "open": "open",
    "known": "open",
    "onChain": "onChain",
    "ruled": "decided",
    "over": "over",
}


def _stream(work: Work, one: Locked) -> v.Stream:
    terms, instance = one.terms, one.view
    assert isinstance(terms, Stream)
    known = work.shelf.flows.get(one.known) or Flow(one.known)
    flow = known if instance is None else flowing.flow_of(work, instance)
    view = STREAMS.of(instance)
    paid = Wei(0) if instance is None else paid_in(terms, instance)
    state, why = _STATES[one.far], ""
    if state == "open" and instance is not None:
        state = "stopping" if instance.leave_sent else state
        why = "" if instance.leave_sent else flowing.why_dry(work, instance, flow)
    is_open = state in ("invited", "opening", "open")
    return v.Stream(
        id=one.id,
        instance=one.instance,
        peer=one.peer,
        name=one.name,
        asset=one.asset,
        pays=one.role is Role.ALICE,
        state=state,
        amount=str(terms.lock),
        tick_amount=str(terms.tick),
        paid=str(max(paid, view.wanted)),
        held=str(view.held if one.role is Role.ALICE else paid),
        left=str(terms.lock - max(paid, view.wanted) if is_open else 0),
        ticks=flow.ticks if is_open and flow.every else 0,
        every=flow.every if is_open else 0,
        until=terms.validity,
        gain=one.gain if state in ("over", "decided") else None,
        why=why,
    )


_SORT: Final = Sort("stream", (Stream,), ("stream",), v.Stream, _stream)
