"""The embedded chain's JSON-RPC: what nodes, wallets and web3 libraries ask of an Ethereum node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from eth_account import Account
from eth_utils.address import to_checksum_address

from perun.nesting import read_json
from perun.town import show
from perun.town.embedded import CHAIN_ID, FINAL, EmbeddedChain, Failed

__all__ = ["Rpc"]

_TIP: Final = 10**9
_NO_METHOD: Final = -32_601
_BAD_PARAMS: Final = -32_602
_BAD_REQUEST: Final = -32_600
_TAGS: Final = ("latest", "pending", "safe", "finalized", "earliest")


class Rpc:
    """Answers requests, one at a time."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self._chain = chain
        self._accounts = {show.data(key.public_key.address): key for key in chain.keys}
        self._methods: dict[str, Callable[..., Any]] = {
            "web3_clientVersion": lambda: "perun/embedded",
            "net_version": lambda: str(CHAIN_ID),
            "eth_chainId": lambda: hex(CHAIN_ID),
            "eth_syncing": lambda: False,
            "eth_accounts": lambda: list(self._accounts),
            "eth_blockNumber": lambda: hex(chain.height),
            "eth_gasPrice": lambda: hex(self._base_fee(chain.height) + _TIP),
            "eth_maxPriorityFeePerGas": lambda: hex(_TIP),
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": lambda which, full=False: self._block(
                self._number(which), full
            ),
            "eth_getBlockByHash": self._block,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": lambda hash: chain.file.receipt(hash.lower()),
            "eth_getTransactionCount": self._count,
            "eth_getBalance": self._balance,
            "eth_getCode": lambda who, which="latest": show.data(
                self._state(which).get_code(_bytes(who))
            ),
            "eth_getStorageAt": self._storage,
            "eth_call": lambda call, which="latest": show.data(
                chain.call(_call(call), self._number(which))
            ),
            "eth_estimateGas": lambda call, _which="latest": hex(chain.estimate(_call(call))),
            "eth_sendRawTransaction": lambda raw: show.data(chain.send(_bytes(raw))),
            "eth_sendTransaction": self._send,
            "eth_getLogs": self._logs,
        }

    def answer(self, body: bytes) -> bytes:
        """The answer to a request, or to a list of them."""
        try:
            asked = read_json(body, object)
        except msgspec.DecodeError:
            return msgspec.json.encode(_error(None, -32_700, "no JSON"))
        if isinstance(asked, list):
            return msgspec.json.encode([self._one(one) for one in asked])
        return msgspec.json.encode(self._one(asked))

    def _one(self, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict) or not isinstance(asked.get("params", []), list):
            return _error(None, _BAD_REQUEST, "no request")
        id, name = asked.get("id"), asked.get("method")
        method = self._methods.get(name) if isinstance(name, str) else None
        if method is None:
            return _error(id, _NO_METHOD, f"the method {name} does not exist/is not available")
        try:
            return {"jsonrpc": "2.0", "id": id, "result": method(*asked.get("params", []))}
        except Failed as error:
            return _error(id, error.code, str(error), error.data)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            return _error(id, _BAD_PARAMS, f"{name}: {type(error).__name__}: {error}")

    # ----------------------------------------------------------------------------------- blocks

    def _number(self, which: Any) -> int:
        """Of a block that is there, by number, tag, or hash (EIP-1898). Raises `Failed`."""
        if isinstance(which, dict):
            found = self._chain.file.block_of(str(which.get("blockHash", "")).lower())
            if found is None and "blockHash" in which:
                raise Failed("header for hash not found")
            which = found["number"] if found is not None else which["blockNumber"]
        height = self._chain.height
        if which in ("safe", "finalized"):
            return max(0, height - FINAL)
        if which in _TAGS:
            return 0 if which == "earliest" else height
        return int(which, 16)

    def _block(self, which: Any, full: bool = False) -> Any:
        file = self._chain.file
        found = file.block_of(which.lower() if isinstance(which, str) else which)
        if found is not None and full:
            found["transactions"] = [file.sent(name) for name in found["transactions"]]
        return found

    def _state(self, which: Any) -> Any:
        number = self._number(which)
        if number > self._chain.height:
            raise Failed(f"block {number} is not there yet")
        return self._chain.state(number)

    def _base_fee(self, number: int) -> int:
        return int(self._block(number)["baseFeePerGas"], 16)

    def _fee_history(self, count: Any, newest: Any, parts: Any = ()) -> dict[str, Any]:
        wanted = int(count, 16) if isinstance(count, str) else int(count)
        last = self._number(newest)
        first = max(0, last - min(wanted, 1_024) + 1)
        fees = [hex(self._base_fee(number)) for number in range(first, last + 1)]
        return {
            "oldestBlock": hex(first),
            "baseFeePerGas": [*fees, fees[-1]],
            "gasUsedRatio": [0.5] * len(fees),
            "reward": [[hex(_TIP)] * len(parts or ()) for _ in fees],
        }

    # --------------------------------------------------------------------------------- accounts

    def _count(self, who: str, which: Any = "latest") -> str:
        if which == "pending":
            return hex(self._chain.next_nonce(_bytes(who)))
        return hex(self._state(which).get_nonce(_bytes(who)))

    def _balance(self, who: str, which: Any = "latest") -> str:
        return hex(self._state(which).get_balance(_bytes(who)))

    def _storage(self, who: str, slot: str, which: Any = "latest") -> str:
        word = self._state(which).get_storage(_bytes(who), int(slot, 16))
        return show.data(word.to_bytes(32, "big"))

    # ----------------------------------------------------------------------------- transactions

    def _transaction(self, hash: str) -> Any:
        found = self._chain.file.sent(hash.lower())
        if found is not None:
            return found
        waits = (sent for sent in self._chain.pool.values() if show.data(sent.hash) == hash.lower())
        sent = next(waits, None)
        return None if sent is None else show.transaction(None, sent, {})

    def _send(self, asked: Mapping[str, Any]) -> str:
        """Signs for one of the accounts of development chains."""
        key = self._accounts.get(str(asked["from"]).lower())
        if key is None:
            raise Failed("no key for that account")
        call = _call(asked)
        base_fee = self._base_fee(self._chain.height)
        transaction = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self._chain.next_nonce(call["from"]),
            "gas": call.get("gas") or self._chain.estimate(call),
            "maxPriorityFeePerGas": _TIP,
            "maxFeePerGas": 2 * base_fee + _TIP,
            "value": call["value"],
            "data": call["data"],
        }
        if call["to"]:
            transaction["to"] = to_checksum_address(call["to"])
        signed = Account.sign_transaction(transaction, key.secret)
        return show.data(self._chain.send(bytes(signed.raw_transaction)))

    def _logs(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in wanted:
            first = last = self._number({"blockHash": wanted["blockHash"]})
        else:
            first = self._number(wanted.get("fromBlock", "latest"))
            last = self._number(wanted.get("toBlock", "latest"))
        addresses = wanted.get("address") or []
        topics = [
            None if one is None else _lower([one] if isinstance(one, str) else one)
            for one in wanted.get("topics") or []
        ]
        if isinstance(addresses, str):
            addresses = [addresses]
        return self._chain.file.logs(first, last, _lower(addresses), topics)


def _call(asked: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "from": _bytes(asked.get("from") or "0x" + "00" * 20),
        "to": _bytes(asked.get("to") or "0x"),
        "value": int(asked.get("value") or "0x0", 16),
        "data": _bytes(asked.get("input") or asked.get("data") or "0x"),
    }
    if asked.get("gas"):
        found["gas"] = int(asked["gas"], 16)
    return found


def _lower(texts: Any) -> list[str]:
    return [text.lower() for text in texts]


def _bytes(text: str) -> Any:
    return bytes.fromhex(text.removeprefix("0x"))


def _error(id: Any, code: int, text: str, data: bytes | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": text}
    if data is not None:
        error["data"] = show.data(data)
    return {"jsonrpc": "2.0", "id": id, "error": error}
