"""What the core tells, as events for people and programs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perun.app.texts import hexed
from perun.app.work import Work
from perun.core import notices as n
from perun.types import Bet, Flip, Game, Gated, Hands, InstanceId, Lock, Stream

__all__ = ["tell"]

_KINDS: Final[dict[type, str]] = {
    n.ChannelOffered: "offer",
    n.ProposalHeld: "offer",
    n.ChannelJoined: "channel",
    n.ChannelRefused: "channel",
    n.ChannelFunded: "channel",
    n.ChannelEnded: "channel",
    n.CloseAgreed: "channel",
    n.WithdrawAgreed: "channel",
    n.TransferDone: "channel",
    n.ProposalRefused: "channel",
    n.ChannelDisputed: "problem",
    n.Stuck: "problem",
    n.ExitOnly: "problem",
    n.InstanceAdded: "machine",
    n.VirtualReady: "machine",
    n.InstanceRefused: "machine",
    n.InstanceRemoved: "machine",
    n.InvitationHeld: "offer",
    n.DrawOffered: "game",
    n.GameBegan: "game",
    n.GameMoved: "game",
}
"""By the notice; payments and ticks have events of their own, secrets none."""
_OF_TERMS: Final[dict[type, str]] = {
    Game: "game",
    Gated: "game",
    Flip: "game",
    Hands: "game",
    Stream: "stream",
    Bet: "bet",
    Lock: "lock",
}
_OF_METHOD: Final = {
    "play": "game",
    "flip": "game",
    "throw": "game",
    "stream": "stream",
    "bet": "bet",
    "lock": "lock",
}
_LOCKED: Final = frozenset(_OF_TERMS.values())


def tell(work: Work, notice: n.Notice) -> None:
    """Keeps a notice as an event, if it is one for people."""
    kind = _KINDS.get(type(notice))
    if kind is None:
        return
    fields: dict[str, Any] = msgspec.structs.asdict(notice)
    about = fields.get("instance") or fields.get("invitation") or b""
    if kind == "machine":
        kind = _kind_of(work, about)
    about = fields.get("channel") or about
    if kind in _LOCKED and (one := work.books.instances.get(fields["instance"])) is not None:
        # What both sides know it by.
        about = one.invitation or about
    data = {"notice": type(notice).__name__}
    data.update((_camel(name), _plain(value)) for name, value in fields.items())
    work.event(kind, bytes(about), data)


def _kind_of(work: Work, about: bytes) -> str:
    """Of what is told of an instance, or of an invitation of ours that was declined."""
    if (one := work.books.instances.get(InstanceId(about))) is not None:
        return _OF_TERMS.get(type(one.terms), "machine")
    for row in work.shelf.errands.values():
        if row.subject == about and row.method in _OF_METHOD:
            return _OF_METHOD[row.method]
    return "machine"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _plain(value: Any) -> str:
    """Bytes in hex, integers in decimal: amounts do not fit JSON's numbers."""
    return hexed(value) if isinstance(value, bytes) else str(value)
