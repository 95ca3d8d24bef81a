"""py-evm behind eth-tester, made quick and repeatable.

Time is the chain's own: the first block has a fixed date and each block is one second later, so no
test depends on the clock. Calls and estimates cost their sender nothing, failures keep their data,
and a snapshot is put back without running its last block again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth.estimators.gas import binary_gas_search
from eth.exceptions import Revert, VMError
from eth.vm.spoof import SpoofTransaction
from eth_tester import PyEVMBackend
from eth_tester.backends.pyevm.main import (
    _get_block_by_number,
    get_default_genesis_params,
)

from populus.reverts import TesterFailure

__all__ = ["GENESIS_TIMESTAMP", "HD_PATH", "MIN_GAS", "MNEMONIC", "TesterBackend"]

# The well-known test mnemonic of anvil and others: the same ten accounts on both chains.
MNEMONIC = "test test test test test test test test test test test junk"
HD_PATH = "m/44'/60'/0'/0"

GENESIS_TIMESTAMP = 1_767_225_600  # 2026-01-01 00:00:00 UTC
BLOCK_GAS_LIMIT = 30_000_000
MIN_GAS = 21_000  # what every transaction takes
ESTIMATE_TOLERANCE = 1_000  # gas; web3 adds a buffer of 100,000 of its own
_GENESIS_PARENT = 32 * b"\x00"
_FEES = ("gas_price", "max_fee_per_gas", "max_priority_fee_per_gas")


Watcher = Callable[[bytes, bytes, bool, int], None]
"""Told of each transaction that succeeds: code of the contract, data, whether it made it, gas."""


class TesterBackend(PyEVMBackend):  # type: ignore[misc]
    """py-evm behind eth-tester, keeping the result of the last transaction."""

    def __init__(self, timestamp: int = GENESIS_TIMESTAMP, accounts: int = 10) -> None:
        self._timestamp = timestamp
        self.last_failure: TesterFailure | None = None
        self.watcher: Watcher | None = None
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
            used = chain.header.gas_used
            result = apply(transaction)
            block, _, computation = result
            self.last_failure = failure(computation.error) if computation.is_error else None
            if self.watcher is not None and not computation.is_error:
                self._tell(self.watcher, transaction, computation, block.header.gas_used - used)
            return result

        chain.create_header_from_parent = create_header_from_parent
        chain.apply_transaction = apply_transaction
        head = chain.get_canonical_head()
        chain.header = chain.create_header_from_parent(head)

    def _tell(self, watcher: Watcher, transaction: Any, computation: Any, gas: int) -> None:
        message = computation.msg
        code = computation.output if message.is_create else message.code
        watcher(bytes(code), bytes(transaction.data), message.is_create, gas)

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
        free = self._free({**transaction, "gas": MIN_GAS}, "latest")
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
