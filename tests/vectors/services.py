"""Vectors of backups and towers (protocol, sections 12 and 13), by eth_account and cryptography."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
from coincurve import PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from eth_account import Account
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_utils import keccak

PHRASE = "test test test test test test test test test test test junk"
NUMBER = 1_234_567
AT = 1_800_000_000
CONTENT = b"what stands in it"
HOST = "tower.example:7073"
FIELDS = {
    "BackupRequest": (
        ("action", "string"),
        ("at", "uint40"),
        ("slot", "bytes16"),
        ("content", "bytes32"),
    ),
    "TowerRequest": (("host", "string"), ("at", "uint40"), ("content", "bytes32")),
}


def services() -> dict[str, Any]:
    """Keys of a phrase, two entries, and a request to each kind of service."""
    seed = seed_from_mnemonic(PHRASE, "")
    root = key_from_seed(seed, "m/7265'/1'")
    node = key_from_seed(seed, f"m/7265'/0'/{NUMBER}'")
    owner = _derived(root, b"perun backup owner 1")
    slot = _derived(root, b"perun backup slot 1" + NUMBER.to_bytes(4, "big"))[:16]
    seal = _derived(root, b"perun backup seal 1" + slot)
    snapshot = _entry(seal, slot, 5, 0, bytes(32), bytes(range(12)))
    entry = _entry(seal, slot, 9, 5, hashlib.sha256(snapshot).digest(), bytes(range(12, 24)))
    put = {"action": "put", "at": AT, "slot": slot, "content": keccak(snapshot)}
    watch = {"host": HOST, "at": AT, "content": keccak(CONTENT)}
    asked = _signed("BackupRequest", put, owner)
    told = _signed("TowerRequest", watch, node)
    return {
        "phrase": PHRASE,
        "number": str(NUMBER),
        "root": root,
        "owner": _public(owner),
        "slot": slot,
        "seal": seal,
        "content": CONTENT,
        "snapshot": snapshot,
        "entry": entry,
        "at": str(AT),
        "put": {
            **asked,
            "request": msgspec.msgpack.encode(
                [1, "put", _public(owner), AT, slot, snapshot, asked["signature"]]
            ),
        },
        "host": HOST,
        "watch": {
            **told,
            "request": msgspec.msgpack.encode(
                [1, _public(node), HOST, AT, CONTENT, told["signature"]]
            ),
        },
    }


def _derived(root: bytes, label: bytes) -> bytes:
    return hmac.new(root, label, hashlib.sha256).digest()


def _public(secret: bytes) -> bytes:
    return PrivateKey(secret).public_key.format()


def _entry(seal: bytes, slot: bytes, number: int, after: int, link: bytes, nonce: bytes) -> bytes:
    head = number.to_bytes(8, "big") + after.to_bytes(8, "big") + link
    about = b"perun backup 1" + slot + head
    return head + nonce + ChaCha20Poly1305(seal).encrypt(nonce, CONTENT, about)


def _signed(name: str, message: dict[str, Any], secret: bytes) -> dict[str, bytes]:
    domain = [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}]
    typed = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": domain,
                name: [{"name": field, "type": kind} for field, kind in FIELDS[name]],
            },
            "primaryType": name,
            "domain": {"name": "Perun wire", "version": "1"},
            "message": message,
        }
    )
    signed = Account.sign_message(typed, secret)
    return {"digest": bytes(_hash_eip191_message(typed)), "signature": bytes(signed.signature)}
