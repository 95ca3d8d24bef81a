"""Which contract is at which address on which chain.

A chain is known by its genesis block, as a BIP 122 URI: `blockchain://<genesis>/block/<genesis>`.
Populus wrote a recent block in the second place; such entries are read when the chain at hand has
that block. An address here is a claim only: the provider looks at the code before it believes it.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from eth_utils.address import is_address, to_checksum_address
from web3.exceptions import BlockNotFound

from populus.contracts.exceptions import NoKnownAddress
from populus.exceptions import ConfigError, PopulusError
from populus.locking import locked, write_json
from populus.reading import read_json

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3

__all__ = ["Registrar"]

_PREFIX = "blockchain://"


_MEND = "Mend it or move it away; without it everything counts as not deployed."

_Address = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{40}$")]
_Hash = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{64}$")]


class _Sent(msgspec.Struct):
    """A transaction of a deployment whose receipt was not seen."""

    created: str
    transaction: _Hash
    nonce: int | None = None
    earlier: list[_Hash] = []


class _Content(msgspec.Struct):
    """What the file may hold, each by the chain's URI; Populus wrote the first alone."""

    deployments: dict[str, dict[str, _Address | list[_Address]]] = {}
    pending: dict[str, dict[str, _Sent]] = {}
    created: dict[str, dict[_Address, str]] = {}


class Registrar:
    """Addresses by contract name for one chain; in memory, and in a file if one is given."""

    def __init__(self, web3: Web3, path: Path | None = None) -> None:
        self.web3 = web3
        self.path = path
        self._memory: dict[str, Any] = {}
        self._genesis: str | None = None

    @property
    def chain_uri(self) -> str:
        """The chain's identity, by its genesis block."""
        if self._genesis is None:
            genesis = self.web3.eth.get_block(0)["hash"].hex().removeprefix("0x")
            self._genesis = f"{_PREFIX}{genesis}/block/{genesis}"
        return self._genesis

    # -- addresses -------------------------------------------------------------------------

    def set_contract_address(self, contract_name: str, address: str) -> None:
        """Record an address; the last one recorded is the first to be tried."""
        if not is_address(address):
            raise ConfigError(f"{address!r} is no address for {contract_name}.")
        address = to_checksum_address(address)

        def change(content: dict[str, Any]) -> None:
            names = content.setdefault("deployments", {}).setdefault(self.chain_uri, {})
            known = names.get(contract_name, [])
            known = [known] if isinstance(known, str) else known
            names[contract_name] = [address, *(item for item in known if item != address)]

        self._change(change)

    def get_contract_addresses(self, contract_name: str) -> tuple[ChecksumAddress, ...]:
        """All recorded addresses of a contract on this chain, the newest first."""
        found: list[str] = []
        for uri, names in self._content().get("deployments", {}).items():
            known = names.get(contract_name)
            if known and self._is_this_chain(uri):
                found += [known] if isinstance(known, str) else known
        if not found:
            raise NoKnownAddress(
                f"No address of {contract_name} is known on this chain.",
                "Deploy it, or record one with registrar.set_contract_address.",
            )
        return tuple(to_checksum_address(address) for address in dict.fromkeys(found))

    def _is_this_chain(self, uri: str) -> bool:
        if uri == self.chain_uri:
            return True
        genesis, _, block = uri.removeprefix(_PREFIX).partition("/block/")
        if genesis.removeprefix("0x") != self.chain_uri.removeprefix(_PREFIX).partition("/")[0]:
            return False
        try:
            self.web3.eth.get_block("0x" + block.removeprefix("0x"))  # type: ignore[arg-type]
        except (BlockNotFound, ValueError):
            return False
        return True

    # -- transactions of deployments -------------------------------------------------------

    def note(self, section: str, key: str, value: Any) -> None:
        """Keep (or with None, drop) what a deployment must know when it is started again."""

        def change(content: dict[str, Any]) -> None:
            notes = content.setdefault(section, {}).setdefault(self.chain_uri, {})
            if value is None:
                notes.pop(key, None)
            else:
                notes[key] = value
            if not notes:
                del content[section][self.chain_uri]
            if not content[section]:
                del content[section]

        self._change(change)

    def noted(self, section: str, key: str) -> Any:
        """What `note` kept, or None."""
        return self._content().get(section, {}).get(self.chain_uri, {}).get(key)

    # -- storage ---------------------------------------------------------------------------

    def _content(self) -> dict[str, Any]:
        if self.path is None:
            return self._memory
        try:
            content: dict[str, Any] = read_json(self.path.read_bytes())
            msgspec.convert(content, _Content)
        except FileNotFoundError:
            return {}
        except msgspec.ValidationError as error:
            raise PopulusError(f"{self.path.name} is damaged: {error}.", _MEND) from None
        except ValueError as error:
            raise PopulusError(f"{self.path.name} is not JSON: {error}.", _MEND) from None
        except OSError as error:
            raise PopulusError(f"{self.path.name} cannot be read: {error.strerror}.") from None
        return content

    def _change(self, change: Any) -> None:
        if self.path is None:
            change(self._memory)
            return
        with locked(self.path):
            content = self._content()
            change(content)
            write_json(self.path, content)

    def snapshot(self) -> dict[str, Any]:
        """A copy of everything recorded, for `restore`."""
        return copy.deepcopy(self._content())

    def restore(self, content: dict[str, Any]) -> None:
        """Put back what `snapshot` gave."""
        if self.path is None:
            self._memory = copy.deepcopy(content)
        else:
            write_json(self.path, content)
