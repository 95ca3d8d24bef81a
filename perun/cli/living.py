"""A daemon in this process: from its settings to a signal that ends it."""

from __future__ import annotations

import gc
import queue
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from perun.cli.passwords import password_of
from perun.daemon.daemon import Daemon, Told
from perun.daemon.keyring import Keyring, read_keyring
from perun.daemon.process import marked
from perun.daemon.settings import FILE_NAME, Settings, read_settings
from perun.node.stalls import Stalls

__all__ = ["live", "opened"]


def opened(home: Path) -> tuple[Settings, Keyring, str]:
    """The settings and keys in a folder, and the password that opened them.

    Raises:
        BadSettings, KeyringError: they cannot be read.
    """
    settings = read_settings(home / FILE_NAME)
    password = password_of(home, settings.node.password_file)
    return settings, read_keyring(home / settings.node.keys, password), password


def live(
    home: Path,
    settings: Settings,
    keyring: Keyring,
    password: str,
    tell: Callable[[Told], None],
    ready: Callable[[Daemon], None],
) -> None:
    """Runs a daemon until SIGTERM or SIGINT, or until its node ends.

    Args:
        ready: called once it lives.

    Raises:
        PerunError: why it cannot start, or has ended.
    """
    wanted: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda given, _frame: wanted.put(given))
    daemon = Daemon(home, settings, keyring, password=password, tell=tell)
    with ExitStack() as stack:
        stack.callback(daemon.stop)
        mark = stack.enter_context(marked(home))
        daemon.start()
        # What there is by now stays, above all the libraries: the collector need not go through
        # it again and again. A turn makes thousands of objects, and lets them go by itself.
        gc.freeze()
        gc.set_threshold(10_000)
        mark()
        ready(daemon)
        stalls = Stalls(daemon.assembly.node, tell)
        while daemon.failed is None:
            stalls.look()
            try:
                if wanted.get(timeout=0.1) == signal.SIGTERM:
                    daemon.drain()
                break
            except queue.Empty:
                continue
    if daemon.failed is not None:
        raise daemon.failed
