"""Computes the vectors with other people's code: eth_account, eth_abi, eth_keys.

Nothing of `perun` may be imported here: what is compared must not have made the answers.
"""

from __future__ import annotations

import json
from typing import Any

from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys import keys
from eth_utils import keccak

from tests.vectors.services import services
from tests.vectors.wire import wire

# Well-known test keys: the first four accounts of anvil and hardhat.
KEYS = {
    "alice": "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "bob": "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "aliceKey": "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "bobKey": "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
}
ADDRESS = {name: Account.from_key(key).address for name, key in KEYS.items()}
ZERO = "0x" + "00" * 20

MOST = 2**111 - 1
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

# Deployments on mainnet, on a development chain, and at the extremes.
DEPLOYMENTS = [
    {"name": "Perun MSContract", "chainId": 1, "verifyingContract": "0x" + "11" * 20},
    {"name": "Perun MSContract", "chainId": 31337, "verifyingContract": "0x" + "fe" * 20},
    {"name": "Perun MSContract", "chainId": 2**256 - 1, "verifyingContract": "0x" + "ff" * 20},
    {"name": "Perun VPM", "chainId": 1, "verifyingContract": "0x" + "22" * 20},
    {"name": "Perun HashTimeLock", "chainId": 1, "verifyingContract": "0x" + "33" * 20},
    {"name": "Perun CoinFlip", "chainId": 1, "verifyingContract": "0x" + "55" * 20},
    {"name": "Perun RockPaperScissors", "chainId": 1, "verifyingContract": "0x" + "99" * 20},
    {"name": "Perun TurnGame", "chainId": 1, "verifyingContract": "0x" + "66" * 20},
    {"name": "Perun Escrow", "chainId": 1, "verifyingContract": "0x" + "88" * 20},
    {"name": "Perun HashChain", "chainId": 1, "verifyingContract": "0x" + "aa" * 20},
    {"name": "Perun PriceBet", "chainId": 1, "verifyingContract": "0x" + "bb" * 20},
    {"name": "Perun Gate", "chainId": 1, "verifyingContract": "0x" + "cc" * 20},
]
MS_CONTRACT = DEPLOYMENTS[0]
VPM, HASH_TIME_LOCK, COIN_FLIP, ROCK_PAPER_SCISSORS, *_MORE = DEPLOYMENTS[3:]
TURN_GAME, ESCROW, HASH_CHAIN, PRICE_BET, GATE = _MORE
FACTS = {"name": "Perun Price"}
"""Where prices are signed: no chain, no contract."""

CHANNEL = "(address,address,address,address,address,uint32,uint64)"
NANO = "(address,bytes32,uint112,uint112,uint40,bool)"
MACHINE = "(address,address,uint112,uint112,uint40,uint32,bytes32)"
LOCK = "(uint112,bool,bytes32,uint40,bytes32)"
FLIP = "(uint112,uint112,bytes32,bytes32,uint16,uint40,uint32,bytes32)"
HAND = "(uint112,uint112,bytes32,bytes32,uint40,uint32,bytes32)"
GAME = (
    "(address,address,uint112,uint112,address,bytes32,bytes32,uint40,uint32,uint32,uint32,bytes32)"
)

STREAM = "(address,uint112,uint112,bool,uint40,uint32,bytes32)"
BET = "(address,bytes32,uint40,int112,int112,uint112,uint112,uint112,uint40,uint32,bytes32)"
PATH = "(address,bytes32,address[],uint40,bytes32)"
DEAL = "(address,address,address,uint112,uint112,int112,uint40,uint40,uint32,bytes32)"

