"""A standby waits here until nobody writes: the writer's session has ended, or its heart stands.

It decides nothing: who opens the store after that raises the epoch, and a writer that was only slow
is stopped by that. So a mistake here costs a moment of service and no money.
"""

from __future__ import annotations

import time
from typing import Final

import psycopg

from perun.errors import StoreFault
from perun.store.postgres.beating import LEASE
from perun.store.postgres.place import PostgresPlace
from perun.store.postgres.session import Session
from perun.store.postgres.store import HOLDER, LOCK

__all__ = ["await_turn"]

_LOOK: Final = 0.2
"""Seconds between two looks."""
_LOOKS: Final = int(LEASE / _LOOK)
"""Looks without a new beat: they are counted, since a standby that was stopped itself has not seen
time pass."""
_END: Final = f"SELECT pg_terminate_backend(pid) FROM ({HOLDER}) AS holder"  # noqa: S608


def await_turn(place: PostgresPlace) -> None:
    """Returns when the store may be opened; waits as long as it takes, also for a database that
    cannot be reached or is not promoted yet, and for the witness, without which nobody begins."""
    while True:
        try:
            session = Session(place.database)
        except StoreFault:
            time.sleep(_LOOK)
            continue
        try:
            _watch(session)
            Session(place.witness).close()
            return
        except (psycopg.Error, StoreFault):
            time.sleep(_LOOK)
        finally:
            session.close()


def _watch(session: Session) -> None:
    last, still = -1, 0
    while not session.one("SELECT pg_try_advisory_lock(?)", LOCK):
        beat = session.one("SELECT number FROM beat") or 0
        last, still = beat, still + 1 if beat == last else 0
        if still >= _LOOKS:
            # Its transaction may hold the writer's row.
            session.execute(_END)
            still = 0
        time.sleep(_LOOK)
    session.one("SELECT pg_advisory_unlock(?)", LOCK)
