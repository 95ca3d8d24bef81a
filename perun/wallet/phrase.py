"""Twelve words, and the keys that come of them, in every host the same.

The phrase (BIP-39) gives the *account*, as other wallets derive it, and for every store a *node
key* that is derived with the store's own random number. Typing the phrase again draws a new
number, so it never makes a key that another store may still sign with (protocol, section 5,
Store). Source: BIP-39, BIP-32, BIP-44; tests compare with eth_account.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar, Final

from perun.crypto import SecretKey
from perun.crypto.agreement import public_key_of
from perun.errors import Misuse

__all__ = ["BadPhrase", "StoreKeys", "key_of", "phrase_of", "seed_of", "words_of"]

_WORDS: Final = 12
_ENTROPY: Final = 16
_ROUNDS: Final = 2048
_HARD: Final = 2**31
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_ACCOUNT: Final = "m/44'/60'/0'/0/0"
_BACKUP: Final = "m/7265'/1'"
_NODE: Final = "m/7265'/0'/{number}'"


@dataclass(eq=False)
class BadPhrase(Misuse):
    """Words that are no phrase."""

    reason: str

    template: ClassVar[str] = "these words are no phrase: {reason}"
    hint: ClassVar[str] = "type the twelve words in their order, as they were shown"


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The keys of one store."""

    number: int
    """Of the store; part of every backup."""
    account: SecretKey
    node: SecretKey
    backup: bytes = field(repr=False)
    """32 bytes; the same for all stores."""

    @classmethod
    def of(cls, phrase: str, number: int | None = None) -> StoreKeys:
        """The keys of a checked phrase for a store; without a number for a new one, drawn here."""
        if number is None:
            number = secrets.randbelow(_HARD - 1) + 1
        seed = seed_of(phrase)
        return cls(
            number,
            SecretKey(key_of(seed, _ACCOUNT)),
            SecretKey(key_of(seed, _NODE.format(number=number))),
            key_of(seed, _BACKUP),
        )


def phrase_of(entropy: bytes, words: Sequence[str]) -> str:
    """Twelve words for 16 random bytes: eleven bits each, the last four a checksum.

    Args:
        words: the list of BIP-39, 2,048 of them.
    """
    assert len(entropy) == _ENTROPY
    assert len(words) == 2048
    bits = int.from_bytes(entropy, "big") << 4 | sha256(entropy).digest()[0] >> 4
    return " ".join(words[bits >> 11 * place & 2047] for place in reversed(range(_WORDS)))


def words_of(text: str, words: Sequence[str]) -> str:
    """What somebody has typed, as a phrase.

    Raises:
        BadPhrase: a word is not on the list, or the last one does not fit the others.
    """
    typed = text.lower().split()
    if len(typed) != _WORDS:
        raise BadPhrase(f"{len(typed)} words, not {_WORDS}")
    places = {word: place for place, word in enumerate(words)}
    for word in typed:
        if word not in places:
            raise BadPhrase(f"{word!r} is not on the list of words")
    bits = 0
    for word in typed:
        bits = bits << 11 | places[word]
    entropy = (bits >> 4).to_bytes(_ENTROPY, "big")
    if phrase_of(entropy, words) != " ".join(typed):
        raise BadPhrase("a word is wrong, or two are exchanged")
    return " ".join(typed)


def seed_of(phrase: str) -> bytes:
    """64 bytes: PBKDF2 of the words, which are ASCII, with 2,048 rounds of HMAC-SHA-512."""
    block = hmac.digest(phrase.encode(), b"mnemonic" + b"\0\0\0\1", "sha512")
    found = int.from_bytes(block, "big")
    for _ in range(_ROUNDS - 1):
        block = hmac.digest(phrase.encode(), block, "sha512")
        found ^= int.from_bytes(block, "big")
    return found.to_bytes(64, "big")


def key_of(seed: bytes, path: str) -> bytes:
    """32 bytes: the private key at a path such as `m/44'/60'/0'/0/0` (BIP-32)."""
    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for part in path.split("/")[1:]:
        index = int(part.rstrip("'")) + (_HARD if part.endswith("'") else 0)
        secret, chain = node[:32], node[32:]
        data = b"\0" + secret if index >= _HARD else public_key_of(secret)
        left = hmac.digest(chain, data + index.to_bytes(4, "big"), "sha512")
        key = (int.from_bytes(left[:32], "big") + int.from_bytes(secret, "big")) % _ORDER
        node = key.to_bytes(32, "big") + left[32:]
    return node[:32]