CHANNELS = [
    {**ADDRESS, "asset": ZERO, "challenge": 86400, "nonce": 1},
    {**ADDRESS, "asset": "0x" + "44" * 20, "challenge": 2**32 - 1, "nonce": 2**64 - 1},
    {**dict.fromkeys(ADDRESS, ZERO), "asset": ZERO, "challenge": 0, "nonce": 0},
]
MACHINES = [
    {
        "alice": ADDRESS["aliceKey"],
        "bob": ADDRESS["bobKey"],
        "aliceLock": 10**18,
        "bobLock": 0,
        "validity": 1_800_000_000,
        "challenge": 3600,
        "salt": "0x" + "5a" * 32,
    },
    {
        "alice": ADDRESS["bobKey"],
        "bob": ADDRESS["aliceKey"],
        "aliceLock": MOST,
        "bobLock": MOST,
        "validity": 2**40 - 1,
        "challenge": 2**32 - 1,
        "salt": "0x" + "ff" * 32,
    },
]
PREIMAGE = "0x" + "70" * 32
LOCKS = [
    {
        "amount": 10**18,
        "bobPays": bob_pays,
        "hash": "0x" + keccak(bytes.fromhex(PREIMAGE[2:])).hex(),
        "deadline": deadline,
        "salt": "0x" + "a5" * 32,
    }
    for bob_pays, deadline in ((False, 1_800_000_000), (True, 2**40 - 1))
]
SECRETS = ("0x" + "71" * 32, "0x" + "72" * 32)


def flip_commit(bob: bool) -> bytes:
    """What a side commits to."""
    return keccak(encode(["bool", "bytes32"], [bob, bytes.fromhex(SECRETS[bob][2:])]))


FLIPS = [
    {
        "aliceLock": locks[0],
        "bobLock": locks[1],
        "aliceCommit": "0x" + flip_commit(False).hex(),
        "bobCommit": "0x" + flip_commit(True).hex(),
        "odds": odds,
        "validity": validity,
        "window": window,
        "salt": "0x" + "b5" * 32,
    }
    for locks, odds, validity, window in (
        ((10**18, 2 * 10**18), 2**15, 1_800_000_000, 3600),
        ((MOST, 0), 2**16 - 1, 2**40 - 1, 2**32 - 1),
    )
]
HANDS = [{name: it for name, it in flip.items() if name != "odds"} for flip in FLIPS]
GAMES = [
    {
        "alice": ADDRESS["aliceKey"],
        "bob": ADDRESS["bobKey"],
        "aliceLock": locks[0],
        "bobLock": locks[1],
        "rules": "0x" + "77" * 20,
        "rulesHash": "0x" + "c0" * 32,
        "setup": "0x" + "00" * 31 + "01",
        "validity": validity,
        "challenge": seconds,
        "aliceBank": seconds,
        "bobBank": seconds // 2,
        "salt": "0x" + "c5" * 32,
    }
    for locks, validity, seconds in (
        ((10**18, 2 * 10**18), 1_800_000_000, 3600),
        ((MOST, 0), 2**40 - 1, 2**32 - 1),
    )
]
DEALS = [
    {
        "alice": ADDRESS["aliceKey"],
        "bob": ADDRESS["bobKey"],
        "arbiter": arbiter,
        "aliceLock": locks[0],
        "bobLock": locks[1],
        "lateShift": late,
        "due": validity - 100,
        "validity": validity,
        "challenge": seconds,
        "salt": "0x" + "d5" * 32,
    }
    for arbiter, locks, late, validity, seconds in (
        ("0x" + "99" * 20, (10**18, 2 * 10**18), -(10**17), 1_800_000_000, 3600),
        (ZERO, (MOST, 0), MOST, 2**40 - 1, 2**32 - 1),
    )
]
STREAMS = [
    {
        "payer": ADDRESS["aliceKey"],
        "lock": lock,
        "tick": tick,
        "bobPays": bob_pays,
        "validity": validity,
        "challenge": seconds,
        "salt": "0x" + "e6" * 32,
    }
    for lock, tick, bob_pays, validity, seconds in (
        (10**18, 10**12, False, 1_800_000_000, 3600),
        (MOST, MOST, True, 2**40 - 1, 2**32 - 1),
    )
]
BETS = [
    {
        "oracle": "0x" + "99" * 20,
        "feed": "0x" + b"ETH in USD".ljust(32, b"\0").hex(),
        "time": validity - 100,
        "strike": strike,
        "slope": slope,
        "scale": scale,
        "aliceLock": locks[0],
        "bobLock": locks[1],
        "validity": validity,
        "challenge": seconds,
        "salt": "0x" + "f7" * 32,
    }
    for strike, slope, scale, locks, validity, seconds in (
        (2_000 * 10**8, 10**15, 10**8, (10**18, 2 * 10**18), 1_800_000_000, 3600),
        (-MOST, -MOST, MOST, (MOST, 0), 2**40 - 1, 2**32 - 1),
    )
]
NANOS = [
    {
        "app": VPM["verifyingContract"],
        "id": "0x" + f"{number:064x}",
        "aliceLock": 10**18,
        "bobLock": MOST if number else 0,
        "expiry": 1_800_003_600 if number else 2**40 - 1,
        "swapped": bool(number % 2),
    }
    for number in range(64)
]
LISTS = [[], NANOS[:1], NANOS[1:3], NANOS]

