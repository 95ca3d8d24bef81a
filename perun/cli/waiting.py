"""Waits for the end of what a node has taken up, and shows how far it is.

The node goes on with it whoever waits: Ctrl-C ends the waiting and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from perun.api.client import Node
from perun.app.values import Done
from perun.cli.outcome import UNDER_WAY
from perun.cli.render import console, plain, say

__all__ = ["WAIT", "until_over", "working"]

WAIT = click.option("--wait/--no-wait", default=True, help="Until it is done; shows how far it is.")


@contextmanager
def working(quiet: bool, text: str) -> Iterator[Callable[[str], None]]:
    """Shows that something is going on: in place in a terminal, else each step in a line.

    Args:
        quiet: show nothing.
    """
    out = console(stderr=True, quiet=quiet)
    if not out.is_terminal:
        yield lambda said: say(out, f"… {said}")
        return
    with out.status(plain(text)) as shown:
        yield lambda said: shown.update(plain(said))


def until_over(
    node: Node, method: str, begin: Callable[[], Done], *, wait: bool, quiet: bool
) -> Done:
    """Begins something about a channel, and waits for its end.

    Args:
        method: as the node calls it.
        wait: or not.
        quiet: show nothing on the way.
    """
    since = node.status().event
    done = begin()
    if not wait or done.over:
        return done
    try:
        with working(quiet, done.text) as show:
            for event in node.watch(since, ("errand",)):
                data: dict[str, Any] = event.data
                if event.about != done.id or data["method"] != method:
                    continue
                before = done.text
                done = Done(id=done.id, state=data["state"], text=data["text"], over=data["over"])
                if done.over:
                    break
                if done.text != before:
                    show(done.text)
    except KeyboardInterrupt:
        say(console(stderr=True), goes_on(method, done))
        sys.exit(UNDER_WAY)
    return done


def goes_on(method: str, done: Done) -> str:
    """What is said to whoever does not wait."""
    return (
        f"Not waited for: {plain(done.text)}. Your node goes on with it, whether or not anybody "
        f"looks; `perun channels` shows how far the {method} is."
    )
