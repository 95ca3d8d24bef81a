"""Transactions as nodes take them: EIP-1559 over RLP, signed by a key that is here.

Source: EIP-2718, EIP-1559, EIP-2930; RLP as in the Yellow Paper, appendix B. A test compares the
bytes with eth_account's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from perun.crypto import SecretKey, keccak
from perun.crypto.signatures import sign
from perun.types import Digest

if TYPE_CHECKING:
    from web3.types import TxParams

__all__ = ["signed_transaction"]

_TYPE: Final = b"\x02"
_Item = bytes | int | Sequence["_Item"]


def signed_transaction(params: TxParams, key: SecretKey) -> tuple[bytes, bytes]:
    """The signed transaction as nodes take it, and its hash.

    Args:
        params: as `perun.bindings.calls.transaction` makes them.
    """
    given: Mapping[str, Any] = params
    fields: list[_Item] = [
        *(given[name] for name in ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas")),
        *(given["gas"], _bytes(given.get("to", b"")), given.get("value", 0)),
        _bytes(given.get("data", b"")),
        [
            [_bytes(item["address"]), [_bytes(slot) for slot in item["storageKeys"]]]
            for item in given.get("accessList", ())
        ],
    ]
    signature = sign(Digest(keccak(_TYPE + _rlp(fields))), key)
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    raw = _TYPE + _rlp([*fields, signature[64] - 27, r, s])
    return raw, keccak(raw)


def _bytes(value: bytes | str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)


def _rlp(item: _Item) -> bytes:
    if isinstance(item, int):
        # Integers without leading zeros; zero is empty.
        return _rlp(item.to_bytes((item.bit_length() + 7) // 8, "big"))
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _head(len(item), 0x80) + item
    body = b"".join(_rlp(one) for one in item)
    return _head(len(body), 0xC0) + body


def _head(size: int, base: int) -> bytes:
    if size < 56:
        return bytes((base + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((base + 55 + len(length),)) + length
