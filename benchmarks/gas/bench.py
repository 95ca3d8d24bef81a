"""One prepared chain: contracts that others already use, and parties that already have money.

Everything that differs from party to party or from channel to channel is a hash of the bench's seed
and a word, so that a bench is the same wherever and whenever it is built. Seed 0 is the one of the
table; other seeds show how far keys, nonces and ids move a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from eth_account import Account
from eth_utils.abi import abi_to_signature
from hexbytes import HexBytes

from benchmarks.gas.nodes import Node
from perun.bindings.abi import encode_call
from perun.bindings.access import worth_listing
from perun.bindings.calls import Access, Call, listed
from perun.crypto import SecretKey, keccak
from perun.crypto.interop import checksum
from perun.encoding import (
    MSContractDomain,
    VPMDomain,
    ms_contract_domain,
    vpm_domain,
)
from perun.testing.owners import Owner
from perun.types import ETH, Address, Asset, ChainId, Wei

ETHER = 10**18
PLENTY = 2**256 - 1
START = 0x77777777
"""2033-07-07, unix time of a row's first block: later than the clock of anvil, no zero byte."""
BLOCK_SECONDS = 12

_GAS = 16_000_000
_FEES = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
_CONTRACTS = ("LibSignatures", "MSContract", "VPM", "HashTimeLock", "StandardToken")


