"""Why a link or a session ends: a number and a reason for each refusal (protocol, section 10)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Code", "RETRIED"]


class Code(IntEnum):
    """Close codes of links (a WebSocket's, 4000 to 4099) and of sessions (4001, 4100 and up)."""

    GOING = 1001
    """The listener stops."""
    MALFORMED = 4000
    """Bytes that this page does not allow there."""
    DISPLACED = 4001
    """The same id has come by a newer link or session: do not dial again by yourself."""
    LATE = 4002
    """Not attached in time."""
    REFUSED = 4003
    """The answer to the challenge is not by the id it names, or names another host."""
    CROWDED = 4004
    """Too many connections from this address."""
    FULL = 4005
    """Too many connections in all."""
    SLOW = 4006
    """More waits for this link than a listener keeps."""
    SILENT = 4007
    """Nothing was heard for 45 seconds."""

    VERSION = 4100
    """No version in common."""
    NETWORK = 4101
    """Another network."""
    GENESIS = 4102
    """Another chain under the same number."""
    CONTRACTS = 4103
    """Other contracts."""
    FEATURE = 4104
    """A feature that must be understood and is not."""
    GARBAGE = 4105
    """Something inside the session that this page does not allow there."""
    FLOOD = 4106
    """More was sent than the receiver had room for."""
    LEAVING = 4107
    """The other node stops, or wants no session now."""
    OFFLINE = 4108
    """Nobody of this id is there, or nobody who wants to hear from us."""
    LOST = 4109
    """The link is gone, or the other side does not know this session any more."""
    FAILED = 4110
    """The handshake failed: the other side is not who was meant."""
    UNANSWERED = 4111
    """The handshake was not answered in time."""


RETRIED = frozenset(
    {
        *(
            Code.GOING,
            Code.MALFORMED,
            Code.REFUSED,
            Code.SLOW,
            Code.SILENT,
            Code.LATE,
            Code.CROWDED,
            Code.FULL,
            Code.GARBAGE,
        ),
        *(Code.LEAVING, Code.OFFLINE, Code.LOST, Code.UNANSWERED, Code.FLOOD, Code.FAILED),
    }
)
"""After these it makes sense to dial again, later."""
