"""What a nanocontract's answer does to the money locked under it (protocol, section 3).

Two questions about a list of nanos: may it stand in a state, and who gets what of it now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perun.spec.host import Host
from perun.spec.reverts import NanosNotAscending, TooManyNanos
from perun.types import Nano

MAX_NANOS = 64
"""A state lists no more: so many settle within one transaction [C7]."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """`shift` of the locked money of `nano` goes from the channel's Alice to its Bob."""

    nano: Nano
    shift: int

    @property
    def alice(self) -> int:
        return self.nano.alice_lock - self.shift

    @property
    def bob(self) -> int:
        return self.nano.bob_lock + self.shift


def check_order(nanos: Sequence[Nano]) -> None:
    """A state lists at most 64 nanos, strictly ascending by (id, app): so none twice [A9]."""
    if len(nanos) > MAX_NANOS:
        raise TooManyNanos(len(nanos))
    keys = [(nano.id, nano.app) for nano in nanos]
    for index in range(1, len(keys)):
        if keys[index] <= keys[index - 1]:
            raise NanosNotAscending(index)


def resolve(nano: Nano, host: Host) -> Resolved | None:
    """What `nano` has decided, or None while its locks have to wait.

    Done: the app's answer, seen from the channel, within the locks [B4].
    Not done after `expiry`: nothing moves.
    """
    shift = read_outcome(host.ask(nano.app, nano.id))
    if shift is not None:
        if nano.swapped:
            shift = -shift
        return Resolved(nano, max(-nano.bob_lock, min(shift, nano.alice_lock)))
    if host.now > nano.expiry:
        return Resolved(nano, 0)
    return None


def read_outcome(answer: bytes | None) -> int | None:
    """The shift in the return data of `outcome`, or None for anything that is not a clear "done".

    Done only if the call succeeded, at least 64 bytes came back, the first word is 1 and the
    second fits `int112`; what comes after 64 bytes is not read.
    """
    if answer is None or len(answer) < 64:
        return None
    done = int.from_bytes(answer[:32], "big")
    shift = int.from_bytes(answer[32:64], "big", signed=True)
    if done != 1 or not -(2**111) <= shift < 2**111:
        return None
    return shift
