"""A `ScriptedChain` as an honest node tells of it: JSON-RPC methods, in the shape of geth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perun.bindings.calls import Call, Query
from perun.bindings.failures import NodeRefused
from perun.bindings.logs import Log
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Block
from perun.crypto.hashing import keccak
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.evm import CHAIN_ID
from perun.types import Address, Wei

__all__ = ["Ask", "Question", "Refusal", "ScriptedNode", "hexed"]

_NULL: Final = "0x" + "00" * 32


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks."""

    method: str
    params: tuple[Any, ...]
    head: int = 0
    """Number of the newest block there is at the moment, whatever anybody says."""

    def with_params(self, *params: Any) -> Question:
        """The same method, asked about something else."""
        return Question(self.method, params, self.head)


Ask = Callable[[Question], dict[str, Any]]
"""How to get the answer of whoever stands behind: `result` or `error`."""


@dataclass(eq=False)
class Refusal(Exception):
    """An error of JSON-RPC."""

    code: int
    message: str
    data: object = None

    def answer(self) -> dict[str, Any]:
        """As the node says it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return {"error": error}


def hexed(data: bytes) -> str:
    """Bytes as JSON-RPC has them."""
    return "0x" + data.hex()


def _bytes(text: Any) -> bytes:
    return bytes.fromhex(str(text).removeprefix("0x"))


class ScriptedNode:
    """Answers truly, at once, about everything."""

    def __init__(self, chain: ScriptedChain) -> None:
        self.chain = chain
        self._lane = ScriptedEndpoint(chain)
        self._methods: Mapping[str, Callable[..., object]] = {
            "eth_chainId": lambda: hex(CHAIN_ID),
            "eth_blockNumber": lambda: hex(chain.head.number),
            "eth_gasPrice": lambda: hex(2 * chain.head.base_fee),
            "eth_maxPriorityFeePerGas": lambda: hex(chain.head.base_fee),
            "eth_getBlockByNumber": self._block,
            "eth_getLogs": self._logs,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_getBalance": lambda account, _="": hex(
                self._lane.balance(Address(_bytes(account)))
            ),
            "eth_getCode": lambda account, _="": hexed(chain.evm.code(Address(_bytes(account)))),
            "eth_getTransactionCount": self._count,
            "eth_getTransactionReceipt": self._receipt,
            "eth_sendRawTransaction": self._send,
        }

    def answer(self, question: Question) -> dict[str, Any]:
        """`{"result": …}` or `{"error": …}`."""
        method = self._methods.get(question.method)
        if method is None:
            words = f"the method {question.method} does not exist/is not available"
            return Refusal(-32601, words).answer()
        try:
            return {"result": method(*question.params)}
        except Refusal as refusal:
            return refusal.answer()
        except Reverted as reverted:
            return Refusal(3, "execution reverted", hexed(reverted.data)).answer()

    # ------------------------------------------------------------------------------------- blocks

    def number(self, which: Any) -> int:
        """Of a block by tag or number; above the newest if there is none yet."""
        head = self.chain.head.number
        if which in ("latest", "pending", None):
            return head
        if which in ("finalized", "safe"):
            return max(0, head - 2) if self.chain.tagged is None else self.chain.tagged
        return 0 if which == "earliest" else int(which, 16)

    def _block(self, which: Any, _: bool = False) -> dict[str, Any] | None:
        found = self.chain.block(self.number(which))
        return None if found is None else self._header(found.header)

    def _header(self, block: Block) -> dict[str, Any]:
        parent = self.chain.block(block.number - 1)
        return {
            "number": hex(block.number),
            "hash": hexed(block.hash),
            "parentHash": _NULL if parent is None else hexed(parent.header.hash),
            "timestamp": hex(block.time),
            "baseFeePerGas": hex(block.base_fee),
            "extraData": "0x",
            "gasLimit": hex(60_000_000),
            "gasUsed": "0x0",
            "logsBloom": "0x" + "00" * 256,
            "miner": "0x" + "00" * 20,
            "difficulty": "0x0",
            "totalDifficulty": "0x0",
            "nonce": "0x0000000000000000",
            "mixHash": _NULL,
            "sha3Uncles": _NULL,
            "stateRoot": _NULL,
            "receiptsRoot": _NULL,
            "transactionsRoot": _NULL,
            "size": "0x0",
            "transactions": [],
            "uncles": [],
        }

    # --------------------------------------------------------------------------------------- logs

    def _logs(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        addresses = [Address(_bytes(address)) for address in wanted["address"]]
        topics: list[Sequence[bytes] | None] = [
            None if place is None else [_bytes(topic) for topic in place]
            for place in wanted.get("topics", ())
        ]
        first, last = self._range(wanted)
        return [_log(log) for log in self._lane.logs(addresses, first, last, topics)]

    def _range(self, wanted: Mapping[str, Any]) -> tuple[int, int]:
        if "blockHash" not in wanted:
            return self.number(wanted["fromBlock"]), self.number(wanted["toBlock"])
        hashed = _bytes(wanted["blockHash"])
        for number in range(self.chain.head.number, -1, -1):
            block = self.chain.block(number)
            if block is not None and block.header.hash == hashed:
                return number, number
        raise Refusal(-32000, "unknown block")

    # -------------------------------------------------------------------------------------- state

    def _call(self, wanted: Mapping[str, Any], which: Any = "latest") -> str:
        number = self.number(which)
        if number > self.chain.head.number:
            raise Refusal(-32000, "header not found")
        data = _bytes(wanted.get("data") or wanted.get("input") or "")
        return hexed(self._lane.ask(Query(Address(_bytes(wanted["to"])), data, bytes), number))

    def _estimate(self, wanted: Mapping[str, Any], _: Any = "latest") -> str:
        data = _bytes(wanted.get("data") or wanted.get("input") or "")
        value = Wei(int(str(wanted.get("value", "0x0")), 16))
        call = Call(Address(_bytes(wanted["to"])), data, value)
        return hex(self._lane.estimate(call, Address(_bytes(wanted["from"]))))

    def _count(self, account: str, which: Any = "latest") -> str:
        number = None if which == "pending" else self.number(which)
        if number is not None and number > self.chain.head.number:
            raise Refusal(-32000, "header not found")
        return hex(self._lane.next_nonce(Address(_bytes(account)), number))

    # ------------------------------------------------------------------------------- transactions

    def _send(self, raw: str) -> str:
        try:
            self._lane.send(_bytes(raw))
        except NodeRefused as refusal:
            raise Refusal(-32000, refusal.reason) from refusal
        return hexed(keccak(_bytes(raw)))

    def _receipt(self, hashed: str) -> dict[str, Any] | None:
        found = self.chain.mined.get(_bytes(hashed))
        block = None if found is None else self.chain.block(found.block)
        if found is None or block is None:
            return None
        sent = next(item for item in block.transactions if item.hash == found.hash)
        return {
            "transactionHash": hashed,
            "transactionIndex": hex(block.transactions.index(sent)),
            "blockHash": hexed(block.header.hash),
            "blockNumber": hex(found.block),
            "from": hexed(sent.sender),
            "to": hexed(sent.to),
            "status": hex(found.succeeded),
            "gasUsed": hex(found.gas_used),
            "cumulativeGasUsed": hex(found.gas_used),
            "effectiveGasPrice": "0x0",
            "contractAddress": None,
            "logs": [_log(log) for log in block.logs if log.transaction == found.hash],
            "logsBloom": "0x" + "00" * 256,
            "type": "0x2",
        }


def _log(log: Log) -> dict[str, Any]:
    return {
        "address": hexed(log.address),
        "topics": [hexed(topic) for topic in log.topics],
        "data": hexed(log.data),
        "blockNumber": hex(log.block),
        "blockHash": hexed(log.block_hash),
        "transactionHash": hexed(log.transaction),
        "transactionIndex": hex(log.transaction_index),
        "logIndex": hex(log.index),
        "removed": False,
    }
