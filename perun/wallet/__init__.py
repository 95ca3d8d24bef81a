"""The Signer port: keys in memory, or encrypted in a keyfile."""

from perun.wallet.keyfile import KeyfileError, decrypt, encrypt, read_keyfile, write_keyfile
from perun.wallet.local import KeyAccount, LocalWallet

__all__ = [
    "KeyAccount",
    "KeyfileError",
    "LocalWallet",
    "decrypt",
    "encrypt",
    "read_keyfile",
    "write_keyfile",
]
