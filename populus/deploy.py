"""Deployments: in order, linked, checked before and after, resumed where they stopped.

The transaction's hash is written down before it is sent and the address once its code is verified,
so that a second run finds out what the first one did, wherever that ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound

from populus.arguments import typed_arguments, used_contracts
from populus.contracts.exceptions import BytecodeMismatch, NoKnownAddress
from populus.exceptions import ContractReverted, DeploymentError, Timeout

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3.types import TxReceipt

    from populus.chain.base import BaseChain

__all__ = ["Deployed", "Deployment"]

_GAS_MARGIN = 1.1  # over the estimate; unused gas is not paid
_PENDING = "pending"  # registrar: name -> transaction sent, receipt not seen
_CREATED = "created"  # registrar: address -> hash of the code and arguments it was created with


@dataclass(frozen=True, slots=True)
class Deployed:
    """A contract that stands. `transaction` is None if it stood before."""

    name: str
    address: ChecksumAddress
    transaction: HexBytes | None = None
    gas: int = 0
    fee: int = 0  # wei


class Deployment:
    """Deploys contracts of a project to a running chain."""

    def __init__(
        self,
        chain: BaseChain,
        arguments: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda _: None,
        wait_seconds: float = 600,
    ) -> None:
        self.chain = chain
        self.arguments = dict(arguments or {})
        self.say = say
        self.wait_seconds = wait_seconds
        self._names = sorted(chain.provider.get_all_contract_names())

    # -- what, and in which order ----------------------------------------------------------

    def order(self, names: Sequence[str]) -> list[str]:
        """`names` and all they need, each after what it needs."""
        ordered: list[str] = []

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                raise DeploymentError(
                    f"{' needs '.join([*above[above.index(name) :], name])}: none can be first."
                )
            if name not in ordered:
                for needed in self._needs(name):
                    visit(needed, (*above, name))
                ordered.append(name)

        for name in names:
            visit(name, ())
        return ordered

    def _needs(self, name: str) -> list[str]:
        data = self.chain.provider.get_contract_data(name)
        if data["bytecode"] == "0x":
            raise DeploymentError(
                f"{name} is abstract or an interface: there is nothing to deploy."
            )
        used = used_contracts(data, self.arguments.get(name), self._names)
        return [*data["direct_dependencies"], *used]

    # -- doing it --------------------------------------------------------------------------

    def run(self, names: Sequence[str]) -> list[Deployed]:
        """Deploy what is missing.

        Raises:
            DeploymentError: before anything is sent if arguments or account will not do.
            ContractReverted: a constructor refused.
        """
        for name in self.arguments:
            self.chain.provider.get_contract_data(name)
        ordered = self.order(names)
        self._check_account()
        return [self._one(name) for name in ordered]

    def _check_account(self) -> None:
        if self.chain.sender_problem is not None:
            raise self.chain.sender_problem
        account = self.chain.web3.eth.default_account
        if not isinstance(account, str):
            raise DeploymentError(
                f"The chain {self.chain.chain_name!r} has no account to deploy from.",
                f"Set chains.{self.chain.chain_name}.web3.eth.private_key to "
                '"${NAME}", and NAME in the environment.',
            )

    def _one(self, name: str) -> Deployed:
        data = self.chain.provider.get_contract_data(name)
        values = typed_arguments(
            data,
            self.arguments.get(name),
            self.chain.provider.get_contract_address,
            self._names,
        )
        factory = self.chain.provider.get_contract_factory(name)
        code = HexBytes(factory.constructor(*values).data_in_transaction)
        identity = "0x" + keccak(code).hex()
        standing = self._standing(name, identity)
        if standing is not None:
            self.say(f"{name} stands at {standing} already: nothing sent.")
            return Deployed(name, standing)
        self.say(f"Deploying {name}")
        transaction, receipt = self._resumed(name, identity) or self._sent(name, code, identity)
        return self._record(name, identity, transaction, receipt)

    def _standing(self, name: str, identity: str) -> ChecksumAddress | None:
        """The address at which this very code was created with these very arguments."""
        try:
            addresses = self.chain.registrar.get_contract_addresses(name)
        except NoKnownAddress:
            return None
        for address in addresses:
            try:
                self.chain.provider.verify(name, address)
            except BytecodeMismatch:
                continue
            if self.chain.registrar.noted(_CREATED, address) in (None, identity):
                self.chain.registrar.set_contract_address(name, address)  # now the one in use
                return address
        return None

    def _resumed(self, name: str, identity: str) -> tuple[HexBytes, TxReceipt] | None:
        """The end of a transaction an earlier run has sent, if it is still on its way or mined."""
        noted = self.chain.registrar.noted(_PENDING, name)
        if not noted or noted["created"] != identity:
            return None
        transaction = HexBytes(noted["transaction"])
        try:
            self.chain.web3.eth.get_transaction(transaction)
        except TransactionNotFound:
            return None
        self.say(f"  Transaction: {transaction.to_0x_hex()} (sent by an earlier run)")
        try:
            return transaction, self._mined(transaction)
        except ContractReverted:
            self.say("  It failed; sending a new one.")
            return None

    def _sent(self, name: str, code: HexBytes, identity: str) -> tuple[HexBytes, TxReceipt]:
        transaction = self._prepared(name, code)
        noted = {"created": identity}

        def note(txn_hash: HexBytes) -> None:
            noted["transaction"] = txn_hash.to_0x_hex()
            self.chain.registrar.note(_PENDING, name, noted)

        txn_hash = self.chain.send(transaction, note)
        self.say(f"  Transaction: {txn_hash.to_0x_hex()}")
        return txn_hash, self._mined(txn_hash)

    def _mined(self, txn_hash: HexBytes) -> TxReceipt:
        try:
            return self.chain.wait.for_success(txn_hash, self.wait_seconds)
        except Timeout as error:
            hint = "Give the same command again: it waits for this transaction, not for another."
            raise DeploymentError(error.message, hint) from None

    def _prepared(self, name: str, code: HexBytes) -> dict[str, Any]:
        """The transaction with gas and EIP-1559 fees, once the account can pay for it."""
        eth = self.chain.web3.eth
        sender: Any = eth.default_account
        try:
            gas = int(eth.estimate_gas({"from": sender, "data": code}) * _GAS_MARGIN)
        except ContractReverted as error:
            raise DeploymentError(f"The constructor of {name} refuses: {error}.") from None
        tip = eth.max_priority_fee
        fee = 2 * (eth.get_block("latest").get("baseFeePerGas") or 0) + tip
        balance = eth.get_balance(sender)
        if balance < gas * fee:
            raise DeploymentError(
                f"{sender} has {_ether(balance)} ether on {self.chain.chain_name!r}; deploying "
                f"{name} may take {_ether(gas * fee)}.",
                "Send some there, or use another account. Nothing was sent for this contract.",
            )
        return {
            "from": sender,
            "data": code,
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
        }

    def _record(
        self, name: str, identity: str, transaction: HexBytes, receipt: TxReceipt
    ) -> Deployed:
        address = receipt["contractAddress"]
        assert address is not None, "a creation that succeeded has an address"
        self.chain.provider.verify(name, address)
        self.chain.registrar.note(_CREATED, address, identity)
        self.chain.registrar.set_contract_address(name, address)
        self.chain.registrar.note(_PENDING, name, None)
        gas = receipt["gasUsed"]
        fee = gas * receipt["effectiveGasPrice"]
        self.say(f"  Gas:         {gas:,}")
        self.say(f"  Fee:         {_ether(fee)} ether")
        self.say(f"  Address:     {address}")
        self.say(f"  Verified contract bytecode @ {address}")
        return Deployed(name, address, transaction, gas, fee)


def _ether(wei: int) -> str:
    """Wei as ether, exactly, without an exponent."""
    whole, part = divmod(wei, 10**18)
    return f"{whole}.{part:018d}".rstrip("0").rstrip(".")
