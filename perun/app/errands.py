"""What our user wants of channels and takes time: how far it is, and what comes next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from perun.app.locked import ending
from perun.app.rows import Errand
from perun.app.texts import hexed
from perun.app.values import Done
from perun.app.work import Work, plain
from perun.core.inputs import CommandClose
from perun.core.notices import (
    ChannelDisputed,
    ChannelEnded,
    ChannelFunded,
    ChannelJoined,
    ChannelRefused,
    CloseAgreed,
    Notice,
    WithdrawAgreed,
)
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView, LegStatus, Role
from perun.core.states.content import agreed_content
from perun.errors import Misuse
from perun.types import ChannelId

__all__ = ["done", "go_on", "on_notice", "prune"]

_AGREED: Final = {"withdraw": WithdrawAgreed, "close": CloseAgreed}


def done(row: Errand) -> Done:
    """As the interface shows it."""
    return Done(id=hexed(row.subject), state=row.state, text=row.text, over=row.over)


def _move(work: Work, row: Errand, state: str, text: str, *, over: bool = False) -> None:
    if (row.state, row.text, row.over) != (state, text, over):
        work.put(replace(row, state=state, text=text, over=over))
        data = {"method": row.method, "state": state, "text": text, "over": over}
        work.event("errand", row.subject, data)


def _of(work: Work, channel: ChannelId) -> list[Errand]:
    return [row for row in work.shelf.errands.values() if row.subject == channel and not row.over]


def on_notice(work: Work, notice: Notice) -> None:
    """The core has told something about a channel."""
    channel = getattr(notice, "channel", None)
    if channel is None:
        return
    for row in _of(work, channel):
        if row.method == "open":
            _on_opening(work, row, notice)
        elif isinstance(notice, ChannelEnded):
            _move(work, row, "done", "the channel has ended, its money is paid", over=True)
        elif row.method == "topUp" and isinstance(notice, ChannelFunded):
            _move(work, row, "done", "a final block shows the money", over=True)
        elif isinstance(notice, _AGREED.get(row.method, ())):
            _move(work, row, "mining", "both have signed, the transaction is on its way")
        elif row.method == "leave" and isinstance(notice, ChannelDisputed):
            text = f"the dispute ends at {notice.deadline}; then the chain pays"
            _move(work, row, "disputed", text)


def _on_opening(work: Work, row: Errand, notice: Notice) -> None:
    if isinstance(notice, ChannelRefused):
        _move(work, row, "refused", notice.reason, over=True)
    elif isinstance(notice, ChannelJoined):
        _move(work, row, "funding", "the peer has agreed; the transaction is on its way")
    elif isinstance(notice, ChannelFunded):
        view = work.books.channels[notice.channel]
        own = notice.alice if view.role is Role.ALICE else notice.bob
        if own:
            _move(work, row, "open", "a final block shows the money: it counts", over=True)
    elif isinstance(notice, ChannelEnded):
        _move(work, row, "refused", "the channel has ended", over=True)


def go_on(work: Work) -> None:
    """With every block, and when something was taken out: closings take their next step."""
    for row in list(work.shelf.errands.values()):
        view = work.books.channels.get(ChannelId(row.subject))
        if row.over or view is None:
            continue
        if row.method == "close":
            _close(work, row, view)
        elif row.method == "open" and _has_lapsed(work, row, view):
            text = "the transaction came too late, and no money has moved; open it again"
            _move(work, row, "refused", text, over=True)
        elif row.method == "withdraw" and not view.withdraws:
            _end_withdrawal(work, row, view)


def _end_withdrawal(work: Work, row: Errand, view: ChannelView) -> None:
    if view.final.withdrawals > row.index:
        _move(work, row, "done", "a final block shows the money in your account", over=True)
        return
    text = "the transaction came too late, and no money has moved; ask for it again"
    if row.state == "asked":
        text = f"{work.name(view.peer)} has not signed it in time, and no money has moved"
    _move(work, row, "refused", text, over=True)


def _has_lapsed(work: Work, row: Errand, view: ChannelView) -> bool:
    """Whether a deposit that was agreed on can no longer be mined."""
    limits, head = work.config.limits, view.head
    lapsed = row.at + max(limits.offer_validity, limits.open_validity) + limits.margin
    is_empty = not (head.alice or head.bob or head.ended)
    return row.state == "funding" and is_empty and work.books.chain.final_time > lapsed


def _close(work: Work, row: Errand, view: ChannelView) -> None:
    """Takes out what is listed, then offers the Close; again if that lapsed."""
    now = phase(view, work.books.chain)
    if now not in (Phase.IDLE, Phase.PROPOSED, Phase.HOLDING):
        if now in (Phase.DISPUTED, Phase.DECIDED, Phase.SETTLING, Phase.LEAVING):
            _move(work, row, "disputed", "the chain decides it now")
        return
    _, nanos = agreed_content(view)
    left = 0
    for nano in nanos:
        left += 1
        instance = work.books.instances.get(nano.id)
        if instance is None or instance.role is None or instance.leave_sent:
            continue
        if instance.legs[0].status is LegStatus.LISTED:
            try:
                work.desk.do(ending(instance))
            except Misuse as error:
                _move(work, row, "closing", plain(error))
                return
    if left:
        text = f"{left} machines or locks are being taken out; {work.name(view.peer)} must answer"
        _move(work, row, "closing", text)
        return
    given = max((one.open.valid_until for one in view.opens if not one.ours), default=None)
    if given is not None:
        at = datetime.fromtimestamp(given, UTC).strftime("%H:%M:%S")
        text = f"{work.name(view.peer)} signs it once its share's Open has lapsed, at {at} UTC"
        _move(work, row, "closing", text)
        return
    try:
        work.desk.do(CommandClose(view.id))
    except Misuse as error:
        _move(work, row, "closing", plain(error))
    else:
        _move(work, row, "closing", f"{work.name(view.peer)} is asked to sign")


def prune(work: Work) -> None:
    """Forgets errands that were over long ago."""
    for row in list(work.shelf.errands.values()):
        if row.over and work.date - row.at > work.settings.keep:
            work.drop(row)
