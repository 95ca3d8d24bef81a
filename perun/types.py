"""Quantities, each with its own type, and the frozen records that the contracts and parties share.

Names, order and meaning of fields are those of `contracts/types/*.sol` and of the typed data in
`contracts/interfaces/*.sol`, in snake case. Amounts are in the asset's smallest unit (wei for ETH),
times in Unix seconds, addresses 20 and ids 32 raw bytes.

A record checks its values when it is made and raises a `perun.errors.Misuse`; one that exists is
therefore in range. Records are `msgspec.Struct`s, because a payment makes several of them: 0.05 µs
against 0.6 µs for a frozen slotted dataclass, and a changed copy 0.05 µs against 0.9 µs
(`msgspec.structs.replace`, which checks again).
"""

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
    "Award",
    "ChainId",
    "Channel",
    "ChannelId",
    "Close",
    "Deal",
    "DealId",
    "DealRecord",
    "Digest",
    "DomainSeparator",
    "ETH",
    "Flip",
    "FlipId",
    "FlipRecord",
    "Game",
    "GameId",
    "GameRecord",
    "InstanceId",
    "Lock",
    "LockId",
    "LockRecord",
    "MAX_AMOUNT",
    "Machine",
    "MachineId",
    "MachineRecord",
    "Message",
    "Move",
    "Nano",
    "NanosHash",
    "Nonce",
    "Open",
    "Position",
    "Preimage",
    "Ready",
    "Record",
    "Salt",
    "Seconds",
    "Settlement",
    "Signature",
    "State",
    "Statement",
    "UnixTime",
    "Version",
    "Wei",
    "Withdraw",
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

MachineId = NewType("MachineId", InstanceId)
"""An instance of the virtual payment machine."""

LockId = NewType("LockId", InstanceId)
"""An instance of the hash time lock."""

FlipId = NewType("FlipId", InstanceId)
"""An instance of the coin flip."""
DealId = NewType("DealId", InstanceId)
"""An instance of the escrow."""

GameId = NewType("GameId", InstanceId)
"""An instance of the game in turns."""

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


_SECRETS: Final = frozenset({"preimage", "secret", "secrets", "seed"})


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


class Channel(Record, frozen=True, gc=False):
    """The fixed terms of a basic channel; their hash is its id (protocol, section 3)."""

    alice: Address
    """Account that owns Alice's money, is paid out, and may send her transactions."""
    bob: Address
    """Account that owns Bob's money."""
    alice_key: Address
    """Address of the ECDSA key that signs for Alice; may equal `alice`."""
    bob_key: Address
    """Address of the ECDSA key that signs for Bob; may equal `bob`."""
    asset: Asset
    """Token, or `ETH`."""
    challenge: Seconds
    """How long a dispute stays open to newer states; uint32."""
    nonce: Nonce
    """Drawn at random for this channel; uint64."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.length("alice_key", self.alice_key, 20)
        checks.length("bob_key", self.bob_key, 20)
        checks.length("asset", self.asset, 20)
        checks.unsigned("challenge", self.challenge, 32)
        checks.unsigned("nonce", self.nonce, 64)


class Nano(Record, frozen=True, gc=False):
    """A nanocontract instance that holds part of a channel's money (protocol, section 3)."""

    app: Address
    """The nanocontract."""
    id: InstanceId
    """The instance: the hash of all its parameters."""
    alice_lock: Wei
    """Most that may move from the channel's Alice to the channel's Bob."""
    bob_lock: Wei
    """Most that may move the other way."""
    expiry: UnixTime
    """Last second for which the locks wait; equals the instance's final time. uint40."""
    swapped: bool
    """Whether the instance's Alice is the channel's Bob."""

    def __post_init__(self) -> None:
        checks.length("app", self.app, 20)
        checks.length("id", self.id, 32)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.unsigned("expiry", self.expiry, 40)
        checks.boolean("swapped", self.swapped)


