"""Quantities, each with its own type, and what all records share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NewType

import msgspec

from perun import checks
from perun.errors import show

if TYPE_CHECKING:
    from eth_typing import Address
else:
    # The same, where eth_typing is not there.
    Address = NewType("Address", bytes)

__all__ = [
    "Address",
    "Asset",
    "ChainId",
    "ChannelId",
    "Digest",
    "DomainSeparator",
    "ETH",
    "InstanceId",
    "MAX_AMOUNT",
    "NanosHash",
    "Nonce",
    "Preimage",
    "Record",
    "Salt",
    "Seconds",
    "Signature",
    "UnixTime",
    "Version",
    "Wei",
    "ZERO_ADDRESS",
]

Wei = NewType("Wei", int)
"""Money in the asset's smallest unit (wei for ETH); a difference of amounts may be negative."""

UnixTime = NewType("UnixTime", int)
"""A point in time, in seconds as `block.timestamp` has it. A limit includes its last second."""

Seconds = NewType("Seconds", int)
"""A length of time."""

Version = NewType("Version", int)
"""Number of a state, uint48. Alice proposes even ones, Bob odd; 0 means nothing was ever signed."""

Nonce = NewType("Nonce", int)
"""Random uint64 that keeps the ids of two channels of the same parties apart."""

ChainId = NewType("ChainId", int)
"""Number of the chain, as in EIP-155."""

# Address: 20 raw bytes of an account, key or contract; `perun.address` reads the hex form. The type
# is eth_typing's, so that web3's functions take ours.

Asset = NewType("Asset", Address)
"""An ERC-20 token, or the zero address for ETH."""

ChannelId = NewType("ChannelId", bytes)
"""32 bytes: hash of a channel's terms and of the deployment."""

InstanceId = NewType("InstanceId", bytes)
"""32 bytes that name an instance of a nanocontract: hash of its terms and of the deployment."""

NanosHash = NewType("NanosHash", bytes)
"""32 bytes that stand for a list of nanos in a signed state; zeros for the empty list."""

DomainSeparator = NewType("DomainSeparator", bytes)
"""32 bytes that bind signatures and ids to one contract on one chain (EIP-712)."""

Digest = NewType("Digest", bytes)
"""32 bytes that are signed: hash of a message and its domain (EIP-712)."""

Signature = NewType("Signature", bytes)
"""65 bytes `r‖s‖v` or 64 bytes (EIP-2098). Received ones may be malformed; ours are 65 bytes."""

Salt = NewType("Salt", bytes)
"""32 random bytes."""

Preimage = NewType("Preimage", bytes)
"""The 32 secret bytes that open a hash time lock."""

MAX_AMOUNT: Final = Wei(checks.MAX_AMOUNT)
"""Greatest amount, `net` or shift: 2**111 − 1 (protocol, section 2)."""

ZERO_ADDRESS: Final = Address(bytes(20))
"""Nobody: what recovering a malformed signature yields on chain."""

ETH: Final = Asset(ZERO_ADDRESS)
"""The asset that is no token."""


_SECRETS: Final = frozenset({"preimage", "secret", "secrets", "seed", "kept"})


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of the records: immutable, compared by value, bytes shown in hex, but never a secret:
    records stand in logs and tracebacks.

    The garbage collector need not visit them: a frozen record cannot be part of a cycle.
    """

    def __repr__(self) -> str:
        fields = (f"{name}={_shown(name, getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(fields)})"


def _shown(name: str, value: object) -> str:
    return "(secret)" if value and name in _SECRETS else show(value)
