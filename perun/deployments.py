"""Where the contracts are: deploying the suite, and finding one that is deployed.

Two kinds of file are read. This package's own has addresses by chain id:

    {"format": 1, "deployments": {"560048": {"MSContract": "0x…", "VPM": "0x…", …}}}

and Populus's `registrar.json` has candidates by genesis block:

    {"deployments": {"blockchain://<genesis>/block/<block>": {"MSContract": ["0x…", …], …}}}

An address in a file is a claim. It counts only if the code there is the code that this package
ships, and if the contract's own domain is the one that signatures will be made for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from web3 import Web3

from perun.bindings import (
    VPM,
    CoinFlip,
    HashTimeLock,
    LibSignatures,
    MSContract,
    TurnGame,
    transport,
)
from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call, Fees
from perun.bindings.front import Front
from perun.bindings.proving import WrongCode, require_code, require_domain
from perun.bindings.rules import TicTacToe
from perun.bindings.translation import translated
from perun.crypto.interop import AddressLike, address, checksum
from perun.errors import StoreFault, UnknownDeployment, WrongType
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
    lib_signatures: LibSignatures
    ms_contract: MSContract
    vpm: VPM
    hash_time_lock: HashTimeLock
    coin_flip: CoinFlip | None = None
    """None: it was deployed before there was one."""
    turn_game: TurnGame | None = None
    tic_tac_toe: TicTacToe | None = None
    """Rules for the contract before."""

    def places(self) -> dict[str, Address]:
        """Where they are, by the contracts' names."""
        parts = (getattr(self, field.name) for field in fields(self))
        return {type(part).__name__: part.address for part in parts if isinstance(part, Front)}

    def addresses(self) -> dict[str, str]:
        """The same in checksummed hex, as the files have it."""
        return {name: checksum(where) for name, where in self.places().items()}


def deploy(
    web3: Web3,
    sender: AddressLike | None = None,
    *,
    gas: int | None = None,
    fees: Fees | None = None,
) -> Deployment:
    """Deploys LibSignatures, MSContract, VPM, HashTimeLock, CoinFlip, TurnGame and the rules of
    TicTacToe, in seven transactions.

    From the code in this package: no compiler and no Node is needed.

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

    return Deployment(
        chain_id,
        created(LibSignatures),
        created(MSContract),
        created(VPM),
        created(HashTimeLock),
        created(CoinFlip),
        created(TurnGame),
        created(TicTacToe),
    )


def load(web3: Web3, path: str | Path) -> Deployment:
    """The suite that a file knows on the chain of `web3`, each contract checked.

    Args:
        path: a file of `save`, or a Populus `registrar.json`, of which the first address counts
            whose code is right.

    A file that names no CoinFlip, TurnGame or TicTacToe is of an older suite, which is loaded
    without.

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

    return Deployment(
        chain_id,
        found(LibSignatures),
        found(MSContract),
        found(VPM),
        found(HashTimeLock),
        found(CoinFlip) if known.get(CoinFlip.__name__) else None,
        found(TurnGame) if known.get(TurnGame.__name__) else None,
        found(TicTacToe) if known.get(TicTacToe.__name__) else None,
    )


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
        return msgspec.json.decode(path.read_bytes(), type=_File)
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
    if isinstance(front, (MSContract, VPM, HashTimeLock, CoinFlip, TurnGame)):
        require_domain(name, where, front.domain_separator(), front.domain.separator)
    return front
