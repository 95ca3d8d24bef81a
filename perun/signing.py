"""Signing and checking messages with the objects that scripts hold (`eth_keys`, `eth_account`).

Each function takes the message and the domain of the contract that checks it, such as
`suite.ms_contract.domain`; the type checker, and a check, refuse a message in the other domain.
Programs that sign thousands of payments use `perun.encoding` and `perun.crypto` directly.
"""

from __future__ import annotations

from typing import Any, overload

from eth_keys import datatypes as eth_keys

from perun import encoding
from perun.crypto import interop, signatures
from perun.crypto.interop import AddressLike, KeyLike, SignatureLike
from perun.encoding import (
    EscrowDomain,
    GateDomain,
    HashChainDomain,
    MSContractDomain,
    PriceDomain,
    VPMDomain,
)
from perun.encoding.kinds import SIGNED
from perun.errors import BadSignature, WrongType
from perun.types import (
    Award,
    Chain,
    Close,
    Digest,
    Final,
    Message,
    Open,
    Opening,
    Price,
    Ready,
    State,
    Statement,
    Withdraw,
)

__all__ = ["digest", "is_signed_by", "recover", "sign", "wallet_json"]

ChannelMessage = State | Close | Withdraw | Open
"""Messages that MSContract checks."""

MachineMessage = Statement | Ready
"""Messages of a payment machine; VPM checks the first."""

PathMessage = Opening | Final
"""Messages of a path over several hubs; Gate checks them."""

AnyMessage = Message | Price
"""What scripts sign; a price is for no contract alone."""

AnyDomain = MSContractDomain | VPMDomain | EscrowDomain | HashChainDomain | PriceDomain | GateDomain


@overload
def digest(message: ChannelMessage, domain: MSContractDomain) -> Digest: ...
@overload
def digest(message: MachineMessage, domain: VPMDomain) -> Digest: ...
@overload
def digest(message: Award, domain: EscrowDomain) -> Digest: ...
@overload
def digest(message: Chain, domain: HashChainDomain) -> Digest: ...
@overload
def digest(message: Price, domain: PriceDomain) -> Digest: ...
@overload
def digest(message: PathMessage, domain: GateDomain) -> Digest: ...
def digest(message: AnyMessage, domain: AnyDomain) -> Digest:
    """32 bytes that are signed for `message`.

    Source: EIP-712; protocol, sections 3 to 5.

    Raises:
        WrongType: no message, or a message of the other contract.
    """
    return _digest(message, domain)


def _digest(message: AnyMessage, domain: AnyDomain) -> Digest:
    known = SIGNED.get(type(message))
    if known is None:
        names = [signed.__name__ for signed in SIGNED]
        raise WrongType("message", message, f"a {', '.join(names[:-1])} or {names[-1]}")
    kind, typed = known
    if type(domain) is not kind:
        raise WrongType("domain", domain, f"a {kind.__name__}")
    return typed.digest(domain, message)


@overload
def sign(message: ChannelMessage, key: KeyLike, domain: MSContractDomain) -> eth_keys.Signature: ...
@overload
def sign(message: MachineMessage, key: KeyLike, domain: VPMDomain) -> eth_keys.Signature: ...
@overload
def sign(message: Award, key: KeyLike, domain: EscrowDomain) -> eth_keys.Signature: ...
@overload
def sign(message: Chain, key: KeyLike, domain: HashChainDomain) -> eth_keys.Signature: ...
@overload
def sign(message: Price, key: KeyLike, domain: PriceDomain) -> eth_keys.Signature: ...
@overload
def sign(message: PathMessage, key: KeyLike, domain: GateDomain) -> eth_keys.Signature: ...
def sign(message: AnyMessage, key: KeyLike, domain: AnyDomain) -> eth_keys.Signature:
    """Signs `message` with a key: low `s`, deterministic (RFC 6979), 65 bytes.

    Source: protocol, section 2. An `Open` is signed by the account, all else by the key.

    Raises:
        WrongType: no message, a message of the other contract, or no key.
    """
    signed = signatures.sign(_digest(message, domain), interop.secret_key(key))
    # eth_keys counts v from 0.
    return eth_keys.Signature(signed[:64] + bytes((signed[64] - 27,)))


