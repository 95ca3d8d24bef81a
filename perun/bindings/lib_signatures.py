"""LibSignatures: checking signatures on chain (protocol, section 2)."""

from __future__ import annotations

from perun.bindings import abi
from perun.bindings.calls import Query
from perun.bindings.front import Front
from perun.crypto.interop import AddressLike, SignatureLike, address, signature_bytes
from perun.types import Address, Digest, Signature

RECOVER = "recover(bytes32,bytes)"
VERIFY = "verify(address,bytes32,bytes)"


def recover(contract: Address, digest: Digest, signature: Signature) -> Query[Address]:
    """Asks whose key signed a digest."""
    return Query(
        contract,
        abi.encode_call(RECOVER, digest, signature),
        lambda data: Address(abi.decode(("address",), data)[0]),
    )


def verify(
    contract: Address, account: Address, digest: Digest, signature: Signature
) -> Query[bool]:
    """Asks whether the key of `account` signed a digest."""
    return Query(
        contract,
        abi.encode_call(VERIFY, account, digest, signature),
        lambda data: bool(abi.decode(("bool",), data)[0]),
    )


class LibSignatures(Front):
    """The contracts' own check of signatures, deployed by itself.

    Source: protocol, section 2. `perun.recover` and `perun.is_signed_by` need no node; errors as in
    `Front`.
    """

    def recover(self, digest: Digest, signature: SignatureLike) -> Address:
        """Address of the key that signed a digest.

        Raises:
            reverts.InvalidSignature: malformed, with a high `s`, or of no key.
        """
        return self._ask(recover(self.address, digest, signature_bytes(signature)))

    def verify(self, account: AddressLike, digest: Digest, signature: SignatureLike) -> bool:
        """Whether the key of `account` signed a digest; False for anything malformed."""
        signed = signature_bytes(signature)
        return self._ask(verify(self.address, address(account), digest, signed))
