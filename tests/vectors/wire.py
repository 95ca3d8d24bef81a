"""Vectors of the network's bytes, by eth_account, coincurve and cryptography alone.

A second telling of names, handshake and packets, as short as can be; nothing of `perun` is used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import msgspec
from coincurve import PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_utils import keccak

ALICE, BOB = bytes([0x11]) * 32, bytes([0x21]) * 32
ALICE_FRESH, BOB_FRESH = bytes([0x12]) * 32, bytes([0x22]) * 32
TOKEN = bytes(range(32))
TAG = b"\x01\x02\x03\x04\x05\x06\x07\x08"
HOST = "hub.example.org:7070"
CHALLENGE = bytes([0xC5]) * 32
DOMAIN = [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}]


def wire() -> dict[str, Any]:
    """Everything of sections 9 and 10 that has one form."""
    handshake, boxes = _session()
    return {
        "names": [
            {"secret": secret, "id": _id(secret), "text": _bech32m("perun", _id(secret))}
            for secret in (ALICE, BOB, ALICE_FRESH)
        ],
        "attach": _attach(),
        "card": _card(),
        "packets": _packets(handshake),
        "parcels": _parcels(),
        "handshake": handshake,
        "boxes": boxes,
        "messages": _messages(),
    }


def _id(secret: bytes) -> bytes:
    return PrivateKey(secret).public_key.format()


def _bech32m(prefix: str, data: bytes) -> str:
    """BIP 350, over one great number."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = 1
    for value in expanded + values + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, number in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= number if top >> bit & 1 else 0
    check ^= 0x2BC830A3
    values += [check >> shift & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values)


def _signed(name: str, fields: list[tuple[str, str]], message: dict[str, Any]) -> dict[str, bytes]:
    typed = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": DOMAIN,
                name: [{"name": field, "type": kind} for field, kind in fields],
            },
            "primaryType": name,
            "domain": {"name": "Perun wire", "version": "1"},
            "message": message,
        }
    )
    signed = Account.sign_message(typed, ALICE)
    return {"digest": bytes(_hash_eip191_message(typed)), "signature": bytes(signed.signature)}


def _attach() -> dict[str, Any]:
    fields = [("host", "string"), ("challenge", "bytes32")]
    signed = _signed("Attach", fields, {"host": HOST, "challenge": CHALLENGE})
    return {
        "secret": ALICE,
        "host": HOST,
        **signed,
        "challenge": b"\x01" + CHALLENGE,
        "attach": b"\x02" + _id(ALICE) + signed["signature"] + HOST.encode(),
        "attached": b"\x03" + _id(ALICE),
    }


