"""What all chains share: a life from `with` to its end, and the objects that hang on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from web3 import Web3

from populus.config import Config, fill
from populus.contracts.factory import ContractFactories
from populus.exceptions import ChainError, ConfigError, PopulusError
from populus.provider import Provider
from populus.registrar import Registrar
from populus.reverts import ErrorTable, RevertMiddleware
from populus.schema import nearest
from populus.wait import Wait

if TYPE_CHECKING:
    from hexbytes import HexBytes
    from web3.middleware import Web3Middleware

    from populus.workspace import Workspace

REGISTRAR_NAME = "registrar.json"

__all__ = ["BaseChain", "add_middleware"]


def add_middleware(web3: Web3, build: Callable[[Any], Web3Middleware], name: str) -> None:
    """Add the outermost layer; web3's type wants a class, any callable does."""
    web3.middleware_onion.add(cast("type[Web3Middleware]", build), f"populus_{name}")


class BaseChain:
    """A chain of a project. It runs, and its attributes work, inside `with`."""

    __test__ = False  # a class called Tester… that a test module imports is no test
    setting_names: ClassVar[tuple[str, ...]] = ()
    keeps_addresses: ClassVar[bool] = False  # whether deployments outlive this process
    usual_web3: ClassVar[str] = ""  # what Populus took where a chain says nothing about web3
    poll_seconds: float = 0.05  # between two looks for a receipt
    sender_problem: PopulusError | None = None  # why nothing can be sent, if that is known

    def __init__(self, project: Workspace, chain_name: str) -> None:
        self.project = project
        self.chain_name = chain_name
        self._web3: Web3 | None = None

    # -- life ------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        _ = self.settings  # a wrong one is told before anything is started
        try:
            self._web3 = self._start()
            add_middleware(self._web3, lambda w3: RevertMiddleware(w3, self.errors), "reverts")
            self._prepare(self._web3)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        self._web3 = None
        for name in ("errors", "wait", "registrar", "provider", "web3_config"):
            self.__dict__.pop(name, None)

    def _start(self) -> Web3:
        raise NotImplementedError

    def _stop(self) -> None:
        """Release what `_start` took; must work when it failed half-way."""

    def _prepare(self, web3: Web3) -> None:
        """Checks and settings once the chain answers."""

    def unlock(self) -> None:
        """Make sure that something can be sent; a key file asks for its password here.

        Raises:
            PopulusError: nothing can be sent, and why.
        """
        if self.sender_problem is not None:
            raise self.sender_problem

    def send(self, transaction: Any, before: Callable[[HexBytes], None]) -> HexBytes:
        """Send a transaction whose gas and fees are set.

        `before` gets its hash as early as it is known: before it leaves this machine when the
        key is here, right after when a node signs.
        """
        txn_hash = self.web3.eth.send_transaction(transaction)
        before(txn_hash)
        return txn_hash

    # -- what hangs on it ------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        return self._web3 is not None

    @property
    def web3(self) -> Web3:
        """The web3 instance of this chain."""
        if self._web3 is None:
            raise ChainError(
                f"The chain {self.chain_name!r} is not running.",
                f"Use it as `with project.get_chain({self.chain_name!r}) as chain:`.",
            )
        return self._web3

    @property
    def settings(self) -> dict[str, Any]:
        """`chains.NAME.chain.settings`, variables filled."""
        where = f"chains.{self.chain_name}.chain.settings"
        settings = dict(self.project.config.filled(where, {}))
        for key in settings:
            if key not in self.setting_names:
                raise ConfigError(
                    f"{where}: there is no key {key!r}.", nearest(key, self.setting_names)
                )
        return settings

    @cached_property
    def web3_config(self) -> dict[str, Any]:
        """`chains.NAME.web3` without keys, references followed and variables filled."""
        where = f"chains.{self.chain_name}.web3"
        config = self.project.config.get(where) or self.project.config.get(self.usual_web3)
        plain = config.to_dict() if isinstance(config, Config) else {}
        for secret in ("private_key", "password"):
            plain.get("eth", {}).pop(secret, None)
        filled: dict[str, Any] = fill(plain, where)
        return filled

    @cached_property
    def errors(self) -> ErrorTable:
        """The custom errors of all compiled contracts."""
        contracts = self.project.compiled_contract_data.values()
        return ErrorTable(data["abi"] for data in contracts)

    @cached_property
    def wait(self) -> Wait:
        return Wait(self.web3, poll_interval=self.poll_seconds, errors=self.errors)

    @cached_property
    def registrar(self) -> Registrar:
        return Registrar(self.web3, self._registrar_path())

    def _registrar_path(self) -> Path | None:
        """The file addresses are kept in; None keeps them in memory.

        `contracts.backends` of the chain, or else of the project, decides: a `JSONFileBackend`
        keeps them in its `file_path`. Without any, chains that outlive the process keep them.
        """
        config = self.project.config
        chosen = config.get(f"chains.{self.chain_name}.contracts.backends")
        if chosen is None and self.keeps_addresses:
            chosen = config.get("contracts.backends")
        if chosen is None:
            return self.project.root / REGISTRAR_NAME if self.keeps_addresses else None
        for name in chosen:
            backend = chosen[name]
            if str(backend.get("class", "")).endswith("JSONFileBackend"):
                return self.project.root / str(backend.get("settings.file_path", REGISTRAR_NAME))
        return None

    @cached_property
    def provider(self) -> Provider:
        return Provider(self)

    @property
    def base_contract_factories(self) -> ContractFactories:
        return self.provider.base_contract_factories
