"""A chain somebody else runs, reached by RPC, with a key from the environment or the node's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from eth_utils.address import is_address, to_checksum_address
from hexbytes import HexBytes
from requests.exceptions import RequestException
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.middleware import SignAndSendRawMiddlewareBuilder

from populus.chain.base import BaseChain, add_middleware
from populus.exceptions import ChainError, ConfigError
from populus.imports import import_class
from populus.keys import from_environment, keystore_address, unlocked, variable
from populus.reverts import ReceiptMiddleware
from populus.schema import nearest

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["ExternalChain"]

REQUEST_SECONDS = 10  # web3 would wait longer and try five times: minutes until a message
RETRIES = 2
POLL_SECONDS = 1.0  # public nodes count requests, and their blocks take their time
RECEIPT_SECONDS = 3.0  # how long a development node may take to mine
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
        made = provider(**settings)
        self._endpoint = str(getattr(made, "endpoint_uri", None) or settings.get("ipc_path", name))
        retry = getattr(made, "exception_retry_configuration", None)
        if retry is not None and "exception_retry_configuration" not in settings:
            retry.retries = RETRIES
        return made

    def _prepare(self, web3: Web3) -> None:
        try:
            found = web3.eth.chain_id
        except (RequestException, Web3Exception, OSError, ValueError) as error:
            raise ChainError(
                f"The chain {self.chain_name!r} cannot be reached at {_place(self._endpoint)}: "
                f"{_short(error)}.",
                "Is a node running there?",
            ) from None
        wanted = self.settings.get("chain_id")
        if wanted is not None and found != int(wanted):
            raise ChainError(
                f"The node at {_place(self._endpoint)} is on chain {found}; {self.chain_name!r} is "
                f"configured as chain {wanted}. Nothing was sent.",
                "Correct the address, or chains."
                f"{self.chain_name}.chain.settings.chain_id in populus.json.",
            )
        self._set_account(web3)
        patience = RECEIPT_SECONDS if self._mines_at_once(web3) else 0.0
        self.poll_seconds = BaseChain.poll_seconds if patience else POLL_SECONDS
        add_middleware(web3, lambda w3: ReceiptMiddleware(w3, self.errors, patience), "receipts")

    def _mines_at_once(self, web3: Web3) -> bool:
        """Whether a transaction is in a block as soon as it is sent: so on development nodes."""
        try:
            version = web3.client_version.lower()
        except (Web3Exception, RequestException):
            return False
        return any(name in version for name in ("anvil", "hardhat", "ganache"))

    def send(self, transaction: Any, before: Callable[[HexBytes], None]) -> HexBytes:
        if self.account is None:
            return super().send(transaction, before)
        eth = self.web3.eth
        nonce = transaction.get("nonce")
        if nonce is None:
            nonce = eth.get_transaction_count(self.account.address, "pending")
        complete = {**transaction, "nonce": nonce, "chainId": eth.chain_id}
        signed = self.account.sign_transaction(complete)
        before(HexBytes(signed.hash))
        return eth.send_raw_transaction(signed.raw_transaction)

    def _set_account(self, web3: Web3) -> None:
        """The account that sends: that of the key, the configured one, or the node's first.

        A variable that is missing matters only to those who send (`sender_problem`), and so does
        the password of a key file (`unlock`).
        """
        address = self.web3_config.get("eth", {}).get("default_account")
        if address is not None and not is_address(address):
            raise ConfigError(f"{self._at('default_account')}: {address!r} is no address.")
        if self.project.config.get(self._at("private_key")) is not None:
            try:
                key = self.project.config.filled(self._at("private_key"))
            except ConfigError as error:
                self.sender_problem = error
                return
            written = self.project.config[self._at("private_key")]
            account = from_environment(written, key, self._at("private_key"))
            self._use_key(web3, account, address)
            return
        if self._keystore is not None:
            address = keystore_address(self._keystore) or address
        if address is None:
            address = next(iter(_node_accounts(web3)), None)
        if address is not None:
            web3.eth.default_account = to_checksum_address(address)

    @property
    def _keystore(self) -> Path | None:
        named = self.web3_config.get("eth", {}).get("keystore")
        return None if named is None else self.project.root / Path(named).expanduser()

    def unlock(self) -> None:
        """See `BaseChain`; what was opened stays open."""
        super().unlock()
        if self._keystore is None or self.account is not None:
            return
        written = self.project.config.get(self._at("password"))
        password = None
        if written is not None:
            variable(written, self._at("password"))
            password = self.project.config.filled(self._at("password"))
        wanted = self.web3_config.get("eth", {}).get("default_account")
        self._use_key(self.web3, unlocked(self._keystore, password), wanted)

    def _use_key(self, web3: Web3, account: LocalAccount, wanted: str | None) -> None:
        if wanted is not None and to_checksum_address(wanted) != account.address:
            raise ConfigError(
                f"The key of chain {self.chain_name!r} is that of {account.address}, "
                f"not of default_account {wanted}."
            )
        signing: Any = SignAndSendRawMiddlewareBuilder.build(account)
        web3.middleware_onion.inject(signing, "populus_signing", layer=0)
        web3.eth.default_account = account.address
        self.account = account

    def _at(self, key: str) -> str:
        return f"chains.{self.chain_name}.web3.eth.{key}"


def _node_accounts(web3: Web3) -> list[Any]:
    try:
        return list(web3.eth.accounts)
    except (Web3Exception, ValueError):
        return []


def _place(endpoint: str) -> str:
    """An address without its path, which often is an access key."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else endpoint


def _short(error: BaseException) -> str:
    """Why a node could not be asked, without the path of its address."""
    text = str(error).lower()
    for sign, reason in _REASONS.items():
        if sign in text:
            return reason
    return type(error).__name__


_REASONS = {
    "refused": "connection refused",
    "timed out": "no answer in time",
    "resolve": "its name is not known",
    "invalid url": "that is no address",
    "no such file": "there is no such file",
    "401": "it wants other credentials",
    "403": "it wants other credentials",
    "404": "it knows no such path",
}
