"""The contracts that a daemon uses: kept in a small file, proved by code and domain at every start.

{"MSContract": "0x…", "VPM": "0x…", "HashTimeLock": "0x…", …}

What is missing after the first two is a kind of instance, or a game, that the node does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from web3 import Web3

from perun.bindings.suite import NODE_SUITE
from perun.bindings.translation import translated
from perun.core.config import Deployment
from perun.crypto.interop import address, checksum
from perun.daemon.settings import BadSettings
from perun.deployments import proved
from perun.encoding.cards import Card, card_name
from perun.encoding.kinds import NEEDED
from perun.errors import WrongType
from perun.nesting import read_json
from perun.node.settings import contracts_of, deployment_of
from perun.types import ChainId

__all__ = [
    "Contracts",
    "contracts_in",
    "of_deployment",
    "prove",
    "read_contracts",
    "write_contracts",
]


Contracts = Mapping[str, str]
"""Addresses in hex, by the contracts' names."""


def read_contracts(file: Path) -> Contracts:
    """What the file names.

    Raises:
        BadSettings: it cannot be read.
    """
    try:
        named = read_json(file.read_bytes(), dict[str, str])
    except OSError as error:
        raise BadSettings(str(file), error.strerror or type(error).__name__) from None
    except msgspec.DecodeError as error:
        raise BadSettings(str(file), str(error)) from None
    for name in named:
        if name not in NODE_SUITE:
            raise BadSettings(str(file), f"{name[:40]!r} is none of {', '.join(NODE_SUITE)}")
    return _whole(str(file), named)


def contracts_in(card: Card) -> Contracts:
    """Those that a card names and we can know. Raises `BadSettings` if it lacks a channel's."""
    named = {name: card.contracts.get(card_name(name)) for name in NODE_SUITE}
    known = {name: where for name, where in named.items() if where is not None}
    return _whole(f"the card of {card.host}", known)


def _whole(source: str, named: Contracts) -> Contracts:
    for name in NEEDED:
        if name not in named:
            raise BadSettings(source, f"it does not say where {name} is")
    return named


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
        found = {name: address(text) for name, text in contracts.items()}
    except WrongType as error:
        raise BadSettings("contracts", str(error)) from None
    for name, where in found.items():
        proved(web3, NODE_SUITE[name], where)
    return deployment_of(chain, found)


def of_deployment(deployment: Deployment) -> Contracts:
    """Their addresses, to be kept."""
    return {name: checksum(where) for name, where in contracts_of(deployment).items()}
