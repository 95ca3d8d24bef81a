"""The chain's node for `perun.chain`, over plain JSON-RPC: no web3 in a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from perun.bindings.calls import Access, Call, Query, request
from perun.bindings.failures import Garbled, NodeRefused, pooled, shown
from perun.bindings.gas import limit
from perun.bindings.logs import Log, stands
from perun.bindings.reverts import Reverted, decode
from perun.chain.asked import AskedNode, mined_as, reading, sound_block, whole
from perun.chain.endpoint import Block, Mined
from perun.crypto.interop import checksum
from perun.page.rpc import Rpc
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["Acted", "Act", "PageEndpoint"]

T = TypeVar("T")


class Act(NamedTuple):
    """A transaction that is only played: alone in a block of its own."""

    time: UnixTime
    """Of that block; each later than the one before."""
    sender: Address
    call: Call


class Acted(NamedTuple):
    """What became of it."""

    gas: int
    logs: tuple[Log, ...]
    refusal: str
    """Why the contract refuses it; empty: it does not."""


class PageEndpoint(AskedNode):
    """`perun.chain.endpoint.Endpoint`."""

    def __init__(self, rpc: Rpc) -> None:
        """Asks nothing yet."""
        super().__init__()
        self._rpc = rpc

    # ------------------------------------------------------------------------------------ reading

    def _block(self, which: int | str) -> Block | None:
        with reading():
            found = self._rpc.ask("eth_getBlockByNumber", _place(which), False)
            return None if found is None else _header(found)

    def _matching(self, wanted: dict[str, Any]) -> tuple[Log, ...]:
        with reading():
            found = self._rpc.ask("eth_getLogs", {key: _place(of) for key, of in wanted.items()})
            # Some write null for a list of nothing.
            return () if found is None else tuple(_log(log) for log in found if stands(log))

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        with reading():
            call = {"to": checksum(query.to), "data": _hex(query.data)}
            return query.decode(_bytes(self._rpc.ask("eth_call", call, _place(number))))

    def chain_now(self) -> ChainId:
        """See `Reading`."""
        with reading():
            return ChainId(_number(self._rpc.ask("eth_chainId")))

    def play(self, acts: Sequence[Act]) -> tuple[Acted, ...]:
        """What transactions would do on top of the newest block, one after the other, whoever sends
        them; nothing is sent.

        Raises:
            NodeRefused: the node does not know `eth_simulateV1`.
            ChainFault: it does not answer.
        """
        blocks = [
            {
                "blockOverrides": {"time": hex(act.time)},
                "calls": [
                    {
                        "from": checksum(act.sender),
                        "to": None if act.call.to is None else checksum(act.call.to),
                        "data": _hex(act.call.data),
                        "value": hex(act.call.value),
                    }
                ],
            }
            for act in acts
        ]
        with reading():
            found = self._rpc.ask("eth_simulateV1", {"blockStateCalls": blocks}, "latest")
            return tuple(_acted(block["calls"][0]) for block in found)

    # ------------------------------------------------------------------------------------ sending

    def _count(self, account: Address, which: int | str) -> int:
        with reading():
            found = self._rpc.ask("eth_getTransactionCount", checksum(account), _place(which))
            return _number(found)

    def code(self, where: Address) -> bytes:
        """What stands at an address in the newest block; empty: nothing."""
        with reading():
            return _bytes(self._rpc.ask("eth_getCode", checksum(where), "latest"))

    def balance(self, account: Address, number: int | None = None) -> Wei:
        """See `Sending`; or after the block of that number."""
        which = _place("latest" if number is None else number)
        with reading():
            return Wei(_number(self._rpc.ask("eth_getBalance", checksum(account), which)))

    def tip(self) -> Wei:
        """See `Sending`. Nodes that know no way to say it say a price, of which it is a part."""
        with reading():
            try:
                return Wei(_number(self._rpc.ask("eth_maxPriorityFeePerGas")))
            except (NodeRefused, Garbled):
                head = self._block("latest")
                base = 0 if head is None else head.base_fee
                return Wei(max(0, _number(self._rpc.ask("eth_gasPrice")) - base))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`; with the same margin as everywhere."""
        with reading():
            return limit(call, _number(self._rpc.ask("eth_estimateGas", _asked(call, sender))))

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        """See `Sending`. Many nodes do not have the method, and it only saves a little gas."""
        try:
            with reading():
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
        with pooled(), reading():
            self._rpc.ask("eth_sendRawTransaction", _hex(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        with reading():
            receipt = self._rpc.ask("eth_getTransactionReceipt", _hex(hash))
            # Some nodes make a receipt for what still waits in their pool.
            if receipt is None or receipt.get("blockNumber") is None:
                return None
            return _mined(hash, receipt)


def _mined(hash: bytes, receipt: Mapping[str, Any]) -> Mined:
    status = receipt.get("status")
    return mined_as(
        hash,
        _bytes(receipt.get("transactionHash", _hex(hash))),
        _number(receipt["blockNumber"]),
        None if status is None else _number(status),
        _number_or_none(receipt.get("gasUsed")),
        _number_or_none(receipt.get("effectiveGasPrice")),
    )


def _acted(said: Mapping[str, Any]) -> Acted:
    if _number(said["status"]):
        return Acted(_number(said["gasUsed"]), tuple(_log(log) for log in said["logs"]), "")
    error = said.get("error") or {}
    data = error.get("data") or said.get("returnData") or "0x"
    return Acted(_number(said["gasUsed"]), (), str(decode(_bytes(data))))


def _asked(call: Call, sender: Address) -> dict[str, Any]:
    params: dict[str, Any] = dict(request(call, sender))
    return {**params, "value": hex(call.value)}


def _header(block: Mapping[str, Any]) -> Block:
    return sound_block(
        _number(block["number"]),
        _bytes(block["hash"]),
        _number(block["timestamp"]),
        _number_or_0(block.get("baseFeePerGas")),
    )


def _log(log: Mapping[str, Any]) -> Log:
    return Log(
        address=Address(_bytes(log["address"])),
        topics=tuple(_bytes(topic) for topic in log["topics"]),
        data=_bytes(log["data"]),
        block=_number(log["blockNumber"]),
        block_hash=_bytes(log["blockHash"]),
        transaction=_bytes(log["transactionHash"]),
        index=_number(log["logIndex"]),
        transaction_index=_number_or_0(log.get("transactionIndex")),
    )


def _place(which: object) -> object:
    """Numbers of blocks as JSON-RPC writes them; anything else as it is."""
    return hex(which) if isinstance(which, int) else which


def _number_or_0(text: object) -> int:
    """What a node may leave out."""
    return 0 if text is None else _number(text)


def _number_or_none(text: object) -> int | None:
    """What nothing waits for."""
    try:
        return _number(text)
    except (Garbled, ValueError):
        return None


def _number(text: object) -> int:
    """A quantity of JSON-RPC."""
    if not isinstance(text, str) or not text.startswith("0x") or len(text) > 66:
        raise Garbled(shown(f"{text!r} is no number"))
    return whole(int(text[2:], 16))


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise Garbled(shown(f"{text!r} is no hex"))
    return bytes.fromhex(text[2:])


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
