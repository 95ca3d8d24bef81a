"""The contracts that a daemon uses: kept in a small file, proved by code and domain at every start.

{"MSContract": "0x…", "VPM": "0x…", "HashTimeLock": "0x…", "CoinFlip": "0x…"}

The last one may be missing: then the node knows no coin flips.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from web3 import Web3

from perun.bindings import VPM, CoinFlip, HashTimeLock, MSContract
from perun.bindings.translation import translated
from perun.core.config import Deployment
from perun.crypto.interop import address, checksum
from perun.daemon.settings import BadSettings
from perun.deployments import proved
from perun.errors import WrongType
from perun.node.settings import deployment_of
from perun.types import ChainId

__all__ = ["Contracts", "of_deployment", "prove", "read_contracts", "write_contracts"]


class Contracts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Addresses in hex."""

    ms_contract: str = msgspec.field(name="MSContract")
    vpm: str = msgspec.field(name="VPM")
    hash_time_lock: str = msgspec.field(name="HashTimeLock")
    coin_flip: str | None = msgspec.field(name="CoinFlip", default=None)
    """None: this node knows no coin flips."""


def read_contracts(file: Path) -> Contracts:
    """What the file names.

    Raises:
        BadSettings: it cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Contracts)
    except OSError as error:
        raise BadSettings(str(file), error.strerror or type(error).__name__) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadSettings(str(file), str(error)) from None


def write_contracts(file: Path, contracts: Contracts) -> None:
    """Writes the file. Raises `BadSettings` if that cannot be done."""
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(contracts), indent=2) + b"\n")
    except OSError as error:
        raise BadSettings(str(file), error.strerror or type(error).__name__) from None


def prove(web3: Web3, contracts: Contracts) -> Deployment:
    """The deployment, if the chain has our code at these addresses.

    Raises:
        BadSettings: an address is none.
        WrongCode: other code stands there, or it signs in another domain.
        NodeUnreachable, NodeRefused: the node failed.
    """
    with translated():
        chain = ChainId(web3.eth.chain_id)
    try:
        named = (
            contracts.ms_contract,
            contracts.vpm,
            contracts.hash_time_lock,
            contracts.coin_flip,
        )
        found = [address(text) for text in named if text is not None]
    except WrongType as error:
        raise BadSettings("contracts", str(error)) from None
    kinds = (MSContract, VPM, HashTimeLock, CoinFlip)
    for kind, where in zip(kinds, found, strict=False):
        proved(web3, kind, where)
    return deployment_of(chain, *found)


def of_deployment(deployment: Deployment) -> Contracts:
    """Their addresses, to be kept."""
    return Contracts(
        checksum(deployment.contract.contract),
        checksum(deployment.vpm.contract),
        checksum(deployment.hash_time_lock.contract),
        None if deployment.coin_flip is None else checksum(deployment.coin_flip.contract),
    )