STATE = "State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)"
CLOSE = "Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)"
WITHDRAW = (
    "Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
)
OPEN = "Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
STATEMENT = "Statement(bytes32 machine,uint112 paid)"
READY = "Ready(bytes32 machine)"
POSITION = "Position(bytes32 game,uint32 version,uint8 turn,int112 shift,bytes32 position)"
MOVE = "Move(bytes32 game,uint32 version,bytes32 position,bytes32 move)"
AWARD = "Award(bytes32 deal,int112 shift)"
CHAIN = "Chain(bytes32 stream,uint112 base,bytes32 root)"
PRICE = "Price(bytes32 feed,uint40 time,int112 price)"
PATHS = [
    {
        "app": "0x" + "aa" * 20,
        "instance": "0x" + "0a" * 32,
        "parties": [ADDRESS[name] for name in ("aliceKey", "alice", "bobKey")],
        "end": 1_800_000_000,
        "salt": "0x" + "0b" * 32,
    },
    {
        "app": "0x" + "ff" * 20,
        "instance": "0x" + "ff" * 32,
        "parties": [ADDRESS["aliceKey"], ADDRESS["bobKey"]] * 4,
        "end": 2**40 - 1,
        "salt": "0x" + "ff" * 32,
    },
]
OPENING = "Opening(bytes32 path)"
FINAL = "Final(bytes32 path,int112 shift)"
REQUEST = (
    "Request(bytes payee,bytes32 genesis,address contract,address asset,uint112 amount,"
    "bytes32 id,uint40 until,bytes32 memo,bytes relay)"
)
RECEIPT = (
    "Receipt(bytes payee,bytes32 genesis,address contract,address asset,uint112 amount,"
    "bytes32 id,bytes payer,uint40 at)"
)


def rendered() -> dict[str, str]:
    """The files' text by name."""
    files = {
        "ids": ids(),
        "messages": {
            "keys": KEYS,
            "messages": messages(),
            "games": game_messages(),
            "awards": awards(),
            "chains": chains(),
            "prices": prices(),
            "paths": path_messages(),
        },
        "requests": {"keys": KEYS, "requests": requests()},
        "signatures": signatures(),
        "evidence": evidence(),
        "wire": wire(),
        "services": services(),
    }
    return {name: json.dumps(plain(doc), indent=1) + "\n" for name, doc in files.items()}


def plain(value: Any) -> Any:
    """Integers as decimal text, bytes as hex; truth values stay."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value


def abi(kind: str, value: Any) -> bytes:
    """`abi.encode` of one value; objects as tuples of their values, hex as bytes."""
    return encode([kind], [_tuples(value)])


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(_tuples(item) for item in value.values())
    if isinstance(value, list):
        return [_tuples(item) for item in value]
    return bytes.fromhex(value[2:]) if isinstance(value, str) and len(value) > 42 else value


# -------------------------------------------------------------------------------- ids and hashes


def separator(domain: dict[str, Any]) -> bytes:
    """What eth_account makes of a domain: the header of any message in it."""
    return encode_typed_data(full_message=_typed(READY, domain, {"machine": bytes(32)})).header


def channel_id(domain: dict[str, Any], channel: dict[str, Any]) -> bytes:
    """Solidity's `keccak256(abi.encode(DOMAIN_SEPARATOR, channel))`."""
    return keccak(separator(domain) + abi(CHANNEL, _ordered_channel(channel)))


