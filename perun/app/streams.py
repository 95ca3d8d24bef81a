"""Streams: invite to one, pay in it, let it run, stop it, and look.

Whoever is invited is paid and locks nothing, so its node agrees by itself. What is paid by and by,
and what is told of it, is `flowing`.
"""

from __future__ import annotations

from functools import partial
from typing import Final, Literal

from msgspec.structs import replace

from perun.app import flowing, locked
from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.methods import GetStreams, OpenStream, PayTicks, RunStream, StopStream
from perun.app.rows import Errand, Flow
from perun.app.spending import digest_of, known_errand
from perun.app.texts import amount_of, hexed, money, show_account, show_node
from perun.app.work import Caller, Work
from perun.core.faults import NotAllowedNow, NotEnoughMoney
from perun.core.nanocontracts.hash_chain import (
    STREAMS,
    CommandSettle,
    CommandStream,
    CommandTick,
    paid_in,
)
from perun.core.rules.accounting import gain
from perun.core.state import InstanceView, Invitation, Role
from perun.types import Seconds, Stream, UnixTime, Wei

__all__ = ["open_stream", "pay_ticks", "run", "stop", "streams"]

_STREAMS: Final = (Stream,)


def open_stream(work: Work, caller: Caller, params: OpenStream) -> v.Stream:
    """Invites somebody to be paid by us; nothing is locked before their node agrees."""
    digest = digest_of("stream", params)
    known = known_errand(work, params.idempotency_key, digest, "stream")
    if known is not None:
        return _again(work, known)
    to, own, theirs, asset = locked.stakes(work, caller, params)
    tick = amount_of(params.tick_amount)
    if not 0 < tick <= own:
        raise BadParams(f"a tick of {money(asset, tick)} in a stream of {money(asset, own)}")
    locked.meet(work, to, params.invitation)
    view = locked.place(work, to, asset, own, theirs)
    now, random = work.books.chain.head_time, work.random()
    work.desk.do(
        CommandStream(
            *(view.id, own, tick, UnixTime(now + params.seconds)),
            *(work.config.limits.least_machine_challenge, random, locked.end_of(view, to)),
        )
    )
    if params.every:
        work.put(Flow(random, params.ticks, Seconds(params.every)))
    key = params.idempotency_key
    return locked.invited(work, caller, "stream", key, digest, random, asset, own, _invitation)


def pay_ticks(work: Work, caller: Caller, params: PayTicks) -> v.Stream:
    """Pays so many ticks at once."""
    instance = _find(work, params.id)

    def act() -> None:
        _check_room(work, instance, params.ticks)
        work.desk.do(CommandTick(instance.id, params.ticks))

    locked.once(work, caller, "tick", params, instance, act)
    return _show(work, work.books.instances[instance.id])


def run(work: Work, caller: Caller, params: RunStream) -> v.Stream:
    """From now on our node pays in it by itself, or no longer."""
    instance = _find(work, params.id)

    def act() -> None:
        if instance.role is not Role.ALICE:
            raise NotAllowedNow("let it run", "the other end pays in it")
        if instance.leave_sent and params.every:
            raise NotAllowedNow("let it run", "it is being closed")
        flow = flowing.flow_of(work, instance)
        since = work.now if params.every else UnixTime(0)
        work.put(replace(flow, ticks=params.ticks, every=Seconds(params.every), since=since))

    locked.once(work, caller, "runStream", params, instance, act)
    return _show(work, instance)


def stop(work: Work, caller: Caller, params: StopStream) -> v.Stream:
    """Pays no more in it, or wants no more, and lets it go at what was paid."""
    instance = _find(work, params.id)
    command = CommandSettle(instance.id)
    locked.once(work, caller, "stopStream", params, instance, lambda: work.desk.do(command))
    return _show(work, work.books.instances[instance.id])


def streams(work: Work, params: GetStreams) -> tuple[v.Stream, ...]:
    """Invitations, what flows, and what has ended lately; the newest last."""
    found = [_invitation(work, one) for one in locked.invitations(work, _STREAMS)]
    found += [_show(work, one) for one in locked.instances(work, _STREAMS)]
    found += locked.refused(work, v.Stream, ("stream",), found)
    return locked.chosen(found, params.id, "stream")


# --------------------------------------------------------------------------------------- in parts


def _find(work: Work, text: str) -> InstanceView:
    return locked.instance_of(work, _STREAMS, text, "stream")


def _check_room(work: Work, instance: InstanceView, ticks: int) -> None:
    """The core's own check, in words for people."""
    assert isinstance(instance.terms, Stream)
    left = instance.terms.lock - STREAMS.of(instance).wanted
    if ticks * instance.terms.tick > left:
        asset = work.books.channels[instance.legs[0].channel].channel.asset
        raise NotEnoughMoney("ticks", left, ticks * instance.terms.tick, asset)


def _again(work: Work, known: Errand) -> v.Stream:
    def look() -> v.Stream:
        return _show(work, _find(work, hexed(known.subject)))

    return locked.again(work, known, v.Stream, partial(_invitation, work), look)


def _invitation(work: Work, held: Invitation) -> v.Stream:
    assert isinstance(held.terms, Stream)
    role = Role.BOB if held.theirs else Role.ALICE
    asset = work.books.channels[held.channel].channel.asset
    flow = work.shelf.flows.get(held.id) or Flow(held.id)
    shown = _stream(work, held.id, None, held.terms, role, held.end, asset, "invited", flow)
    return replace(shown, why=locked.why_invited(work, held), reached=locked.reached(work, held))


def _show(work: Work, instance: InstanceView) -> v.Stream:
    assert isinstance(instance.terms, Stream)
    assert instance.role is not None
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    far, shift = locked.how_far(work, instance)
    state: _State = "decided" if far == "ruled" else "open" if far == "known" else far
    if state == "open" and instance.leave_sent:
        state = "stopping"
    if state not in ("over", "decided"):
        shift = None
    known, role, end = instance.invitation or instance.id, instance.role, instance.end
    flow = flowing.flow_of(work, instance)
    args = (work, known, instance, instance.terms, role, end, asset, state, flow, shift)
    why = flowing.why_dry(work, instance, flow) if state == "open" else ""
    return replace(_stream(*args), why=why)


_State = Literal["invited", "opening", "open", "stopping", "onChain", "decided", "over"]


def _stream(
    work: Work,
    known: bytes,
    instance: InstanceView | None,
    terms: Stream,
    role: Role,
    end: bytes,
    asset: bytes,
    state: _State,
    flow: Flow,
    shift: Wei | None = None,
) -> v.Stream:
    contact = work.shelf.names.get(end)
    view = STREAMS.of(instance)
    paid = Wei(0) if instance is None else paid_in(terms, instance)
    is_open = state in ("invited", "opening", "open")
    return v.Stream(
        id=hexed(known),
        instance=None if instance is None else hexed(instance.id),
        peer=show_node(end),
        name="" if contact is None else contact.name,
        asset=show_account(asset),
        pays=role is Role.ALICE,
        state=state,
        amount=str(terms.lock),
        tick_amount=str(terms.tick),
        paid=str(max(paid, view.wanted)),
        held=str(view.held if role is Role.ALICE else paid),
        left=str(terms.lock - max(paid, view.wanted) if is_open else 0),
        ticks=flow.ticks if is_open and flow.every else 0,
        every=flow.every if is_open else 0,
        until=terms.validity,
        gain=None if shift is None else str(gain(role, shift)),
    )
