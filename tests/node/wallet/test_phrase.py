"""Twelve words give what other wallets make of them."""

from __future__ import annotations

import pytest
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language

from perun.daemon.keyring import Keyring
from perun.wallet.phrase import BadPhrase, StoreKeys, key_of, phrase_of, seed_of, words_of

OTHERS = Mnemonic(Language.ENGLISH)
WORDS = OTHERS.wordlist
PHRASE = "abandon " * 11 + "about"


@pytest.mark.parametrize("byte", [0, 1, 85, 127, 128, 255])
def test_words_are_those_of_others(byte: int) -> None:
    entropy = bytes((byte * (at + 1)) % 256 for at in range(16))
    phrase = phrase_of(entropy, WORDS)
    assert phrase == OTHERS.to_mnemonic(entropy)
    assert words_of(f"  {phrase.upper()} ", WORDS) == phrase


@pytest.mark.parametrize("path", ["m/44'/60'/0'/0/0", "m/44'/60'/0'/0/7", "m/7265'/0'/2147483647'"])
def test_keys_are_those_of_others(path: str) -> None:
    seed = seed_of(PHRASE)
    assert seed == seed_from_mnemonic(PHRASE, "")
    assert key_of(seed, path) == key_from_seed(seed, path)


def test_keys_of_a_store_are_those_of_a_keyring() -> None:
    ours, theirs = StoreKeys.of(PHRASE, 7), Keyring.of(PHRASE, 7)
    assert (ours.account.secret, ours.node.secret) == (theirs.account.secret, theirs.node.secret)
    assert StoreKeys.of(PHRASE).node.secret != StoreKeys.of(PHRASE).node.secret


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abandon", "1 words"),
        ("abandon " * 12, "a word is wrong"),
        ("abandon " * 11 + "perun", "not on the list"),
    ],
)
def test_other_words_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadPhrase, match=reason):
        words_of(text, WORDS)
