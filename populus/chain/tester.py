"""The chain in memory.

A transaction without gas and fees gets them here, without an estimate, and is undone if it fails,
as if an estimate had refused it; one with gas is mined and then reported.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING, Any, ClassVar

from eth_tester import EthereumTester
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.middleware import Web3Middleware

from populus.chain.backend import GENESIS_TIMESTAMP, HD_PATH, MIN_GAS, MNEMONIC, TesterBackend
from populus.chain.base import BaseChain, add_middleware

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3.types import MakeRequestFn, RPCEndpoint, RPCResponse

__all__ = ["GENESIS_TIMESTAMP", "HD_PATH", "MNEMONIC", "TesterChain"]

DEFAULT_GAS = 16_000_000  # given to transactions that name none; unused gas costs nothing
PRIORITY_FEE = 10**9  # wei per gas


class TesterMiddleware(Web3Middleware):
    """Gives transactions gas and fees, and makes a failed one an error."""

    def __init__(self, w3: Any, backend: TesterBackend, tester: EthereumTester) -> None:
        super().__init__(w3)
        self.backend = backend
        self.tester = tester

    def wrap_make_request(self, make_request: MakeRequestFn) -> MakeRequestFn:
        def middleware(method: RPCEndpoint, params: Any) -> RPCResponse:
            if method == "eth_sendTransaction":
                return self._send(make_request, method, params)
            if method == "eth_sendRawTransaction":
                return self._report(make_request(method, params))
            return make_request(method, params)

        return middleware

    def _send(self, make_request: MakeRequestFn, method: RPCEndpoint, params: Any) -> RPCResponse:
        transaction = dict(params[0])
        as_estimated = "gas" not in transaction
        self._fill(transaction)
        if not (as_estimated and self.tester.auto_mine_transactions):
            return self._report(make_request(method, [transaction, *params[1:]]))
        before = self.backend.take_snapshot()
        response = make_request(method, [transaction, *params[1:]])
        failed, self.backend.last_failure = self.backend.last_failure, None
        if failed is not None:
            self.backend.revert_to_snapshot(before)
            raise failed
        return response

    def _report(self, response: RPCResponse) -> RPCResponse:
        failed, self.backend.last_failure = self.backend.last_failure, None
        if failed is not None and self.tester.auto_mine_transactions:
            failed.transaction_hash = bytes(HexBytes(response["result"]))
            raise failed
        return response

    def _fill(self, transaction: dict[str, Any]) -> None:
        if not any(name in transaction for name in ("gasPrice", "maxFeePerGas")):
            base_fee = self.backend.chain.header.base_fee_per_gas
            tip = transaction.setdefault("maxPriorityFeePerGas", PRIORITY_FEE)
            transaction["maxFeePerGas"] = 2 * base_fee + _number(tip)
        if "gas" not in transaction:
            transaction["gas"] = self._gas(transaction)

    def _gas(self, transaction: dict[str, Any]) -> int:
        """Plenty, but not more than the sender can pay for in advance."""
        sender = transaction.get("from") or self._w3.eth.default_account
        if not isinstance(sender, str):
            return DEFAULT_GAS
        price = _number(transaction.get("maxFeePerGas", transaction.get("gasPrice", 0)))
        balance: int = self.backend.get_balance(bytes.fromhex(sender.removeprefix("0x")))
        affordable = (balance - _number(transaction.get("value", 0))) // max(price, 1)
        return max(MIN_GAS, min(DEFAULT_GAS, affordable))


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


class TesterChain(BaseChain):
    """`tester`: ten accounts with a million ether each, gone when the process ends."""

    setting_names: ClassVar[tuple[str, ...]] = ("accounts", "genesis_timestamp")
    usual_web3: ClassVar[str] = "web3.Tester"
    backend: TesterBackend
    tester: EthereumTester

    def _start(self) -> Web3:
        timestamp = int(self.settings.get("genesis_timestamp", GENESIS_TIMESTAMP))
        self.backend = TesterBackend(timestamp, int(self.settings.get("accounts", 10)))
        self.tester = EthereumTester(self.backend)
        web3 = Web3(EthereumTesterProvider(self.tester))
        add_middleware(web3, lambda w3: TesterMiddleware(w3, self.backend, self.tester), "tester")
        return web3

    def _prepare(self, web3: Web3) -> None:
        chosen = self.web3_config.get("eth", {}).get("default_account")
        web3.eth.default_account = chosen or web3.eth.accounts[0]

    @property
    def private_keys(self) -> dict[ChecksumAddress, bytes]:
        """The keys of the chain's accounts: public test keys, worth nothing anywhere else."""
        return {
            Web3.to_checksum_address(address): key.to_bytes()
            for address, key in self.backend._key_lookup.items()
        }

    # -- going back ------------------------------------------------------------------------

    def save(self) -> _Saved:
        """Everything a test may change: blocks, time, filters, accounts, registrar, caches."""
        tester, chain = self.tester, self.backend.chain
        return _Saved(
            block=self.backend.take_snapshot(),
            header=chain.header,
            filters={name: _copied(getattr(tester, name)) for name in _FILTERS},
            pending=list(tester._pending_transactions),
            auto_mine=tester.auto_mine_transactions,
            keys=(self.backend.account_keys, dict(self.backend._keys)),
            default_account=self.web3.eth.default_account,
            default_block=self.web3.eth.default_block,
            registrar=self.registrar.snapshot(),
            factories=self.provider.known_factories(),
        )

    def restore(self, saved: _Saved) -> None:
        """Put everything back as it was when `save` was called."""
        tester, backend = self.tester, self.backend
        if backend.chain.header != saved.header:
            backend.revert_to_snapshot(saved.block)
            backend.chain.header = saved.header
        for name, filters in saved.filters.items():
            setattr(tester, name, _copied(filters))
        tester._pending_transactions = list(saved.pending)
        tester.auto_mine_transactions = saved.auto_mine
        backend.account_keys, keys = saved.keys
        backend._keys = dict(keys)
        backend.last_failure = None
        self.web3.eth.default_account = saved.default_account
        self.web3.eth.default_block = saved.default_block
        self.registrar.restore(saved.registrar)
        self.provider.forget(saved.factories)

    def fingerprint(self) -> object:
        """A value that differs after anything was mined or registered."""
        return self.backend.chain.header.parent_hash, self.registrar.snapshot()

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Undo at the end whatever happens inside; for examples within one test, say."""
        saved = self.save()
        try:
            yield
        finally:
            self.restore(saved)


_FILTERS = ("_log_filters", "_block_filters", "_pending_transaction_filters")


@dataclass(frozen=True, slots=True)
class _Saved:
    block: Any
    header: Any
    filters: dict[str, Any]
    pending: list[Any]
    auto_mine: bool
    keys: tuple[Any, dict[bytes, Any]]
    default_account: Any
    default_block: Any
    registrar: dict[str, Any]
    factories: dict[Any, Any]


def _copied(filters: dict[Any, Any]) -> dict[Any, Any]:
    """Filters with what they have collected so far."""
    copies = {}
    for key, item in filters.items():
        copies[key] = copy.copy(item)
        copies[key].values = list(item.values)
        copies[key].queue = Queue()
        for value in list(item.queue.queue):
            copies[key].queue.put_nowait(value)
    return copies
