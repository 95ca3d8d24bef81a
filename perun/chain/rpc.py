"""A chain behind a `Web3`: any node's JSON-RPC, or eth-tester in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, TypeVar, cast

import requests
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, TransactionNotFound
from web3.types import BlockData, BlockIdentifier, FilterParams

from perun.bindings import transport
from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call, Query, request
from perun.bindings.failures import NodeRefused, NodeUnreachable, translated
from perun.bindings.logs import Log, from_web3
from perun.bindings.transport import limit
from perun.chain.endpoint import Block, Mined
from perun.core.config import Deployment
from perun.crypto.interop import checksum
from perun.deployments import WrongCode
from perun.errors import ChainFault, Misuse
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["REQUEST_SECONDS", "RpcEndpoint", "connect"]

T = TypeVar("T")

REQUEST_SECONDS: Final = 20.0
"""After that a request counts as lost, and is asked again with the next round."""

_LEAST_SPAN: Final = 16
"""Blocks; a node that refuses even so few has another reason than the length of the range."""

_MOST_NONCE: Final = 2**48
"""More transactions than any account can send."""

_SHOWN: Final = 200
"""Characters of what was wrong; some show the whole answer."""


def connect(url: str) -> RpcEndpoint:
    """The node at `url`, such as `http://127.0.0.1:8545`; asked for its chain id at once.

    Raises:
        NodeUnreachable: nothing answers there.
        NodeRefused: something answers that is no Ethereum node.
    """
    # Every caller here asks again in its next round; retries below it would only hide an outage.
    provider = HTTPProvider(url, {"timeout": REQUEST_SECONDS}, exception_retry_configuration=None)
    endpoint = RpcEndpoint(Web3(provider))
    try:
        _ = endpoint.chain_id
    except Garbled as error:
        raise NodeRefused(f"{url} does not speak JSON-RPC") from error
    return endpoint


@dataclass(eq=False)
class Garbled(ChainFault):
    """What came is no answer: a proxy's web page, a block without its number, a nonce of 2**64."""

    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "no sense in the node's answer: {reason}"
    hint: ClassVar[str] = "it is asked again; if this stays, use another node"


@contextmanager
def _answered() -> Iterator[None]:
    """Asks and reads the answer: whatever the node makes web3 or us stumble over is its fault.

    A follower that a bad answer ends would leave nobody to answer a dispute.
    """
    try:
        with translated():
            yield
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, Misuse) as error:
        raise Garbled(f"{type(error).__name__}: {error}"[:_SHOWN]) from error


class RpcEndpoint:
    """`perun.chain.endpoint.Endpoint` over a `Web3`; one thread at a time."""

    def __init__(self, web3: Web3, *, finality_tag: bool = True) -> None:
        """Takes a `Web3` as it is.

        Args:
            finality_tag: whether the node's `finalized` means anything; eth-tester's does not.
        """
        self.web3 = web3
        self._finality_tag = finality_tag

    def require(self, deployment: Deployment) -> None:
        """Makes sure that the chain has our contracts: an empty one would say that nothing is owed.

        Raises:
            WrongCode: it does not; it is another chain with the same number.
        """
        for name, where in (
            ("MSContract", deployment.contract.contract),
            ("VPM", deployment.vpm.contract),
            ("HashTimeLock", deployment.hash_time_lock.contract),
        ):
            with _answered():
                code = bytes(self.web3.eth.get_code(checksum(where)))
            if not artifact(name).matches(code):
                raise WrongCode(name, where, "other code" if code else "no code")

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
                return _header(self.web3.eth.get_block(which))
        except NodeRefused as error:
            # A number or tag that the chain does not have yet.
            if isinstance(error.__cause__, BlockNotFound):
                return None
            raise

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """See `Reading`. A range that the node finds too long is asked for in halves."""
        if first > last:
            return ()
        wanted: dict[str, Any] = {
            "address": [checksum(address) for address in addresses],
            "fromBlock": first,
            "toBlock": last,
        }
        if topics:
            wanted["topics"] = [
                None if place is None else ["0x" + topic.hex() for topic in place]
                for place in topics
            ]
        try:
            with _answered():
                found = self.web3.eth.get_logs(cast("FilterParams", wanted))
                return tuple(from_web3(log) for log in found)
        except (NodeRefused, NodeUnreachable) as error:
            if last - first < _LEAST_SPAN or not _too_much(error):
                raise
        middle = (first + last) // 2
        older = self.logs(addresses, first, middle, topics)
        return older + self.logs(addresses, middle + 1, last, topics)

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        with _answered():
            return transport.ask(self.web3, query, cast("BlockIdentifier", number))

    # ------------------------------------------------------------------------------------ sending

    @cached_property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        with _answered():
            return ChainId(self.web3.eth.chain_id)

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`."""
        which = "pending" if number is None else number
        with _answered():
            found = int(
                self.web3.eth.get_transaction_count(
                    checksum(account), cast("BlockIdentifier", which)
                )
            )
        if found > _MOST_NONCE:
            raise Garbled("a nonce that no account has")
        return found

    def balance(self, account: Address) -> Wei:
        """See `Sending`."""
        with _answered():
            return Wei(int(self.web3.eth.get_balance(checksum(account))))

    def tip(self) -> Wei:
        """See `Sending`."""
        with _answered():
            return Wei(int(self.web3.eth.max_priority_fee))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`; with the same margin as everywhere."""
        with _answered():
            needed = int(self.web3.eth.estimate_gas(request(call, sender)))
        return limit(call, needed)

    def send(self, raw: bytes) -> None:
        """See `Sending`."""
        with _answered():
            self.web3.eth.send_raw_transaction(HexBytes(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        try:
            with _answered():
                receipt = self.web3.eth.get_transaction_receipt(HexBytes(hash))
                used = int(receipt["gasUsed"])
                return Mined(
                    hash=hash,
                    block=int(receipt["blockNumber"]),
                    succeeded=receipt["status"] == 1,
                    gas_used=used,
                    paid=Wei(used * int(receipt["effectiveGasPrice"])),
                )
        except NodeRefused as error:
            if isinstance(error.__cause__, TransactionNotFound):
                return None
            raise


def _too_much(error: ChainFault) -> bool:
    """Whether fewer blocks may help: an error in words, or one of HTTP about the question."""
    if isinstance(error, NodeRefused):
        return True
    cause = error.__cause__
    if not isinstance(cause, requests.HTTPError) or cause.response is None:
        return False
    return cause.response.status_code in (400, 413)


def _header(block: BlockData) -> Block:
    return Block(
        number=int(block["number"]),
        hash=bytes(block["hash"]),
        time=UnixTime(int(block["timestamp"])),
        base_fee=Wei(int(block.get("baseFeePerGas", 0))),
    )
