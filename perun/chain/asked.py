"""What any node is asked alike, whoever carries the questions; and the bounds of its answers.

`perun.chain.rpc` asks through web3, `perun.page.endpoint` through a browser.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from perun.bindings.failures import Garbled, NodeRefused, shown
from perun.bindings.gas import MOST_GAS
from perun.bindings.logs import Log
from perun.chain.endpoint import Block, Mined
from perun.chain.pieces import MOST_NUMBER, Pieces, knows_not
from perun.crypto.interop import checksum
from perun.errors import BrokenInvariant, ChainFault
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["AskedNode", "mined_as", "reading", "sound_block", "whole"]

_MOST_NONCE: Final = 2**48
"""More transactions than any account can send."""

_MOST: Final = 2**256
"""Above every number that the EVM knows. Greater ones cannot even be printed."""


@contextmanager
def reading() -> Iterator[None]:
    """Reads an answer: whatever the node makes a library or us stumble over is its fault.

    A follower that a bad answer ends would leave nobody to answer a dispute.
    """
    try:
        yield
    except (ChainFault, BrokenInvariant):
        raise
    except Exception as error:
        raise Garbled(shown(f"{type(error).__name__}: {error}")) from error


class AskedNode(ABC):
    """The part of `perun.chain.endpoint.Endpoint` that does not depend on how a node is asked.

    *Which* block is meant is a number, or a tag such as `latest`.
    """

    def __init__(self) -> None:
        self._pieces = Pieces()
        self._by_hash = True
        """Whether it takes a block's hash in a question for logs."""

    @abstractmethod
    def _block(self, which: int | str) -> Block | None:
        """A block; None where the chain has none."""

    @abstractmethod
    def _matching(self, wanted: dict[str, Any]) -> tuple[Log, ...]:
        """Logs that stand, of a filter as `eth_getLogs` has it, but for numbers of blocks."""

    @abstractmethod
    def _count(self, account: Address, which: int | str) -> int:
        """How many transactions an account has sent."""

    @abstractmethod
    def chain_now(self) -> ChainId:
        """See `Reading`."""

    # ------------------------------------------------------------------------------------ reading

    def block(self, number: int | None = None) -> Block | None:
        """See `Reading`."""
        return self._block("latest" if number is None else number)

    def finalized(self) -> Block | None:
        """See `Reading`. A node that refuses the tag has no final block yet, which is safe."""
        try:
            return self._block("finalized")
        except NodeRefused:
            return None

    @property
    def reach(self) -> int:
        """See `Reading`."""
        return self._pieces.reach

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """See `Reading`. A range that the node finds too long is asked for in shorter pieces, now
        and from then on; no node's limit is known in advance."""
        return self._pieces.logs(
            lambda one, until: self._logs(addresses, topics, {"fromBlock": one, "toBlock": until}),
            first,
            last,
        )

    def logs_of(self, addresses: Sequence[Address], block: Block) -> tuple[Log, ...]:
        """See `Reading`."""
        if self._by_hash:
            try:
                return self._logs(addresses, (), {"blockHash": _hex(block.hash)})
            except NodeRefused as error:
                if not knows_not(error):
                    raise  # it does not have the block, or cannot answer now
                self._by_hash = False
        return self.logs(addresses, block.number, block.number)

    def _logs(
        self,
        addresses: Sequence[Address],
        topics: Sequence[Sequence[bytes] | None],
        where: Mapping[str, object],
    ) -> tuple[Log, ...]:
        wanted: dict[str, Any] = {"address": [checksum(address) for address in addresses], **where}
        if topics:
            wanted["topics"] = [
                None if place is None else [_hex(topic) for topic in place] for place in topics
            ]
        return self._matching(wanted)

    # ------------------------------------------------------------------------------------ sending

    @cached_property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        return self.chain_now()

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`. Where a node of several does not have the block, its newest must do."""
        if number is None:
            return self._nonce(account, "pending")
        try:
            return self._nonce(account, number)
        except NodeRefused:
            return self._nonce(account, "latest")

    def _nonce(self, account: Address, which: int | str) -> int:
        found = self._count(account, which)
        if found > _MOST_NONCE:
            raise Garbled("a nonce that no account has")
        return found


def whole(found: object) -> int:
    """A number of a node's.

    Raises:
        Garbled: no chain has such a number.
    """
    if type(found) is not int or not 0 <= found < _MOST:
        raise Garbled("a number that no chain has")
    return found


def sound_block(number: int, hashed: bytes, time: int, base_fee: int) -> Block:
    """A block of a node's numbers.

    Raises:
        Garbled: no chain has such a block.
    """
    if not (0 <= number < MOST_NUMBER and 0 <= time < MOST_NUMBER and len(hashed) == 32):
        raise Garbled("a block that no chain has")
    return Block(number, hashed, UnixTime(time), Wei(max(0, min(base_fee, MOST_NUMBER))))


def mined_as(
    hash: bytes, of: bytes, block: object, status: int | None, gas_used: object, price: object
) -> Mined:
    """What became of a transaction, from a receipt `of` a hash; `price` in wei of a unit of gas.
    What it cost is 0 where the node does not say it, or says what cannot be.

    Raises:
        Garbled: it is another's receipt, or does not say.
    """
    if of != hash:
        raise Garbled("the receipt of another transaction")
    if status is None:
        raise Garbled("a receipt that does not say what became of the transaction")
    return Mined(
        hash=hash,
        block=whole(block),
        succeeded=status == 1,
        gas_used=_told(gas_used, MOST_GAS),
        paid=Wei(_told(gas_used, MOST_GAS) * _told(price, MOST_NUMBER)),
    )


def _told(number: object, most: int) -> int:
    return number if type(number) is int and 0 <= number <= most else 0


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
