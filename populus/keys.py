"""Who signs: a key from the environment, or a key file whose password is asked for.

Key files are those of geth and other wallets (Web3 Secret Storage, version 3); eth-account reads
and writes them.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import is_address, to_checksum_address

from populus.exceptions import ConfigError
from populus.reading import read_json

__all__ = ["account_of", "from_environment", "keystore_address", "unlocked", "write_keystore"]


def from_environment(written: str, key: str, where: str) -> LocalAccount:
    """The account of a private key that stands in a variable.

    Args:
        written: what stands in the file: `${NAME}`, or it is refused.
        where: the setting, for messages.
    """
    return account_of(key, f"The environment variable {variable(written, where)}")


def account_of(key: str, source: str) -> LocalAccount:
    """The account of a private key as hex; `source` says where it is from."""
    try:
        account: LocalAccount = Account.from_key(key)
    except Exception:
        # of several libraries, and their texts may show the key
        raise ConfigError(
            f"{source} holds no private key.", "A private key is 32 bytes as hex."
        ) from None
    return account


def variable(written: str, where: str) -> str:
    """The name of the variable that is all of a setting; no secret stands in the file."""
    if not (written.startswith("${") and written.endswith("}")):
        raise ConfigError(
            f"{where}: a key must not stand in the file.",
            'Write "${NAME}" and set the environment variable NAME.',
        )
    return written[2:-1]


def keystore_address(path: Path) -> str | None:
    """The address a key file names, as far as it does."""
    address = _read(path).get("address")
    if not isinstance(address, str) or not is_address(address):
        return None
    return str(to_checksum_address(address))


def unlocked(path: Path, password: str | None) -> LocalAccount:
    """The account of a key file.

    Args:
        password: asked for on the terminal if it is None.
    """
    content = _read(path)
    if password is None:
        password = ask_password(f"Password of {path.name}: ")
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(content, password))
    except (ValueError, KeyError, TypeError, NotImplementedError):
        raise ConfigError(f"{path} cannot be opened with this password.") from None
    return account


def write_keystore(path: Path, account: LocalAccount, password: str) -> None:
    """A new key file, readable by its owner alone; never over an old one."""
    content = Account.encrypt(account.key, password)
    content["address"] = account.address
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} exists already and stays as it is.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file)


def ask_password(prompt: str) -> str:
    """From the terminal; without one there is nobody to ask."""
    if not sys.stdin.isatty():
        raise ConfigError(
            "The key file needs a password, and there is no terminal to ask at.",
            'Set web3.eth.password to "${NAME}", and NAME in the environment.',
        )
    return getpass.getpass(prompt)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"The key file {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is no key file.")
    return content
