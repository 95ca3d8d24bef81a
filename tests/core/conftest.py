"""Stages for the core: parties on memory stores and an EVM-free ledger."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from perun.core.config import Policy
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


def new_pair(policy: Policy) -> Pair:
    """Both by this policy."""
    world = World()
    alice, bob = world.party("alice", policy), world.party("bob", policy)
    world.advance()
    return Pair(world, alice, bob, open_channel(world, alice, bob, 1_000, 1_000))


def new_trio(policy: Policy) -> Trio:
    """Both ends by this policy."""
    world = World()
    alice, bob = world.party("alice", policy), world.party("bob", policy)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    return Trio(world, alice, ingrid, bob, left, right)


@pytest.fixture
def pair() -> Pair:
    return new_pair(OPEN_HANDED)


@pytest.fixture
def trio() -> Trio:
    return new_trio(OPEN_HANDED)
