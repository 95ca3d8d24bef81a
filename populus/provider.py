"""Contracts by name on one chain: looked up, verified, linked, and deployed when missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hexbytes import HexBytes

from populus.compiler import ContractData
from populus.contracts.exceptions import BytecodeMismatch, NoKnownAddress, UnknownContract
from populus.contracts.factory import ContractFactories, PopulusContract
from populus.linking import link, verify_code
from populus.schema import nearest

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress

    from populus.workspace import Running

__all__ = ["Provider"]


class Provider:
    """`chain.provider`. Names are those of the contracts in the sources."""

    def __init__(self, chain: Running) -> None:
        self.chain = chain
        self._factories: dict[Any, type[PopulusContract]] = {}

    def known_factories(self) -> dict[Any, type[PopulusContract]]:
        """The factories made so far, for `forget`."""
        return dict(self._factories)

    def forget(self, but: Mapping[Any, type[PopulusContract]] | None = None) -> None:
        """Drop the cached factories, except those given."""
        self._factories = dict(but or {})

    # -- compiled data ---------------------------------------------------------------------

    def get_all_contract_data(self) -> dict[str, ContractData]:
        return self.chain.project.compiled_contract_data

    def get_all_contract_names(self) -> set[str]:
        return set(self.get_all_contract_data())

    def get_contract_data(self, contract_name: str) -> ContractData:
        """ABI, bytecode, references and dependencies of a contract.

        Raises:
            UnknownContract: no source has a contract of that name.
        """
        known = self.get_all_contract_data()
        if contract_name not in known:
            hint = nearest(contract_name, list(known)) if known else "No contract is compiled."
            raise UnknownContract(f"There is no contract {contract_name!r}.", hint)
        return known[contract_name]

    # -- factories -------------------------------------------------------------------------

    @property
    def base_contract_factories(self) -> ContractFactories:
        """Unlinked factories by name, as items or attributes."""
        return ContractFactories(
            sorted(self.get_all_contract_names()), self.get_base_contract_factory
        )

    def get_base_contract_factory(self, contract_name: str) -> type[PopulusContract]:
        """The factory of a contract, its libraries not linked."""
        return self._factory(contract_name, {})

    def get_contract_factory(
        self, contract_name: str, addresses: Mapping[str, str] | None = None
    ) -> type[PopulusContract]:
        """The factory of a contract with its libraries linked.

        Args:
            addresses: of libraries, for whoever knows them already.

        Raises:
            NoKnownAddress, BytecodeMismatch: a library is not deployed, or not what it should be.
        """
        libraries = self.get_contract_data(contract_name)["direct_dependencies"]
        known = addresses or {}
        return self._factory(
            contract_name, {name: known.get(name) or self._address(name) for name in libraries}
        )

    def _factory(self, contract_name: str, libraries: Mapping[str, str]) -> type[PopulusContract]:
        data = self.get_contract_data(contract_name)
        missing = [name for name in data["direct_dependencies"] if name not in libraries]
        key = (contract_name, tuple(libraries.values()))
        if key not in self._factories:
            bytecode, runtime = data["bytecode"], data["bytecode_runtime"]
            if not missing:
                bytecode = link(bytecode, data["linkrefs"], libraries)
                runtime = link(runtime, data["linkrefs_runtime"], libraries)
            self._factories[key] = PopulusContract.factory(
                self.chain.web3,
                contract_name,
                abi=data["abi"],
                bytecode=bytecode,
                bytecode_runtime=runtime,
                contract_name=contract_name,
                unlinked=tuple(missing),
            )
        return self._factories[key]

    # -- deployed contracts ----------------------------------------------------------------

    def get_contract_address(self, contract_name: str) -> ChecksumAddress:
        """The address of a contract whose code, and whose libraries' code, is as expected."""
        self.get_contract_data(contract_name)
        return self._address(contract_name)

    def _address(self, contract_name: str) -> ChecksumAddress:
        mismatch: BytecodeMismatch | None = None
        for address in self.chain.registrar.get_contract_addresses(contract_name):
            try:
                self.verify(contract_name, address)
            except BytecodeMismatch as error:
                mismatch = mismatch or error
            else:
                return address
        assert mismatch is not None
        raise mismatch

    def verify(
        self,
        contract_name: str,
        address: ChecksumAddress,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        """Raise `BytecodeMismatch` unless the expected, linked code is at `address`."""
        factory = self.get_contract_factory(contract_name, addresses)
        data = self.get_contract_data(contract_name)
        expected = HexBytes(factory.bytecode_runtime or b"").hex()
        deployed = bytes(self.chain.web3.eth.get_code(address))
        holes = data["immutable_references"]
        verify_code(contract_name, address, deployed, expected, holes)

    def get_contract(self, contract_name: str) -> PopulusContract:
        """The deployed contract.

        Raises:
            UnknownContract, NoKnownAddress, BytecodeMismatch: see there.
        """
        address = self.get_contract_address(contract_name)
        return self.get_contract_factory(contract_name)(address=address)

    def is_contract_available(self, contract_name: str) -> bool:
        """Whether the contract and all its libraries are deployed with the expected code."""
        try:
            self.get_contract_address(contract_name)
        except (NoKnownAddress, BytecodeMismatch):
            return False
        return True

    def are_contract_dependencies_available(self, contract_name: str) -> bool:
        """Whether all libraries the contract links are deployed with the expected code."""
        libraries = self.get_contract_data(contract_name)["ordered_full_dependencies"]
        return all(self.is_contract_available(name) for name in libraries)

    def deploy_contract(
        self,
        contract_name: str,
        deploy_transaction: Any = None,
        deploy_args: Sequence[Any] | None = None,
        deploy_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[PopulusContract, HexBytes]:
        """Deploy anew, libraries first if they are missing, and record the address."""
        for library in self.get_contract_data(contract_name)["ordered_full_dependencies"]:
            self.get_or_deploy_contract(library, deploy_transaction)
        factory = self.get_contract_factory(contract_name)
        txn_hash = factory.deploy(deploy_transaction, deploy_args, deploy_kwargs)
        address = self.chain.wait.for_contract_address(txn_hash)
        self.verify(contract_name, address)
        self.chain.registrar.set_contract_address(contract_name, address)
        return factory(address=address), txn_hash

    def get_or_deploy_contract(
        self,
        contract_name: str,
        deploy_transaction: Any = None,
        deploy_args: Sequence[Any] | None = None,
        deploy_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[PopulusContract, HexBytes | None]:
        """The deployed contract and None, or a freshly deployed one and its transaction hash."""
        if self.is_contract_available(contract_name):
            return self.get_contract(contract_name), None
        return self.deploy_contract(contract_name, deploy_transaction, deploy_args, deploy_kwargs)
