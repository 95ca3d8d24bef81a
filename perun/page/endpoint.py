"""The chain's node for `perun.chain`, over plain JSON-RPC: no web3 in a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, TypeVar

from perun.bindings.calls import Access, Call, Query, request
from perun.bindings.failures import Garbled, NodeRefused, pooled, shown
from perun.bindings.gas import limit
from perun.bindings.logs import Log
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Block, Mined
from perun.chain.pieces import Pieces, knows_not
from perun.crypto.interop import checksum
from perun.errors import BrokenInvariant, ChainFault
from perun.page.rpc import Rpc
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["PageEndpoint"]

T = TypeVar("T")

_MOST_NONCE: Final = 2**48
_MOST_NUMBER: Final = 2**63


@contextmanager
def _read() -> Iterator[None]:
    """What the answer makes us stumble over is the node's fault."""
    try:
        yield
    except (ChainFault, BrokenInvariant):
        raise
    except Exception as error:
        raise Garbled(shown(f"{type(error).__name__}: {error}")) from error


class PageEndpoint:
    """`perun.chain.endpoint.Endpoint`."""

    def __init__(self, rpc: Rpc) -> None:
        """Asks nothing yet."""
        self._rpc = rpc
        self._pieces = Pieces()
        self._by_hash = True

    # ------------------------------------------------------------------------------------ reading

    def block(self, number: int | None = None) -> Block | None:
        """See `Reading`."""
        return self._block("latest" if number is None else hex(number))

    def finalized(self) -> Block | None:
        """See `Reading`. A node that refuses the tag has no final block yet, which is safe."""
        try:
            return self._block("finalized")
        except NodeRefused:
            return None

    def _block(self, which: str) -> Block | None:
        with _read():
            found = self._rpc.ask("eth_getBlockByNumber", which, False)
            return None if found is None else _header(found)

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
        """See `Reading`."""
        return self._pieces.logs(
            lambda one, until: self._logs(
                addresses, topics, {"fromBlock": hex(one), "toBlock": hex(until)}
            ),
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
                    raise
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
        with _read():
            found = self._rpc.ask("eth_getLogs", wanted)
            return tuple(_log(log) for log in found if _stands(log))

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        with _read():
            call = {"to": checksum(query.to), "data": _hex(query.data)}
            return query.decode(_bytes(self._rpc.ask("eth_call", call, hex(number))))

    def chain_now(self) -> ChainId:
        """See `Reading`."""
        with _read():
            return ChainId(_number(self._rpc.ask("eth_chainId")))

    # ------------------------------------------------------------------------------------ sending

    @cached_property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        return self.chain_now()

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`."""
        if number is None:
            return self._count(account, "pending")
        try:
            return self._count(account, hex(number))
        except NodeRefused:
            return self._count(account, "latest")

    def _count(self, account: Address, which: str) -> int:
        with _read():
            found = _number(self._rpc.ask("eth_getTransactionCount", checksum(account), which))
        if found > _MOST_NONCE:
            raise Garbled("a nonce that no account has")
        return found

    def code(self, where: Address) -> bytes:
        """What stands at an address in the newest block; empty: nothing."""
        with _read():
            return _bytes(self._rpc.ask("eth_getCode", checksum(where), "latest"))

    def balance(self, account: Address, number: int | None = None) -> Wei:
        """See `Sending`; or after the block of that number."""
        which = "latest" if number is None else hex(number)
        with _read():
            return Wei(_number(self._rpc.ask("eth_getBalance", checksum(account), which)))

    def tip(self) -> Wei:
        """See `Sending`. Nodes that know no way to say it say a price, of which it is a part."""
        with _read():
            try:
                return Wei(_number(self._rpc.ask("eth_maxPriorityFeePerGas")))
            except (NodeRefused, Garbled):
                head = self._block("latest")
                base = 0 if head is None else head.base_fee
                return Wei(max(0, _number(self._rpc.ask("eth_gasPrice")) - base))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`; with the same margin as everywhere."""
        with _read():
            return limit(call, _number(self._rpc.ask("eth_estimateGas", _asked(call, sender))))

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        """See `Sending`. Many nodes do not have the method, and it only saves a little gas."""
        try:
            with _read():
                found = self._rpc.ask("eth_createAccessList", _asked(call, sender), "latest")
                return tuple(
                    Access(
                        Address(_bytes(item["address"])),
                        tuple(_bytes(key) for key in item["storageKeys"]),
                    )
                    for item in found["accessList"]
                )
        except (NodeRefused, Reverted):
            return ()

    def send(self, raw: bytes) -> None:
        """See `Sending`."""
        with pooled(), _read():
            self._rpc.ask("eth_sendRawTransaction", _hex(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        with _read():
            receipt = self._rpc.ask("eth_getTransactionReceipt", _hex(hash))
            # Some nodes make a receipt for what still waits in their pool.
            if receipt is None or receipt.get("blockNumber") is None:
                return None
            return _mined(hash, receipt)


def _mined(hash: bytes, receipt: Mapping[str, Any]) -> Mined:
    if _bytes(receipt.get("transactionHash", _hex(hash))) != hash:
        raise Garbled("the receipt of another transaction")
    if receipt.get("status") is None:
        raise Garbled("a receipt that does not say what became of the transaction")
    used, price = receipt.get("gasUsed"), receipt.get("effectiveGasPrice")
    gas_used = 0 if used is None else _number(used)
    return Mined(
        hash=hash,
        block=_number(receipt["blockNumber"]),
        succeeded=_number(receipt["status"]) == 1,
        gas_used=gas_used,
        paid=Wei(gas_used * (0 if price is None else _number(price))),
    )


def _asked(call: Call, sender: Address) -> dict[str, Any]:
    params: dict[str, Any] = dict(request(call, sender))
    return {**params, "value": hex(call.value)}


def _header(block: Mapping[str, Any]) -> Block:
    number, time = _number(block["number"]), _number(block["timestamp"])
    base, hashed = block.get("baseFeePerGas"), _bytes(block["hash"])
    if number >= _MOST_NUMBER or time >= _MOST_NUMBER or len(hashed) != 32:
        raise Garbled("a block that no chain has")
    base_fee = 0 if base is None else min(_number(base), _MOST_NUMBER)
    return Block(number, hashed, UnixTime(time), Wei(base_fee))


def _stands(log: Mapping[str, Any]) -> bool:
    """Whether a log is in a block: not in one taken back since, nor in one that is to come."""
    return not log.get("removed") and log.get("blockNumber") is not None


def _log(log: Mapping[str, Any]) -> Log:
    place = log.get("transactionIndex")
    return Log(
        address=Address(_bytes(log["address"])),
        topics=tuple(_bytes(topic) for topic in log["topics"]),
        data=_bytes(log["data"]),
        block=_number(log["blockNumber"]),
        block_hash=_bytes(log["blockHash"]),
        transaction=_bytes(log["transactionHash"]),
        index=_number(log["logIndex"]),
        transaction_index=0 if place is None else _number(place),
    )


def _number(text: object) -> int:
    """A quantity of JSON-RPC."""
    if not isinstance(text, str) or not text.startswith("0x") or len(text) > 66:
        raise Garbled(shown(f"{text!r} is no number"))
    return int(text[2:], 16)


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise Garbled(shown(f"{text!r} is no hex"))
    return bytes.fromhex(text[2:])


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
