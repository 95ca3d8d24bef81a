"""What the core tells, as events for people and programs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perun.app.boards import is_game
from perun.app.texts import hexed
from perun.app.work import Work
from perun.core import notices as n

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
    n.GameBegan: "game",
    n.GameMoved: "game",
}
"""By the notice; payments have events of their own, secrets none."""


def tell(work: Work, notice: n.Notice) -> None:
    """Keeps a notice as an event, if it is one for people."""
    kind = _KINDS.get(type(notice))
    if kind is None:
        return
    fields: dict[str, Any] = msgspec.structs.asdict(notice)
    about = fields.get("instance") or fields.get("invitation") or b""
    if kind == "machine" and _is_played(work, about):
        kind = "game"
    about = fields.get("channel") or about
    if kind == "game" and (one := work.books.instances.get(fields["instance"])) is not None:
        # What both sides know it by.
        about = one.invitation or about
    data = {"notice": type(notice).__name__}
    data.update((_camel(name), _plain(value)) for name, value in fields.items())
    work.event(kind, bytes(about), data)


def _is_played(work: Work, about: bytes) -> bool:
    """Whether it is of a game: an instance, or an invitation of ours that was declined."""
    invited = any(
        row.subject == about and row.method in ("play", "flip")
        for row in work.shelf.errands.values()
    )
    return invited or is_game(work, about)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _plain(value: Any) -> str:
    """Bytes in hex, integers in decimal: amounts do not fit JSON's numbers."""
    return hexed(value) if isinstance(value, bytes) else str(value)
