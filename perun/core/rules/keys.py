"""Whose is what in a channel, and whose key signs in a machine."""

from __future__ import annotations

from typing import TypeVar

from perun.core.state import ChannelView, Role
from perun.types import Address, Machine

__all__ = ["alice_first", "machine_key", "own_account", "own_key", "peer_account", "peer_key"]

T = TypeVar("T")


def alice_first(view: ChannelView, own: T, peer: T) -> tuple[T, T]:
    """What is ours and what is the peer's, as the channel's Alice's and its Bob's."""
    return (own, peer) if view.role is Role.ALICE else (peer, own)


def own_key(view: ChannelView) -> Address:
    """The key that signs for us."""
    return view.channel.alice_key if view.role is Role.ALICE else view.channel.bob_key


def peer_key(view: ChannelView) -> Address:
    """The key that signs for the other side."""
    return view.channel.bob_key if view.role is Role.ALICE else view.channel.alice_key


def machine_key(machine: Machine, role: Role) -> Address:
    """The key that signs a machine's statements for a side of it."""
    return machine.alice if role is Role.ALICE else machine.bob


def own_account(view: ChannelView) -> Address:
    """The account that owns our side's money."""
    return view.channel.alice if view.role is Role.ALICE else view.channel.bob


def peer_account(view: ChannelView) -> Address:
    """The account that owns the other side's money."""
    return view.channel.bob if view.role is Role.ALICE else view.channel.alice
