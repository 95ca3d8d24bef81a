"""A thread that turns nodes.

Signing, checking and syncing release the interpreter's lock, so nodes on threads of their own work
at the same time.
"""

from __future__ import annotations

import threading

from perun.errors import StoreFault
from perun.node.runtime import Node

__all__ = ["NodeThread"]

_IDLE_SECONDS = 0.5
"""How often an idle node looks at its clock."""


class NodeThread:
    """Runs from `start` to `stop`; a node's `failed` says why if it ended by itself."""

    def __init__(self, *nodes: Node) -> None:
        """Several nodes take turns."""
        self._nodes = nodes
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="perun-node", daemon=True)
        for node in nodes:
            node.wake = self._wake

    def start(self) -> None:
        """Begins to turn."""
        self._thread.start()

    def stop(self) -> None:
        """Finishes the turn at hand and returns when it is done."""
        self._stopping = True
        self._wanted.set()
        self._thread.join()

    def _wake(self) -> None:
        # Asking takes a tenth of setting, and most often somebody has set it already.
        if not self._wanted.is_set():
            self._wanted.set()

    def _run(self) -> None:
        try:
            self._turn_until_stopped()
        except StoreFault:
            # Whoever runs us says it in words; only a bug is worth a traceback.
            return

    def _turn_until_stopped(self) -> None:
        wanted = self._wanted
        while not self._stopping:
            wanted.wait(_IDLE_SECONDS)
            wanted.clear()
            while self._round():
                if self._stopping:
                    return

    def _round(self) -> bool:
        """A turn of each. False if nobody found anything to do."""
        busy = False
        for node in self._nodes:
            try:
                busy = node.turn() or busy
            except Exception as error:
                node.failed = node.failed or error
                raise
        return busy