class Settlement(Record, frozen=True, gc=False):
    """One item of `settleMany`: a registered state as `settle` wants it (protocol, section 3)."""

    channel: Channel
    net: Wei
    """Registered net; 0 once the channel is settling."""
    nanos: tuple[Nano, ...]
    """Registered list; once the channel is settling, the remaining one."""

    def __post_init__(self) -> None:
        checks.record("channel", self.channel, Channel)
        checks.signed_amount("net", self.net)
        checks.records("nanos", self.nanos, Nano)


class Machine(Record, frozen=True, gc=False, tag=1):
    """The fixed terms of a payment machine; their hash is its id (protocol, section 4)."""

    alice: Address
    """Address of the key that signs the instance's Alice's statements."""
    bob: Address
    """Address of the key that signs the instance's Bob's statements."""
    alice_lock: Wei
    """Most that Alice may lose on balance; 0: she pays nothing."""
    bob_lock: Wei
    """Most that Bob may lose on balance; 0: he pays nothing."""
    validity: UnixTime
    """Last second at which a first statement may be submitted. uint40."""
    challenge: Seconds
    """How long totals may rise after the first submission; uint32."""
    salt: Salt
    """Hash of random numbers of both ends."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.length("salt", self.salt, 32)


class Lock(Record, frozen=True, gc=False, tag=2):
    """The fixed terms of a hash time lock; their hash is its id (protocol, section 4)."""

    amount: Wei
    """What moves if the preimage is revealed."""
    bob_pays: bool
    """Whether it moves from the instance's Bob to its Alice, else from Alice to Bob."""
    hash: bytes
    """keccak256 of the 32 bytes of the preimage."""
    deadline: UnixTime
    """Last second at which the preimage may be revealed; also the final time. uint40."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.amount("amount", self.amount)
        checks.boolean("bob_pays", self.bob_pays)
        checks.length("hash", self.hash, 32)
        checks.unsigned("deadline", self.deadline, 40)
        checks.length("salt", self.salt, 32)


class Flip(Record, frozen=True, gc=False, tag=3):
    """The fixed terms of a coin flip; their hash is its id (protocol, section 4)."""

    alice_lock: Wei
    """What the instance's Alice pays if she loses."""
    bob_lock: Wei
    """What Bob pays if he loses."""
    alice_commit: bytes
    """`keccak256(abi.encode(false, secret))` of Alice's 32 random bytes."""
    bob_commit: bytes
    """`keccak256(abi.encode(true, secret))` of Bob's."""
    odds: int
    """Alice loses in so many of 65,536 cases; uint16."""
    validity: UnixTime
    """Last second at which a first secret may be revealed. uint40."""
    window: Seconds
    """How long the other may take to follow; uint32."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.length("alice_commit", self.alice_commit, 32)
        checks.length("bob_commit", self.bob_commit, 32)
        checks.unsigned("odds", self.odds, 16)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("window", self.window, 32)
        checks.length("salt", self.salt, 32)


class Game(Record, frozen=True, gc=False, tag=4):
    """The fixed terms of a game in turns; their hash is its id (protocol, section 4)."""

    alice: Address
    """Address of the key that signs for the instance's Alice."""
    bob: Address
    """Address of the key that signs for its Bob."""
    alice_lock: Wei
    """What Alice can lose."""
    bob_lock: Wei
    """What Bob can lose."""
    rules: Address
    """The rules contract (`IRules`)."""
    rules_hash: bytes
    """Hash of its code."""
    setup: bytes
    """What `IRules.start` is given; 32 bytes."""
    validity: UnixTime
    """Last second at which a first position may be submitted. uint40."""
    challenge: Seconds
    """How long newer positions may replace it; then the clocks run. uint32."""
    alice_bank: Seconds
    """What Alice has for all her moves on chain; uint32."""
    bob_bank: Seconds
    """What Bob has."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.length("rules", self.rules, 20)
        checks.length("rules_hash", self.rules_hash, 32)
        checks.length("setup", self.setup, 32)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.unsigned("alice_bank", self.alice_bank, 32)
        checks.unsigned("bob_bank", self.bob_bank, 32)
        checks.length("salt", self.salt, 32)


class Deal(Record, frozen=True, gc=False, tag=5):
    """The fixed terms of a deal in escrow; their hash is its id (protocol, section 4)."""

    alice: Address
    """Address of the key that signs for the instance's Alice."""
    bob: Address
    """Address of the key that signs for its Bob."""
    arbiter: Address
    """Address of the key that may award any part of the locks; zeros: nobody may."""
    alice_lock: Wei
    """Most that can move from Alice."""
    bob_lock: Wei
    """Most that can move from Bob."""
    late_shift: Wei
    """What moves from Alice to Bob if nobody has said anything by `due`; 0: nothing."""
    due: UnixTime
    """Last second before the late rule counts; uint40."""
    validity: UnixTime
    """Last second for the first evidence; uint40."""
    challenge: Seconds
    """How long better evidence may come after the first; uint32."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.length("arbiter", self.arbiter, 20)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.signed_amount("late_shift", self.late_shift)
        checks.unsigned("due", self.due, 40)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.length("salt", self.salt, 32)


Terms = Machine | Lock | Flip | Game | Deal
"""The parameters of an instance: of one kind or another, which the first item says in bytes."""


class MachineRecord(Record, frozen=True, gc=False, tag=1):
    """What the chain has recorded of a payment machine since the first submission (section 4)."""

    paid_by_alice: Wei
    paid_by_bob: Wei
    deadline: UnixTime
    """Last second for higher totals."""


class LockRecord(Record, frozen=True, gc=False, tag=2):
    """What the chain has recorded of a hash time lock: it was revealed (section 4)."""

    preimage: Preimage


class FlipRecord(Record, frozen=True, gc=False, tag=3):
    """What the chain has recorded of a coin flip: one secret or both are public (section 4)."""

    alice: bytes
    """Alice's secret; empty if she has not revealed it."""
    bob: bytes
    """Bob's."""
    deadline: UnixTime
    """Last second for the second one."""


