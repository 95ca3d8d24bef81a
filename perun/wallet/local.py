"""Keys in this process: sign what the core asks for, and transactions of their own accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from perun.core.config import Deployment
from perun.core.effects import Sign
from perun.core.signing import digest
from perun.crypto import SecretKey
from perun.crypto.signatures import sign as sign_digest
from perun.crypto.signatures import sign_each
from perun.encoding.transactions import signed_transaction
from perun.errors import Misuse
from perun.types import Address, Signature

if TYPE_CHECKING:
    from web3.types import TxParams

__all__ = ["KeyAccount", "LocalWallet", "UnknownKey"]


@dataclass(eq=False)
class UnknownKey(Misuse):
    """The wallet was asked to sign by a key that it does not hold."""

    key: bytes

    template: ClassVar[str] = "this wallet does not hold the key {key}"
    hint: ClassVar[str] = "give the keyfile of the node that this store belongs to"


class KeyAccount:
    """An account whose key is here: signs transactions (EIP-1559)."""

    def __init__(self, key: SecretKey) -> None:
        self.address: Address = key.address
        self._key = key

    def __repr__(self) -> str:
        return f"KeyAccount(0x{self.address.hex()})"

    def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
        """The signed transaction as nodes take it, and its hash."""
        return signed_transaction(params, self._key)


class LocalWallet:
    """`perun.ports.Signer` over keys in memory; answers at once."""

    def __init__(self, deployment: Deployment, keys: Iterable[SecretKey]) -> None:
        """Holds these keys.

        Args:
            deployment: whose domains are signed in; nothing signed here counts elsewhere.
        """
        self._deployment = deployment
        self._keys = {key.address: key for key in keys}

    def __repr__(self) -> str:
        return f"LocalWallet({', '.join('0x' + address.hex() for address in self._keys)})"

    def sign(self, sign: Sign) -> tuple[Signature, ...]:
        """Signatures in the order asked for, each 65 bytes.

        Raises:
            UnknownKey: one is by a key that is not here; none was made.
        """
        # All keys are looked up first: either everything is signed or nothing.
        keys = [self._key(item.key) for item in sign.items]
        return tuple(
            sign_digest(digest(self._deployment, item.message), key)
            for item, key in zip(sign.items, keys, strict=True)
        )

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        """`sign` for many, side by side.

        Raises:
            UnknownKey: one is by a key that is not here; none was made.
        """
        # Hashing first: what is left for two threads is the library's work.
        wanted = [
            (digest(self._deployment, item.message), self._key(item.key))
            for sign in signs
            for item in sign.items
        ]
        made = iter(sign_each(wanted))
        return [tuple(islice(made, len(sign.items))) for sign in signs]

    def account(self, address: Address) -> KeyAccount:
        """One of the keys as an account that sends transactions.

        Raises:
            UnknownKey: it is not here.
        """
        return KeyAccount(self._key(address))

    def _key(self, address: Address) -> SecretKey:
        key = self._keys.get(address)
        if key is None:
            raise UnknownKey(address)
        return key
