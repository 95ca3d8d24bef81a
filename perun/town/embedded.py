"""A chain in a process of ours, for machines without anvil: py-evm, blocks kept in a file.

It has the ten rich accounts of development chains, chain id 31337 and the rules of Prague. A block
is on disk before anybody sees it: killed at any moment, the chain never goes back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from eth.abc import BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.db.schema import SchemaV1
from eth.exceptions import Revert
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_utils.exceptions import ValidationError

from perun.chain.memory import rich_key
from perun.town import show
from perun.town.block_file import BlockFile

__all__ = ["CHAIN_ID", "FINAL", "EmbeddedChain", "Failed"]

CHAIN_ID: Final = 31_337
FINAL: Final = 2
"""So many blocks after it, a block counts as final."""

_RICH: Final = 10**24
_BLOCK_GAS: Final = 30_000_000
_MOST_GAS: Final = 16_000_000
_MOST_WAITING: Final = 1_000
_FILE: Final = "chain.sqlite"


class Failed(Exception):  # as JSON-RPC has it
    """A question or transaction that the chain refuses, as a JSON-RPC error."""

    def __init__(self, reason: str, data: bytes | None = None) -> None:
        super().__init__(reason)
        self.code = -32_000 if data is None else 3
        self.data = data


class _Chain(MiningChain):
    chain_id = CHAIN_ID
    vm_configuration = ((0, PragueVM),)  # type: ignore[assignment]

    def create_header_from_parent(self, parent_header: Any, **fields: Any) -> BlockHeaderAPI:
        """The gas limit stays."""
        fields["gas_limit"] = parent_header.gas_limit
        return super().create_header_from_parent(parent_header, **fields)


class EmbeddedChain:
    """One thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Opens the chain in a folder, or makes it.

        Raises:
            sqlite3.Error: its file cannot be read or written.
        """
        self.keys = [rich_key(index) for index in range(10)]
        self.file = BlockFile(folder / _FILE)
        base = AtomicDB(self.file.states)
        if self.file.states.exists(SchemaV1.make_canonical_head_hash_lookup_key()):
            self._chain = _Chain(base)
        else:
            with self.file.block():
                self._chain = self._make(base)
                self._keep(self._chain.get_canonical_head(), (), ())
        self.pool: dict[tuple[bytes, int], SignedTransactionAPI] = {}
        """By sender and nonce."""

    def close(self) -> None:
        """Lets go of the file."""
        self.file.close()

    def _make(self, base: AtomicDB) -> _Chain:
        params = {"difficulty": 0, "gas_limit": _BLOCK_GAS, "timestamp": int(time.time())}
        account = {"balance": _RICH, "nonce": 0, "code": b"", "storage": {}}
        state = {key.public_key.address: account for key in self.keys}
        made: Any = _Chain.from_genesis(base, params, state)  # type: ignore[arg-type]
        return made  # type: ignore[no-any-return]

    # --------------------------------------------------------------------------------- looking

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return int(self._chain.get_canonical_head().block_number)

    def state(self, number: int) -> StateAPI:
        """The world after a block."""
        header = self._chain.get_canonical_block_header_by_number(number)  # type: ignore[arg-type]
        return self._chain.get_vm(header).state

    def next_nonce(self, account: bytes) -> int:
        """… counting what waits."""
        nonce = self.state(self.height).get_nonce(account)  # type: ignore[arg-type]
        while (account, nonce) in self.pool:
            nonce += 1
        return int(nonce)

    def call(self, call: Mapping[str, Any], number: int) -> bytes:
        """What a call returns. Raises `Failed`."""
        done = self._run(self.state(number), call, call.get("gas", _MOST_GAS))
        _require(done)
        return bytes(done.output)

    def estimate(self, call: Mapping[str, Any]) -> int:
        """Gas that a call needs in the next block. Raises `Failed`."""
        header = self._next_header().copy(base_fee_per_gas=0)
        done = self._run(self._chain.get_vm(header).state, call, _MOST_GAS)
        _require(done)
        # What it used; more while that is not enough, as when calls keep a 64th back (EIP-150).
        gas = int(_MOST_GAS - done.get_gas_remaining())
        while gas < _MOST_GAS and self._is_too_little(header, call, gas):
            gas = min(gas + gas // 8, _MOST_GAS)
        return gas

    def _is_too_little(self, header: BlockHeaderAPI, call: Mapping[str, Any], gas: int) -> bool:
        try:
            return bool(self._run(self._chain.get_vm(header).state, call, gas).is_error)
        except Failed:
            return True  # less than a transaction costs before it does anything

    def _run(self, state: StateAPI, call: Mapping[str, Any], gas: int) -> Any:
        sender = call["from"]
        unsigned: Any = self._chain.get_vm().get_transaction_builder()
        unsigned = unsigned.new_unsigned_dynamic_fee_transaction(
            chain_id=CHAIN_ID,
            nonce=state.get_nonce(sender),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=state.base_fee,
            gas=gas,
            to=call["to"],
            value=call["value"],
            data=call["data"],
            access_list=(),
        )
        snapshot = state.snapshot()
        # Whoever asks needs no ether for gas.
        state.set_balance(sender, max(state.get_balance(sender), _RICH))
        try:
            return state.apply_transaction(SpoofTransaction(unsigned, from_=sender))  # type: ignore[arg-type]
        except ValidationError as error:
            raise Failed(str(error)) from None
        finally:
            state.revert(snapshot)

    # --------------------------------------------------------------------------------- changing

    def send(self, raw: bytes) -> bytes:
        """Takes a signed transaction into the pool; its hash. Raises `Failed`, as nodes word it."""
        try:
            builder: Any = self._chain.get_vm().get_transaction_builder()
            sent: Any = builder.decode(raw)
            sender = bytes(sent.sender)
            sent.validate()
        except Exception as error:
            raise Failed(f"invalid transaction: {error}") from None
        state = self.state(self.height)
        if sent.nonce < state.get_nonce(sender):  # type: ignore[arg-type]
            raise Failed("nonce too low")
        if sent.gas > _MOST_GAS:
            raise Failed("exceeds block gas limit")
        if state.get_balance(sender) < sent.value + sent.gas * sent.max_fee_per_gas:  # type: ignore[arg-type]
            raise Failed("insufficient funds for gas * price + value")
        before: Any = self.pool.get((sender, sent.nonce))
        if before is not None:
            if before.hash == sent.hash:
                raise Failed("already known")
            if sent.max_fee_per_gas * 10 < before.max_fee_per_gas * 11:
                raise Failed("replacement transaction underpriced")
        elif len(self.pool) >= _MOST_WAITING:
            raise Failed("the pool is full")
        self.pool[sender, sent.nonce] = sent
        return bytes(sent.hash)

    def waiting(self) -> int:
        """Transactions that could be in the next block."""
        state = self.state(self.height)
        return sum(state.get_nonce(sender) == nonce for sender, nonce in self.pool)  # type: ignore[arg-type]

    def mine(self) -> None:
        """A block of what waits, oldest first as nonces allow; on disk when this returns."""
        with self.file.block():
            self._chain.header = self._next_header()
            taken: list[SignedTransactionAPI] = []
            receipts: list[ReceiptAPI] = []
            for place in sorted(self.pool, key=lambda place: place[1]):
                try:
                    _, receipt, _ = self._chain.apply_transaction(self.pool[place])
                except ValidationError:
                    continue  # its turn has not come, or it bids too little
                taken.append(self.pool[place])
                receipts.append(receipt)
            block = self._chain.mine_block(mix_hash=os.urandom(32), blob_gas_used=0)
            self._keep(block.header, taken, receipts)
        state = self.state(self.height)
        self.pool = {
            place: sent
            for place, sent in self.pool.items()
            if place[1] >= state.get_nonce(place[0])  # type: ignore[arg-type]
        }

    def _next_header(self) -> BlockHeaderAPI:
        head = self._chain.get_canonical_head()
        now = max(int(time.time()), head.timestamp + 1)
        return self._chain.create_header_from_parent(head, timestamp=now)

    def _keep(
        self,
        header: BlockHeaderAPI,
        taken: Sequence[SignedTransactionAPI],
        receipts: Sequence[ReceiptAPI],
    ) -> None:
        """Writes a block as JSON-RPC shows it."""
        logs, used = 0, 0
        for index, (sent, receipt) in enumerate(zip(taken, receipts, strict=True)):
            place = show.place(header, sent, index)
            shown = show.receipt(header, sent, receipt, place, receipt.gas_used - used, logs)
            for log in shown["logs"]:
                self.file.put_log(header.block_number, logs, log)
                logs += 1
            used = receipt.gas_used
            self.file.put_receipt(
                place["transactionHash"], show.transaction(header, sent, place), shown
            )
        names = [show.data(sent.hash) for sent in taken]
        self.file.put_block(header.block_number, show.data(header.hash), show.block(header, names))


def _require(done: Any) -> None:
    if not done.is_error:
        return
    error = done.error
    if isinstance(error, Revert):
        raise Failed("execution reverted", bytes(done.output))
    raise Failed(f"execution failed: {type(error).__name__}")
