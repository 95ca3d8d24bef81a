"""Where the contracts are: deploying the suite, and finding one that is deployed.

Two kinds of file are read. This package's own has addresses by chain id:

    {"format": 1, "deployments": {"560048": {"MSContract": "0x…", "VPM": "0x…", …}}}

and Populus's `registrar.json` has candidates by genesis block:

    {"deployments": {"blockchain://<genesis>/block/<block>": {"MSContract": ["0x…", …], …}}}

An address in a file is a claim. It counts only if the code there is the code that this package
ships, and if the contract's own domain is the one that signatures will be made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from web3 import Web3

from perun.bindings import VPM, HashTimeLock, LibSignatures, MSContract, transport
from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call, Fees
from perun.bindings.front import Front
from perun.bindings.nanocontract import domain_separator
from perun.bindings.proving import WrongCode, require_code, require_domain
from perun.bindings.suite import SUITE
from perun.bindings.translation import translated
from perun.crypto.interop import AddressLike, address, checksum
from perun.encoding.domains import (
    domain_of,
)
from perun.encoding.kinds import (
    DOMAINS,
)
from perun.errors import StoreFault, UnknownDeployment, WrongType
from perun.nesting import read_json
from perun.types import Address, ChainId

__all__ = ["BadDeploymentFile", "Deployment", "WrongCode", "deploy", "load", "proved", "save"]

FORMAT: Final = 1

C = TypeVar("C", bound=Front)


@dataclass(eq=False)
class BadDeploymentFile(StoreFault):
    """A file with addresses cannot be read."""

    path: str
    reason: str

    template = "{path}: {reason}"
    hint = "restore it, or delete it and deploy or load with another file"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The suite on one chain."""

    chain_id: ChainId
    contracts: tuple[Front, ...]

    @property
    def lib_signatures(self) -> LibSignatures:
        """Every suite has it, as it has the three below."""
        return self.of(LibSignatures)

    @property
    def ms_contract(self) -> MSContract:
        """Holds the channels."""
        return self.of(MSContract)

    @property
    def vpm(self) -> VPM:
        """Decides payment machines."""
        return self.of(VPM)

    @property
    def hash_time_lock(self) -> HashTimeLock:
        """Decides hash locks."""
        return self.of(HashTimeLock)

    def find(self, kind: type[C]) -> C | None:
        """The contract of this front, such as `CoinFlip`; None: the suite is older than it."""
        return next((front for front in self.contracts if type(front) is kind), None)

    def of(self, kind: type[C]) -> C:
        """The same.

        Raises:
            UnknownDeployment: the suite has none.
        """
        found = self.find(kind)
        if found is None:
            raise UnknownDeployment(self.chain_id, kind.__name__)
        return found

    def places(self) -> dict[str, Address]:
        """Where they are, by the contracts' names."""
        return {type(front).__name__: front.address for front in self.contracts}

    def addresses(self) -> dict[str, str]:
        """The same in checksummed hex, as the files have it."""
        return {name: checksum(where) for name, where in self.places().items()}


_ALWAYS: Final = (LibSignatures, MSContract, VPM, HashTimeLock)
"""What every suite has had from the beginning."""


def deploy(
    web3: Web3,
    sender: AddressLike | None = None,
    *,
    gas: int | None = None,
    fees: Fees | None = None,
) -> Deployment:
    """Deploys all contracts of this package, each in a transaction.

    From the code that the package ships: no compiler and no Node is needed.

    Args:
        sender: account or private key, or an address whose key the node holds; the node's first
            account if not given.
        gas: most gas for each; estimated if not given.
        fees: wei per gas; what the chain asks now if not given.

    Raises:
        WrongCode: what came to stand there is not what was sent.
        Reverted, NotMined, NodeUnreachable, NodeRefused: the chain or the node failed.
    """
    with translated():
        chosen = web3.eth.accounts[0] if sender is None else sender
        chain_id = ChainId(web3.eth.chain_id)

    def created(kind: type[C]) -> C:
        code = artifact(kind.__name__).creation
        mined = transport.submit(web3, Call(None, code), chosen, gas=gas, fees=fees)
        return proved(web3, kind, address(str(mined["contractAddress"])))

    return Deployment(chain_id, tuple(created(kind) for kind in SUITE.values()))