class GameRecord(Record, frozen=True, gc=False, tag=4):
    """What the chain has recorded of a game: a position that both signed, or moves made there."""

    version: Version
    turn: int
    """Who moves: 1 Alice, 2 Bob, 0 nobody: it is finished."""
    shift: Wei
    """If finished, what moves from Alice to Bob."""
    live: bool
    """A move was made on chain: nothing that both signed counts any more."""
    start: UnixTime
    """Last second for newer positions; once live, when the last move was made. The clock of the
    side to move runs from here."""
    alice_left: Seconds
    """Of Alice's bank, once live; before, and once it is finished, it means nothing."""
    bob_left: Seconds
    board: bytes = b""
    """The position's bytes, once live; empty if only storage says that it is."""


class DealRecord(Record, frozen=True, gc=False, tag=5):
    """What the chain has recorded of a deal in escrow (section 4)."""

    rank: int
    """0 the late rule, 1 an award, 2 two awards that differ, 3 an agreement."""
    shift: Wei
    """What moves from Alice to Bob unless better evidence comes."""
    deadline: UnixTime
    """Last second for that."""


Recorded = MachineRecord | LockRecord | FlipRecord | GameRecord | DealRecord
"""What the chain says of an instance, once somebody has submitted something; tags as in `Terms`."""


# ------------------------------------------------------------------ messages that are signed


class State(Record, frozen=True, gc=False):
    """A state of a channel, signed by both keys (protocol, section 3).

    What is signed holds the hash of `nanos`; the record holds the list, since every use needs it.
    """

    channel: ChannelId
    version: Version
    """Higher ones replace lower ones in a dispute; uint48."""
    net: Wei
    """What Alice has paid Bob in total; negative the other way."""
    nanos: tuple[Nano, ...] = ()
    """Instances that lock money; the contract takes at most 64, strictly ascending by (id, app)."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.unsigned("version", self.version, 48)
        checks.signed_amount("net", self.net)
        checks.records("nanos", self.nanos, Nano)


class Close(Record, frozen=True, gc=False):
    """The end of a channel by agreement, signed by both keys (protocol, section 3)."""

    channel: ChannelId
    net: Wei
    """What Alice has paid Bob in total; negative the other way."""
    valid_until: UnixTime
    """Last second at which it may be mined; uint40."""
    to_credit: int = 0
    """Bit 0: Alice is paid into her credit; bit 1: Bob into his. uint8."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.signed_amount("net", self.net)
        checks.unsigned("valid_until", self.valid_until, 40)
        checks.unsigned("to_credit", self.to_credit, 8)


