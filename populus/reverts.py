"""Revert data to `ContractReverted`: the same error on every chain and for every kind of request.

Nodes answer with a JSON-RPC error that carries the data; eth-tester raises an exception whose
data web3 has already turned into text. Both ends meet here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from eth_abi.grammar import ABIType, BasicType, TupleType, parse
from eth_tester.exceptions import TransactionFailed
from eth_utils.abi import collapse_if_tuple, function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from requests.exceptions import RequestException
from web3 import Web3
from web3.exceptions import (
    ContractLogicError,
    OffchainLookup,
    TimeExhausted,
    Web3Exception,
)
from web3.middleware import Web3Middleware
from web3.types import RPCEndpoint

from populus.exceptions import ContractReverted

if TYPE_CHECKING:
    from web3.types import MakeRequestFn, RPCResponse

__all__ = ["ErrorTable", "ReceiptMiddleware", "RevertMiddleware", "TesterFailure", "why_failed"]

_SENDING = ("eth_sendTransaction", "eth_sendRawTransaction")
_REVERT_CODE = 3  # JSON-RPC error code of reverted executions, as geth and anvil use it


class ErrorTable:
    """Custom errors by selector, collected from ABIs.

    Errors travel up through calls of other contracts, so one table serves all contracts.
    """

    def __init__(self, abis: Iterable[Iterable[Mapping[str, Any]]] = ()) -> None:
        self._codec = Web3().codec
        self._by_selector: dict[bytes, tuple[str, list[str], list[str]]] = {}
        self.add(
            [
                {"type": "error", "name": "Error", "inputs": [{"name": "", "type": "string"}]},
                {"type": "error", "name": "Panic", "inputs": [{"name": "", "type": "uint256"}]},
            ]
        )
        for abi in abis:
            self.add(abi)

    def add(self, abi: Iterable[Mapping[str, Any]]) -> None:
        """Learn the errors an ABI declares."""
        for entry in abi:
            if entry.get("type") != "error":
                continue
            inputs = entry.get("inputs", [])
            types = [collapse_if_tuple(item) for item in inputs]
            selector = function_signature_to_4byte_selector(f"{entry['name']}({','.join(types)})")
            names = [item.get("name", "") for item in inputs]
            self._by_selector[selector] = (entry["name"], types, names)

    def decode(
        self, data: bytes, reason: str = "", transaction_hash: bytes | None = None
    ) -> ContractReverted:
        """The exception that `data`, as returned by the EVM, stands for.

        `reason` is the node's own text, shown when the contract gave no data (out of gas, say).
        """
        shown = "0x" + data.hex()
        if len(data) < 4:
            return ContractReverted("", (), shown, None, transaction_hash, reason)
        known = self._by_selector.get(data[:4])
        if known is not None:
            name, types, names = known
            try:
                decoded = self._codec.decode(types, data[4:])
                values = tuple(map(_checksummed, map(parse, types), decoded))
            except Exception:  # noqa: S110 - a contract may revert with anything
                pass
            else:
                named = dict(zip(names, values, strict=True)) if all(names) else {}
                return ContractReverted(name, values, shown, named, transaction_hash)
        return ContractReverted("0x" + data[:4].hex(), (), shown, None, transaction_hash)


def _checksummed(kind: ABIType, value: Any) -> Any:
    """A decoded value with addresses as web3 writes them."""
    if kind.is_array:
        return [_checksummed(kind.item_type, item) for item in value]
    if isinstance(kind, TupleType):
        return tuple(map(_checksummed, kind.components, value))
    is_address = isinstance(kind, BasicType) and kind.base == "address"
    return to_checksum_address(value) if is_address else value


class TesterFailure(TransactionFailed):  # type: ignore[misc]  # eth-tester is untyped
    """A failed execution inside eth-tester, with the data web3 would turn into text."""

    def __init__(self, message: str, data: bytes) -> None:
        super().__init__(message)
        self.data = data
        self.transaction_hash: bytes | None = None


def data_of_error(error: BaseException) -> tuple[bytes, str, bytes | None]:
    """What a contract reverted with, a text in case that is nothing, the hash if it was mined."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TesterFailure):
            return seen.data, str(seen.args[0]), seen.transaction_hash
        seen = seen.__cause__ or seen.__context__
    data = getattr(error, "data", None)
    if isinstance(data, str):
        return bytes.fromhex(data.removeprefix("0x")), str(error), None
    return b"", str(error), None


