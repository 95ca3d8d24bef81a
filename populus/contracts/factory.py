"""Contract classes that answer to web3 8 and to Populus.

web3:     contract.functions.f(x).call(tx)      Factory.constructor(x).transact(tx)
Populus:  contract.call(tx).f(x)                Factory.deploy(transaction=tx, args=[x])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from hexbytes import HexBytes
from web3.contract.contract import Contract

from populus.exceptions import DeploymentError

__all__ = ["ContractFactories", "PopulusContract"]


class _Functions:
    """`contract.call(tx).f(x)`: attribute access picks the function, calling it runs it."""

    def __init__(self, contract: PopulusContract, run: Callable[[Any], Any]) -> None:
        self._contract = contract
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = self._contract.functions[name]
        return lambda *args, **kwargs: self._run(function(*args, **kwargs))


class PopulusContract(Contract):
    """A web3 contract with Populus's own ways to call it; the class is the factory."""

    contract_name: ClassVar[str] = ""
    unlinked: ClassVar[tuple[str, ...]] = ()

    def call(self, transaction: Any = None, block_identifier: Any = "latest") -> _Functions:
        """`contract.call({"from": someone}).f(x)` asks without changing anything."""
        return _Functions(self, lambda f: f.call(transaction or {}, block_identifier))

    def transact(self, transaction: Any = None) -> _Functions:
        """`contract.transact({"from": someone}).f(x)` sends; the answer is the hash."""
        return _Functions(self, lambda f: f.transact(transaction or {}))

    def estimate_gas(self, transaction: Any = None) -> _Functions:
        """`contract.estimate_gas({"from": someone}).f(x)` asks for the gas it would take."""
        return _Functions(self, lambda f: f.estimate_gas(transaction or {}))

    @classmethod
    def deploy(
        cls,
        transaction: Any = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> HexBytes:
        """Send the creation transaction and return its hash."""
        if cls.unlinked:
            raise DeploymentError(
                f"{cls.contract_name} needs {', '.join(cls.unlinked)} linked into it.",
                "Take the factory from provider.get_contract_factory, which links.",
            )
        if not cls.bytecode:
            raise DeploymentError(
                f"{cls.contract_name} is abstract or an interface: there is nothing to deploy."
            )
        return cls.constructor(*(args or ()), **(kwargs or {})).transact(transaction or {})


class ContractFactories(Mapping[str, type[PopulusContract]]):
    """Factories by name, as items and as attributes; each is made when asked for."""

    def __init__(self, names: Sequence[str], make: Callable[[str], type[PopulusContract]]) -> None:
        self._names = sorted(names)
        self._make = make

    def __getitem__(self, name: str) -> type[PopulusContract]:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __getattr__(self, name: str) -> type[PopulusContract]:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no contract {name!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