class Withdraw(Record, frozen=True, gc=False):
    """A payout from an open channel, signed by both keys (protocol, section 3)."""

    channel: ChannelId
    index: int
    """Count of withdrawals so far; uint32."""
    alice_amount: Wei
    """What Alice's account is paid, and her holdings fall by."""
    bob_amount: Wei
    """What Bob's account is paid, and his holdings fall by."""
    valid_until: UnixTime
    """Last second at which it may be mined; uint40."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.unsigned("index", self.index, 32)
        checks.amount("alice_amount", self.alice_amount)
        checks.amount("bob_amount", self.bob_amount)
        checks.unsigned("valid_until", self.valid_until, 40)


class Open(Record, frozen=True, gc=False):
    """Leave to fund a channel from the signer's credit, signed by that account (section 3)."""

    channel: ChannelId
    alice_amount: Wei
    bob_amount: Wei
    valid_until: UnixTime
    """Last second at which it may be mined; uint40."""

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.amount("alice_amount", self.alice_amount)
        checks.amount("bob_amount", self.bob_amount)
        checks.unsigned("valid_until", self.valid_until, 40)


class Statement(Record, frozen=True, gc=False):
    """I have paid you this much in total: signed by the payer's key alone (section 4)."""

    machine: MachineId
    paid: Wei
    """Total over the machine's life."""

    def __post_init__(self) -> None:
        checks.length("machine", self.machine, 32)
        checks.amount("paid", self.paid)


class Ready(Record, frozen=True, gc=False):
    """My channel's state with this machine is signed: by the machine key (section 5, Paying)."""

    machine: MachineId

    def __post_init__(self) -> None:
        checks.length("machine", self.machine, 32)


class Position(Record, frozen=True, gc=False):
    """So far we have played: signed by both keys of a game (section 4)."""

    game: GameId
    version: Version
    """Greater replaces smaller; uint32, of which the contract takes 2**18 - 1."""
    turn: int
    """Who moves: 1 Alice, 2 Bob, 0 nobody: it is finished. uint8."""
    shift: Wei
    """If finished, what moves from Alice to Bob; else it means nothing."""
    position: bytes
    """keccak256 of the position's bytes."""

    def __post_init__(self) -> None:
        checks.length("game", self.game, 32)
        checks.unsigned("version", self.version, 32)
        checks.unsigned("turn", self.turn, 8)
        checks.signed_amount("shift", self.shift)
        checks.length("position", self.position, 32)


class Move(Record, frozen=True, gc=False):
    """My move, to be made on chain: signed by the key of the side to move (section 4)."""

    game: GameId
    version: Version
    """Of the position moved from; uint32."""
    position: bytes
    """keccak256 of the bytes of the position moved from."""
    move: bytes
    """keccak256 of the move's bytes, which are in the rules' encoding."""

    def __post_init__(self) -> None:
        checks.length("game", self.game, 32)
        checks.unsigned("version", self.version, 32)
        checks.length("position", self.position, 32)
        checks.length("move", self.move, 32)


class Award(Record, frozen=True, gc=False):
    """So much of a deal's locks moves: signed by its arbiter, or by both parties (section 4)."""

    deal: DealId
    shift: Wei
    """From Alice to Bob; negative the other way."""

    def __post_init__(self) -> None:
        checks.length("deal", self.deal, 32)
        checks.signed_amount("shift", self.shift)


Message = State | Close | Withdraw | Open | Statement | Ready
"""Everything that is signed. The first four belong to MSContract's domain, the others to VPM's."""