class Bench:
    """Contracts, parties, and the time; sends transactions and reads their gas from receipts."""

    def __init__(self, node: Node, seed: int = 0) -> None:
        self.node = node
        self.seed = seed
        self.web3 = node.chain.web3
        self.now = START + seed * 0x00010101
        self.alice, self.bob, self.ingrid, self.stranger = map(
            self.owner, ("alice", "bob", "ingrid", "stranger")
        )
        self._deployer = self.secret("deployer")
        self.deployments: dict[str, int] = {}
        self._sent: Counter[Address] = Counter()
        self._block_time = self.now
        self.addresses: dict[str, Address] = {}
        self._abis: dict[str, dict[str, str]] = {}
        self._prepare()

    # -- what is drawn -------------------------------------------------------------------------

    def hash(self, word: str) -> bytes:
        """32 bytes that stand for randomness."""
        return keccak(f"gas {self.seed} {word}".encode())

    def secret(self, word: str) -> SecretKey:
        """A private key."""
        return SecretKey(self.hash(f"secret {word}"))

    def owner(self, name: str) -> Owner:
        """Account and session key of a name."""
        account = self.secret(f"{name} account")
        return Owner(name, account.address, self.secret(f"{name} key"), account)

    # -- preparing -----------------------------------------------------------------------------

    def _prepare(self) -> None:
        parties = (self.alice, self.bob, self.ingrid, self.stranger)
        web3 = self.web3
        bank = web3.eth.accounts[0]
        for account in (*(party.account for party in parties), self._deployer.address):
            self._tick()
            to, wealth = checksum(account), web3.to_wei(1_000, "ether")
            web3.eth.send_transaction({"from": bank, "to": to, "value": wealth})
        for name in _CONTRACTS:
            self.deploy(name)
        for party in parties:
            self.call("StandardToken", "mint", party.account, 1000 * ETHER)(party)
            self.call("StandardToken", "approve", self.addresses["MSContract"], PLENTY)(party)
        # Somebody else's channels: the contract holds money that is not the row's.
        for asset, value in ((ETH, ETHER), (self.token, 0)):
            deposit = (asset, self.hash("other channel"), False, ETHER, self.now + 600)
            self.call("MSContract", "deposit", *deposit, value=value)(self.stranger)

    def code(self, name: str) -> bytes:
        """Creation code; no contract of ours takes arguments."""
        return bytes(HexBytes(self.node.chain.provider.get_contract_data(name)["bytecode"]))

    def runtime_code(self, name: str) -> bytes:
        """What is deployed, but for immutable values."""
        return bytes(HexBytes(self.node.chain.provider.get_contract_data(name)["bytecode_runtime"]))

    def deploy(self, name: str) -> None:
        """Puts a contract on the chain, to be called by its name."""
        factory = self.node.chain.provider.get_contract_factory(name)
        self._abis[name] = {
            entry["name"]: abi_to_signature(entry)
            for entry in factory.abi
            if entry["type"] == "function"
        }
        receipt = self._transact(self._deployer, None, self.code(name), 0)
        self.addresses[name] = Address(bytes.fromhex(receipt["contractAddress"][2:]))
        self.deployments[name] = receipt["gasUsed"]

    @property
    def token(self) -> Asset:
        return Asset(self.addresses["StandardToken"])

    @cached_property
    def domain(self) -> MSContractDomain:
        return ms_contract_domain(self._chain_id, self.addresses["MSContract"])

    @cached_property
    def vpm_domain(self) -> VPMDomain:
        return vpm_domain(self._chain_id, self.addresses["VPM"])

    @property
    def chain_id(self) -> ChainId:
        """For domains of contracts that a row deploys itself."""
        return self._chain_id

    @cached_property
    def _chain_id(self) -> ChainId:
        return ChainId(self.web3.eth.chain_id)

    # -- sending -------------------------------------------------------------------------------

    def _tick(self) -> None:
        self.now += BLOCK_SECONDS
        self._block_time = self.now
        self.node.next_block_at(self.now)

    def later(self, seconds: int) -> None:
        """Lets time pass before the next transaction."""
        self.now += seconds

    def call(self, contract: str, function: str, *arguments: Any, value: int = 0) -> Sending:
        """A transaction that waits for its sender."""
        data = encode_call(self._abis[contract][function], *arguments)
        return Sending(self, self.addresses[contract], data, value)

    def pay(self, to: Address, value: int) -> Sending:
        """A plain transfer."""
        return Sending(self, to, b"", value)

    def _transact(
        self,
        sender: SecretKey,
        to: Address | None,
        data: bytes,
        value: int,
        access: Sequence[Access] = (),
    ) -> dict[str, Any]:
        self._tick()
        transaction = {
            "chainId": self._chain_id,
            "nonce": self._sent[sender.address],
            "gas": _GAS,
            "value": value,
            "data": data,
            **_FEES,
        }
        if to is not None:
            transaction["to"] = checksum(to)
        if access:
            transaction["accessList"] = listed(access)
        self._sent[sender.address] += 1
        signed = Account.sign_transaction(transaction, sender.secret)
        hashed = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        receipt: Any = self.web3.eth.wait_for_transaction_receipt(hashed, 10, 0.002)
        if receipt["status"] != 1:
            raise RuntimeError(f"a measured transaction reverted: 0x{hashed.hex()}")
        return dict(receipt)

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Puts chain and time back afterwards: every row starts from the same block."""
        now, sent = self.now, Counter(self._sent)
        with self.node.isolated():
            yield
            mined = self.web3.eth.get_block("latest")["timestamp"]
            if mined != self._block_time:
                raise RuntimeError(f"the last block is of {mined}, not of {self._block_time}")
        self.now, self._sent = now, sent


class Sending:
    """A prepared call; called with a party, it is sent from that account and tells its gas."""

    def __init__(
        self, bench: Bench, to: Address, data: bytes, value: int, touched: Sequence[Access] = ()
    ) -> None:
        self._bench = bench
        self._to = to
        self._data = data
        self._value = value
        self._touched = touched

    def touching(self, *touched: Access) -> Sending:
        """The same with an access list of what of this pays (EIP-2930)."""
        return Sending(self._bench, self._to, self._data, self._value, touched)

    def __call__(self, sender: Owner) -> int:
        call = Call(self._to, self._data, Wei(self._value))
        access = worth_listing(call, sender.account, self._touched, gas=_GAS)
        carried = (self._to, self._data, self._value, access)
        return int(self._bench._transact(sender.account_key, *carried)["gasUsed"])
