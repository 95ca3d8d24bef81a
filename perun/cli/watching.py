"""Looks on while two nodes agree on something: a game, a deal, a bet, a stream.

They go on with it whoever looks: Ctrl-C ends the looking and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from perun.api.client import CallRefused, Node
from perun.cli.asking import who
from perun.cli.outcome import NOT_DONE, UNDER_WAY
from perun.cli.render import console, plain, say

__all__ = ["TO_REACH", "next_event", "watched", "why_of"]

_ASK_AGAIN: Final = 5
"""Seconds for which the node is asked for the next event."""
TO_REACH: Final = 20.0
"""Seconds in which whoever is there has been reached, whatever the way."""


class _Shown(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def peer(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def why(self) -> str: ...


S = TypeVar("S", bound=_Shown)


def next_event(node: Node, since: int) -> int:
    """Waits a moment for something to happen; the number of the last event."""
    happened = node.events(since, wait=_ASK_AGAIN)
    return happened[-1].number if happened else since


def watched(
    node: Node,
    one: S,
    since: int,
    look: Callable[[str], tuple[S, ...]],
    waits: Callable[[S], bool],
    gone: str = "They do not want to, or cannot: nothing is locked.",
) -> S:
    """How one stands once it no longer `waits`. Ends the program if it is gone, or by Ctrl-C.

    Args:
        since: the event after which it was begun.
        look: finds it by its id.
        gone: what is said if it is there no more.
    """
    try:
        while waits(one):
            since = next_event(node, since)
            (one,) = look(one.id)
    except CallRefused as error:
        if error.name != "NoSuch":
            raise
        say(console(stderr=True), gone)
        sys.exit(NOT_DONE)
    except KeyboardInterrupt:
        sys.exit(UNDER_WAY)
    return one


def why_of(one: _Shown) -> str:
    """What it waits for, with a name in place of a long id."""
    return plain(one.why.replace(one.peer, who(one.peer, one.name)))
