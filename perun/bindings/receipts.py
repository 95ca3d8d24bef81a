"""What became of a transaction that was sent, as a record."""

from __future__ import annotations

from typing import TypeVar

from perun.bindings.logs import Event, Log
from perun.errors import BrokenInvariant
from perun.types import Record, Wei

E = TypeVar("E", bound=Event)


class Receipt(Record, frozen=True, gc=False):
    """A mined transaction that did what it was sent for (status 1 of EIP-658)."""

    transaction: bytes
    """Its hash."""
    block: int
    gas_used: int
    paid: Wei
    """What it cost its sender in fees, in wei; 0 if the node does not say the price."""
    events: tuple[Event, ...]
    """What the contract it was sent to has announced, in order."""
    logs: tuple[Log, ...]
    """All logs, those of other contracts included."""

    def only(self, kind: type[E]) -> E:
        """The one event of a kind.

        Raises:
            BrokenInvariant: there is none, or more than one.
        """
        found = [event for event in self.events if isinstance(event, kind)]
        if len(found) != 1:
            raise BrokenInvariant(f"{len(found)} events {kind.__name__} where one was expected")
        return found[0]
