"""Stages for the core: parties on memory stores and an EVM-free ledger."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel
from perun.types import ChannelId


@dataclass
class Pair:
    """Alice and Bob with a channel of 1,000 each."""

    world: World
    alice: Party
    bob: Party
    channel: ChannelId


@dataclass
class Trio:
    """Alice and Bob, each with a channel of 1,000 each to Ingrid, the hub."""

    world: World
    alice: Party
    ingrid: Party
    bob: Party
    left: ChannelId
    """Alice's."""
    right: ChannelId
    """Bob's."""


@pytest.fixture
def pair() -> Pair:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    return Pair(world, alice, bob, open_channel(world, alice, bob, 1_000, 1_000))


@pytest.fixture
def trio() -> Trio:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    return Trio(world, alice, ingrid, bob, left, right)
