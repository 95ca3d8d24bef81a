"""What is in the boxes of a session, as bytes (protocol, section 10). A first byte says which.

0 Messages   length 2, bytes; again and again
1 Hello      MessagePack
2 Bye        code 2, reason in UTF-8
3 Beat       nothing
4 Taken      8: bytes of Messages taken since the session began
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, NamedTuple

import msgspec

from perun.crypto.agreement import TAG_BYTES
from perun.encoding.kinds import NEEDED
from perun.encoding.messages import MAX_MESSAGE_BYTES, Bytes32
from perun.encoding.packing import pack, unpack
from perun.errors import PeerFault
from perun.types import Record
from perun.wire.codes import Code
from perun.wire.packets import HEADER_BYTES, MAX_PACKET_BYTES

__all__ = [
    "BEAT",
    "Beat",
    "Bye",
    "Hello",
    "MAX_PARCEL_BYTES",
    "MalformedParcel",
    "Messages",
    "Parcel",
    "Taken",
    "join",
    "read",
]

MAX_PARCEL_BYTES: Final = MAX_PACKET_BYTES - HEADER_BYTES - TAG_BYTES
_LONGEST_REASON: Final = 300
_LONGEST_HELLO: Final = 4_096

Contract = Annotated[bytes, msgspec.Meta(min_length=20, max_length=20)]
Short = Annotated[str, msgspec.Meta(max_length=100)]
Small = Annotated[int, msgspec.Meta(ge=0, lt=2**16)]


@dataclass(eq=False)
class MalformedParcel(PeerFault):
    """A box of this session holds what this page does not allow."""

    reason: str
    length: int

    template: ClassVar[str] = "malformed parcel of {length} bytes: {reason}"
    hint: ClassVar[str] = "the peer runs another version, or is broken"


class Hello(Record, frozen=True, gc=False):
    """Which protocol, chain and contracts a node speaks of; first word of either side."""

    versions: Annotated[tuple[Small, ...], msgspec.Meta(min_length=1, max_length=16)]
    """Of this protocol, all that it can speak; the greatest common one counts."""
    network: Short
    """CAIP-2, such as `eip155:1`."""
    genesis: Bytes32
    """Hash of the chain's first block: test chains share numbers."""
    contracts: Annotated[tuple[tuple[Short, Contract], ...], msgspec.Meta(max_length=64)]
    """All that the node knows, each with its name: `MSContract`, `VPM`, and of the other
    nanocontracts whichever it has."""
    features: Annotated[tuple[Small, ...], msgspec.Meta(max_length=64)] = ()
    """An even one must be understood by the other side, an odd one may be ignored."""
    software: Short = ""
    """For people who look for a fault."""

    def why_not(self, other: Hello, known: frozenset[int] = frozenset()) -> Bye | None:
        """Why we end a session with whoever says `other`; names both values."""
        for code, name, ours, theirs in (
            (Code.NETWORK, "network", self.network, other.network),
            (Code.GENESIS, "genesis", self.genesis.hex()[:16], other.genesis.hex()[:16]),
            *self._contracts(other),
        ):
            if ours != theirs:
                return Bye(code, f"{name}: ours is {ours}, yours {theirs}")
        if not set(self.versions) & set(other.versions):
            said = f"versions: ours are {_list(self.versions)}, yours {_list(other.versions)}"
            return Bye(Code.VERSION, said)
        strange = [one for one in other.features if not one & 1 and one not in known]
        if strange:
            return Bye(Code.FEATURE, f"features: {_list(strange)} must be known here, and are not")
        return None

    def _contracts(self, other: Hello) -> Iterator[tuple[Code, str, str, str]]:
        """Those that a channel needs, and what else both know: a kind of instance that only one of
        us has is refused when it is asked for."""
        ours, theirs = dict(self.contracts), dict(other.contracts)
        for name in (*NEEDED, *sorted(ours.keys() & theirs.keys() - set(NEEDED))):
            yield Code.CONTRACTS, name, _shown(ours.get(name)), _shown(theirs.get(name))


class Messages(NamedTuple):
    """Whole messages of the core, in order."""

    frames: list[bytes]


class Bye(NamedTuple):
    """The sender ends the session, and why."""

    code: int
    reason: str

    def encode(self) -> bytes:
        """As a box holds it; a reason that is too long is cut."""
        text = self.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        return b"\x02" + self.code.to_bytes(2, "big") + text.encode()


class Beat(NamedTuple):
    """Still here."""


class Taken(NamedTuple):
    """How much of the sender's `Messages` is out of the way, since the session began."""

    total: int

    def encode(self) -> bytes:
        """As a box holds it."""
        return b"\x04" + self.total.to_bytes(8, "big")


Parcel = Messages | Hello | Bye | Beat | Taken
BEAT: Final = b"\x03"


def hello(said: Hello) -> bytes:
    """As a box holds it."""
    return b"\x01" + pack(said)


def join(frames: Iterable[bytes]) -> bytes:
    """Messages as a box holds them; the caller minds `MAX_PARCEL_BYTES`."""
    parts = [b"\x00"]
    for frame in frames:
        parts += (len(frame).to_bytes(2, "big"), frame)
    return b"".join(parts)


def read(data: bytes) -> Parcel:
    """The parcel in `data`.

    Raises:
        MalformedParcel: none that this page knows.
    """
    kind = data[0] if data else -1
    if kind == 0:
        return Messages(_split(data))
    if kind == 1 and len(data) <= _LONGEST_HELLO:
        try:
            said: Hello = unpack(data[1:], Hello)
        except (ValueError, msgspec.MsgspecError) as error:
            raise MalformedParcel(f"Hello: {error}", len(data)) from None
        return said
    if kind == 2 and 3 <= len(data) <= 3 + _LONGEST_REASON:
        return Bye(int.from_bytes(data[1:3], "big"), data[3:].decode(errors="replace"))
    if data == BEAT:
        return Beat()
    if kind == 4 and len(data) == 9:
        return Taken(int.from_bytes(data[1:], "big"))
    raise MalformedParcel("unknown, or of a wrong length", len(data))


def _split(data: bytes) -> list[bytes]:
    frames, at, end = [], 1, len(data)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > end or at - start > MAX_MESSAGE_BYTES or at == start:
            raise MalformedParcel("a message's length is wrong", end)
        frames.append(data[start:at])
    if not frames:
        raise MalformedParcel("no message", end)
    return frames


def _shown(contract: bytes | None) -> str:
    return "unknown" if contract is None else f"0x{contract.hex()}"


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
