"""The coin flip: the sum of two secrets decides who pays (section 4)."""

from __future__ import annotations

from collections.abc import Container
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from perun import checks
from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.faults import InstanceRejected
from perun.core.inputs import Command
from perun.core.nanocontracts.kind import domain_in
from perun.core.nanocontracts.two_secrets import TwoSecrets
from perun.core.state import PeerId
from perun.crypto.hashing import keccak
from perun.encoding.coin_flip import (
    CoinFlipDomain,
    flip_commit,
    flip_evidence,
    flip_id,
    flip_words,
)
from perun.types import (
    Address,
    ChannelId,
    Flip,
    InstanceId,
    Preimage,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["COIN_FLIP", "CommandFlip", "flip_shift"]

CASES = 2**16


def flip_shift(flip: Flip, alice: bytes, bob: bytes) -> Wei:
    """What the two secrets decide."""
    total = int.from_bytes(alice[-2:], "big") + int.from_bytes(bob[-2:], "big")
    return Wei(flip.alice_lock if total % CASES < flip.odds else -flip.bob_lock)


class CommandFlip(Command, frozen=True, gc=False):
    """Flip a coin for money with an end: the channel's peer, or somebody behind it as the hub."""

    channel: ChannelId
    own_lock: Wei
    """What we pay if we lose."""
    peer_lock: Wei
    odds: int
    """We lose in so many of 65,536 cases."""
    validity: UnixTime
    window: Seconds
    random: Salt
    secret: Preimage
    """32 random bytes that are used for nothing else."""
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


def flip(draft: Draft, command: CommandFlip, own: Address, end: Address) -> Flip:  # noqa: ARG001
    """What our user invites to; the other end's commitment comes with its answer."""
    checks.length("secret", command.secret, 32)
    return Flip(
        command.own_lock,
        command.peer_lock,
        flip_commit(False, command.secret),
        bytes(32),
        command.odds,
        command.validity,
        command.window,
        command.random,
    )


class _CoinFlipKind(TwoSecrets[Flip]):
    terms = Flip
    domain = CoinFlipDomain
    called = "a coin flip"
    invites = MappingProxyType({CommandFlip: flip})

    def secret(self, command: Any) -> bytes:
        return bytes(command.secret)

    # Rule flip-1.
    def half(self, seed: bytes, terms: Flip, word: bytes = b"") -> tuple[Salt, bytes]:
        """Bob's part of the salt is his commitment. The secret follows from all that Alice fixed,
        her commitment included: she learns it in no other flip."""
        secret = keccak(seed + b"secret of a coin flip" + flip_words(terms))
        return Salt(flip_commit(True, secret)), secret

    def whole(self, terms: Flip, half: Salt) -> Flip:
        return replace(terms, bob_commit=half, salt=Salt(keccak(terms.salt + half)))

    # Rule flip-2.
    def check_invited(self, books: Books, terms: Flip) -> None:
        """Who is invited does not play against the odds."""
        wins, loses = terms.odds * terms.alice_lock, (CASES - terms.odds) * terms.bob_lock
        if wins < loses:
            raise InstanceRejected("the odds are against me")

    def id(self, deployment: Deployment, terms: Flip) -> InstanceId:
        return flip_id(domain_in(deployment, CoinFlipDomain), terms)

    def results(self, terms: Flip) -> Container[tuple[int, int]]:
        return (terms.alice_lock, 0), (0, terms.bob_lock)

    def shift(self, terms: Flip, alice: bytes, bob: bytes) -> Wei:
        return flip_shift(terms, alice, bob)

    def evidence(self, terms: Flip, bob: bool, secret: bytes) -> bytes:
        return flip_evidence(terms, bob, secret)


COIN_FLIP = _CoinFlipKind()
