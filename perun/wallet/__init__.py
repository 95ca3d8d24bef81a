"""The Signer port: keys in memory, or encrypted in a keyfile.

Keyfiles need eth-account, which is loaded with the first of them: a page in a browser has none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from perun.wallet.local import KeyAccount, LocalWallet

if TYPE_CHECKING:
    from perun.wallet.keyfile import KeyfileError, decrypt, encrypt, read_keyfile, write_keyfile
else:
    _KEYFILE = ("KeyfileError", "decrypt", "encrypt", "read_keyfile", "write_keyfile")

    def __getattr__(name: str) -> Any:
        if name in _KEYFILE:
            return getattr(import_module("perun.wallet.keyfile"), name)
        raise AttributeError(f"module 'perun.wallet' has no attribute {name!r}")


__all__ = [
    "KeyAccount",
    "KeyfileError",
    "LocalWallet",
    "decrypt",
    "encrypt",
    "read_keyfile",
    "write_keyfile",
]
