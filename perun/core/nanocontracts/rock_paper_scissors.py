"""Rock, paper, scissors: two hands that were chosen blindly decide who pays (section 4).

A hand is the last byte of a secret, modulo 3; else all is as in a coin flip. Both users choose one.
"""

from __future__ import annotations

from collections.abc import Container
from types import MappingProxyType
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from perun import checks
from perun.core.books import Draft
from perun.core.config import Deployment
from perun.core.inputs import Command
from perun.core.nanocontracts.kind import domain_in
from perun.core.nanocontracts.two_secrets import TwoSecrets
from perun.core.state import PeerId
from perun.crypto.hashing import keccak
from perun.encoding.coin_flip import flip_commit
from perun.encoding.rock_paper_scissors import (
    RockPaperScissorsDomain,
    hands_evidence,
    hands_id,
    hands_words,
)
from perun.types import (
    Address,
    ChannelId,
    Hands,
    InstanceId,
    Preimage,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["HANDS", "ROCK_PAPER_SCISSORS", "CommandThrow", "hand_of", "hands_shift", "with_hand"]

HANDS: Final = ("rock", "paper", "scissors")
"""Each beats the one before it, and the first the last."""


def hand_of(secret: bytes) -> int:
    """The hand that a secret is."""
    return secret[-1] % 3


def with_hand(random: bytes, hand: int) -> Preimage:
    """A secret that is this hand, of 32 random bytes."""
    return Preimage(random[:-1] + bytes([random[-1] % 85 * 3 + hand]))


def hands_shift(hands: Hands, alice: bytes, bob: bytes) -> Wei:
    """What the two secrets decide."""
    beats = (hand_of(alice) - hand_of(bob)) % 3
    return Wei((0, -hands.bob_lock, hands.alice_lock)[beats])


class CommandThrow(Command, frozen=True, gc=False):
    """Rock, paper, scissors with an end: the channel's peer, or somebody behind it as the hub."""

    channel: ChannelId
    own_lock: Wei
    """What we pay if we lose."""
    peer_lock: Wei
    validity: UnixTime
    window: Seconds
    random: Salt
    secret: Preimage
    """32 bytes that are used for nothing else, by `with_hand`."""
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


def throw(draft: Draft, command: CommandThrow, own: Address, end: Address) -> Hands:  # noqa: ARG001
    """What our user invites to; the other end's commitment comes with its answer."""
    checks.length("secret", command.secret, 32)
    return Hands(
        command.own_lock,
        command.peer_lock,
        flip_commit(False, command.secret),
        bytes(32),
        command.validity,
        command.window,
        command.random,
    )


class _RockPaperScissorsKind(TwoSecrets[Hands]):
    terms = Hands
    domain = RockPaperScissorsDomain
    asks: ClassVar[bool] = True
    called = "rock, paper, scissors"
    invites = MappingProxyType({CommandThrow: throw})

    def secret(self, command: Any) -> bytes:
        return bytes(command.secret)

    # Rule throw-1.
    def half(self, seed: bytes, terms: Hands, word: bytes = b"") -> tuple[Salt, bytes]:
        """Bob's part of the salt is his commitment. His secret follows from all that Alice fixed
        and from his hand: two that differ in the hand alone would show each other."""
        secret = keccak(seed + b"secret of a hand" + hands_words(terms) + word)
        if word:
            secret = with_hand(secret, hand_of(word))
        return Salt(flip_commit(True, secret)), secret

    def whole(self, terms: Hands, half: Salt) -> Hands:
        return replace(terms, bob_commit=half, salt=Salt(keccak(terms.salt + half)))

    def id(self, deployment: Deployment, terms: Hands) -> InstanceId:
        return hands_id(domain_in(deployment, RockPaperScissorsDomain), terms)

    def results(self, terms: Hands) -> Container[tuple[int, int]]:
        return (terms.alice_lock, 0), (0, terms.bob_lock), (0, 0)

    def shift(self, terms: Hands, alice: bytes, bob: bytes) -> Wei:
        return hands_shift(terms, alice, bob)

    def evidence(self, terms: Hands, bob: bool, secret: bytes) -> bytes:
        return hands_evidence(terms, bob, secret)


ROCK_PAPER_SCISSORS = _RockPaperScissorsKind()
