"""What is sent to a contract, as data: nothing here touches a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from perun.crypto.interop import checksum
from perun.types import Address, ChainId, Record, Wei

if TYPE_CHECKING:
    from eth_typing import HexStr
    from web3.types import AccessList, AccessListEntry, Nonce, TxParams
    from web3.types import Wei as Web3Wei

T = TypeVar("T")


class Call(Record, frozen=True, gc=False):
    """A call of a contract that changes something: what a transaction carries."""

    to: Address | None
    """The contract; None creates one, with `data` its creation code."""
    data: bytes
    """Selector and arguments (Solidity ABI)."""
    value: Wei = Wei(0)
    """ETH sent along, in wei."""
    reserve: int = 0
    """Gas beyond an estimate, for calls inside that may come to fail (`allowances`)."""


class Access(Record, frozen=True, gc=False):
    """An entry of an access list: a contract or account, and words of its storage (EIP-2930)."""

    address: Address
    keys: tuple[bytes, ...] = ()
    """32 bytes each."""


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A question to a contract, and how to read its answer."""

    to: Address
    data: bytes
    """Selector and arguments (Solidity ABI)."""
    decode: Callable[[bytes], T]
    """Typed answer of the returned bytes; raises `BadAnswer` for bytes that are none."""


class Fees(Record, frozen=True, gc=False):
    """What a transaction pays per gas, in wei (EIP-1559)."""

    most: Wei
    """Most that is paid in all."""
    tip: Wei
    """Of it, to the block's builder."""


def request(call: Call, sender: Address) -> TxParams:
    """`call` as web3 takes it for estimates, and for nodes that hold the sender's key."""
    params: TxParams = {
        "from": checksum(sender),
        "data": _hex(call.data),
        "value": cast("Web3Wei", call.value),
    }
    if call.to is not None:
        params["to"] = checksum(call.to)
    return params


def transaction(
    call: Call,
    *,
    sender: Address,
    chain_id: ChainId,
    nonce: int,
    gas: int,
    fees: Fees,
    access: Sequence[Access] = (),
) -> TxParams:
    """A complete transaction that carries `call`, ready to be signed (EIP-1559).

    Args:
        nonce: the sender's count of transactions so far.
        gas: most gas it may use.
        access: what it names in advance (`access.worth_listing`).
    """
    params = request(call, sender)
    params["chainId"] = chain_id
    params["nonce"] = cast("Nonce", nonce)
    params["gas"] = gas
    params["maxFeePerGas"] = cast("Web3Wei", fees.most)
    params["maxPriorityFeePerGas"] = cast("Web3Wei", fees.tip)
    if access:
        params["accessList"] = listed(access)
    return params


def listed(access: Sequence[Access]) -> AccessList:
    """Entries as web3 takes them."""
    entries: list[AccessListEntry] = [
        {"address": checksum(item.address), "storageKeys": [_hex(key) for key in item.keys]}
        for item in access
    ]
    return cast("AccessList", entries)


def _hex(data: bytes) -> HexStr:
    return cast("HexStr", "0x" + data.hex())
