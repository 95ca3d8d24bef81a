"""The objects that scripts hold, `eth_keys` and `eth_account`, to the bytes that the package holds.

Everything public goes through here; the hot path never does.
"""

from __future__ import annotations

from eth_account.datastructures import SignedMessage
from eth_account.signers.local import LocalAccount
from eth_keys import datatypes as eth_keys
from eth_typing import ChecksumAddress
from eth_utils.address import is_address, is_checksum_address, to_checksum_address

from perun.crypto.keys import PublicKey, SecretKey
from perun.crypto.signatures import canonical
from perun.errors import WrongLength, WrongType
from perun.types import Address, Signature

AddressLike = bytes | str | eth_keys.PublicKey | eth_keys.PrivateKey | LocalAccount
"""Whatever names an address: 20 bytes, hex, a key or an account."""

KeyLike = eth_keys.PrivateKey | LocalAccount
"""Whatever signs: a private key of `eth_keys` or an account of `eth_account`."""

SignatureLike = bytes | eth_keys.Signature | SignedMessage
"""65 or 64 bytes, or a signature as `eth_keys` or `eth_account` return it."""


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
    if isinstance(of, eth_keys.PublicKey):
        return Address(of.to_canonical_address())
    if isinstance(of, eth_keys.PrivateKey):
        return Address(of.public_key.to_canonical_address())
    text = of.address if isinstance(of, LocalAccount) else of
    if not isinstance(text, str) or not is_address(text):
        raise WrongType("address", of, "20 bytes, hex, a key or an account")
    digits = text.removeprefix("0x")
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        raise WrongType("address", of, "hex whose checksum is right (EIP-55)")
    return Address(bytes.fromhex(digits))


def checksum(of: AddressLike) -> ChecksumAddress:
    """An address as web3 and wallets write it: hex with a checksum in its case (EIP-55).

    Raises:
        WrongType, WrongLength: as `address`.
    """
    return to_checksum_address(address(of))


def signature_bytes(signature: SignatureLike) -> Signature:
    """A signature as bytes; its form is not judged, except that `eth_keys`' v becomes 27 or 28.

    Raises:
        WrongType: another kind of object.
    """
    if isinstance(signature, eth_keys.Signature):
        return canonical(Signature(signature.to_bytes()))
    if isinstance(signature, SignedMessage):
        return Signature(bytes(signature.signature))
    if isinstance(signature, bytes):
        return Signature(bytes(signature))
    raise WrongType("signature", signature, "bytes, an eth_keys or an eth_account signature")


class HiddenKey(eth_keys.PrivateKey):
    """A private key of `eth_keys` that is not shown where values are: logs, tracebacks, consoles.

    Whoever wants its bytes asks for them: `to_bytes`, `to_hex`.
    """

    def __repr__(self) -> str:
        return f"PrivateKey(of {self.public_key.to_address()})"

    __str__ = __repr__


def eth_public_key(key: PublicKey) -> eth_keys.PublicKey:
    """The same key as `eth_keys` has it."""
    return eth_keys.PublicKey(key.data)


def eth_private_key(key: SecretKey) -> HiddenKey:
    """The same key as `eth_keys` has it."""
    return HiddenKey(key.secret)


def secret_key(key: KeyLike) -> SecretKey:
    """The hot path's key, from `eth_keys` or `eth_account`.

    Raises:
        WrongType: another kind of object. It is not shown: it might be a secret.
    """
    if isinstance(key, eth_keys.PrivateKey):
        return SecretKey(key.to_bytes())
    if isinstance(key, LocalAccount):
        return SecretKey(bytes(key.key))
    raise WrongType("key", type(key), "an eth_keys PrivateKey or an eth_account LocalAccount")
