"""What others make us remember: so much of each, and no longer than its machine is known.

Payments cost a wei each, and whoever pays many of them fills our disk with their rows.
"""

from __future__ import annotations

from typing import Final

from perun.app.rows import Income, SpokenFor
from perun.app.work import Work
from perun.core.state import PeerId
from perun.types import InstanceId, Wei

__all__ = ["bound", "prune"]

_PIECES: Final = 32
"""Forgotten a thirty-second of the bound at a time: reading one for each payment took a fifth of
a payee's processor time."""


def bound(work: Work, payer: PeerId) -> None:
    """Forgets the oldest incomes of a payer that pay no request, where there are too many.

    Their parts of a total stay spoken for, with all below: money counts once.
    """
    numbers, most = work.shelf.plain_incomes.get(payer), work.settings.most_incomes
    if numbers is None or len(numbers) <= most + most // _PIECES:
        return
    piece = work.desk.numbered(Income, numbers[0] - 1, len(numbers) - most)
    stored = {row.number: row for row in piece}
    while len(numbers) > most:
        # Between them may be others' payments, and those of requests.
        row = stored.get(numbers[0]) or work.shelf.incomes.get(numbers[0], work.desk)
        assert row is not None  # The index is of stored rows, and drops go through the shelf.
        _forget(work, row)


def _forget(work: Work, row: Income) -> None:
    before = work.shelf.spoken.get(row.machine)
    if row.machine in work.books.instances and (before is None or before.until < row.last):
        work.put(SpokenFor(row.machine, Wei(row.last)))
    work.drop(row)


def prune(work: Work) -> None:
    """Lets go of what was kept about machines that the core has forgotten: no note comes any more,
    and no money for one that waits."""
    shelf, known = work.shelf, work.books.instances
    kept: set[InstanceId] = {*shelf.segments, *shelf.by_segment, *shelf.spoken, *shelf.waiting}
    for machines in shelf.machines.values():
        kept.update(machines)
    for machine in [machine for machine in kept if machine not in known]:
        for note in list(shelf.waiting.get(machine, {}).values()):
            work.drop(note)
        spoken = shelf.spoken.get(machine)
        if spoken is not None:
            work.drop(spoken)
        shelf.forget_machine(machine)