def data_of_response(response: Mapping[str, Any]) -> bytes | None:
    """Revert data of a JSON-RPC answer; None if the answer is no revert."""
    error = response.get("error")
    if not isinstance(error, Mapping):
        return None
    message = str(error.get("message", "")).lower()
    if error.get("code") != _REVERT_CODE and "revert" not in message:
        return None
    data = error.get("data")
    if isinstance(data, Mapping):  # hardhat wraps it once more
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return bytes.fromhex(data[2:])
    return b""


class RevertMiddleware(Web3Middleware):
    """Turns every revert of a web3 instance into `ContractReverted`.

    EIP-3668 lookups are no failures and pass through.
    """

    def __init__(self, w3: Any, errors: ErrorTable) -> None:
        super().__init__(w3)
        self.errors = errors

    def wrap_make_request(self, make_request: MakeRequestFn) -> MakeRequestFn:
        def middleware(method: RPCEndpoint, params: Any) -> RPCResponse:
            try:
                response = make_request(method, params)
            except (ContractReverted, OffchainLookup):
                raise
            except (TransactionFailed, ContractLogicError) as error:
                raise self.errors.decode(*data_of_error(error)) from None
            data = data_of_response(response)
            if data is not None:
                raise self.errors.decode(data)
            return response

        return middleware


def why_failed(web3: Web3, receipt: Any, errors: ErrorTable) -> ContractReverted:
    """Why a mined transaction failed.

    Nodes that trace know it exactly. From others only the same call on the state before the block
    can be asked for, where another transaction of the block or its time may have mattered.
    """
    transaction_hash = bytes(receipt["transactionHash"])
    try:
        trace = web3.provider.make_request(
            RPCEndpoint("debug_traceTransaction"),
            ["0x" + transaction_hash.hex(), {"tracer": "callTracer"}],
        ).get("result")
    except (Web3Exception, RequestException):
        trace = None
    if isinstance(trace, Mapping) and "type" in trace:
        data, reason = str(trace.get("output", "0x")), str(trace.get("error", ""))
        return errors.decode(bytes.fromhex(data.removeprefix("0x")), reason, transaction_hash)
    return _replayed(web3, receipt, errors, transaction_hash)


def _replayed(
    web3: Web3, receipt: Any, errors: ErrorTable, transaction_hash: bytes
) -> ContractReverted:
    transaction = web3.eth.get_transaction(receipt["transactionHash"])
    names = {"from": "from", "to": "to", "value": "value", "gas": "gas", "input": "data"}
    call: Any = {names[key]: transaction.get(key) for key in names if transaction.get(key)}
    try:
        web3.eth.call(call, receipt["blockNumber"] - 1)
    except ContractReverted as error:
        error.transaction_hash = transaction_hash
        return error
    except ContractLogicError as error:  # a web3 without the middleware above
        data, reason, _ = data_of_error(error)
        return errors.decode(data, reason, transaction_hash)
    return errors.decode(b"", "the same call succeeds alone", transaction_hash)


class ReceiptMiddleware(Web3Middleware):
    """Reports a transaction that failed while it was being sent.

    Development nodes mine at once, and answer a moment before they have: `patience` is how many
    seconds to wait for the receipt. On other chains `chain.wait` tells, when the time comes.
    """

    def __init__(self, w3: Any, errors: ErrorTable, patience: float) -> None:
        super().__init__(w3)
        self.web3: Web3 = w3
        self.errors = errors
        self.patience = patience

    def wrap_make_request(self, make_request: MakeRequestFn) -> MakeRequestFn:
        def middleware(method: RPCEndpoint, params: Any) -> RPCResponse:
            response = make_request(method, params)
            if method in _SENDING and "error" not in response:
                receipt = self._receipt(response["result"])
                if receipt is not None and receipt["status"] == 0:
                    raise why_failed(self.web3, receipt, self.errors)
            return response

        return middleware

    def _receipt(self, txn_hash: Any) -> Any:
        if not self.patience:
            return None
        try:
            return self.web3.eth.wait_for_transaction_receipt(txn_hash, self.patience, 0.005)
        except TimeExhausted:
            return None
