"""The chain in memory: eth-tester on py-evm, made quick and repeatable.

Three things differ from a plain eth-tester. Time is the chain's own: the first block has a fixed
date and each block is one second later, so no test depends on the clock. A transaction without gas
and fees gets them here, without an estimate, and is undone if it fails, as if an estimate had
refused it; one with gas is mined and then reported. A snapshot is put back without running its
last block again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING, Any, ClassVar

from eth.estimators.gas import binary_gas_search
from eth.exceptions import Revert, VMError
from eth.vm.spoof import SpoofTransaction
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.backends.pyevm.main import (
    _get_block_by_number,
    get_default_genesis_params,
)
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.middleware import Web3Middleware

from populus.chain.base import BaseChain, add_middleware
from populus.reverts import TesterFailure

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3.types import MakeRequestFn, RPCEndpoint, RPCResponse

__all__ = ["GENESIS_TIMESTAMP", "MNEMONIC", "TesterChain"]

# The well-known test mnemonic of anvil and others: the same ten accounts on both chains.
MNEMONIC = "test test test test test test test test test test test junk"
HD_PATH = "m/44'/60'/0'/0"

GENESIS_TIMESTAMP = 1_767_225_600  # 2026-01-01 00:00:00 UTC
BLOCK_GAS_LIMIT = 30_000_000
DEFAULT_GAS = 16_000_000  # given to transactions that name none; unused gas costs nothing
PRIORITY_FEE = 10**9  # wei per gas
_GENESIS_PARENT = 32 * b"\x00"
_MIN_GAS = 21_000
_FEES = ("gas_price", "max_fee_per_gas", "max_priority_fee_per_gas")
ESTIMATE_TOLERANCE = 1_000  # gas; web3 adds a buffer of 100,000 of its own


class TesterBackend(PyEVMBackend):  # type: ignore[misc]
    """py-evm behind eth-tester, keeping the result of the last transaction."""

    def __init__(self, timestamp: int = GENESIS_TIMESTAMP, accounts: int = 10) -> None:
        self._timestamp = timestamp
        self.last_failure: TesterFailure | None = None
        state = PyEVMBackend.generate_genesis_state(
            mnemonic=MNEMONIC, num_accounts=accounts, hd_path=HD_PATH
        )
        parameters = get_default_genesis_params(
            {"timestamp": timestamp, "gas_limit": BLOCK_GAS_LIMIT}
        )
        super().__init__(parameters, state, None, MNEMONIC, HD_PATH)

    def reset_to_genesis(self, *args: Any, **kwargs: Any) -> None:
        super().reset_to_genesis(*args, **kwargs)
        self._keys = {key.public_key.to_canonical_address(): key for key in self.account_keys}
        self._take_over(self.chain)

    def _take_over(self, chain: Any) -> None:
        """Make the chain count its own seconds and tell how each transaction ended."""
        from_parent, apply = chain.create_header_from_parent, chain.apply_transaction

        def create_header_from_parent(parent: Any, **params: Any) -> Any:
            params.setdefault("timestamp", parent.timestamp + 1)
            return from_parent(parent, **params)

        def apply_transaction(transaction: Any) -> Any:
            result = apply(transaction)
            computation = result[2]
            self.last_failure = failure(computation.error) if computation.is_error else None
            return result

        chain.create_header_from_parent = create_header_from_parent
        chain.apply_transaction = apply_transaction
        head = chain.get_canonical_head()
        chain.header = chain.create_header_from_parent(head)

    @property
    def _key_lookup(self) -> dict[bytes, Any]:
        return self._keys

    def add_account(self, private_key: bytes) -> None:
        super().add_account(private_key)
        key = self.account_keys[-1]
        self._keys[key.public_key.to_canonical_address()] = key

    def get_accounts(self) -> tuple[bytes, ...]:
        return tuple(self._keys)

    def revert_to_snapshot(self, snapshot: Any) -> None:
        header = self.chain.get_block_by_hash(snapshot).header
        chaindb = self.chain.chaindb
        chaindb._set_as_canonical_chain_head(chaindb.db, header, _GENESIS_PARENT)
        self.chain.header = self.chain.create_header_from_parent(header)

    def call(self, transaction: Any, block_number: Any = "latest") -> Any:
        """Run on the state after that block and, unlike eth-tester, without fees."""
        header = _get_block_by_number(self.chain, block_number).header
        free = self._free({"gas": header.gas_limit, **transaction}, block_number)
        state = self.chain.get_vm(at_header=header.copy(base_fee_per_gas=0)).state
        computation = state.apply_transaction(free)
        if computation.is_error:
            raise failure(computation.error)
        return computation.output

    def estimate_gas(self, transaction: Any, block_number: Any = "latest") -> Any:
        """Search the least gas, with the time and number of the block that comes next."""
        header = self.chain.header
        if block_number not in ("latest", "pending", "safe", "finalized"):
            header = _get_block_by_number(self.chain, block_number).header
        free = self._free({**transaction, "gas": _MIN_GAS}, "latest")
        state = self.chain.get_vm(at_header=header.copy(base_fee_per_gas=0)).state
        try:
            return binary_gas_search(state, free, tolerance=ESTIMATE_TOLERANCE)
        except VMError as error:
            raise failure(error) from None

    def _free(self, transaction: Any, block_number: Any) -> Any:
        """An unsigned transaction that costs its sender nothing but its value."""
        plain = {key: value for key, value in transaction.items() if key not in _FEES}
        plain |= {"max_fee_per_gas": 0, "max_priority_fee_per_gas": 0}
        unsigned = self._get_normalized_and_unsigned_evm_transaction(plain, block_number)
        return SpoofTransaction(unsigned, from_=transaction["from"])


def failure(error: BaseException) -> TesterFailure:
    """Revert data if a contract reverted; other failures of the EVM have a name only."""
    data = error.args[0] if isinstance(error, Revert) and error.args else b""
    # web3 looks for EIP-3668 lookups in the text of the bytes
    return TesterFailure(str(data) if data else type(error).__name__, bytes(data))


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
        return max(_MIN_GAS, min(DEFAULT_GAS, affordable))


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


class TesterChain(BaseChain):
    """`tester`: ten accounts with a million ether each, gone when the process ends."""

    setting_names: ClassVar[tuple[str, ...]] = ("accounts", "genesis_timestamp")
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
