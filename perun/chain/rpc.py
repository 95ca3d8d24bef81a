"""A chain behind a `Web3`: any node's JSON-RPC, or eth-tester in this process.

What nodes of the field do otherwise than the specification, and what is done about it here, is
listed in `docs/providers.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, TypeVar, cast

from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import BlockNotFound, TransactionNotFound
from web3.types import BlockIdentifier, FilterParams, TxReceipt

from perun.bindings import transport
from perun.bindings.calls import Access, Call, Query, request
from perun.bindings.failures import (
    Garbled,
    NodeRefused,
    pooled,
    shown,
)
from perun.bindings.gas import limit
from perun.bindings.logs import Log, from_web3, stands
from perun.bindings.proving import require_code
from perun.bindings.reverts import Reverted
from perun.bindings.translation import translated
from perun.chain.endpoint import Block, Mined
from perun.chain.pieces import Pieces, knows_not
from perun.chain.provider import BoundedProvider, bounded, over
from perun.chain.websocket import SocketProvider
from perun.core.config import Deployment
from perun.crypto.interop import checksum
from perun.errors import BrokenInvariant, ChainFault
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["REQUEST_SECONDS", "RpcEndpoint", "connect", "unasked"]

T = TypeVar("T")

REQUEST_SECONDS: Final = 10.0
"""After that a request counts as lost, and is asked again with the next round."""

_MOST_NONCE: Final = 2**48
"""More transactions than any account can send."""

_MOST_NUMBER: Final = 2**63
"""Above any block number, time and price."""


def connect(url: str) -> RpcEndpoint:
    """The node at `url`, `http://127.0.0.1:8545` or `ws://…`; asked for its chain id at once.

    Raises:
        NodeUnreachable: nothing answers there.
        NodeRefused: something answers that is no Ethereum node.
    """
    endpoint = unasked(url)
    try:
        _ = endpoint.chain_id
    except Garbled as error:
        raise NodeRefused("what answers there does not speak JSON-RPC") from error
    return endpoint


def unasked(url: str) -> RpcEndpoint:
    """The same, whether or not anything answers there now."""
    # Every caller here asks again in its next round; retries below it would only hide an outage.
    kind = SocketProvider if url.partition("://")[0].lower() in ("ws", "wss") else BoundedProvider
    return RpcEndpoint(over(kind(url, REQUEST_SECONDS)))


@contextmanager
def _answered() -> Iterator[None]:
    """Asks and reads the answer: whatever the node makes web3 or us stumble over is its fault.

    A follower that a bad answer ends would leave nobody to answer a dispute.
    """
    try:
        with translated():
            yield
    except (ChainFault, BrokenInvariant):
        raise
    except Exception as error:
        raise Garbled(shown(f"{type(error).__name__}: {error}")) from error


class RpcEndpoint:
    """`perun.chain.endpoint.Endpoint` over a `Web3`; one thread at a time."""

    def __init__(self, web3: Web3, *, finality_tag: bool = True) -> None:
        """Takes a `Web3`; over HTTP its node is asked within the bounds of `BoundedProvider`.

        Args:
            finality_tag: whether the node's `finalized` means anything; eth-tester's does not.
        """
        self.web3 = bounded(web3, REQUEST_SECONDS)
        self._finality_tag = finality_tag
        self._pieces = Pieces()
        self._by_hash = True
        """Whether it takes a block's hash there."""

    def require(self, deployment: Deployment) -> None:
        """Makes sure that the chain has our contracts: an empty one would say that nothing is owed.

        Raises:
            WrongCode: it does not; it is another chain with the same number.
        """
        for domain in deployment.domains:
            name, where = domain.contract_name, domain.contract
            with _answered():
                code = bytes(self.web3.eth.get_code(checksum(where)))
            require_code(name, where, code)

    # ------------------------------------------------------------------------------------ reading

    def block(self, number: int | None = None) -> Block | None:
        """See `Reading`."""
        return self._block("latest" if number is None else cast("BlockIdentifier", number))

    def finalized(self) -> Block | None:
        """See `Reading`. A node that refuses the tag has no final block yet, which is safe."""
        if not self._finality_tag:
            return None
        try:
            return self._block("finalized")
        except NodeRefused:
            return None

    def _block(self, which: BlockIdentifier) -> Block | None:
        try:
            with _answered():
                return _header(transport.header(self.web3, which))
        except NodeRefused as error:
            # A number or tag that the chain does not have yet.
            if isinstance(error.__cause__, BlockNotFound):
                return None
            raise

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
                return self._logs(addresses, (), {"blockHash": "0x" + block.hash.hex()})
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
                None if place is None else ["0x" + topic.hex() for topic in place]
                for place in topics
            ]
        with _answered():
            found = self.web3.eth.get_logs(cast("FilterParams", wanted))
            return tuple(from_web3(log) for log in found if stands(log))

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        with _answered():
            return transport.ask(self.web3, query, cast("BlockIdentifier", number))

    def listen(self, seconds: float) -> bool:
        """See `perun.chain.endpoint.Telling`: over a WebSocket, where the node subscribes."""
        provider = self.web3.provider
        return isinstance(provider, SocketProvider) and provider.listen(seconds)

    def chain_now(self) -> ChainId:
        """See `Reading`."""
        with _answered():
            return ChainId(self.web3.eth.chain_id)

    # ------------------------------------------------------------------------------------ sending

    @cached_property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        return self.chain_now()

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`. Where a node of several does not have the block, its newest must do."""
        if number is None:
            return self._count(account, "pending")
        try:
            return self._count(account, cast("BlockIdentifier", number))
        except NodeRefused:
            return self._count(account, "latest")

    def _count(self, account: Address, which: BlockIdentifier) -> int:
        with _answered():
            found = int(self.web3.eth.get_transaction_count(checksum(account), which))
        if found > _MOST_NONCE:
            raise Garbled("a nonce that no account has")
        return found

    def code(self, where: Address) -> bytes:
        """What stands at an address in the newest block; empty: nothing."""
        with _answered():
            return bytes(self.web3.eth.get_code(checksum(where)))

    def balance(self, account: Address, number: int | None = None) -> Wei:
        """See `Sending`; or after the block of that number."""
        which = cast("BlockIdentifier", "latest" if number is None else number)
        with _answered():
            return Wei(int(self.web3.eth.get_balance(checksum(account), which)))

    def tip(self) -> Wei:
        """See `Sending`. Nodes that know no way to say it say a price, of which it is a part."""
        with _answered():
            eth = self.web3.eth
            try:
                with translated():
                    return Wei(int(eth._max_priority_fee()))  # its fallback warns, and is a guess
            except (NodeRefused, Garbled):
                base = transport.header(self.web3, "latest").get("baseFeePerGas") or 0
                return Wei(max(0, int(eth.gas_price) - int(base)))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`; with the same margin as everywhere."""
        with _answered():
            needed = int(self.web3.eth.estimate_gas(request(call, sender)))
        return limit(call, needed)

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        """See `Sending`. Many nodes do not have the method, and it only saves a little gas."""
        try:
            with _answered():
                answer = self.web3.eth.create_access_list(request(call, sender))
                return tuple(
                    Access(
                        Address(bytes.fromhex(item["address"][2:])),
                        tuple(bytes(HexBytes(key)) for key in item["storageKeys"]),
                    )
                    for item in answer["accessList"]
                )
        except (NodeRefused, Reverted):
            return ()

    def send(self, raw: bytes) -> None:
        """See `Sending`."""
        with pooled(), _answered():
            self.web3.eth.send_raw_transaction(HexBytes(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        try:
            with _answered():
                receipt = self.web3.eth.get_transaction_receipt(HexBytes(hash))
                return _mined(hash, receipt)
        except NodeRefused as error:
            if isinstance(error.__cause__, TransactionNotFound):
                return None
            raise


def _mined(hash: bytes, receipt: TxReceipt) -> Mined | None:
    # Some nodes make a receipt for what still waits in their pool.
    if receipt.get("blockNumber") is None:
        return None
    if receipt.get("transactionHash", hash) != hash:
        raise Garbled("the receipt of another transaction")
    status = receipt.get("status")
    if status is None:
        raise Garbled("a receipt that does not say what became of the transaction")
    return Mined(
        hash=hash,
        block=int(receipt["blockNumber"]),
        succeeded=status == 1,
        gas_used=int(receipt.get("gasUsed") or 0),
        paid=transport.paid(receipt),
    )


def _header(block: Mapping[str, Any]) -> Block:
    number, time = int(block["number"]), int(block["timestamp"])
    base_fee, hashed = int(block.get("baseFeePerGas") or 0), bytes(block["hash"])
    if not (0 <= number < _MOST_NUMBER and 0 <= time < _MOST_NUMBER and len(hashed) == 32):
        raise Garbled("a block that no chain has")
    return Block(number, hashed, UnixTime(time), Wei(max(0, min(base_fee, _MOST_NUMBER))))
