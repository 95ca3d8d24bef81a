"""Whether a text names somebody to pay, looked at before our user is asked about it.

Loaded only then: it takes as long as all the rest of a command, and scripts, which are asked
nothing, are answered by their node.
"""

from __future__ import annotations

from collections.abc import Collection

from perun.app.errors import NoSuch
from perun.encoding.addresses import node_id, parse_host

__all__ = ["require"]


def require(text: str, names: Collection[str]) -> None:
    """Looks at the text alone.

    Args:
        names: of contacts.

    Raises:
        NoSuch: a name that nobody has.
        BadNodeId, BadHost: mistyped.
    """
    if text.strip() in names:
        return
    id, at, host = text.partition("@")
    if not id.strip().lower().startswith("perun1"):
        raise NoSuch("contact", text)
    node_id(id)
    if at:
        parse_host(host.strip())
