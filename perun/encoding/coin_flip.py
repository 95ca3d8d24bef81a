"""Coin flips in bytes: ids, commitments, and evidence for `CoinFlip.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain
from perun.types import (
    Address,
    ChainId,
    Flip,
    FlipId,
    InstanceId,
)


class CoinFlipDomain(Domain, frozen=True, gc=False):
    """Domain of coin flips (EIP-712): nothing is signed, it keeps deployments' ids apart."""

    contract_name: ClassVar[str] = "CoinFlip"


def coin_flip_domain(chain_id: ChainId, contract: Address) -> CoinFlipDomain:
    """Domain `{"Perun CoinFlip", "1"}` of the CoinFlip at `contract`."""
    return domain_of(CoinFlipDomain, chain_id, contract)


def flip_id(domain: CoinFlipDomain, flip: Flip) -> FlipId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, flip))`."""
    return FlipId(InstanceId(keccak(domain.separator + flip_words(flip))))


def flip_commit(bob: bool, secret: bytes) -> bytes:
    """`keccak256(abi.encode(bob, secret))`: what a side of a coin flip commits to.

    It says whose it is, so that a copied commitment cannot be opened.
    """
    return keccak(words.unsigned(bob) + secret)


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


def flip_evidence(flip: Flip, bob: bool, secret: bytes) -> bytes:
    """`abi.encode(flip, bob, secret)` for `CoinFlip.submit`.

    Raises:
        WrongType, WrongLength: the secret is not 32 bytes.
    """
    checks.length("secret", secret, 32)
    return flip_words(flip) + words.unsigned(bob) + secret


COIN_FLIP: Final = InDomain(CoinFlipDomain)
