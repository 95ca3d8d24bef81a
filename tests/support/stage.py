"""A chain with the contracts on it and the cast around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import eth_abi
from eth_account import Account
from web3 import Web3

from perun.crypto import SecretKey
from perun.types import ETH
from populus.chain import AnvilChain, TesterChain
from populus.chain.tester import HD_PATH, MNEMONIC
from populus.exceptions import ContractReverted
from populus.reverts import TesterFailure
from tests.support import plain
from tests.support.clock import clock_of
from tests.support.contracts import Deployed, Event, Interface, Log, Receipt
from tests.support.parties import Party, session_key

FOREVER = 2**40 - 1
"""Greatest `validUntil`."""

MOST = 2**111 - 1
"""Greatest amount."""

HOUR = 3600

ETHER = 10**18

GAS = 5_000_000
"""Limit of a transaction that does not name one; given, so that nothing is estimated."""

_MAX_FEE = 10**11
_CAST = ("treasury", "alice", "bob", "ingrid", "mallory", "carol")


class Stage:
    """The four contracts of a deployment, a plain token, and six parties with keys and money.

    `treasury` deploys and gives; `carol` stands for anybody.
    """

    def __init__(self, chain: TesterChain | AnvilChain) -> None:
        self.chain = chain
        self.web3: Web3 = chain.web3
        self.clock = clock_of(chain)
        self.chain_id = self.web3.eth.chain_id
        self._interfaces: dict[str, Interface] = {}
        self._known: dict[bytes, Interface] = {}
        self._fees: Counter[bytes] = Counter()
        self._queue: list[tuple[Any, Any]] | None = None
        self.cast = tuple(self._party(index, name) for index, name in enumerate(_CAST))
        self.treasury, self.alice, self.bob, self.ingrid, self.mallory, self.carol = self.cast
        for party in self.cast:
            self._let_send(party.key)

        self.ms = self.deploy("MSContract")
        self.vpm = self.deploy("VPM")
        self.locks = self.deploy("HashTimeLock")
        self.signatures = self.deploy("LibSignatures")
        self.token = self.deploy_token("PlainToken", *self.cast[1:])
        self.ms_separator = plain.domain_separator(
            "Perun MSContract", self.chain_id, self.ms.address
        )
        self.vpm_separator = plain.domain_separator("Perun VPM", self.chain_id, self.vpm.address)
        self.locks_separator = plain.domain_separator(
            "Perun HashTimeLock", self.chain_id, self.locks.address
        )

    # ------------------------------------------------------------------ parties

    def _party(self, index: int, name: str) -> Party:
        Account.enable_unaudited_hdwallet_features()
        account = Account.from_mnemonic(MNEMONIC, account_path=f"{HD_PATH}/{index}")
        own = SecretKey(bytes(account.key))
        return Party(name, own.address, session_key(name), own)

    def _let_send(self, key: SecretKey) -> None:
        """Session keys may send transactions too; the node signs for them."""
        address = Web3.to_checksum_address(key.address)
        if isinstance(self.chain, AnvilChain):
            self.web3.provider.make_request("anvil_impersonateAccount", [address])
        else:
            self.chain.backend.add_account(key.secret)
        self.transact(self.treasury, key.address, b"", 10 * ETHER, 21_000)

    def party_at(self, account: bytes, like: Party) -> Party:
        """`like` with another account: a contract, say."""
        return Party(f"{like.name}'s {account.hex()[:6]}", account, like.key)

    # ------------------------------------------------------------------ contracts

    def interface(self, name: str) -> Interface:
        """The compiled contract of that name."""
        if name not in self._interfaces:
            self._interfaces[name] = Interface(name, self.compiled(name)["abi"])
        return self._interfaces[name]

    def deploy(self, name: str, *args: Any, value: int = 0) -> Deployed:
        """A new contract, by the treasury."""
        interface = self.interface(name)
        code = bytes.fromhex(self.compiled(name)["bytecode"].removeprefix("0x"))
        inputs = next((e["inputs"] for e in interface.abi if e["type"] == "constructor"), [])
        code += eth_abi.encode([item["type"] for item in inputs], list(args))
        transaction = self._transaction(self.treasury, None, code, value, 16_000_000)
        receipt = self.web3.eth.get_transaction_receipt(self.web3.eth.send_transaction(transaction))
        return self.at_address(name, bytes.fromhex(str(receipt["contractAddress"])[2:]))

    def at_address(self, name: str, address: bytes) -> Deployed:
        """The contract that is there already."""
        self._known[address] = self.interface(name)
        return Deployed(self, self.interface(name), address)

    def deploy_token(self, name: str, *holders: Party) -> Deployed:
        """A token of `tests/contracts/Tokens.sol`; treasury and holders own 10**27, approved."""
        token = self.deploy(name)
        for party in (self.treasury, *holders):
            token.send(party, "mint", party.account, 10**27)
            token.send(party, "approve", self.ms.address, 2**256 - 1)
        return token

    def compiled(self, name: str) -> Mapping[str, Any]:
        """Everything the compiler said about a contract."""
        return self.chain.project.compiled_contract_data[name]

    # ------------------------------------------------------------------ time

    @property
    def now(self) -> int:
        """Timestamp of the newest block; the next one is a second later unless `at` says more."""
        return self.clock.now()

    def at(self, timestamp: int) -> None:
        """The next transaction is mined at this second."""
        self.clock.at(timestamp)

    def wait_until(self, timestamp: int) -> None:
        """Mine an empty block at this second, so that calls see it."""
        self.clock.at(timestamp)
        self.clock.mine()

    @contextmanager
    def one_block(self, timestamp: int) -> Iterator[None]:
        """What is sent in this context is mined in one block at this second, and must succeed.

        The receipts of the transactions are empty; only eth-tester can do it.
        """
        assert isinstance(self.chain, TesterChain)
        self.at(timestamp)
        self._queue = queue = []
        try:
            yield
        finally:
            self._queue = None
            self.clock.mine()
        for by, sent in queue:
            assert self._receipt(by, sent)["status"] == 1
        assert self.now == timestamp

    # ------------------------------------------------------------------ money

    def balance(self, asset: bytes, who: Any) -> int:
        """What an account has, in the asset's smallest unit, its fees so far not counted."""
        account = address_of(who)
        if asset != ETH:
            return int(self.at_address("PlainToken", asset).ask("balanceOf", account))
        return self.web3.eth.get_balance(Web3.to_checksum_address(account)) + self._fees[account]

    def credit(self, asset: bytes, who: Any) -> int:
        """An account's credit in MSContract."""
        return int(self.ms.ask("credit", asset, address_of(who)))

    def gains(self, asset: bytes, *who: Any) -> Callable[[], tuple[int, ...]]:
        """Start watching balances; calling the result says how much each has risen, fees apart."""
        before = [self.balance(asset, one) for one in who]
        return lambda: tuple(
            self.balance(asset, one) - had for one, had in zip(who, before, strict=True)
        )

    # ------------------------------------------------------------------ transactions

    def transact(self, by: Any, to: bytes, data: bytes, value: int, gas: int | None) -> Receipt:
        """Send and wait; see `Deployed.send`."""
        if self._queue is not None:
            self._queue.append((by, self._send_pending(by, to, data, value, gas or GAS)))
            return Receipt(0, 0, ())
        tip = self._tip()
        try:
            sent = self.web3.eth.send_transaction(
                self._transaction(by, to, data, value, gas or GAS)
            )
        except ContractReverted:
            if self._tip() != tip:  # a failed transaction costs its fee all the same
                self._receipt(by, self.web3.eth.get_block("latest")["transactions"][-1])
            raise
        receipt = self._receipt(by, sent)
        events = (self._read(log) for log in receipt["logs"])
        logs = tuple(
            Log(
                bytes.fromhex(log["address"][2:]),
                tuple(bytes(topic) for topic in log["topics"]),
                bytes(log["data"]),
            )
            for log in receipt["logs"]
        )
        found = tuple(event for event in events if event)
        return Receipt(receipt["gasUsed"], self.now, found, logs)

    def _send_pending(self, by: Any, to: bytes, data: bytes, value: int, gas: int) -> bytes:
        """Into the block in preparation, which eth-tester's own interface cannot do twice."""
        sender, backend = address_of(by), self.chain.backend
        nonce = backend.get_nonce(sender)
        nonce += sum(address_of(other) == sender for other, _ in self._queue or ())
        fees = {"max_fee_per_gas": _MAX_FEE, "max_priority_fee_per_gas": 1}
        message = {"from": sender, "to": to, "data": data, "value": value, "gas": gas}
        return bytes(backend.send_transaction({**message, **fees, "nonce": nonce}))

    def _tip(self) -> Any:
        """Changes with every block; not asked for on anvil."""
        return None if isinstance(self.chain, AnvilChain) else self.chain.fingerprint()[0]

    def _receipt(self, by: Any, sent: Any) -> Any:
        receipt = self.web3.eth.get_transaction_receipt(sent)
        self._fees[address_of(by)] += receipt["gasUsed"] * receipt["effectiveGasPrice"]
        return receipt

    def call(self, by: Any, to: bytes, data: bytes, gas: int | None) -> bytes:
        """Ask without changing anything; see `Deployed.ask`."""
        sender, limit = address_of(by or self.treasury), gas or 16_000_000
        if isinstance(self.chain, TesterChain):  # without web3: half the time, and tests ask a lot
            asked = {"from": sender, "to": to, "data": data, "gas": limit, "value": 0}
            try:
                return bytes(self.chain.backend.call(asked))
            except TesterFailure as error:
                raise self.chain.errors.decode(error.data, str(error)) from None
        addresses = {
            "from": Web3.to_checksum_address(sender),
            "to": Web3.to_checksum_address(to),
        }
        return bytes(self.web3.eth.call({**addresses, "data": data, "gas": limit}))

    def _transaction(
        self, by: Any, to: bytes | None, data: bytes, value: int, gas: int
    ) -> dict[str, Any]:
        transaction: dict[str, Any] = {
            "from": Web3.to_checksum_address(address_of(by)),
            "data": data,
            "value": value,
            "gas": gas,
            "maxFeePerGas": _MAX_FEE,
            "maxPriorityFeePerGas": 1,
        }
        if to is not None:
            transaction["to"] = Web3.to_checksum_address(to)
        return transaction

    def _read(self, log: Any) -> Event | None:
        interface = self._known.get(bytes.fromhex(log["address"][2:]))
        return interface.read(log) if interface else None


def address_of(who: Any) -> bytes:
    """20 bytes: a party's account, a key's, a contract's, or the address itself."""
    if isinstance(who, Party):
        return who.account
    return who if isinstance(who, bytes) else bytes(who.address)
