"""Encrypted keys: the keyfile format that Ethereum wallets share (version 3, scrypt).

Source: eth-account, which reads and writes it; the Web3 Secret Storage Definition. Wallets differ
in what the definition leaves open (case of names and addresses, no address, numbers as text, the
encoding of the file), so reading takes any of that, and writing what all of them read.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from eth_account import Account as EthAccount

from perun.crypto import SecretKey
from perun.errors import BadKey, Misuse
from perun.nesting import read_json

__all__ = ["KeyfileError", "decrypt", "encrypt", "read_keyfile", "write_keyfile"]

DEFAULT_WORK = 262_144
"""scrypt's n: about a second, and 256 MB, for each password tried."""

_OWNER_ONLY: Final = 0o600
_MOST_BYTES: Final = 16_384
_BYTE_ORDER_MARK: Final = "\ufeff"

_MOST_MEMORY: Final = 2**30
"""Bytes for a try of a password by scrypt; wallets take 256 MiB at most …"""
_MOST_WORK: Final = 2**33
"""… and so much in all, by it or by rounds of PBKDF2: some tens of seconds."""

_NO_KEYFILE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    MemoryError,
    RecursionError,
    BadKey,
)


@dataclass(eq=False)
class KeyfileError(Misuse):
    """A keyfile cannot be read, or the password does not open it."""

    what: str

    template: ClassVar[str] = "{what}"
    hint: ClassVar[str] = "check the file and the password; without both the key is lost"


def encrypt(key: SecretKey, password: str, *, work: int | None = None) -> str:
    """A key as the text of a keyfile.

    Args:
        work: cost of trying one password, a power of two; `DEFAULT_WORK` if not given.
    """
    made: dict[str, Any] = EthAccount.encrypt(
        key.secret, password, kdf="scrypt", iterations=work or DEFAULT_WORK
    )
    return json.dumps(made, sort_keys=True)


def decrypt(text: str, password: str) -> SecretKey:
    """The key in the text of a keyfile.

    Raises:
        KeyfileError: no keyfile, a wrong password, or a key that is not the file's address.
    """
    try:
        content = _as_defined(read_json(text.removeprefix(_BYTE_ORDER_MARK), dict))
        key = SecretKey(bytes(EthAccount.decrypt(content, password)))
        named = _address(content.get("address"))
    # eth-account reports a broken file by whatever it stumbles over.
    except _NO_KEYFILE as error:
        wrong = "MAC" in str(error)
        raise KeyfileError("the password is wrong" if wrong else "this is no keyfile") from error
    if named not in (None, key.address.hex()):
        raise KeyfileError(f"the keyfile names 0x{named} but holds another key")
    return key


def _as_defined(content: dict[str, Any]) -> dict[str, Any]:
    """The same with names and numbers as the definition has them."""
    plain = {name.lower(): value for name, value in content.items()}
    plain["version"] = _number(plain["version"])
    crypto = {name.lower(): value for name, value in plain["crypto"].items()}
    crypto["kdfparams"] = {name: _number(value) for name, value in crypto["kdfparams"].items()}
    _check_work(crypto["kdfparams"])
    return {**plain, "crypto": crypto}


def _check_work(params: dict[str, Any]) -> None:
    """Raises `ValueError` for a file that would compute for hours, or fill the memory, at a
    password: whoever makes one up wants just that."""
    n, r, p, c = (params.get(name, 0) for name in "nrpc")
    if any(type(number) is not int for number in (n, r, p, c)):
        raise ValueError("a cost that is no number")
    memory = 128 * n * r
    rounds = max(memory * p, 128 * c)
    if memory > _MOST_MEMORY or rounds > _MOST_WORK or params.get("dklen", 32) > 64:
        raise ValueError("more work than any wallet asks for")


def _number(value: Any) -> Any:
    """A number that was written as text, or with a point."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _address(named: object) -> str | None:
    """40 small hex digits; None if it names no address, which a keyfile need not."""
    plain = str(named).strip().lower().removeprefix("0x")
    return plain if re.fullmatch("[0-9a-f]{40}", plain) else None


def write_keyfile(path: Path, key: SecretKey, password: str, *, work: int | None = None) -> None:
    """Writes a new keyfile that only its owner may read; never over another file.

    Raises:
        KeyfileError: there is a file already, or it cannot be written.
    """
    text = encrypt(key, password, work=work)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as error:
        raise KeyfileError(f"{path}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        # Half a key is none, and would stand in the way of the next attempt.
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise KeyfileError(f"{path}: {error.strerror}") from error
        raise


def read_keyfile(path: Path, password: str) -> SecretKey:
    """The key in a file.

    Raises:
        KeyfileError: no such file, no keyfile, or a wrong password.
    """
    try:
        with path.open("rb") as file:
            found = file.read(_MOST_BYTES)
        # What JSON may be written in: some shells write UTF-16.
        text = found.decode(json.detect_encoding(found))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyfileError(f"{path}: cannot be read") from error
    return decrypt(text, password)
