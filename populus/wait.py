"""Waiting for the chain, always with an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from hexbytes import HexBytes
from requests.exceptions import RequestException
from web3.exceptions import TimeExhausted, TransactionNotFound

from populus.exceptions import DeploymentError, Timeout
from populus.reverts import ErrorTable, why_failed

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3
    from web3.types import BlockData, SyncStatus, TxReceipt

__all__ = ["Wait"]

T = TypeVar("T")


class Wait:
    """`chain.wait`: every method gives up after `timeout` seconds with `populus.Timeout`.

    `timeout` and `poll_interval`, both in seconds, can be set for all, or given to each call.
    """

    def __init__(
        self,
        web3: Web3,
        timeout: float = 120,
        poll_interval: float = 0.1,
        errors: ErrorTable | None = None,
    ) -> None:
        self.web3 = web3
        self.timeout = timeout
        self.poll_interval = poll_interval
        self._errors = errors or ErrorTable()

    def _until(
        self,
        what: str,
        ask: Callable[[], T | None],
        timeout: float | None,
        poll_interval: float | None,
    ) -> T:
        limit = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        while True:
            answer = ask()
            if answer is not None:
                return answer
            if time.monotonic() >= deadline:
                raise _too_late(what, limit)
            time.sleep(self._pause(poll_interval))

    def _pause(self, poll_interval: float | None) -> float:
        return self.poll_interval if poll_interval is None else poll_interval

    def for_receipt(
        self,
        txn_hash: HexBytes | bytes | str,
        timeout: float | None = None,
        poll_interval: float | None = None,
    ) -> TxReceipt:
        """The receipt of a transaction, once it is mined; a failed one has status 0."""
        limit = self.timeout if timeout is None else timeout
        try:
            return self.web3.eth.wait_for_transaction_receipt(
                HexBytes(txn_hash), limit, self._pause(poll_interval)
            )
        except TimeExhausted:
            raise _too_late(f"The receipt of {_shown(txn_hash)}", limit) from None

    def for_one_of(
        self,
        txn_hashes: Sequence[HexBytes],
        timeout: float | None = None,
        poll_interval: float | None = None,
    ) -> TxReceipt:
        """The receipt of whichever of these is mined, of which only one can be. A node that fails
        meanwhile is asked again: the transaction is on its way.

        Raises:
            ContractReverted: it was mined and failed.
        """

        def ask() -> TxReceipt | None:
            for txn_hash in txn_hashes:
                with suppress(TransactionNotFound, RequestException):
                    return self.web3.eth.get_transaction_receipt(txn_hash)
            return None

        shown = " or ".join(_shown(txn_hash) for txn_hash in txn_hashes)
        found = self._until(f"The receipt of {shown}", ask, timeout, poll_interval)
        return self._succeeded(found)

    def for_success(
        self,
        txn_hash: HexBytes | bytes | str,
        timeout: float | None = None,
        poll_interval: float | None = None,
    ) -> TxReceipt:
        """The receipt of a transaction that did what it should.

        Raises:
            ContractReverted: it was mined and failed.
        """
        return self._succeeded(self.for_receipt(txn_hash, timeout, poll_interval))

    def _succeeded(self, receipt: TxReceipt) -> TxReceipt:
        if receipt["status"] == 0:
            raise why_failed(self.web3, receipt, self._errors)
        return receipt

    def for_contract_address(
        self,
        txn_hash: HexBytes | bytes | str,
        timeout: float | None = None,
        poll_interval: float | None = None,
    ) -> ChecksumAddress:
        """Address of the contract a transaction created."""
        address = self.for_success(txn_hash, timeout, poll_interval)["contractAddress"]
        if address is None:
            raise DeploymentError(f"Transaction {_shown(txn_hash)} created no contract.")
        return address

    def for_block(
        self,
        block_number: int = 1,
        timeout: float | None = None,
        poll_interval: float | None = None,
    ) -> BlockData:
        """The latest block, once its number is at least `block_number`."""

        def ask() -> BlockData | None:
            block = self.web3.eth.get_block("latest")
            return block if block["number"] >= block_number else None

        return self._until(f"Block {block_number}", ask, timeout, poll_interval)

    def for_peers(
        self,
        peer_count: int = 1,
        timeout: float | None = None,
        poll_interval: float | None = None,
    ) -> int:
        """How many peers the node has, once they are at least `peer_count`."""

        def ask() -> int | None:
            found = self.web3.net.peer_count
            return found if found >= peer_count else None

        return self._until(f"{peer_count} peers", ask, timeout, poll_interval)

    def for_syncing(
        self, timeout: float | None = None, poll_interval: float | None = None
    ) -> SyncStatus:
        """How far the node is, once it has begun to catch up."""

        def ask() -> SyncStatus | None:
            found = self.web3.eth.syncing
            return None if isinstance(found, bool) else found

        return self._until("The start of syncing", ask, timeout, poll_interval)


def _too_late(what: str, seconds: float) -> Timeout:
    return Timeout(f"{what} did not come within {seconds:g} seconds.")


def _shown(txn_hash: HexBytes | bytes | str) -> str:
    return txn_hash if isinstance(txn_hash, str) else "0x" + bytes(txn_hash).hex()
