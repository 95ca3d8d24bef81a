"""Ids of channels and instances, and the hashes that stand for lists and states (sections 3, 4)."""

from __future__ import annotations

from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import (
    MSContractDomain,
)
from perun.types import (
    Channel,
    ChannelId,
    Nano,
    NanosHash,
    Version,
    Wei,
)

_NO_NANOS = NanosHash(bytes(32))

# `abi.encode(Nano[])` begins with the place of the list: right behind this word.
_LIST_FOLLOWS = words.unsigned(32)

# The contract keeps this many low bits of a state's hash (protocol, section 3, Storage).
STATE_HASH_BITS = 173


def channel_id(domain: MSContractDomain, channel: Channel) -> ChannelId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, channel))`."""
    return ChannelId(keccak(domain.separator + channel_words(channel)))


def nanos_hash(nanos: tuple[Nano, ...]) -> NanosHash:
    """Zeros for the empty list, else `keccak256(abi.encode(Nano[]))`."""
    if not nanos:
        return _NO_NANOS
    head = _LIST_FOLLOWS + words.unsigned(len(nanos))
    return NanosHash(keccak(head + b"".join(map(nano_words, nanos))))


def state_hash(channel: ChannelId, version: Version, net: Wei, nanos: tuple[Nano, ...]) -> int:
    """Low 173 bits of `keccak256(abi.encode(id, version, net, nanos_hash))`, as in `dispute`."""
    whole = keccak(channel + words.unsigned(version) + words.signed(net) + nanos_hash(nanos))
    return int.from_bytes(whole, "big") & ((1 << STATE_HASH_BITS) - 1)


def channel_words(channel: Channel) -> bytes:
    """`abi.encode(channel)`, 7 words."""
    return (
        words.address(channel.alice)
        + words.address(channel.bob)
        + words.address(channel.alice_key)
        + words.address(channel.bob_key)
        + words.address(channel.asset)
        + words.unsigned(channel.challenge)
        + words.unsigned(channel.nonce)
    )


def nano_words(nano: Nano) -> bytes:
    """`abi.encode(nano)`, 6 words."""
    return (
        words.address(nano.app)
        + nano.id
        + words.unsigned(nano.alice_lock)
        + words.unsigned(nano.bob_lock)
        + words.unsigned(nano.expiry)
        + words.unsigned(nano.swapped)
    )
