"""Which network a page's store is about: contracts that a card names and that the chain proves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.app.cards import CARD_PATH
from perun.bindings.artifacts import artifact
from perun.bindings.nanocontract import domain_separator
from perun.bindings.proving import require_code, require_domain
from perun.bindings.rules import RULES
from perun.core.config import Deployment
from perun.core.state import PeerId
from perun.crypto.interop import address
from perun.encoding.addresses import url_of
from perun.encoding.cards import Card, card_name, read_card
from perun.encoding.kinds import DOMAINS
from perun.errors import ChainFault, Misuse, PeerFault
from perun.node.settings import contracts_of, deployment_of
from perun.page.endpoint import PageEndpoint
from perun.page.lent import Lent
from perun.types import Address, Record, UnixTime

__all__ = [
    "KNOWN",
    "NetworkOf",
    "NoCard",
    "OtherChain",
    "card_at",
    "grown",
    "look_at",
    "prove",
    "rules_of",
]

KNOWN: Final = (*DOMAINS, *RULES)
"""Contracts that a page knows, and rules of games: who plays by them runs their code."""

_OK: Final = 200


@dataclass(eq=False)
class NoCard(PeerFault):
    """Nobody serves a card at a host."""

    host: str
    reason: str

    template: ClassVar[str] = "no card from {host}: {reason}"
    hint: ClassVar[str] = "check the address, and whether the node is running"


@dataclass(eq=False)
class OtherChain(Misuse):
    """The chain's node is on another chain than the one that is meant."""

    what: str
    found: str
    wanted: str

    template: ClassVar[str] = "the chain's {what} is {found}, not {wanted}"
    hint: ClassVar[str] = "give the address of a node of the right chain"


class NetworkOf(Record, frozen=True):
    """What a store is about; kept with it."""

    chain: int
    genesis: bytes
    contracts: dict[str, Address]
    """By the contracts' names."""


async def card_at(lent: Lent, host: str, peer: PeerId | None = None, least_serial: int = 0) -> Card:
    """The card that is served at a host.

    Raises:
        NoCard: nobody answers.
        CardMalformed, CardForged, CardFromAnother, CardStale, CardExpired: as `read_card` says.
    """
    answer = await lent.fetch("GET", url_of(host, CARD_PATH), "")
    if answer.status != _OK:
        raise NoCard(host, f"HTTP {answer.status}" if answer.status else answer.text[:200])
    now = UnixTime(int(time.time()))
    return read_card(answer.text.encode(), now, peer=peer, least_serial=least_serial)


def look_at(endpoint: PageEndpoint, card: Card) -> NetworkOf:
    """The network of a card, if the chain is the card's and has our contracts there.

    Raises:
        OtherChain: it is another chain.
        WrongCode: something else stands there.
        ChainFault: the chain's node does not answer.
    """
    chain, genesis = _chain(endpoint)
    for what, found, wanted in (
        ("number", f"eip155:{chain}", card.network),
        ("first block", "0x" + genesis.hex(), card.genesis.lower()),
    ):
        if found != wanted:
            raise OtherChain(what, found, wanted)
    network = NetworkOf(chain, genesis, _named(card))
    prove(endpoint, network)
    return network


def grown(endpoint: PageEndpoint, network: NetworkOf, card: Card) -> NetworkOf:
    """The network of a store with the kinds that its hub's card names and that it did not have.

    Raises: as `look_at`.
    """
    found = look_at(endpoint, card)
    return replace(network, contracts=found.contracts | network.contracts)


def rules_of(network: NetworkOf) -> dict[str, tuple[Address, bytes]]:
    """The games that can be played: by name, where their rules are, and their code."""
    places = network.contracts
    return {name: (places[name], artifact(name).runtime) for name in RULES if name in places}


def _named(card: Card) -> dict[str, Address]:
    named = {name: card.contracts.get(card_name(name)) for name in KNOWN}
    return {name: address(where) for name, where in named.items() if where is not None}


def prove(endpoint: PageEndpoint, network: NetworkOf) -> Deployment:
    """The contracts, if the chain has our code there, which signs in its own domain.

    Raises: as `look_at`.
    """
    chain, genesis = _chain(endpoint)
    if (chain, genesis) != (network.chain, network.genesis):
        raise OtherChain("first block", genesis.hex(), network.genesis.hex())
    deployment = deployment_of(endpoint.chain_now(), network.contracts)
    head = endpoint.block()
    if head is None:
        raise ChainFault
    wanted: Mapping[str, bytes] = {
        domain.contract_name: domain.separator for domain in deployment.domains
    }
    for name, (where, _) in rules_of(network).items():
        require_code(name, where, endpoint.code(where))
    for name, where in contracts_of(deployment).items():
        require_code(name, where, endpoint.code(where))
        found = endpoint.ask(domain_separator(where), head.number)
        require_domain(name, where, found, wanted[name])
    return deployment


def _chain(endpoint: PageEndpoint) -> tuple[int, bytes]:
    first = endpoint.block(0)
    return endpoint.chain_now(), b"" if first is None else first.hash