@overload
def recover(
    message: ChannelMessage, signature: SignatureLike, domain: MSContractDomain
) -> eth_keys.PublicKey: ...
@overload
def recover(
    message: MachineMessage, signature: SignatureLike, domain: VPMDomain
) -> eth_keys.PublicKey: ...
@overload
def recover(
    message: Award, signature: SignatureLike, domain: EscrowDomain
) -> eth_keys.PublicKey: ...
@overload
def recover(
    message: Chain, signature: SignatureLike, domain: HashChainDomain
) -> eth_keys.PublicKey: ...
@overload
def recover(
    message: Price, signature: SignatureLike, domain: PriceDomain
) -> eth_keys.PublicKey: ...
@overload
def recover(
    message: PathMessage, signature: SignatureLike, domain: GateDomain
) -> eth_keys.PublicKey: ...
def recover(message: AnyMessage, signature: SignatureLike, domain: AnyDomain) -> eth_keys.PublicKey:
    """The key that signed `message`.

    Source: protocol, section 2: 65 bytes with v of 27, 28, 0 or 1, or 64 bytes (EIP-2098).

    Raises:
        BadSignature: malformed, with a high `s`, or of no key.
        WrongType: no message, a message of the other contract, or no signature.
    """
    key = signatures.recover_key(_digest(message, domain), interop.signature_bytes(signature))
    if key is None:
        raise BadSignature(expected=None, recovered=None)
    return interop.eth_public_key(key)


@overload
def is_signed_by(
    message: ChannelMessage, signature: SignatureLike, signer: AddressLike, domain: MSContractDomain
) -> bool: ...
@overload
def is_signed_by(
    message: MachineMessage, signature: SignatureLike, signer: AddressLike, domain: VPMDomain
) -> bool: ...
@overload
def is_signed_by(
    message: Award, signature: SignatureLike, signer: AddressLike, domain: EscrowDomain
) -> bool: ...
@overload
def is_signed_by(
    message: Chain, signature: SignatureLike, signer: AddressLike, domain: HashChainDomain
) -> bool: ...
@overload
def is_signed_by(
    message: Price, signature: SignatureLike, signer: AddressLike, domain: PriceDomain
) -> bool: ...
@overload
def is_signed_by(
    message: PathMessage, signature: SignatureLike, signer: AddressLike, domain: GateDomain
) -> bool: ...
def is_signed_by(
    message: AnyMessage, signature: SignatureLike, signer: AddressLike, domain: AnyDomain
) -> bool:
    """Whether the contracts would take `signature` as `signer`'s over `message`.

    Source: protocol, section 2. Malformed signatures answer False.

    Raises:
        WrongType: no message, a message of the other contract, no signature or no signer.
    """
    signed = interop.signature_bytes(signature)
    return signatures.verify(_digest(message, domain), signed, interop.address(signer))


@overload
def wallet_json(message: ChannelMessage, domain: MSContractDomain) -> dict[str, Any]: ...
@overload
def wallet_json(message: MachineMessage, domain: VPMDomain) -> dict[str, Any]: ...
@overload
def wallet_json(message: Award, domain: EscrowDomain) -> dict[str, Any]: ...
@overload
def wallet_json(message: Chain, domain: HashChainDomain) -> dict[str, Any]: ...
@overload
def wallet_json(message: Price, domain: PriceDomain) -> dict[str, Any]: ...
@overload
def wallet_json(message: PathMessage, domain: GateDomain) -> dict[str, Any]: ...
def wallet_json(message: AnyMessage, domain: AnyDomain) -> dict[str, Any]:
    """The message as wallets take it in `eth_signTypedData_v4`, ready for `json.dumps`.

    Source: EIP-712. `eth_account.Account.sign_typed_data(full_message=…)` reads it too. A dict,
    because that is what both want.

    Raises:
        WrongType: no message, or a message of the other contract.
    """
    _digest(message, domain)  # refuses what does not fit together
    return encoding.wallet_json(message, domain)