def load(web3: Web3, path: str | Path) -> Deployment:
    """The suite that a file knows on the chain of `web3`, each contract checked.

    Args:
        path: a file of `save`, or a Populus `registrar.json`, of which the first address counts
            whose code is right.

    A file that does not name one of the later contracts (after HashTimeLock) is of an older suite,
    which is loaded without.

    Raises:
        UnknownDeployment: the file has nothing for this chain.
        WrongCode: none of the file's addresses of a contract has the right code.
        BadDeploymentFile: it cannot be read.
        NodeUnreachable, NodeRefused: the node failed.
    """
    content = _read(Path(path))
    with translated():
        chain_id = ChainId(web3.eth.chain_id)
        genesis = bytes(web3.eth.get_block(0)["hash"]).hex()
    known = _candidates(content, chain_id, genesis)

    def found(kind: type[C]) -> C:
        wrong: WrongCode | None = None
        for candidate in known.get(kind.__name__, ()):
            try:
                return proved(web3, kind, address(candidate))
            except WrongType as error:
                raise BadDeploymentFile(str(path), str(error)) from error
            except WrongCode as error:
                wrong = wrong or error
        raise wrong or UnknownDeployment(chain_id, kind.__name__)

    there = (kind for kind in SUITE.values() if kind in _ALWAYS or known.get(kind.__name__))
    return Deployment(chain_id, tuple(found(kind) for kind in there))


def save(deployment: Deployment, path: str | Path) -> None:
    """Writes a deployment's addresses under its chain id; other chains' entries stay.

    Raises:
        BadDeploymentFile: the file is there, but is none of these, or cannot be written.
    """
    path = Path(path)
    content = _read(path) if path.exists() else _File({}, FORMAT)
    if content.format != FORMAT:
        raise BadDeploymentFile(str(path), "not a file of perun.save")
    content.deployments[str(deployment.chain_id)] = dict(deployment.addresses())
    text = msgspec.json.format(msgspec.json.encode(content, order="deterministic"), indent=2)
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(text + b"\n")
        fresh.replace(path)
    except OSError as error:
        raise BadDeploymentFile(str(path), type(error).__name__) from error


class _File(msgspec.Struct):
    """Both kinds of file; a registrar has no format, and more that is of no interest here."""

    deployments: dict[str, dict[str, str | list[str]]]
    format: int | None = None


def _read(path: Path) -> _File:
    try:
        return read_json(path.read_bytes(), _File)
    except (OSError, msgspec.DecodeError) as error:
        raise BadDeploymentFile(str(path), str(error)) from error


def _candidates(content: _File, chain_id: ChainId, genesis: str) -> dict[str, list[str]]:
    """Addresses by contract name that the file gives for this chain, the best first."""
    found: dict[str, list[str]] = {}
    for chain, names in content.deployments.items():
        registrar = chain.removeprefix("blockchain://").partition("/")[0].removeprefix("0x")
        if chain == str(chain_id) or registrar == genesis:
            for name, known in names.items():
                found.setdefault(name, []).extend([known] if isinstance(known, str) else known)
    return found


def proved(web3: Web3, kind: type[C], where: Address) -> C:
    """The front of a contract whose code and domain are what they must be.

    Args:
        kind: the front's class, such as `MSContract`.

    Raises:
        WrongCode: other code stands there, or it signs in another domain.
        NodeUnreachable, NodeRefused: the node failed.
    """
    name = kind.__name__
    with translated():
        code = bytes(web3.eth.get_code(checksum(where)))
    require_code(name, where, code)
    front = kind(web3, where)
    if name in DOMAINS:
        domain = domain_of(DOMAINS[name], front.chain_id, where)
        signs_in = transport.ask(web3, domain_separator(where))
        require_domain(name, where, signs_in, domain.separator)
    return front
