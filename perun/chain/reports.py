"""What a chain port tells whoever runs it: how transactions fare, and what went wrong on the way.

For logs, for a table of costs, for the user interface. The core never sees these; it believes what
the follower reads in blocks, and nothing else.
"""

from __future__ import annotations

from perun.bindings.calls import Fees
from perun.types import Record, Wei

__all__ = [
    "Dropped",
    "FinalityBroken",
    "NonceTaken",
    "Paid",
    "Refused",
    "Report",
    "Sent",
    "Stopped",
    "TooPoor",
    "Unreachable",
]


class Sent(Record, frozen=True, gc=False):
    """A transaction was handed to the node, for the first time or with a higher fee."""

    key: bytes
    """The wish it is for."""
    hash: bytes
    nonce: int
    fees: Fees
    attempt: int
    """1 for the first transaction under this nonce."""


class Paid(Record, frozen=True, gc=False):
    """A transaction of ours is in a final block: what it did, and what it cost."""

    key: bytes
    hash: bytes
    block: int
    succeeded: bool
    gas_used: int
    paid: Wei
    kind: str = ""
    """Name of the wish's transaction, such as `Register`."""


class Refused(Record, frozen=True, gc=False):
    """The chain would refuse the transaction now; it is tried again with every block."""

    key: bytes
    reason: str


class Dropped(Record, frozen=True, gc=False):
    """The wish is given up: too late, or refused until long after it could have mattered."""

    key: bytes
    reason: str


class NonceTaken(Record, frozen=True, gc=False):
    """Somebody else sends from this account: a nonce of ours carries a foreign transaction."""

    key: bytes
    nonce: int


class TooPoor(Record, frozen=True, gc=False):
    """The account's ETH does not pay for the transaction, in wei; it waits."""

    key: bytes
    balance: Wei
    needed: Wei


class Unreachable(Record, frozen=True, gc=False):
    """A round failed; the next one tries again."""

    reason: str
    failures: int
    """Rounds in a row that failed."""


class Stopped(Record, frozen=True, gc=False):
    """The journal failed: nothing is sent or read any more. Free the disk and restart."""

    reason: str


class FinalityBroken(Record, frozen=True, gc=False):
    """A block that counted as final is gone. Raise the chain's finality limit."""

    number: int
    hash: bytes


Report = (
    Sent | Stopped | Paid | Refused | Dropped | NonceTaken | TooPoor | Unreachable | FinalityBroken
)
