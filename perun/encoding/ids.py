"""Ids of channels and instances, and the hashes that stand for lists and states (sections 3, 4)."""

from __future__ import annotations

from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import (
    CoinFlipDomain,
    EscrowDomain,
    HashTimeLockDomain,
    MSContractDomain,
    TurnGameDomain,
    VPMDomain,
)
from perun.types import (
    Channel,
    ChannelId,
    Deal,
    DealId,
    Flip,
    FlipId,
    Game,
    GameId,
    InstanceId,
    Lock,
    LockId,
    Machine,
    MachineId,
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


def machine_id(domain: VPMDomain, machine: Machine) -> MachineId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, machine))`."""
    return MachineId(InstanceId(keccak(domain.separator + machine_words(machine))))


def lock_id(domain: HashTimeLockDomain, lock: Lock) -> LockId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, lock))`."""
    return LockId(InstanceId(keccak(domain.separator + lock_words(lock))))


def flip_id(domain: CoinFlipDomain, flip: Flip) -> FlipId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, flip))`."""
    return FlipId(InstanceId(keccak(domain.separator + flip_words(flip))))


def game_id(domain: TurnGameDomain, game: Game) -> GameId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, game))`."""
    return GameId(InstanceId(keccak(domain.separator + game_words(game))))


def deal_id(domain: EscrowDomain, deal: Deal) -> DealId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, deal))`."""
    return DealId(InstanceId(keccak(domain.separator + deal_words(deal))))


def flip_commit(bob: bool, secret: bytes) -> bytes:
    """`keccak256(abi.encode(bob, secret))`: what a side of a coin flip commits to.

    It says whose it is, so that a copied commitment cannot be opened.
    """
    return keccak(words.unsigned(bob) + secret)


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


def machine_words(machine: Machine) -> bytes:
    """`abi.encode(machine)`, 7 words."""
    return (
        words.address(machine.alice)
        + words.address(machine.bob)
        + words.unsigned(machine.alice_lock)
        + words.unsigned(machine.bob_lock)
        + words.unsigned(machine.validity)
        + words.unsigned(machine.challenge)
        + machine.salt
    )


def lock_words(lock: Lock) -> bytes:
    """`abi.encode(lock)`, 5 words."""
    return (
        words.unsigned(lock.amount)
        + words.unsigned(lock.bob_pays)
        + lock.hash
        + words.unsigned(lock.deadline)
        + lock.salt
    )


def flip_words(flip: Flip) -> bytes:
    """`abi.encode(flip)`, 8 words."""
    return (
        words.unsigned(flip.alice_lock)
        + words.unsigned(flip.bob_lock)
        + flip.alice_commit
        + flip.bob_commit
        + words.unsigned(flip.odds)
        + words.unsigned(flip.validity)
        + words.unsigned(flip.window)
        + flip.salt
    )


def game_words(game: Game) -> bytes:
    """`abi.encode(game)`, 12 words."""
    return (
        words.address(game.alice)
        + words.address(game.bob)
        + words.unsigned(game.alice_lock)
        + words.unsigned(game.bob_lock)
        + words.address(game.rules)
        + game.rules_hash
        + game.setup
        + words.unsigned(game.validity)
        + words.unsigned(game.challenge)
        + words.unsigned(game.alice_bank)
        + words.unsigned(game.bob_bank)
        + game.salt
    )


def deal_words(deal: Deal) -> bytes:
    """`abi.encode(deal)`, 10 words."""
    return (
        words.address(deal.alice)
        + words.address(deal.bob)
        + words.address(deal.arbiter)
        + words.unsigned(deal.alice_lock)
        + words.unsigned(deal.bob_lock)
        + words.signed(deal.late_shift)
        + words.unsigned(deal.due)
        + words.unsigned(deal.validity)
        + words.unsigned(deal.challenge)
        + deal.salt
    )
