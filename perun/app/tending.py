"""Machines and streams before their end: a machine in use is renewed, all else taken out.

Whoever has received something in one brings it to the chain when its end comes near. That
costs gas, and is needless while both are there.
"""

from __future__ import annotations

from contextlib import suppress

from perun.app import ways
from perun.app.locked import ending
from perun.app.work import Work
from perun.core.inputs import CommandReplace
from perun.core.nanocontracts.instances import last_time
from perun.core.rules.worth import dust_of, least_lock
from perun.core.state import InstanceView, LegStatus, Role
from perun.errors import Misuse
from perun.types import InstanceId, Machine, MachineId, Stream, UnixTime, Wei

__all__ = ["tend"]

_AGAIN = 60
"""Seconds until it is tried again."""


def tend(work: Work, tried: dict[InstanceId, UnixTime]) -> None:
    """Looks at every machine and stream of ours.

    Args:
        tried: when something was last tried; kept by the caller, forgotten with the process.
    """
    for instance in list(work.books.instances.values()):
        if (
            not isinstance(instance.terms, Machine | Stream)
            or instance.role is None
            or instance.legs[0].status is not LegStatus.LISTED
            or instance.leave_sent
            or not ends_soon(work, instance)
        ):
            continue
        if work.now < tried.get(instance.id, UnixTime(0)) + _AGAIN:
            continue
        tried[instance.id] = work.now
        if isinstance(instance.terms, Machine) and _renewed(work, instance):
            continue
        with suppress(Misuse):
            work.desk.do(ending(instance))
    if len(tried) > 1_000:
        tried.clear()


def ends_soon(work: Work, instance: InstanceView) -> bool:
    """Whether it must go now, before somebody has to go to the chain; its Alice begins."""
    left = last_time(instance.terms) - work.books.chain.head_time
    margins = 4 if instance.role is Role.ALICE else 3
    return work.config.limits.margin < left < margins * work.config.limits.margin


def _renewed(work: Work, instance: InstanceView) -> bool:
    """Whether another machine takes the place of one that is used."""
    totals, limits = work.books.totals.get(instance.id), work.config.limits
    rest = ways.room(work.books, instance)
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    dust = dust_of(work.config.policy, asset, least_lock(limits, work.books.chain))
    used = totals is not None and totals.sent > 0
    if instance.role is Role.ALICE and used and rest >= max(1, dust):
        life = work.settings.life_over_hub if instance.via else work.settings.life
        end = UnixTime(work.books.chain.head_time + min(life, limits.greatest_validity))
        challenge = limits.least_machine_challenge
        command = CommandReplace(
            MachineId(instance.id), rest, Wei(0), end, challenge, work.random()
        )
        try:
            work.desk.do(command)
        except Misuse:
            return False
        return True
    return False
