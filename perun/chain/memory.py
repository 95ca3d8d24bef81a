"""A whole chain inside this process: eth-tester on py-evm, with a clock of its own.

Nothing outside Python is needed. Blocks are made when told, or with each transaction; each is one
second later than the one before unless told otherwise, so that the same story is the same chain.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

from eth.exceptions import Revert
from eth.vm.spoof import SpoofTransaction
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.backends.pyevm.main import get_default_genesis_params
from eth_tester.exceptions import TransactionFailed
from eth_typing import BlockNumber
from msgspec.structs import replace
from web3 import EthereumTesterProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from perun.bindings.logs import Log, from_web3
from perun.bindings.translation import translated
from perun.chain.endpoint import Block, fits
from perun.chain.rpc import RpcEndpoint
from perun.crypto import SecretKey
from perun.types import Address, UnixTime

__all__ = ["GENESIS_TIME", "MNEMONIC", "MemoryChain", "rich_key"]

MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The well-known one of development chains: its ten keys are public, and rich here."""

GENESIS_TIME: Final = UnixTime(1_767_225_600)
"""2026-01-01 00:00:00 UTC."""

_HD_PATH: Final = "m/44'/60'/0'/0"
_MOST_GAS: Final = 16_000_000
_BLOCK_GAS: Final = 30_000_000


def rich_key(index: int) -> SecretKey:
    """The key of one of the ten rich accounts of development chains, this one and anvil."""
    seed = seed_from_mnemonic(MNEMONIC, "")
    return SecretKey(bytes(key_from_seed(seed, f"{_HD_PATH}/{index}")))


class _OneAtATime(EthereumTesterProvider):
    """eth-tester is not made for threads."""

    def __init__(self, tester: EthereumTester) -> None:
        super().__init__(tester)
        self._lock = threading.RLock()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        with self._lock:
            return super().make_request(method, params)


class _OwnTime(PyEVMBackend):  # type: ignore[misc]  # eth_tester has no types
    """py-evm with a clock of the chain's own: a block is a second later than the one before."""

    def __init__(self) -> None:
        state = PyEVMBackend.generate_genesis_state(
            mnemonic=MNEMONIC, num_accounts=10, hd_path=_HD_PATH
        )
        parameters = get_default_genesis_params(
            {"timestamp": GENESIS_TIME, "gas_limit": _BLOCK_GAS}
        )
        super().__init__(parameters, state, None, MNEMONIC, _HD_PATH)

    def reset_to_genesis(self, *arguments: Any, **named: Any) -> None:
        """Called by the constructor; from here on headers are made our way."""
        super().reset_to_genesis(*arguments, **named)
        chain = self.chain
        from_parent = chain.create_header_from_parent

        def create_header_from_parent(parent: Any, **fields: Any) -> Any:
            fields.setdefault("timestamp", parent.timestamp + 1)
            return from_parent(parent, **fields)

        chain.create_header_from_parent = create_header_from_parent
        chain.header = chain.create_header_from_parent(chain.get_canonical_head())

    def estimate_gas(self, transaction: Any, block_number: Any = "latest") -> Any:
        """Gas in a block at the chain's next second; eth-tester would take our own clock's."""
        header = self.chain.header
        state = self.chain.get_vm(at_header=header.copy(base_fee_per_gas=0)).state
        plain = {name: transaction[name] for name in transaction if "fee" not in name}
        plain |= {"gas": _MOST_GAS, "max_fee_per_gas": 0, "max_priority_fee_per_gas": 0}

        def run(gas: int) -> Any:
            unsigned = self._get_normalized_and_unsigned_evm_transaction(
                {**plain, "gas": gas}, block_number
            )
            spoofed = SpoofTransaction(unsigned, from_=transaction["from"])
            snapshot = state.snapshot()
            try:
                return state.apply_transaction(spoofed)
            finally:
                state.revert(snapshot)

        done = run(_MOST_GAS)
        if done.is_error:
            error = done.error
            data = error.args[0] if isinstance(error, Revert) and error.args else b""
            # How web3's provider shows the data of a revert, which `perun.bindings` reads.
            raise TransactionFailed(str(data) if data else type(error).__name__)
        # What it used; more while that is not enough, as when calls keep a 64th back (EIP-150).
        gas = int(_MOST_GAS - done.get_gas_remaining())
        while gas < _MOST_GAS and run(gas).is_error:
            gas = min(gas + gas // 8, _MOST_GAS)
        return gas


class _Remembering(RpcEndpoint):
    """This chain never takes a block back, so what a block holds is asked for once, for all.

    eth-tester takes tens of milliseconds to find logs, and its users look at every block.
    """

    def __init__(self, chain: MemoryChain) -> None:
        super().__init__(chain.web3, finality_tag=False)
        self._chain = chain

    def block(self, number: int | None = None) -> Block | None:
        """See `Reading`."""
        newest = self._chain.height
        if number is None:
            number = newest
        if number > newest:
            return None
        known = self._chain.blocks.get(number)
        if known is None:
            known = self._chain.blocks[number] = super().block(number)
        return known

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """See `Reading`."""
        found: list[Log] = []
        for number in range(first, min(last, self._chain.height) + 1):
            known = self._chain.logs.get(number)
            if known is None:
                with translated():
                    asked = self.web3.eth.get_logs(
                        {"fromBlock": BlockNumber(number), "toBlock": BlockNumber(number)}
                    )
                # eth-tester counts logs anew in each transaction; they come in order.
                known = self._chain.logs[number] = tuple(
                    replace(from_web3(log), index=place) for place, log in enumerate(asked)
                )
            found += known
        return tuple(log for log in found if log.address in addresses and fits(log, topics))

    def logs_of(self, addresses: Sequence[Address], block: Block) -> tuple[Log, ...]:
        """See `Reading`."""
        return self.logs(addresses, block.number, block.number)


class MemoryChain:
    """An eth-tester chain with ten rich accounts; gone with the process."""

    def __init__(self, *, automine: bool = True) -> None:
        """Starts it.

        Args:
            automine: whether each transaction gets a block at once; else `mine` makes them.
        """
        self._tester = EthereumTester(_OwnTime(), auto_mine_transactions=automine)
        self.web3 = Web3(_OneAtATime(self._tester))
        self.blocks: dict[int, Block | None] = {}
        self.logs: dict[int, tuple[Log, ...]] = {}

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return int(self._tester.backend.chain.get_canonical_head().block_number)

    def set_automine(self, wanted: bool) -> None:
        """Whether each transaction gets a block at once."""
        if wanted:
            self._tester.enable_auto_mine_transactions()
        else:
            self._tester.disable_auto_mine_transactions()

    def endpoint(self) -> RpcEndpoint:
        """For a `ChainService`; several may share the chain."""
        return _Remembering(self)

    def mine(self, blocks: int = 1, *, at: UnixTime | None = None) -> None:
        """Makes blocks; the first at time `at`, which must lie ahead."""
        if at is not None:
            chain = self._tester.backend.chain
            chain.header = chain.header.copy(timestamp=at)
        self._tester.mine_blocks(blocks)