def path_id(path: dict[str, Any]) -> bytes:
    """Solidity's `keccak256(abi.encode(DOMAIN_SEPARATOR, path))`."""
    return keccak(encode(["bytes32", PATH], [separator(GATE), _tuples(path)]))


def stream_id(stream: dict[str, Any]) -> bytes:
    """Solidity's `keccak256(abi.encode(DOMAIN_SEPARATOR, stream))`."""
    return keccak(separator(HASH_CHAIN) + abi(STREAM, stream))


def _ordered_channel(channel: dict[str, Any]) -> dict[str, Any]:
    fields = ("alice", "bob", "aliceKey", "bobKey", "asset", "challenge", "nonce")
    return {name: channel[name] for name in fields}


def nanos_hash(nanos: list[dict[str, Any]]) -> bytes:
    """Zeros for the empty list, else Solidity's `keccak256(abi.encode(nanos))`."""
    return keccak(abi(f"{NANO}[]", nanos)) if nanos else bytes(32)


def ids() -> dict[str, Any]:
    """Domain separators, and what is hashed with them."""
    id = channel_id(MS_CONTRACT, CHANNELS[0])
    states = [(1, 0, LISTS[0]), (2**48 - 1, -MOST, LISTS[1]), (7, MOST, LISTS[3])]
    return {
        "domains": [{**domain, "separator": separator(domain)} for domain in DEPLOYMENTS],
        "channels": [
            {"domain": domain, "channel": _ordered_channel(it), "id": channel_id(domain, it)}
            for domain in DEPLOYMENTS[:3]
            for it in CHANNELS
        ],
        "machines": [
            {"domain": VPM, "machine": it, "id": keccak(separator(VPM) + abi(MACHINE, it))}
            for it in MACHINES
        ],
        "locks": [
            {
                "domain": HASH_TIME_LOCK,
                "lock": it,
                "id": keccak(separator(HASH_TIME_LOCK) + abi(LOCK, it)),
            }
            for it in LOCKS
        ],
        "flips": [
            {"domain": COIN_FLIP, "flip": it, "id": keccak(separator(COIN_FLIP) + abi(FLIP, it))}
            for it in FLIPS
        ],
        "hands": [
            {
                "domain": ROCK_PAPER_SCISSORS,
                "hands": it,
                "id": keccak(separator(ROCK_PAPER_SCISSORS) + abi(HAND, it)),
            }
            for it in HANDS
        ],
        "games": [
            {"domain": TURN_GAME, "game": it, "id": keccak(separator(TURN_GAME) + abi(GAME, it))}
            for it in GAMES
        ],
        "deals": [
            {"domain": ESCROW, "deal": it, "id": keccak(separator(ESCROW) + abi(DEAL, it))}
            for it in DEALS
        ],
        "streams": [
            {
                "domain": HASH_CHAIN,
                "stream": it,
                "id": stream_id(it),
            }
            for it in STREAMS
        ],
        "ticks": ticks(),
        "bets": [
            {"domain": PRICE_BET, "bet": it, "id": keccak(separator(PRICE_BET) + abi(BET, it))}
            for it in BETS
        ],
        "paths": [{"domain": GATE, "path": it, "id": path_id(it)} for it in PATHS],
        "nanos": [{"nanos": nanos, "hash": nanos_hash(nanos)} for nanos in LISTS],
        "stateHashes": [
            {
                "channel": id,
                "version": version,
                "net": net,
                "nanos": nanos,
                "low173Bits": int.from_bytes(
                    keccak(
                        encode(
                            ["bytes32", "uint48", "int112", "bytes32"],
                            [id, version, net, nanos_hash(nanos)],
                        )
                    ),
                    "big",
                )
                % 2**173,
            }
            for version, net, nanos in states
        ],
    }


# -------------------------------------------------------------------------------------- messages


PARTS = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
}
"""What a domain may consist of, in the order of EIP-712."""


