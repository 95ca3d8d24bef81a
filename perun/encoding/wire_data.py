"""EIP-712 digests of what keys sign on the network: attaching to a listener, a card, asking a place
for backups, and a tower for its watch.

Domain `{name: "Perun wire", version: "1"}`, without chain and contract: no contract checks these.
"""

from __future__ import annotations

from typing import Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.types import Digest

__all__ = [
    "ATTACH_TYPE",
    "BACKUP_TYPE",
    "CARD_TYPE",
    "TOWER_TYPE",
    "WIRE_PREFIX",
    "attach_digest",
    "backup_digest",
    "card_digest",
    "tower_digest",
]

ATTACH_TYPE: Final = "Attach(string host,bytes32 challenge)"
CARD_TYPE: Final = "Card(bytes32 content)"
_ATTACH = keccak(ATTACH_TYPE.encode())
_CARD = keccak(CARD_TYPE.encode())
BACKUP_TYPE: Final = "BackupRequest(string action,uint40 at,bytes16 slot,bytes32 content)"
_BACKUP = keccak(BACKUP_TYPE.encode())
TOWER_TYPE: Final = "TowerRequest(string host,uint40 at,bytes32 content)"
_TOWER = keccak(TOWER_TYPE.encode())

WIRE_PREFIX: Final = b"\x19\x01" + keccak(
    keccak(b"EIP712Domain(string name,string version)") + keccak(b"Perun wire") + keccak(b"1")
)
"""`0x1901‖separator`: what every digest of this domain begins with."""


def attach_digest(host: str, challenge: bytes) -> Digest:
    """What a node key signs to attach to a listener (protocol, section 10)."""
    checks.length("challenge", challenge, 32)
    return Digest(keccak(WIRE_PREFIX + keccak(_ATTACH + keccak(host.encode()) + challenge)))


def card_digest(content: bytes) -> Digest:
    """What a node key signs for its card (protocol, section 9)."""
    return Digest(keccak(WIRE_PREFIX + keccak(_CARD + keccak(content))))


def backup_digest(action: str, at: int, slot: bytes, content: bytes) -> Digest:
    """What an owner's key signs to ask a place (protocol, section 12)."""
    checks.length("slot", slot, 16)
    body = keccak(action.encode()) + at.to_bytes(32, "big") + slot + bytes(16) + keccak(content)
    return Digest(keccak(WIRE_PREFIX + keccak(_BACKUP + body)))


def tower_digest(host: str, at: int, content: bytes) -> Digest:
    """What a node key signs to have a tower watch for it (protocol, section 13)."""
    body = keccak(host.encode()) + at.to_bytes(32, "big") + keccak(content)
    return Digest(keccak(WIRE_PREFIX + keccak(_TOWER + body)))
