"""A chain somebody else runs, reached by RPC, with a key from the environment or the node's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from eth_account import Account
from eth_utils.address import is_address, to_checksum_address
from hexbytes import HexBytes
from requests.exceptions import RequestException
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.providers.rpc.utils import ExceptionRetryConfiguration

from populus.chain.base import BaseChain
from populus.exceptions import ChainError, ConfigError
from populus.imports import import_class
from populus.schema import nearest

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["ExternalChain"]

REQUEST_SECONDS = 10
HTTP = "web3.providers.rpc.HTTPProvider"


class ExternalChain(BaseChain):
    """A node at an address. It is only used if its chain id is the configured one."""

    account: LocalAccount | None = None
    _endpoint: str
    setting_names: ClassVar[tuple[str, ...]] = ("chain_id",)
    keeps_addresses: ClassVar[bool] = True

    def _start(self) -> Web3:
        return Web3(self._provider())

    def _provider(self) -> Any:
        config = self.web3_config.get("provider", {})
        name = config.get("class", HTTP)
        provider = import_class(name, f"chains.{self.chain_name}.web3.provider.class")
        settings = dict(config.get("settings", {}))
        accepted = inspect.signature(provider).parameters
        for key in settings:
            if key not in accepted:
                raise ConfigError(
                    f"chains.{self.chain_name}.web3.provider.settings: {name} takes no {key!r}.",
                    nearest(key, accepted),
                )
        if "request_kwargs" in accepted:
            settings.setdefault("request_kwargs", {"timeout": REQUEST_SECONDS})
        if "exception_retry_configuration" in accepted:
            settings.setdefault(
                "exception_retry_configuration", ExceptionRetryConfiguration(retries=2)
            )
        self._endpoint = settings.get("endpoint_uri") or settings.get("ipc_path") or name
        return provider(**settings)

    def _prepare(self, web3: Web3) -> None:
        try:
            found = web3.eth.chain_id
        except (RequestException, Web3Exception, OSError, ValueError) as error:
            raise ChainError(
                f"The chain {self.chain_name!r} cannot be reached at {self._endpoint}: "
                f"{_short(error)}.",
                "Is a node running there?",
            ) from None
        wanted = self.settings.get("chain_id")
        if wanted is not None and found != int(wanted):
            raise ChainError(
                f"The node at {self._endpoint} is on chain {found}; {self.chain_name!r} is "
                f"configured as chain {wanted}. Nothing was sent.",
                "Correct the address, or chains."
                f"{self.chain_name}.chain.settings.chain_id in populus.json.",
            )
        self._set_account(web3)

    def send(self, transaction: Any, before: Callable[[HexBytes], None]) -> HexBytes:
        if self.account is None:
            return super().send(transaction, before)
        eth = self.web3.eth
        nonce = eth.get_transaction_count(self.account.address, "pending")
        complete = {**transaction, "nonce": nonce, "chainId": eth.chain_id}
        signed = self.account.sign_transaction(complete)
        before(HexBytes(signed.hash))
        return eth.send_raw_transaction(signed.raw_transaction)

    def _set_account(self, web3: Web3) -> None:
        eth = self.web3_config.get("eth", {})
        address = eth.get("default_account")
        if address is not None and not is_address(address):
            raise ConfigError(
                f"chains.{self.chain_name}.web3.eth.default_account: {address!r} is no address."
            )
        if eth.get("private_key") is not None:
            self.account = self._key(eth["private_key"])
            if address is not None and to_checksum_address(address) != self.account.address:
                raise ConfigError(
                    f"The key of chain {self.chain_name!r} is that of {self.account.address}, "
                    f"not of default_account {address}."
                )
            signing: Any = SignAndSendRawMiddlewareBuilder.build(self.account)
            web3.middleware_onion.inject(signing, "populus_signing", layer=0)
            address = self.account.address
        if address is None:
            address = next(iter(_node_accounts(web3)), None)
        if address is not None:
            web3.eth.default_account = to_checksum_address(address)

    def _key(self, key: str) -> LocalAccount:
        where = f"chains.{self.chain_name}.web3.eth.private_key"
        raw = self.project.config.get(where)
        if not (isinstance(raw, str) and raw.startswith("${") and raw.endswith("}")):
            raise ConfigError(
                f"{where}: a key must not stand in the file.",
                'Write "${NAME}" and set the environment variable NAME.',
            )
        try:
            account: LocalAccount = Account.from_key(key)
        except Exception:
            raise ConfigError(
                f"The environment variable {raw[2:-1]} holds no private key.",
                "A private key is 32 bytes as hex.",
            ) from None
        return account


def _node_accounts(web3: Web3) -> list[Any]:
    try:
        return list(web3.eth.accounts)
    except (Web3Exception, ValueError):
        return []


def _short(error: BaseException) -> str:
    text = str(error)
    if "refused" in text.lower():
        return "connection refused"
    if "timed out" in text.lower():
        return "no answer in time"
    return text.splitlines()[0][:200] if text else type(error).__name__
