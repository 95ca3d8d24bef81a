"""What the program above a node is told once, beside what the core is told."""

from __future__ import annotations

from perun.games import View
from perun.types import Address, Asset, Record, Seconds

__all__ = ["KnownGame", "KnownNetwork", "KnownToken", "Settings"]


class KnownToken(Record, frozen=True):
    """A token that people may call by name."""

    asset: Asset
    symbol: str
    decimals: int


class KnownNetwork(Record, frozen=True):
    """A network that this program can be used on."""

    chain_id: int
    name: str
    contract: bytes
    genesis: bytes = b""
    test: bool = True


class KnownGame(Record, frozen=True):
    """Rules that we play by."""

    name: str
    """The contract's."""
    rules: Address
    """Where it stands."""
    view: View | None = None
    """How it looks, if that is said beside this package."""


class Settings(Record, frozen=True):
    """Sizes and times; those of the protocol are `perun.core.limits`."""

    genesis: bytes = bytes(32)
    """Hash of the chain's first block: part of every request."""
    networks: tuple[KnownNetwork, ...] = ()
    tokens: tuple[KnownToken, ...] = ()
    """On our own network."""
    host: str = ""
    """Where we, or the hub in front of us, can be reached: stands in links."""
    patience: Seconds = Seconds(30)
    """How long a payment looks for a way before it fails."""
    ahead: int = 8
    """A machine is made for so many payments of the size at hand, if there is money for it."""
    life: Seconds = Seconds(7 * 86_400)
    """How long a machine in a channel of two can be paid in, if the limits allow …"""
    life_over_hub: Seconds = Seconds(86_400)
    """… and one over a hub, which may charge for the time."""
    repeat: Seconds = Seconds(10)
    """After so long an unanswered note or invitation is said again."""
    grace: Seconds = Seconds(60)
    """A payment that comes so long after a request's end still counts for it: it was under way."""
    games: tuple[KnownGame, ...] = ()
    thinking: Seconds = Seconds(600)
    """How long the other side of a game may let us wait before we take it to the chain."""
    most_notes: int = 64
    """Notes of one machine that may wait for their money."""
    most_incomes: int = 10_000
    """Payments of one peer to us that are kept, beside those of our requests …"""
    most_parts: int = 1_024
    """… and parts of a machine's total that it may leave between them."""
    keep: Seconds = Seconds(30 * 86_400)
    """How long events and finished errands are kept …"""
    most_events: int = 1_000_000
    """… and how many events at most."""
