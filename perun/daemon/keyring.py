"""Twelve words, and the keys that come of them.

The phrase (BIP-39) gives the *account*, as other wallets derive it, and for every store a *node
key* that is derived with the store's own random number. Typing the phrase again draws a new
number, so it never makes a key that another store may still sign with (protocol, section 5,
Store). A third key encrypts backups, and is the same for all stores.

On disk the phrase lies encrypted by a password, in a file that only its owner reads.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language

from perun.crypto import SecretKey
from perun.errors import Misuse
from perun.wallet.phrase import BadPhrase, StoreKeys, key_of, phrase_of, seed_of, words_of

__all__ = [
    "WORK_FOR_DRAWN",
    "BadPhrase",
    "Keyring",
    "KeyringError",
    "new_phrase",
    "read_keyring",
    "write_keyring",
]

_TOWER_PATH: Final = "m/44'/60'/0'/0/1"
_MOST_NUMBER: Final = 2**31 - 1
_WORK: Final = 2**17
"""scrypt's n: half a second, and 128 MB, for each password tried."""
WORK_FOR_DRAWN: Final = 2**10
"""… where the password was drawn: nobody tries 2**192 of them, however fast each try is."""
_MOST_WORK: Final = 2**20
_MOST_BYTES: Final = 4_096
_OWNER_ONLY: Final = 0o600
_ABOUT: Final = b"perun keyring 1"


@dataclass(eq=False)
class KeyringError(Misuse):
    """The file with the keys cannot be read or written, or the password does not open it."""

    file: str
    reason: str

    template: ClassVar[str] = "{file}: {reason}"
    hint: ClassVar[str] = "check the password; without it only the twelve words help"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is on disk."""

    version: int
    number: int
    work: int
    salt: str
    nonce: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one store."""

    phrase: str
    number: int
    """Of the store; part of every backup."""
    account: SecretKey
    node: SecretKey
    backup: bytes
    """32 bytes."""
    tower: SecretKey
    """The account that pays for what we answer on behalf of others."""

    def __repr__(self) -> str:
        """Without anything secret."""
        return f"Keyring(number={self.number}, account=0x{self.account.address.hex()})"

    @classmethod
    def of(cls, phrase: str, number: int | None = None) -> Keyring:
        """The keys of a phrase for a store.

        Args:
            number: of a store that exists; None: of a new one, drawn here.

        Raises:
            BadPhrase: a word is not on the list, or the last one does not fit the others.
        """
        phrase = words_of(phrase, _words())
        keys = StoreKeys.of(phrase, number)
        seed = seed_of(phrase)
        return cls(
            phrase,
            keys.number,
            keys.account,
            keys.node,
            keys.backup,
            SecretKey(key_of(seed, _TOWER_PATH)),
        )


def new_phrase() -> str:
    """Twelve words that nobody has: 16 random bytes and a checksum (BIP-39)."""
    return phrase_of(secrets.token_bytes(16), _words())


def write_keyring(file: Path, keyring: Keyring, password: str, *, work: int = _WORK) -> None:
    """Keeps a keyring, encrypted. Never overwrites.

    Raises:
        KeyringError: there is a file already, or none can be written.
    """
    salt, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    about = _ABOUT + keyring.number.to_bytes(4, "big")
    sealed = ChaCha20Poly1305(_stretch(password, salt, work)).encrypt(
        nonce, keyring.phrase.encode(), about
    )
    content = _File(1, keyring.number, work, salt.hex(), nonce.hex(), sealed.hex())
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise KeyringError(str(file), error.strerror or type(error).__name__) from None


def read_keyring(file: Path, password: str) -> Keyring:
    """The keyring in a file.

    Raises:
        KeyringError: no such file, none of ours, or another password.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES)
        content = msgspec.json.decode(data, type=_File)
        texts = (content.salt, content.nonce, content.sealed)
        salt, nonce, sealed = map(bytes.fromhex, texts)
        if content.version != 1 or not 0 < content.number <= _MOST_NUMBER:
            raise ValueError("another version")
        if not 2 <= content.work <= _MOST_WORK or content.work & (content.work - 1):
            raise ValueError("absurd work")
    except OSError as error:
        raise KeyringError(str(file), error.strerror or type(error).__name__) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise KeyringError(str(file), "no file with keys") from None
    about = _ABOUT + content.number.to_bytes(4, "big")
    try:
        phrase = ChaCha20Poly1305(_stretch(password, salt, content.work)).decrypt(
            nonce, sealed, about
        )
    except (InvalidTag, ValueError):
        raise KeyringError(str(file), "the password is wrong, or the file is damaged") from None
    return Keyring.of(phrase.decode(), content.number)


def _stretch(password: str, salt: bytes, work: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=work, r=8, p=1).derive(password.encode())


def _words() -> list[str]:
    """The list of BIP-39."""
    return list(Mnemonic(Language.ENGLISH).wordlist)
