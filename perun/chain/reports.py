"""What a chain port tells whoever runs it: how transactions fare, and what went wrong on the way.

For logs, for a table of costs, for the user interface. The core never sees these; it believes what
the follower reads in blocks, and nothing else.
"""

from __future__ import annotations

from perun.bindings.calls import Fees
from perun.types import Record, UnixTime, Wei

__all__ = [
    "Blind",
    "Disagreement",
    "Dropped",
    "FinalityBroken",
    "LeftLying",
    "NonceTaken",
    "NotTaken",
    "Paid",
    "Refused",
    "Report",
    "SeesAgain",
    "Sent",
    "Stopped",
    "TooDear",
    "TooPoor",
    "Unanswered",
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


class TooDear(Record, frozen=True, gc=False):
    """Gas costs more, in wei, than all that would be lost is worth; it waits for cheaper gas. Said
    once."""

    key: bytes
    base_fee: Wei
    worth: Wei
    """The price of gas at which it costs what it saves."""


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


class Unanswered(Record, frozen=True, gc=False):
    """The node does not answer a kind of question. Nothing urgent waits for it; it is asked again,
    and said once."""

    what: str
    reason: str


class NotTaken(Record, frozen=True, gc=False):
    """The node's pool does not take a transaction in: it has not left this machine. It is handed in
    again at every block, dearer or cheaper where that may help."""

    key: bytes
    hash: bytes
    reason: str


class LeftLying(Record, frozen=True, gc=False):
    """The node's pool has taken a transaction, or says so, and no block holds it, at whatever fee:
    the node may keep it to itself, or count our transactions wrongly. Use another node."""

    key: bytes
    hash: bytes
    blocks: int
    """For so many it has waited; said again when they have doubled."""


class Disagreement(Record, frozen=True, gc=False):
    """What the node says in logs of a channel or instance is not what it says of its storage: an
    index is broken, or several nodes are not in step. The worse of both is believed."""

    id: bytes
    block: int
    reason: str


class Blind(Record, frozen=True, gc=False):
    """The newest block is not, or not wholly, known: a dispute may go unseen. Use another node."""

    since: UnixTime
    reason: str


class SeesAgain(Record, frozen=True, gc=False):
    """The newest block is known again, after being blind since then."""

    since: UnixTime


class Stopped(Record, frozen=True, gc=False):
    """Nothing is sent or read any more: the journal failed (free the disk, restart), or a bug."""

    reason: str


class FinalityBroken(Record, frozen=True, gc=False):
    """A block that counted as final is gone. Raise the chain's finality limit."""

    number: int
    hash: bytes


Report = (
    Blind
    | Disagreement
    | Dropped
    | FinalityBroken
    | LeftLying
    | NonceTaken
    | NotTaken
    | Paid
    | Refused
    | SeesAgain
    | Sent
    | Stopped
    | TooDear
    | TooPoor
    | Unanswered
    | Unreachable
)
