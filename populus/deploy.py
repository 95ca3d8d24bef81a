"""Deployments: in order, linked, checked before and after, resumed where they stopped.

The transaction's hash is written down before it is sent and the address once its code is verified,
so that a second run finds out what the first one did, wherever that ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from populus.arguments import typed_arguments, used_contracts
from populus.contracts.exceptions import BytecodeMismatch, NoKnownAddress
from populus.exceptions import DeploymentError
from populus.linking import without_metadata
from populus.locking import one_at_a_time
from populus.sending import Price, Sender, ether

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3.types import TxReceipt

    from populus.chain.base import BaseChain

__all__ = ["Deployed", "Deployment"]

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
        price: Price | None = None,
        replace: bool = False,
    ) -> None:
        """Prepares it.

        Args:
            arguments: of constructors, by contract name.
            say: gets every line that tells what happens.
            replace: whether to outbid what an earlier run has sent and no block holds.
        """
        self.chain = chain
        self.arguments = dict(arguments or {})
        self.say = say
        self._sender = Sender(
            chain, say, wait_seconds=wait_seconds, price=price or Price(), replace=replace
        )
        self._at: dict[str, str] = {}
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
        """Deploy what is missing, while no other process of this machine deploys from the account.

        Raises:
            DeploymentError: before anything is sent if arguments or account will not do.
            ContractReverted: a constructor refused.
        """
        ordered = self._checked(names)
        with self._alone():
            return [self._one(name) for name in ordered]

    def plan(self, names: Sequence[str]) -> list[str]:
        """What `run` would do now, a line for each contract; nothing is sent."""
        ordered = self._checked(names)
        account: Any = self.chain.web3.eth.default_account
        nonce = int(self.chain.web3.eth.get_transaction_count(account))
        lines = []
        for name in ordered:
            code, identity = self._creation(name)
            standing = self._standing(name, identity, believe=False)
            if standing is not None:
                self._at[name] = standing
                lines.append(f"{name} stands at {standing} already.")
                continue
            self._at[name] = _created_by(account, nonce)
            nonce += 1
            lines.append(f"{name} would be deployed at {self._at[name]}: {self._costs(name, code)}")
        return lines

    def _costs(self, name: str, code: HexBytes) -> str:
        try:
            prepared = self._sender.prepared(name, code)
        except DeploymentError as error:
            return error.message  # what it calls may not stand yet, or the account cannot pay
        most = prepared["gas"] * prepared["maxFeePerGas"]
        return f"{prepared['gas']:,} gas, at most {ether(most)} ether."

    def _checked(self, names: Sequence[str]) -> list[str]:
        for name in self.arguments:
            self.chain.provider.get_contract_data(name)
        ordered = self.order(names)
        self._check_account()
        return ordered

    def _check_account(self) -> None:
        self.chain.unlock()
        account = self.chain.web3.eth.default_account
        if not isinstance(account, str):
            raise DeploymentError(
                f"The chain {self.chain.chain_name!r} has no account to deploy from.",
                f"Set chains.{self.chain.chain_name}.web3.eth.keystore to a key file, or "
                'private_key to "${NAME}", and NAME in the environment.',
            )

    def _alone(self) -> AbstractContextManager[None]:
        """Two deployments from one account would take each other's nonces, and pay twice."""
        if not self.chain.keeps_addresses:
            return nullcontext()  # a chain of this process alone
        genesis = self.chain.registrar.chain_uri.rpartition("/")[2]
        account = str(self.chain.web3.eth.default_account).lower()
        return one_at_a_time(
            f"{genesis[:16]}-{account}",
            lambda: self.say("Waiting for another deployment from this account to end."),
        )

    def _creation(self, name: str) -> tuple[HexBytes, str]:
        """Code and arguments, and what is remembered of them: all but the metadata."""
        values = typed_arguments(
            self.chain.provider.get_contract_data(name),
            self.arguments.get(name),
            self._address_of,
            self._names,
        )
        factory = self.chain.provider.get_contract_factory(name, self._at)
        code = HexBytes(factory.constructor(*values).data_in_transaction)
        return code, "0x" + keccak(without_metadata(code)).hex()

    def _address_of(self, name: str) -> str:
        """Where a contract stands for this run: asked once, so that nothing changes meanwhile."""
        if name not in self._at:
            self._at[name] = self.chain.provider.get_contract_address(name)
        return self._at[name]

    def _one(self, name: str) -> Deployed:
        code, identity = self._creation(name)
        standing = self._standing(name, identity)
        if standing is not None:
            self.say(f"{name} stands at {standing} already: nothing sent.")
            self._at[name] = standing
            return Deployed(name, standing)
        self.say(f"Deploying {name}")
        transaction, receipt = self._sender.create(name, code, identity)
        return self._record(name, identity, transaction, receipt)

    def _standing(
        self, name: str, identity: str, *, believe: bool = True
    ) -> ChecksumAddress | None:
        """The address at which this very code was created with these very arguments.

        Args:
            believe: whether it is the one in use from now on.
        """
        try:
            addresses = self.chain.registrar.get_contract_addresses(name)
        except NoKnownAddress:
            return None
        for address in addresses:
            try:
                self.chain.provider.verify(name, address, self._at)
            except BytecodeMismatch:
                continue
            if self.chain.registrar.noted(_CREATED, address) in (None, identity):
                if believe:
                    self.chain.registrar.set_contract_address(name, address)
                return address
        return None

    def _record(
        self, name: str, identity: str, transaction: HexBytes, receipt: TxReceipt
    ) -> Deployed:
        address = receipt["contractAddress"]
        assert address is not None, "a creation that succeeded has an address"
        self.chain.provider.verify(name, address, self._at)
        self.chain.registrar.note(_CREATED, address, identity)
        self.chain.registrar.set_contract_address(name, address)
        self._sender.forget(name)
        self._at[name] = address
        gas = receipt["gasUsed"]
        fee = gas * receipt["effectiveGasPrice"]
        self.say(f"  Gas:         {gas:,}")
        self.say(f"  Fee:         {ether(fee)} ether")
        self.say(f"  Address:     {address}")
        self.say(f"  Verified contract bytecode @ {address}")
        return Deployed(name, address, transaction, gas, fee)


def _created_by(account: str, nonce: int) -> ChecksumAddress:
    """Address of the contract that a transaction of this nonce creates (Yellow Paper, 7)."""
    encoded = rlp.encode([HexBytes(account), nonce])
    return to_checksum_address(keccak(encoded)[-20:])
