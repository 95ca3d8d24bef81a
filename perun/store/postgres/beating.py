"""The writer's heartbeat: a number in the database that rises while the process lives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import psycopg

from perun.errors import StoreFault
from perun.store.postgres.patience import Patience
from perun.store.postgres.place import PostgresPlace
from perun.store.postgres.session import Session, fault_of
from perun.store.postgres.witness import WriterReplaced

__all__ = ["LEASE", "Beating"]

_EVERY: Final = 0.4
"""Seconds."""
LEASE: Final = 2.0
"""Seconds without a beat after which a standby takes over: the process is stopped, or the network
between it and the database is. A writer waits no longer for an answer of either server, and ends.
"""


class Beating:
    """In a thread of its own, from construction to `stop`; also notices that the database is gone,
    or another's, while there is nothing to write."""

    def __init__(
        self,
        place: PostgresPlace,
        epoch: int,
        patience: Patience,
        lost: Callable[[StoreFault], None],
    ) -> None:
        """Beats once, then again and again. Raises `StoreFault`."""
        self._session = Session(place.database)
        self._epoch, self._patience, self._lost = epoch, patience, lost
        self._stopping = threading.Event()
        try:
            self._beat()
        except BaseException:
            self._session.close()
            raise
        self._thread = threading.Thread(target=self._run, name="perun-beat", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        try:
            with self._patience.over(self._session):
                done = self._session.execute(
                    "UPDATE beat SET number = number + 1 WHERE (SELECT epoch FROM writer) = ?",
                    (self._epoch,),
                )
        except psycopg.Error as error:
            raise fault_of(self._session.where, error) from error
        if done.rowcount != 1:
            raise WriterReplaced(self._session.where, self._epoch)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY):
            try:
                self._beat()
            except StoreFault as fault:
                if not self._stopping.is_set():
                    self._lost(fault)
                return

    def stop(self) -> None:
        """Beats no more."""
        self._stopping.set()
        self._thread.join()
        self._session.close()
