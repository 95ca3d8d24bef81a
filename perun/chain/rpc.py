"""A chain behind a `Web3`: any node's JSON-RPC, or eth-tester in this process.

What nodes of the field do otherwise than the specification, and what is done about it here, is
listed in `docs/providers.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
)
from perun.bindings.gas import limit
from perun.bindings.logs import Log, from_web3, stands
from perun.bindings.proving import require_code
from perun.bindings.reverts import Reverted
from perun.bindings.translation import translated
from perun.chain.asked import AskedNode, mined_as, reading, sound_block, whole
from perun.chain.endpoint import Block, Mined
from perun.chain.provider import BoundedProvider, bounded, over
from perun.chain.websocket import SocketProvider
from perun.core.config import Deployment
from perun.crypto.interop import checksum
from perun.types import Address, ChainId, Wei

__all__ = ["REQUEST_SECONDS", "RpcEndpoint", "connect", "unasked"]

T = TypeVar("T")

REQUEST_SECONDS: Final = 10.0
"""After that a request counts as lost, and is asked again with the next round."""


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
    """Asks and reads the answer; what web3 stumbles over is the node's fault, too."""
    with reading(), translated():
        yield


class RpcEndpoint(AskedNode):
    """`perun.chain.endpoint.Endpoint` over a `Web3`; one thread at a time."""

    def __init__(self, web3: Web3, *, finality_tag: bool = True) -> None:
        """Takes a `Web3`; over HTTP its node is asked within the bounds of `BoundedProvider`.

        Args:
            finality_tag: whether the node's `finalized` means anything; eth-tester's does not.
        """
        super().__init__()
        self.web3 = bounded(web3, REQUEST_SECONDS)
        self._finality_tag = finality_tag

    def require(self, deployment: Deployment) -> None:
        """Makes sure that the chain has our contracts: an empty one would say that nothing is owed.

        Raises:
            WrongCode: it does not; it is another chain with the same number.
        """
        for domain in deployment.domains:
            name, where = domain.contract_name, domain.contract
            require_code(name, where, self.code(where))

    # ------------------------------------------------------------------------------------ reading

    def finalized(self) -> Block | None:
        """See `Reading`."""
        return super().finalized() if self._finality_tag else None

    def _block(self, which: int | str) -> Block | None:
        try:
            with _answered():
                return _header(transport.header(self.web3, cast("BlockIdentifier", which)))
        except NodeRefused as error:
            # A number or tag that the chain does not have yet.
            if isinstance(error.__cause__, BlockNotFound):
                return None
            raise

    def _matching(self, wanted: dict[str, Any]) -> tuple[Log, ...]:
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
            return ChainId(whole(self.web3.eth.chain_id))

    # ------------------------------------------------------------------------------------ sending

    def _count(self, account: Address, which: int | str) -> int:
        with _answered():
            found = self.web3.eth.get_transaction_count(
                checksum(account), cast("BlockIdentifier", which)
            )
            return whole(found)

    def code(self, where: Address) -> bytes:
        """What stands at an address in the newest block; empty: nothing."""
        with _answered():
            return bytes(self.web3.eth.get_code(checksum(where)))

    def balance(self, account: Address, number: int | None = None) -> Wei:
        """See `Sending`; or after the block of that number."""
        which = cast("BlockIdentifier", "latest" if number is None else number)
        with _answered():
            return Wei(whole(self.web3.eth.get_balance(checksum(account), which)))

    def tip(self) -> Wei:
        """See `Sending`. Nodes that know no way to say it say a price, of which it is a part."""
        with _answered():
            eth = self.web3.eth
            try:
                with translated():
                    return Wei(whole(eth._max_priority_fee()))  # its fallback warns, and is a guess
            except (NodeRefused, Garbled):
                base = transport.header(self.web3, "latest").get("baseFeePerGas") or 0
                return Wei(max(0, whole(eth.gas_price) - whole(base)))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`; with the same margin as everywhere."""
        with _answered():
            needed = whole(self.web3.eth.estimate_gas(request(call, sender)))
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
    return mined_as(
        hash,
        receipt.get("transactionHash", hash),
        receipt["blockNumber"],
        receipt.get("status"),
        receipt.get("gasUsed"),
        receipt.get("effectiveGasPrice"),
    )


def _header(block: Mapping[str, Any]) -> Block:
    return sound_block(
        int(block["number"]),
        bytes(block["hash"]),
        int(block["timestamp"]),
        int(block.get("baseFeePerGas") or 0),
    )