def _card() -> dict[str, Any]:
    card = {
        "version": 1,
        "network": "eip155:31337",
        "genesis": "0x" + "07" * 32,
        "contracts": {
            "msContract": "0x" + "01" * 20,
            "vpm": "0x" + "02" * 20,
            "hashTimeLock": "0x" + "03" * 20,
        },
        "node": _bech32m("perun", _id(ALICE)),
        "host": HOST,
        "serial": 7,
        "until": 1_800_003_600,
        "offers": ["channels", "relay", "later"],
        "assets": [
            {
                "asset": "0x" + "00" * 20,
                "symbol": "ETH",
                "decimals": 18,
                "leastChannel": "1000000000000000",
                "greatestChannel": "10000000000000000000",
                "baseFee": "1000",
                "amountPpm": 100,
            }
        ],
        "terms": {"leastChallenge": 3600, "greatestChallenge": 86400, "greatestValidity": 604800},
        "software": "somebody's node 0.1 – ünïcode",
        "unknown": {"b": [True, None], "a": "x"},
    }
    text = json.dumps(card, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    signed = _signed("Card", [("content", "bytes32")], {"content": keccak(text.encode())})
    whole = {"card": card, "signature": "0x" + signed["signature"].hex()}
    return {"secret": ALICE, "canonical": text, **signed, "served": json.dumps(whole, indent=1)}


def _packet(kind: int, rest: bytes, sender: bytes = ALICE, receiver: bytes = BOB) -> bytes:
    return b"\x00" + _id(sender) + _id(receiver) + bytes([kind]) + TAG + rest


def _packets(handshake: dict[str, Any]) -> dict[str, bytes]:
    return {
        "actOne": _packet(1, handshake["actOne"]),
        "actTwo": _packet(2, handshake["actTwo"], BOB, ALICE),
        "actThree": _packet(3, handshake["actThree"]),
        "box": _packet(4, b"a box of any length"),
        "undelivered": _packet(5, b"", BOB, ALICE),
    }


def _hello() -> bytes:
    names = ("MSContract", "VPM", "HashTimeLock")
    contracts = [[name, bytes([place]) * 20] for place, name in enumerate(names, 1)]
    words = [[1], "eip155:31337", bytes([7]) * 32, contracts, [3], "somebody's node 0.1"]
    return b"\x01" + msgspec.msgpack.encode(words)


def _parcels() -> dict[str, bytes]:
    return {
        "messages": b"\x00" + b"\x00\x05hello" + b"\x00\x03you",
        "hello": _hello(),
        "bye": b"\x02" + (4101).to_bytes(2, "big") + b"network: ours is a, yours b",
        "beat": b"\x03",
        "taken": b"\x04" + (32_768).to_bytes(8, "big"),
    }


# ----------------------------------------------------------------------------- BOLT 8, once more


def _two(salt: bytes, material: bytes) -> tuple[bytes, bytes]:
    secret = hmac.digest(salt, material, "sha256")
    first = hmac.digest(secret, b"\x01", "sha256")
    return first, hmac.digest(secret, first + b"\x02", "sha256")


def _seal(key: bytes, number: int, data: bytes, beside: bytes = b"") -> bytes:
    return ChaCha20Poly1305(key).encrypt(bytes(4) + number.to_bytes(8, "little"), data, beside)


def _session() -> tuple[dict[str, Any], dict[str, bytes]]:
    def mix(data: bytes) -> None:
        nonlocal digest
        digest = hashlib.sha256(digest + data).digest()

    def agree(secret: bytes, public: bytes) -> bytes:
        nonlocal chain
        chain, key = _two(chain, PrivateKey(secret).ecdh(public))
        return key

    def box(key: bytes, number: int, data: bytes) -> bytes:
        sealed = _seal(key, number, data, digest)
        mix(sealed)
        return sealed

    chain = hashlib.sha256(b"Noise_XK_secp256k1_ChaChaPoly_SHA256").digest()
    digest = chain
    mix(b"perun 1")
    mix(_id(BOB))
    mix(_id(ALICE_FRESH))
    one = b"\x00" + _id(ALICE_FRESH) + box(agree(ALICE_FRESH, _id(BOB)), 0, TOKEN)
    mix(_id(BOB_FRESH))
    key = agree(BOB_FRESH, _id(ALICE_FRESH))
    two = b"\x00" + _id(BOB_FRESH) + box(key, 0, b"")
    three = b"\x00" + box(key, 1, _id(ALICE))
    three += box(agree(ALICE, _id(BOB_FRESH)), 0, b"")
    to_bob, to_alice = _two(chain, b"")
    handshake = {
        "prologue": b"perun 1",
        "initiator": ALICE,
        "initiatorEphemeral": ALICE_FRESH,
        "responder": BOB,
        "responderEphemeral": BOB_FRESH,
        "token": TOKEN,
        "actOne": one,
        "actTwo": two,
        "actThree": three,
        "chain": chain,
        "toResponder": to_bob,
        "toInitiator": to_alice,
    }
    boxes = {
        "helloToResponder": _seal(to_bob, 0, _hello()),
        "helloToInitiator": _seal(to_alice, 0, _hello()),
        "beatToResponder": _seal(to_bob, 1, b"\x03"),
        # The thousandth box is the last of its key.
        "beat999ToResponder": _seal(to_bob, 999, b"\x03"),
        "beat1000ToResponder": _seal(_two(chain, to_bob)[1], 0, b"\x03"),
    }
    return handshake, boxes


# ------------------------------------------------------------------------------ core's messages


def _messages() -> list[dict[str, Any]]:
    """A few of what sessions carry: a version byte, then an array that begins with its number."""
    machine, signature = bytes([0x5A]) * 32, bytes([0x51]) * 65
    great = msgspec.msgpack.Ext(1, b"\x00" + (2**111 - 1).to_bytes(14, "big"))
    small = msgspec.msgpack.Ext(1, b"\x01" + (2**64).to_bytes(9, "big"))
    nano = [bytes([0x33]) * 20, machine, great, 0, 1_800_000_000, True]
    pay = b"\x01" + msgspec.msgpack.encode([1, machine, 10**17, signature])
    state = [bytes([0x44]) * 32, 6, small, [nano]]
    propose = [10, state, signature, 0, None, None, 0, b"", 0, b"", None, None, ""]
    return [
        {"name": "Pay", "bytes": pay},
        {"name": "Paid", "bytes": b"\x01" + msgspec.msgpack.encode([2, machine, great])},
        {"name": "Propose", "bytes": b"\x01" + msgspec.msgpack.encode(propose)},
        {"name": "Over", "bytes": b"\x01" + msgspec.msgpack.encode([40, _id(BOB), pay])},
    ]