def _typed(type_string: str, domain: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    name, _, rest = type_string.removesuffix(")").partition("(")
    fields = [field.split(" ") for field in rest.split(",")]
    where = {"version": "1", **domain}
    return {
        "types": {
            "EIP712Domain": [
                {"name": name, "type": kind} for name, kind in PARTS.items() if name in where
            ],
            name: [{"name": field, "type": kind} for kind, field in fields],
        },
        "primaryType": name,
        "domain": where,
        "message": message,
    }


def messages() -> list[dict[str, Any]]:
    """Every message, ordinary and at the extremes, signed by the two session keys."""
    ids = [channel_id(MS_CONTRACT, channel) for channel in CHANNELS[:2]]
    machines = [keccak(separator(VPM) + abi(MACHINE, machine)) for machine in MACHINES]
    made = []
    for channel in ids:
        for version, net, nanos in ((1, 0, []), (2, 10**17, LISTS[1]), (2**48 - 1, -MOST, NANOS)):
            fields = {"channel": channel, "version": version, "net": net}
            made.append(_signed(STATE, MS_CONTRACT, fields, nanos))
        for net, until, credit in (
            (10**17, 1_800_000_000, 0),
            (-MOST, 2**40 - 1, 3),
            (MOST, 0, 255),
        ):
            fields = {"channel": channel, "net": net, "validUntil": until, "toCredit": credit}
            made.append(_signed(CLOSE, MS_CONTRACT, fields))
        for index, amounts in ((0, (1, 2)), (2**32 - 1, (MOST, MOST))):
            both = {"aliceAmount": amounts[0], "bobAmount": amounts[1], "validUntil": 2**40 - 1}
            made.append(
                _signed(WITHDRAW, MS_CONTRACT, {"channel": channel, "index": index, **both})
            )
            made.append(_signed(OPEN, MS_CONTRACT, {"channel": channel, **both}))
    for machine in machines:
        made += [
            _signed(STATEMENT, VPM, {"machine": machine, "paid": p}) for p in (0, 10**17, MOST)
        ]
        made.append(_signed(READY, VPM, {"machine": machine}))
    return made


def game_messages() -> list[dict[str, Any]]:
    """Positions and moves, ordinary and at the extremes, signed by the two session keys."""
    made = []
    for it in GAMES:
        game, position = keccak(separator(TURN_GAME) + abi(GAME, it)), keccak(b"position")
        for version, turn, shift in ((0, 1, 0), (7, 2, -(10**17)), (2**32 - 1, 255, MOST)):
            fields = {"game": game, "version": version, "turn": turn, "shift": shift}
            made.append(_signed(POSITION, TURN_GAME, {**fields, "position": position}))
            fields = {"game": game, "version": version, "position": position}
            made.append(_signed(MOVE, TURN_GAME, {**fields, "move": keccak(b"move")}))
    return made


def awards() -> list[dict[str, Any]]:
    """Awards, ordinary and at the extremes, signed by the two session keys."""
    return [
        _signed(AWARD, ESCROW, {"deal": keccak(separator(ESCROW) + abi(DEAL, it)), "shift": shift})
        for it in DEALS
        for shift in (0, 10**17, -(10**17), MOST, -MOST)
    ]


def chains() -> list[dict[str, Any]]:
    """Roots of streams, ordinary and at the extremes, signed by the two session keys."""
    ids = [stream_id(it) for it in STREAMS]
    return [
        _signed(CHAIN, HASH_CHAIN, {"stream": id, "base": base, "root": keccak(b"root")})
        for id in ids
        for base in (0, 10**17, MOST)
    ]


def prices() -> list[dict[str, Any]]:
    """Prices, ordinary and at the extremes, signed by the two session keys."""
    return [
        _signed(PRICE, FACTS, {"feed": it["feed"], "time": it["time"], "price": price})
        for it in BETS
        for price in (0, 2_345 * 10**8, MOST, -MOST)
    ]


def path_messages() -> list[dict[str, Any]]:
    """What parties of a path sign, ordinary and at the extremes, by the two session keys."""
    ids = [path_id(it) for it in PATHS]
    return [_signed(OPENING, GATE, {"path": id}) for id in ids] + [
        _signed(FINAL, GATE, {"path": id, "shift": shift})
        for id in ids
        for shift in (0, -(10**17), MOST, -MOST)
    ]


def ticks() -> list[dict[str, Any]]:
    """A chain of four hashes, the root first: each value hashes to the one before."""
    made = []
    for it in STREAMS:
        id = stream_id(it)
        values = [keccak(b"seed")]
        for _ in range(4):
            values.insert(0, keccak(encode(["bytes32", "bytes32"], [id, values[0]])))
        made.append({"stream": it, "values": values})
    return made


def _signed(
    type_string: str,
    domain: dict[str, Any],
    fields: dict[str, Any],
    nanos: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    words = fields if nanos is None else {**fields, "nanos": nanos_hash(nanos)}
    typed = _typed(type_string, domain, words)
    signable = encode_typed_data(full_message=typed)
    signed = []
    for signer in ("aliceKey", "bobKey"):
        result = Account.sign_message(signable, KEYS[signer])
        compact = (result.v - 27 << 255 | result.s).to_bytes(32, "big")
        signed.append(
            {
                "signer": ADDRESS[signer],
                "signature": bytes(result.signature),
                "compact": result.r.to_bytes(32, "big") + compact,
            }
        )
    return {
        "type": type_string,
        "domain": domain,
        "fields": fields if nanos is None else {**fields, "nanos": nanos},
        "digest": bytes(result.message_hash),
        "signatures": signed,
    }


# -------------------------------------------------------------------------------------- requests


def requests() -> list[dict[str, Any]]:
    """Payment requests and receipts, with and without text and relay, and at the extremes."""
    payee, other = (_node_id(KEYS[name]) for name in ("aliceKey", "bobKey"))
    made = []
    for amount, until, memo, relay in (
        (10**17, 1_800_000_000, "bread & salt", other),
        (0, 2**40 - 1, "", b""),
        (MOST, 0, "Grüße", other),
    ):
        shared = {
            "payee": payee,
            "genesis": keccak(b"genesis"),
            "contract": MS_CONTRACT["verifyingContract"],
            "asset": ZERO,
            "amount": amount,
            "id": keccak(b"id"),
        }
        hashed = keccak(memo.encode()) if memo else bytes(32)
        fields = {**shared, "until": until, "memo": hashed, "relay": relay}
        made.append({**_signed(REQUEST, MS_CONTRACT, fields), "memo": memo.encode()})
        made.append(_signed(RECEIPT, MS_CONTRACT, {**shared, "payer": other, "at": until}))
    return made


def _node_id(key: str) -> bytes:
    public = keys.PrivateKey(bytes.fromhex(key[2:])).public_key
    return bytes(public.to_compressed_bytes())


# ------------------------------------------------------------------------------------ signatures


def signatures() -> list[dict[str, Any]]:
    """Signatures in every form, and who signed by the rules of section 2: null for invalid ones."""
    cases = []
    # Digests of both kinds: the first that give v 27 and 28.
    for v in (0, 1):
        digest, signature = _signature_with(v)
        r, s = signature.r.to_bytes(32, "big"), signature.s.to_bytes(32, "big")
        high = (ORDER - signature.s).to_bytes(32, "big")
        marked = (v << 255 | signature.s).to_bytes(32, "big")
        valid = {
            "v of 27 or 28": r + s + bytes((27 + v,)),
            "v of 0 or 1": r + s + bytes((v,)),
            "compact (EIP-2098)": r + marked,
        }
        invalid = {
            "high s": r + high + bytes((28 - v,)),
            "v of 2": r + s + b"\x02",
            "v of 26": r + s + b"\x1a",
            "v of 29": r + s + b"\x1d",
            "v of EIP-155": r + s + bytes((37 + v,)),
            "r of zero": bytes(32) + s + bytes((27 + v,)),
            "s of zero": r + bytes(32) + bytes((27 + v,)),
            "r of the order": ORDER.to_bytes(32, "big") + s + bytes((27 + v,)),
            "s of the order": r + ORDER.to_bytes(32, "big") + bytes((27 + v,)),
            "compact with high s": r + (v << 255 | (ORDER // 2 + 1)).to_bytes(32, "big"),
            "66 bytes": r + s + bytes((27 + v, 0)),
            "63 bytes": r + s[:-1],
            "empty": b"",
        }
        for forms, signer in ((valid, ADDRESS["aliceKey"]), (invalid, None)):
            cases += [
                {"case": name, "digest": digest, "signature": form, "signer": signer}
                for name, form in forms.items()
            ]
        other = r + s + bytes((28 - v,))
        by = keys.Signature(r + s + bytes((1 - v,))).recover_public_key_from_msg_hash(digest)
        cases.append(
            {
                "case": "the other v: another key",
                "digest": digest,
                "signature": other,
                "signer": by.to_checksum_address(),
            }
        )
    return cases


def _signature_with(v: int) -> tuple[bytes, keys.Signature]:
    key = keys.PrivateKey(bytes.fromhex(KEYS["aliceKey"][2:]))
    digests = (keccak(bytes((number,))) for number in range(256))
    return next(
        (digest, signature) for digest in digests if (signature := key.sign_msg_hash(digest)).v == v
    )


# -------------------------------------------------------------------------------------- evidence


def evidence() -> dict[str, Any]:
    """What `register` passes on to the nanocontracts."""
    machine = MACHINES[0]
    id = keccak(separator(VPM) + abi(MACHINE, machine))
    signed = _signed(STATEMENT, VPM, {"machine": id, "paid": 10**17})["signatures"]
    shown = [
        (10**17, signed[0]["signature"], 0, b""),
        (0, b"", 10**17, signed[1]["compact"]),
        (10**17, signed[0]["compact"], 10**17, signed[1]["signature"]),
    ]
    names = ("paidByAlice", "signatureAlice", "paidByBob", "signatureBob")
    types = [MACHINE, "uint112", "bytes", "uint112", "bytes"]
    return {
        "statements": [
            {
                "machine": machine,
                **dict(zip(names, it, strict=True)),
                "evidence": encode(types, [_tuples(machine), *it]),
            }
            for it in shown
        ],
        "reveals": [
            {
                "lock": lock,
                "preimage": PREIMAGE,
                "evidence": encode([LOCK, "bytes32"], [_tuples(lock), bytes.fromhex(PREIMAGE[2:])]),
            }
            for lock in LOCKS
        ],
        "flips": [
            {
                "flip": flip,
                "bob": bob,
                "secret": SECRETS[bob],
                "evidence": encode(
                    [FLIP, "bool", "bytes32"], [_tuples(flip), bob, bytes.fromhex(SECRETS[bob][2:])]
                ),
            }
            for flip in FLIPS
            for bob in (False, True)
        ],
        "hands": [
            {
                "hands": hands,
                "bob": bob,
                "secret": SECRETS[bob],
                "evidence": encode(
                    [HAND, "bool", "bytes32"],
                    [_tuples(hands), bob, bytes.fromhex(SECRETS[bob][2:])],
                ),
            }
            for hands in HANDS
            for bob in (False, True)
        ],
        **_game_evidence(),
        **_deal_evidence(),
        **_stream_evidence(),
        **_bet_evidence(),
        **_path_evidence(),
    }


def _game_evidence() -> dict[str, Any]:
    """What `TurnGame` takes: a word that says the form, then the arguments."""
    game = GAMES[0]
    id = keccak(separator(TURN_GAME) + abi(GAME, game))
    content, move = b"position", b"m"
    position = {"game": id, "version": 7, "turn": 2, "shift": -(10**17)}
    position["position"] = keccak(content)
    both = _signed(POSITION, TURN_GAME, position)["signatures"]
    made = {"game": id, "version": 7, "position": keccak(content), "move": keccak(move)}
    by_bob = _signed(MOVE, TURN_GAME, made)["signatures"][1]["signature"]
    words = tuple(position[name] for name in ("version", "turn", "shift", "position"))
    return {
        "positions": [
            {
                "game": game,
                "position": position,
                "signatureAlice": alice,
                "signatureBob": bob,
                "evidence": encode(["uint256"], [0])
                + encode(
                    [GAME, "(uint32,uint8,int112,bytes32)", "bytes", "bytes"],
                    [_tuples(game), words, alice, bob],
                ),
            }
            for alice, bob in (
                (both[0]["signature"], both[1]["signature"]),
                (both[0]["compact"], both[1]["signature"]),
            )
        ],
        "moves": [
            {
                "game": game,
                "position": content,
                "move": move,
                "signature": by_bob,
                "evidence": encode(["uint256"], [1])
                + encode([GAME, "bytes", "bytes", "bytes"], [_tuples(game), content, move, by_bob]),
            }
        ],
    }


def _deal_evidence() -> dict[str, Any]:
    """What `Escrow` takes: a word that says the form, then the arguments."""
    deal, shift = DEALS[0], -(10**17)
    id = keccak(separator(ESCROW) + abi(DEAL, deal))
    both = _signed(AWARD, ESCROW, {"deal": id, "shift": shift})["signatures"]
    alice, bob = both[0]["signature"], both[1]["compact"]

    def form(number: int, types: list[str], *values: Any) -> bytes:
        return encode(["uint256"], [number]) + encode([DEAL, *types], [_tuples(deal), *values])

    return {
        "awards": [
            {
                "deal": deal,
                "shift": shift,
                "signature": signature,
                "evidence": form(0, ["int112", "bytes"], shift, signature),
            }
            for signature in (alice, bob)
        ],
        "agreements": [
            {
                "deal": deal,
                "shift": shift,
                "signatureAlice": alice,
                "signatureBob": bob,
                "evidence": form(1, ["int112", "bytes", "bytes"], shift, alice, bob),
            }
        ],
        "lates": [{"deal": deal, "evidence": form(2, [])}],
    }


def _stream_evidence() -> dict[str, Any]:
    """What `HashChain` takes: a signed root, and a value so many hashes before it."""
    made = []
    for entry in ticks():
        stream, values = entry["stream"], entry["values"]
        id = stream_id(stream)
        signed = _signed(CHAIN, HASH_CHAIN, {"stream": id, "base": 7, "root": values[0]})
        for number, form in ((0, "signature"), (3, "compact")):
            signature = signed["signatures"][0][form]
            shown = (7, values[0], number, values[number], signature)
            types = [STREAM, "uint112", "bytes32", "uint256", "bytes32", "bytes"]
            made.append(
                {
                    "stream": stream,
                    "base": 7,
                    "root": values[0],
                    "ticks": number,
                    "value": values[number],
                    "signature": signature,
                    "evidence": encode(types, [_tuples(stream), *shown]),
                }
            )
    return {"ticks": made}


def _bet_evidence() -> dict[str, Any]:
    """What `PriceBet` takes: a signed price."""
    made = []
    for bet in BETS:
        for price, form in ((2_345 * 10**8, "signature"), (-MOST, "compact")):
            fields = {"feed": bet["feed"], "time": bet["time"], "price": price}
            signature = _signed(PRICE, FACTS, fields)["signatures"][1][form]
            shown = encode([BET, "int112", "bytes"], [_tuples(bet), price, signature])
            made.append({"bet": bet, "price": price, "signature": signature, "evidence": shown})
    return {"prices": made}


def _path_evidence() -> dict[str, Any]:
    """What `Gate` takes: a word that says the form, then terms, shift and signatures."""
    made = []
    for path in PATHS:
        for shift, form in ((None, "signature"), (-MOST, "compact")):
            fields = {"path": path_id(path)} | ({} if shift is None else {"shift": shift})
            one, other = (
                it[form]
                for it in _signed(OPENING if shift is None else FINAL, GATE, fields)["signatures"]
            )
            signatures = [one, *[other] * (len(path["parties"]) - 1)]
            types = [PATH, *([] if shift is None else ["int112"]), "bytes[]"]
            values = [_tuples(path), *([] if shift is None else [shift]), signatures]
            word = int(shift is not None).to_bytes(32, "big")
            case = {"path": path, "signatures": signatures}
            if shift is not None:
                case["shift"] = shift
            made.append({**case, "evidence": word + encode(types, values)})
    return {"paths": made}
