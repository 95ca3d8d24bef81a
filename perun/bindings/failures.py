"""How a node, or the way to it, fails, as this package's own `ChainFault`s.

Three kinds of "no" must not be taken for each other:

- a **contract's refusal**, `Reverted`: the call would change nothing; asking again helps only after
  something has changed on chain;
- a **passing fault** of the node or the way to it, `NodeUnreachable`, `NodeBusy`, `Garbled`: it
  says nothing about the contract or the transaction, and the same question may be answered soon;
- a **pool's refusal**, `PoolRefused`: the node does not take this transaction in.

Whatever a node says is kept short and printable: it is the text of a stranger.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.errors import ChainFault

SHOWN: Final = 200
"""Characters of what somebody else says that are kept."""


def shown(text: object) -> str:
    """A stranger's text, cut off, with nothing in it that a terminal would obey."""
    cut = str(text)[: SHOWN + 1]
    plain = "".join(letter if letter.isprintable() else " " for letter in cut)
    return plain if len(plain) <= SHOWN else plain[:SHOWN] + "…"


@dataclass(eq=False)
class NodeUnreachable(ChainFault):
    """No answer came from the node. A transaction may or may not have reached it."""

    reason: str
    status: int | None = None
    """Of HTTP, if it was that."""

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "no answer from the node: {reason}"
    hint: ClassVar[str] = (
        "check its address, and whether it runs; if a transaction was under way, look for it by "
        "its hash or nonce before sending another"
    )


@dataclass(eq=False)
class AnswerTooBig(NodeUnreachable):
    """The node began an answer of more bytes than any that we ask for has."""

    def __init__(self, most: int) -> None:
        super().__init__(f"an answer of more than {most} bytes")


@dataclass(eq=False)
class Garbled(ChainFault):
    """What came is no answer: a proxy's web page, a block without its number, a nonce of 2**64."""

    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "no sense in the node's answer: {reason}"
    hint: ClassVar[str] = "it is asked again; if this stays, use another node"


@dataclass(eq=False)
class NodeRefused(ChainFault):
    """The node answered with an error that is no revert: a question that it does not take, say."""

    reason: str

    template: ClassVar[str] = "the node refused: {reason}"


@dataclass(eq=False)
class NodeBusy(NodeRefused):
    """The node cannot answer now: a quota, a state it does not keep, an index that it builds.

    Says nothing about the contract or the transaction that was asked about.
    """

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "the node cannot answer now: {reason}"


@dataclass(eq=False)
class PoolRefused(NodeRefused):
    """The node did not take a transaction in: nonce used, fee too low or too high, too little ETH.

    Another node may have it all the same; look for it by its hash or nonce.
    """

    template: ClassVar[str] = "the node did not take the transaction: {reason}"


@dataclass(eq=False)
class NotMined(ChainFault):
    """A transaction was sent, but is in no block yet."""

    transaction: bytes
    waited: float
    """Seconds."""

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "transaction {transaction} not mined within {waited} seconds"
    hint: ClassVar[str] = "wait for it, or replace it with a higher fee under the same nonce"


@contextmanager
def pooled() -> Iterator[None]:
    """Where a transaction is handed in: what the node then refuses in words is its pool's no."""
    try:
        yield
    except NodeRefused as refusal:
        raise PoolRefused(refusal.reason) from refusal
