"""What a channel is, and what both of its keys sign (protocol, section 3)."""

from __future__ import annotations

from perun import checks
from perun.types.quantities import (
    Address,
    Asset,
    ChannelId,
    InstanceId,
    Nonce,
    Record,
    Seconds,
    UnixTime,
    Version,
    Wei,
)

__all__ = ["Channel", "Close", "Nano", "Open", "Settlement", "State", "Withdraw"]


class Channel(Record, frozen=True, gc=False):
    """The fixed terms of a basic channel; their hash is its id (protocol, section 3)."""

    alice: Address
    """Account that owns Alice's money, is paid out, and may send her transactions."""
    bob: Address
    """Account that owns Bob's money."""
    alice_key: Address
    """Address of the ECDSA key that signs for Alice; may equal `alice`."""
    bob_key: Address
    """Address of the ECDSA key that signs for Bob; may equal `bob`."""
    asset: Asset
    """Token, or `ETH`."""
    challenge: Seconds
    """How long a dispute stays open to newer states; uint32."""
    nonce: Nonce
    """Drawn at random for this channel; uint64."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.length("alice_key", self.alice_key, 20)
        checks.length("bob_key", self.bob_key, 20)
        checks.length("asset", self.asset, 20)
        checks.unsigned("challenge", self.challenge, 32)
        checks.unsigned("nonce", self.nonce, 64)


class Nano(Record, frozen=True, gc=False):
    """A nanocontract instance that holds part of a channel's money (protocol, section 3)."""

    app: Address
    """The nanocontract."""
    id: InstanceId
    """The instance: the hash of all its parameters."""
    alice_lock: Wei
    """Most that may move from the channel's Alice to the channel's Bob."""
    bob_lock: Wei
    """Most that may move the other way."""
    expiry: UnixTime
    """Last second for which the locks wait; equals the instance's final time. uint40."""
    swapped: bool
    """Whether the instance's Alice is the channel's Bob."""

    def __post_init__(self) -> None:
        checks.length("app", self.app, 20)
        checks.length("id", self.id, 32)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.unsigned("expiry", self.expiry, 40)
        checks.boolean("swapped", self.swapped)


class Settlement(Record, frozen=True, gc=False):
    """One item of `settleMany`: a registered state as `settle` wants it (protocol, section 3)."""

    channel: Channel
    net: Wei
    """Registered net; 0 once the channel is settling."""
    nanos: tuple[Nano, ...]
    """Registered list; once the channel is settling, the remaining one."""

    def __post_init__(self) -> None:
        checks.record("channel", self.channel, Channel)
        checks.signed_amount("net", self.net)
        checks.records("nanos", self.nanos, Nano)


class State(Record, frozen=True, gc=False):
    """A state of a channel, signed by both keys (protocol, section 3).

    What is signed holds the hash of `nanos`; the record holds the list, since every use needs it.
    """

    channel: ChannelId
    version: Version
    """Higher ones replace lower ones in a dispute; uint48."""
    net: Wei
    """What Alice has paid Bob in total; negative the other way."""
    nanos: tuple[Nano, ...] = ()
    """Instances that lock money; the contract takes at most 64, strictly ascending by (id, app)."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.unsigned("version", self.version, 48)
        checks.signed_amount("net", self.net)
        checks.records("nanos", self.nanos, Nano)


class Close(Record, frozen=True, gc=False):
    """The end of a channel by agreement, signed by both keys (protocol, section 3)."""

    channel: ChannelId
    net: Wei
    """What Alice has paid Bob in total; negative the other way."""
    valid_until: UnixTime
    """Last second at which it may be mined; uint40."""
    to_credit: int = 0
    """Bit 0: Alice is paid into her credit; bit 1: Bob into his. uint8."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.signed_amount("net", self.net)
        checks.unsigned("valid_until", self.valid_until, 40)
        checks.unsigned("to_credit", self.to_credit, 8)


class Withdraw(Record, frozen=True, gc=False):
    """A payout from an open channel, signed by both keys (protocol, section 3)."""

    channel: ChannelId
    index: int
    """Count of withdrawals so far; uint32."""
    alice_amount: Wei
    """What Alice's account is paid, and her holdings fall by."""
    bob_amount: Wei
    """What Bob's account is paid, and his holdings fall by."""
    valid_until: UnixTime
    """Last second at which it may be mined; uint40."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.unsigned("index", self.index, 32)
        checks.amount("alice_amount", self.alice_amount)
        checks.amount("bob_amount", self.bob_amount)
        checks.unsigned("valid_until", self.valid_until, 40)


class Open(Record, frozen=True, gc=False):
    """Leave to fund a channel from the signer's credit, signed by that account (section 3)."""

    channel: ChannelId
    alice_amount: Wei
    bob_amount: Wei
    valid_until: UnixTime
    """Last second at which it may be mined; uint40."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.amount("alice_amount", self.alice_amount)
        checks.amount("bob_amount", self.bob_amount)
        checks.unsigned("valid_until", self.valid_until, 40)
