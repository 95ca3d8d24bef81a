"""How the chain stands, as we were told: how far we have seen it, and a channel in one block.

The chain is told in snapshots, so that a reorganisation is simply another one.
"""

from __future__ import annotations

from perun.types import Nano, Record, UnixTime, Version, Wei

__all__ = ["EMPTY", "ChainView", "Dispute", "OnChain"]


class ChainView(Record, frozen=True, gc=False, array_like=True):
    """How far our view of the chain reaches. `now` in the protocol's rules is `head_time`."""

    head_time: UnixTime = UnixTime(0)
    """Timestamp of the newest block we know."""
    final_time: UnixTime = UnixTime(0)
    """Timestamp of the newest final block."""
    head_number: int = 0
    final_number: int = 0
    clock: UnixTime = UnixTime(0)
    """Seconds that our own clock has counted: Unix time when we started, and never set back since.
    Measures how long something has waited, and how long ago the newest block came."""
    told: int = 0
    """How many blocks we were told; a block comes before the snapshots that it changes."""
    earlier_final: UnixTime = UnixTime(0)
    """`final_time` with the block before: every snapshot reaches that far."""
    wall: UnixTime = UnixTime(0)
    """What our own clock shows; somebody may set it. Block times are compared with it, nothing
    else."""
    heard: UnixTime = UnixTime(0)
    """`clock` when a newer block than all before came: not one of two old ones, told in turn."""
    reached: tuple[UnixTime, int] = (UnixTime(0), 0)
    """Time and number of the newest block of all before, by our own clock none of the future."""
    gas_price: Wei = Wei(0)
    """Of the newest block, in wei; 0: not known."""

    def waited(self, since: UnixTime) -> int:
        """Seconds since `clock` showed that. What it has not shown yet comes from an earlier run,
        whose clock was wrong: it is counted as long gone, not as to come."""
        return abs(self.clock - since)

    def final_of(self, told: int) -> UnixTime:
        """How far the final snapshot of a row reaches that the chain told of when it had told so
        many blocks."""
        return self.final_time if told == self.told else self.earlier_final


class Dispute(Record, frozen=True, gc=False, array_like=True):
    """A dispute as the chain has it (protocol, section 3)."""

    version: Version
    net: Wei
    nanos: tuple[Nano, ...]
    """Registered list; the remaining one once settling."""
    deadline: UnixTime
    settling: bool = False


class OnChain(Record, frozen=True, gc=False, array_like=True):
    """A channel as a block has it: a snapshot, so that a reorganisation is simply another one."""

    alice: Wei = Wei(0)
    """Holdings, deposited minus withdrawn; may be negative."""
    bob: Wei = Wei(0)
    withdrawals: int = 0
    drawn: bool = False
    announced_by: tuple[bool, bool] = (False, False)
    """Whether Alice's, Bob's account itself has called `open` or `openBoth` for this channel."""
    dispute: Dispute | None = None
    ended: bool = False
    """Closed or wholly settled: the id is spent."""


EMPTY = OnChain()
