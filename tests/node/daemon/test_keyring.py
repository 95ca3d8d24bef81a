"""Twelve words and what comes of them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from perun.daemon.keyring import (
    BadPhrase,
    Keyring,
    KeyringError,
    new_phrase,
    read_keyring,
    write_keyring,
)

KNOWN = "test test test test test test test test test test test junk"
WORK = 2**4


def test_account_is_that_of_other_wallets() -> None:
    """The first account of the phrase that development chains use."""
    account = Keyring.of(KNOWN, 1).account
    assert account.address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def test_node_key_depends_on_the_store_and_nothing_else_does() -> None:
    one, same, other = Keyring.of(KNOWN, 1), Keyring.of(KNOWN, 1), Keyring.of(KNOWN, 2)
    assert one.node.secret == same.node.secret
    assert one.node.secret != other.node.secret
    assert one.account.secret == other.account.secret
    assert one.backup == other.backup
    secrets = {one.node.secret, one.account.secret, one.backup, other.node.secret}
    assert len(secrets) == 4


def test_typing_a_phrase_again_draws_another_number() -> None:
    """Else a second device would sign with the key of the first [N5]."""
    numbers = {Keyring.of(KNOWN).number for _ in range(20)}
    assert len(numbers) == 20
    assert all(0 < number < 2**31 for number in numbers)


def test_new_phrases_differ_and_are_good() -> None:
    phrases = {new_phrase() for _ in range(5)}
    assert len(phrases) == 5
    for phrase in phrases:
        Keyring.of(phrase)


@pytest.mark.parametrize("typed", [KNOWN.upper(), "  " + KNOWN.replace(" ", "\n\t ")])
def test_phrase_is_read_as_people_type_it(typed: str) -> None:
    assert Keyring.of(typed, 1).phrase == KNOWN


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("", "0 words"),
        (KNOWN + " test", "13 words"),
        (KNOWN.replace("junk", "jank"), "'jank' is not on the list"),
        (KNOWN.replace("junk", "test"), "a word is wrong"),
    ],
)
def test_wrong_words_are_named(phrase: str, reason: str) -> None:
    with pytest.raises(BadPhrase, match=reason):
        Keyring.of(phrase)


def test_keys_are_kept_encrypted_for_their_owner(tmp_path: Path) -> None:
    file, keyring = tmp_path / "keys.json", Keyring.of(KNOWN, 77)
    write_keyring(file, keyring, "password", work=WORK)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"junk" not in file.read_bytes()
    found = read_keyring(file, "password")
    assert (found.phrase, found.number) == (KNOWN, 77)
    assert found.node.secret == keyring.node.secret


def test_another_password_opens_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write_keyring(file, Keyring.of(KNOWN, 77), "password", work=WORK)
    with pytest.raises(KeyringError, match="password is wrong"):
        read_keyring(file, "Password")


def test_number_cannot_be_exchanged(tmp_path: Path) -> None:
    """A file made to say another store's number would give that store's key."""
    file = tmp_path / "keys.json"
    write_keyring(file, Keyring.of(KNOWN, 77), "password", work=WORK)
    content = json.loads(file.read_text()) | {"number": 78}
    file.write_text(json.dumps(content))
    with pytest.raises(KeyringError, match="damaged"):
        read_keyring(file, "password")


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write_keyring(file, Keyring.of(KNOWN, 77), "password", work=WORK)
    before = file.read_bytes()
    with pytest.raises(KeyringError, match="exists"):
        write_keyring(file, Keyring.of(KNOWN, 78), "password", work=WORK)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[" * 100_000, '{"version": 2}', "\x00", '{"version":1,"number":1,"work":1,'
     '"salt":"","nonce":"","sealed":""}', '{"version":1,"number":1,"work":1073741824,'
     '"salt":"","nonce":"","sealed":""}', '{"version":1,"number":0,"work":16,'
     '"salt":"zz","nonce":"","sealed":""}', '{"version":1,"number":1,"work":16,'
     '"salt":"","nonce":"","sealed":""}'],
)  # fmt: skip
def test_damaged_file_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(KeyringError):
        read_keyring(file, "password")


def test_nothing_secret_is_shown() -> None:
    keyring = Keyring.of(KNOWN, 77)
    shown = repr(keyring) + str(keyring)
    assert "junk" not in shown
    assert keyring.node.secret.hex() not in shown
