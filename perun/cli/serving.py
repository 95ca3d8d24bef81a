"""What every command that others can reach has: TLS, and a life until somebody ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from perun.wire.listener import Listener

__all__ = ["FILE", "live", "with_tls"]

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

F = TypeVar("F", bound=Callable[..., Any])


def with_tls(function: F) -> F:
    """Options `tls_certificate`, `tls_key` and `proxy`, as `perun.daemon.places.tls_of` wants."""
    for option in (
        click.option("--proxy", is_flag=True, help="… unless a proxy of yours in front has TLS."),
        click.option("--tls-key", type=FILE),
        click.option("--tls-certificate", type=FILE, help="Needed where others can reach it …"),
    ):
        function = option(function)
    return function


def live(
    listener: Listener, begun: Callable[[], None], ended: Callable[[], None] = lambda: None
) -> None:
    """Listens until Ctrl-C or SIGTERM.

    Args:
        begun: called when it can be reached.
        ended: called when it cannot be reached any more.
    """
    asyncio.run(_live(listener, begun, ended))


async def _live(listener: Listener, begun: Callable[[], None], ended: Callable[[], None]) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    await listener.start()
    try:
        begun()
        await ending.wait()
    finally:
        await listener.stop()
        ended()
