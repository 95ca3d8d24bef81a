"""Sending and asking, on eth-tester without web3 (tests do little else) and on anvil through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from web3 import Web3

from perun.crypto import SecretKey
from populus.chain import AnvilChain, TesterChain
from populus.exceptions import ContractReverted
from populus.reverts import TesterFailure
from tests.support.contracts import Log

MAX_FEE = 10**11  # wei per gas, more than any base fee here
TIP = 1  # wei per gas


@dataclass(frozen=True, slots=True)
class Mined:
    """What became of a transaction."""

    gas_used: int
    fee: int
    """Wei."""
    logs: tuple[Log, ...]
    contract: bytes | None
    """Address of what it created."""
    error: ContractReverted | None
    """Why it failed."""


class Wire(Protocol):
    """A way to a chain; accounts are 20 raw bytes."""

    def let_send(self, key: SecretKey) -> None:
        """Transactions may come from this key's address."""

    def send(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> Mined:
        """Mine a transaction in a block of its own; an empty `to` creates a contract."""

    def call(self, sender: bytes, to: bytes, data: bytes, gas: int) -> bytes:
        """Ask; raises `ContractReverted`."""

    def balance(self, account: bytes) -> int:
        """Wei."""


class TesterWire:
    """py-evm behind eth-tester: a third less time than the same through web3."""

    def __init__(self, chain: TesterChain) -> None:
        self._chain = chain
        self._backend = chain.backend

    def let_send(self, key: SecretKey) -> None:
        self._backend.add_account(key.secret)

    def send(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> Mined:
        sent = self.prepare(sender, to, data, value, gas, self._backend.get_nonce(sender))
        failed, self._backend.last_failure = self._backend.last_failure, None
        self._backend.mine_blocks(1)
        return self.mined(sent, failed)

    def prepare(
        self, sender: bytes, to: bytes, data: bytes, value: int, gas: int, nonce: int
    ) -> bytes:
        """Put a transaction into the block in preparation; its hash."""
        message = {"from": sender, "to": to, "data": data, "value": value, "gas": gas}
        fees = {"max_fee_per_gas": MAX_FEE, "max_priority_fee_per_gas": TIP}
        return bytes(self._backend.send_transaction({**message, **fees, "nonce": nonce}))

    def mined(self, sent: bytes, failed: TesterFailure | None = None) -> Mined:
        """What became of it."""
        receipt = self._backend.get_transaction_receipt(sent)
        error = self._chain.errors.decode(failed.data, str(failed)) if failed else None
        assert bool(receipt["status"]) == (error is None)
        gas_used = receipt["gas_used"]
        logs = tuple(
            Log(bytes(log["address"]), tuple(map(bytes, log["topics"])), bytes(log["data"]))
            for log in receipt["logs"]
        )
        created = receipt["contract_address"]
        fee = gas_used * receipt["effective_gas_price"]
        return Mined(gas_used, fee, logs, bytes(created) if created else None, error)

    def nonce(self, sender: bytes) -> int:
        """Of the next transaction."""
        return int(self._backend.get_nonce(sender))

    def call(self, sender: bytes, to: bytes, data: bytes, gas: int) -> bytes:
        asked = {"from": sender, "to": to, "data": data, "gas": gas, "value": 0}
        try:
            return bytes(self._backend.call(asked))
        except TesterFailure as error:
            raise self._chain.errors.decode(error.data, str(error)) from None

    def balance(self, account: bytes) -> int:
        return int(self._backend.get_balance(account))


class NodeWire:
    """anvil: it mines at once, and signs for accounts it does not have the keys of."""

    def __init__(self, chain: AnvilChain) -> None:
        self._web3: Web3 = chain.web3

    def let_send(self, key: SecretKey) -> None:
        request = [Web3.to_checksum_address(key.address)]
        self._web3.provider.make_request("anvil_impersonateAccount", request)

    def send(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> Mined:
        transaction: Any = {
            "from": Web3.to_checksum_address(sender),
            "data": data,
            "value": value,
            "gas": gas,
            "maxFeePerGas": MAX_FEE,
            "maxPriorityFeePerGas": TIP,
        }
        if to:
            transaction["to"] = Web3.to_checksum_address(to)
        error = None
        try:
            sent: bytes = self._web3.eth.send_transaction(transaction)
        except ContractReverted as failed:
            if failed.transaction_hash is None:
                raise
            error, sent = failed, failed.transaction_hash
        receipt = self._web3.eth.get_transaction_receipt(sent)
        logs = tuple(
            Log(_address(log["address"]), tuple(map(bytes, log["topics"])), bytes(log["data"]))
            for log in receipt["logs"]
        )
        created = receipt["contractAddress"]
        fee = receipt["gasUsed"] * receipt["effectiveGasPrice"]
        return Mined(receipt["gasUsed"], fee, logs, _address(created) if created else None, error)

    def call(self, sender: bytes, to: bytes, data: bytes, gas: int) -> bytes:
        who = Web3.to_checksum_address(sender)
        asked: Any = {"from": who, "to": Web3.to_checksum_address(to), "data": data, "gas": gas}
        return bytes(self._web3.eth.call(asked))

    def balance(self, account: bytes) -> int:
        return self._web3.eth.get_balance(Web3.to_checksum_address(account))


def wire_of(chain: TesterChain | AnvilChain) -> TesterWire | NodeWire:
    """The way to a running chain."""
    return NodeWire(chain) if isinstance(chain, AnvilChain) else TesterWire(chain)


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
