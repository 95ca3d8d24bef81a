"""Hashes in their plain form: words and EIP-712 as their pages have them, nothing optimised.

This is what the contracts' assembly and `perun.encoding` are compared with, so it uses neither.
Values are not checked against their types, so that a test can also sign what is out of range.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from eth_hash.auto import keccak

DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
STATE = "State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)"
CLOSE = "Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)"
WITHDRAW = (
    "Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
)
OPEN = "Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
STATEMENT = "Statement(bytes32 machine,uint112 paid)"

STATE_HASH_BITS = 173


def word(value: int | bool | bytes) -> bytes:
    """One 32-byte word: numbers in two's complement, addresses padded on the left."""
    if isinstance(value, bytes):
        return value.rjust(32, b"\0")
    return (value % 2**256).to_bytes(32, "big")


def words(values: Iterable[Any]) -> bytes:
    """`abi.encode` of static values; nested sequences are structs."""
    return b"".join(
        words(value) if isinstance(value, tuple) else word(value) for value in map(to_abi, values)
    )


def to_abi(value: Any) -> Any:
    """Records and sequences as the tuples an ABI encoder takes, fields in their order."""
    if isinstance(value, msgspec.Struct):
        return tuple(to_abi(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, list | tuple):
        return tuple(to_abi(item) for item in value)
    return value


def domain_separator(name: str, chain_id: int, contract: bytes) -> bytes:
    """EIP-712 domain separator, version "1"."""
    names = keccak(name.encode()), keccak(b"1")
    return keccak(words((keccak(DOMAIN.encode()), *names, chain_id, contract)))


def typed(separator: bytes, type_string: str, *values: int | bytes) -> bytes:
    """EIP-712 digest of a message without dynamic fields."""
    struct = keccak(words((keccak(type_string.encode()), *values)))
    return keccak(b"\x19\x01" + separator + struct)


def record_id(separator: bytes, record: Any) -> bytes:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, record))`: ids of channels, machines and locks."""
    return keccak(words((separator, record)))


def nanos_hash(nanos: Sequence[Any]) -> bytes:
    """0 for an empty list, else `keccak256(abi.encode(Nano[]))`."""
    if not nanos:
        return bytes(32)
    return keccak(words((32, len(nanos), *nanos)))


def state_hash(channel: bytes, version: int, net: int, nanos: Sequence[Any]) -> int:
    """Low 173 bits of `keccak256(abi.encode(id, version, net, nanos))`."""
    whole = keccak(words((channel, version, net, nanos_hash(nanos))))
    return int.from_bytes(whole, "big") % 2**STATE_HASH_BITS
