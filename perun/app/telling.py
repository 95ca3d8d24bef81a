"""What the core tells, as events for people and programs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

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
}
"""By the notice; payments have events of their own, secrets none."""


def tell(work: Work, notice: n.Notice) -> None:
    """Keeps a notice as an event, if it is one for people."""
    kind = _KINDS.get(type(notice))
    if kind is None:
        return
    fields: dict[str, Any] = msgspec.structs.asdict(notice)
    about = fields.get("channel") or fields.get("instance") or b""
    data = {"notice": type(notice).__name__}
    data.update((_camel(name), _plain(value)) for name, value in fields.items())
    work.event(kind, bytes(about), data)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _plain(value: Any) -> str:
    """Bytes in hex, integers in decimal: amounts do not fit JSON's numbers."""
    return hexed(value) if isinstance(value, bytes) else str(value)
