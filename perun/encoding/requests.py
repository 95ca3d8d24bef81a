"""Payment requests and receipts: what a payee signs before and after (protocol, section 11).

Typed data in MSContract's domain; no contract checks it. A request binds a price to one payee, one
network and one id; a receipt says that the payee has counted a payment for it.
"""

from __future__ import annotations

from typing import Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import (
    MSContractDomain,
)
from perun.types import Address, Asset, Digest, Record, UnixTime, Wei

__all__ = [
    "PaymentRequest",
    "Receipt",
    "memo_hash",
    "receipt_digest",
    "request_digest",
]

REQUEST_TYPE: Final = (
    "Request(bytes payee,bytes32 genesis,address contract,address asset,uint112 amount,"
    "bytes32 id,uint40 until,bytes32 memo,bytes relay)"
)
RECEIPT_TYPE: Final = (
    "Receipt(bytes payee,bytes32 genesis,address contract,address asset,uint112 amount,"
    "bytes32 id,bytes payer,uint40 at)"
)
_REQUEST: Final = keccak(REQUEST_TYPE.encode())
_RECEIPT: Final = keccak(RECEIPT_TYPE.encode())

_NODE_ID: Final = 33


class PaymentRequest(Record, frozen=True, gc=False, array_like=True):
    """Pay me this much, once, by then (protocol, section 11)."""

    payee: bytes
    """Node id of who is to be paid, and signs."""
    genesis: bytes
    """Hash of the chain's first block."""
    contract: Address
    """The MSContract in which the channels live."""
    asset: Asset
    amount: Wei
    """0: as much as the payer likes."""
    id: bytes
    """32 random bytes: paid once per payee and id."""
    until: UnixTime
    """Last second at which a payer may begin."""
    memo: bytes
    """`memo_hash` of the text that comes along."""
    relay: bytes
    """Node id of the hub to reach the payee over; empty: not said."""

    def __post_init__(self) -> None:
        checks.length("payee", self.payee, _NODE_ID)
        checks.length("genesis", self.genesis, 32)
        checks.length("contract", self.contract, 20)
        checks.length("asset", self.asset, 20)
        checks.amount("amount", self.amount)
        checks.length("id", self.id, 32)
        checks.unsigned("until", self.until, 40)
        checks.length("memo", self.memo, 32)
        if self.relay:
            checks.length("relay", self.relay, _NODE_ID)


class Receipt(Record, frozen=True, gc=False, array_like=True):
    """I have been paid this much for my request (protocol, section 11)."""

    payee: bytes
    genesis: bytes
    contract: Address
    asset: Asset
    amount: Wei
    """What was paid."""
    id: bytes
    payer: bytes
    at: UnixTime
    """When the payee counted it, by its own clock."""

    def __post_init__(self) -> None:
        checks.length("payee", self.payee, _NODE_ID)
        checks.length("genesis", self.genesis, 32)
        checks.length("contract", self.contract, 20)
        checks.length("asset", self.asset, 20)
        checks.amount("amount", self.amount)
        checks.length("id", self.id, 32)
        checks.length("payer", self.payer, _NODE_ID)
        checks.unsigned("at", self.at, 40)


def memo_hash(memo: str) -> bytes:
    """What a request says of its text: 32 zero bytes if there is none."""
    return keccak(memo.encode()) if memo else bytes(32)


def request_digest(domain: MSContractDomain, request: PaymentRequest) -> Digest:
    """What the payee's node key signs for a request."""
    fields = (
        _REQUEST
        + keccak(request.payee)
        + request.genesis
        + words.address(request.contract)
        + words.address(request.asset)
        + words.unsigned(request.amount)
        + request.id
        + words.unsigned(request.until)
        + request.memo
        + keccak(request.relay)
    )
    return Digest(keccak(domain.prefix + keccak(fields)))


def receipt_digest(domain: MSContractDomain, receipt: Receipt) -> Digest:
    """What the payee's node key signs for a receipt."""
    fields = (
        _RECEIPT
        + keccak(receipt.payee)
        + receipt.genesis
        + words.address(receipt.contract)
        + words.address(receipt.asset)
        + words.unsigned(receipt.amount)
        + receipt.id
        + keccak(receipt.payer)
        + words.unsigned(receipt.at)
    )
    return Digest(keccak(domain.prefix + keccak(fields)))
