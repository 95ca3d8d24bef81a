"""The objects that scripts hold, `eth_keys` and `eth_account`, to the bytes that the package holds.

Everything public goes through here; the hot path never does. Those packages are loaded once one of
their objects is met, since not every host has them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from perun.crypto.hashing import keccak
from perun.crypto.keys import PublicKey, SecretKey
from perun.crypto.signatures import canonical
from perun.errors import WrongLength, WrongType
from perun.types import Address, Signature

if TYPE_CHECKING:
    from eth_account.datastructures import SignedMessage
    from eth_account.signers.local import LocalAccount
    from eth_keys import datatypes as eth_keys
    from eth_typing import ChecksumAddress

    AddressLike = bytes | str | eth_keys.PublicKey | eth_keys.PrivateKey | LocalAccount
    """Whatever names an address: 20 bytes, hex, a key or an account."""

    KeyLike = eth_keys.PrivateKey | LocalAccount
    """Whatever signs: a private key of `eth_keys` or an account of `eth_account`."""

    SignatureLike = bytes | eth_keys.Signature | SignedMessage
    """65 or 64 bytes, or a signature as `eth_keys` or `eth_account` return it."""
else:
    AddressLike = KeyLike = SignatureLike = Any

_ADDRESS: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")


def address(of: AddressLike) -> Address:
    """20 bytes of an address, from hex, a key, an account, or bytes.

    Source: EIP-55 for hex in mixed case, whose checksum must be right.

    Raises:
        WrongType: text that is no address, a wrong checksum, or another kind of object.
        WrongLength: bytes, but not 20.
    """
    if isinstance(of, bytes):
        if len(of) != 20:
            raise WrongLength("address", len(of), 20)
        return Address(bytes(of))
    if not isinstance(of, str):
        return _address_of_object(of)
    found = _ADDRESS.fullmatch(of)
    if found is None:
        raise WrongType("address", of, "20 bytes, hex, a key or an account")
    digits = found[1]
    plain = Address(bytes.fromhex(digits))
    if digits not in (digits.lower(), digits.upper()) and checksum(plain)[2:] != digits:
        raise WrongType("address", of, "hex whose checksum is right (EIP-55)")
    return plain


def _address_of_object(of: Any) -> Address:
    from eth_account.signers.local import LocalAccount
    from eth_keys import datatypes as eth_keys

    if isinstance(of, eth_keys.PublicKey):
        return Address(of.to_canonical_address())
    if isinstance(of, eth_keys.PrivateKey):
        return Address(of.public_key.to_canonical_address())
    if isinstance(of, LocalAccount):
        return address(str(of.address))
    raise WrongType("address", of, "20 bytes, hex, a key or an account")


def checksum(of: AddressLike) -> ChecksumAddress:
    """An address as web3 and wallets write it: hex with a checksum in its case (EIP-55).

    Raises:
        WrongType, WrongLength: as `address`.
    """
    digits = address(of).hex()
    nibbles = keccak(digits.encode()).hex()
    shown = "".join(
        digit.upper() if nibble > "7" else digit
        for digit, nibble in zip(digits, nibbles, strict=False)
    )
    return cast("ChecksumAddress", "0x" + shown)


def signature_bytes(signature: SignatureLike) -> Signature:
    """A signature as bytes; its form is not judged, except that `eth_keys`' v becomes 27 or 28.

    Raises:
        WrongType: another kind of object.
    """
    if isinstance(signature, bytes):
        return Signature(bytes(signature))
    from eth_account.datastructures import SignedMessage
    from eth_keys import datatypes as eth_keys

    if isinstance(signature, eth_keys.Signature):
        return canonical(Signature(signature.to_bytes()))
    if isinstance(signature, SignedMessage):
        return Signature(bytes(signature.signature))
    raise WrongType("signature", signature, "bytes, an eth_keys or an eth_account signature")


@cache
def _hidden_key() -> type[eth_keys.PrivateKey]:
    from eth_keys import datatypes

    class HiddenKey(datatypes.PrivateKey):
        """A private key of `eth_keys` that is not shown where values are: logs, tracebacks,
        consoles. Whoever wants its bytes asks for them: `to_bytes`, `to_hex`.
        """

        def __repr__(self) -> str:
            return f"PrivateKey(of {self.public_key.to_address()})"

        __str__ = __repr__

    return HiddenKey


def eth_public_key(key: PublicKey) -> eth_keys.PublicKey:
    """The same key as `eth_keys` has it."""
    from eth_keys import datatypes

    return datatypes.PublicKey(key.data)


def eth_private_key(key: SecretKey) -> eth_keys.PrivateKey:
    """The same key as `eth_keys` has it, which is not shown where values are."""
    return _hidden_key()(key.secret)


def secret_key(key: KeyLike) -> SecretKey:
    """The hot path's key, from `eth_keys` or `eth_account`.

    Raises:
        WrongType: another kind of object. It is not shown: it might be a secret.
    """
    from eth_account.signers.local import LocalAccount
    from eth_keys import datatypes as eth_keys

    if isinstance(key, eth_keys.PrivateKey):
        return SecretKey(key.to_bytes())
    if isinstance(key, LocalAccount):
        return SecretKey(bytes(key.key))
    raise WrongType("key", type(key), "an eth_keys PrivateKey or an eth_account LocalAccount")
