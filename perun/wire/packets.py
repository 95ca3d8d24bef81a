"""What a link carries: each binary WebSocket message is one of four (protocol, section 10).

    0 Packet     sender 33, receiver 33, kind 1, tag 8, rest     both ways, after attaching
    1 Challenge  32 random bytes                                 listener
    2 Attach     id 33, signature 65, host in UTF-8              who dials
    3 Attached   id 33                                           listener

A listener reads sender and receiver of a packet and passes the whole on unread. The kinds are of
sessions: three acts, boxes, and `Undelivered`, which a listener makes too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, NamedTuple

from perun.core.state import PeerId
from perun.errors import PeerFault

__all__ = [
    "Attach",
    "CHALLENGE_BYTES",
    "Kind",
    "LinkKind",
    "MAX_PACKET_BYTES",
    "MalformedPacket",
    "Packet",
    "PROTOCOL",
    "TAG_BYTES",
    "attached",
    "challenge",
    "read_attach",
    "read_attached",
    "read_challenge",
    "read_packet",
]

PROTOCOL: Final = "perun.1"
"""The WebSocket subprotocol."""
MAX_PACKET_BYTES: Final = 65_535
CHALLENGE_BYTES: Final = 32
TAG_BYTES: Final = 8
_ID: Final = 33
_SIGNATURE: Final = 65
_LONGEST_HOST: Final = 300
HEADER_BYTES: Final = 1 + 2 * _ID + 1 + TAG_BYTES


class LinkKind(IntEnum):
    """First byte of what a link carries."""

    PACKET = 0
    CHALLENGE = 1
    ATTACH = 2
    ATTACHED = 3


class Kind(IntEnum):
    """What a packet is to the sessions at its ends."""

    ACT_ONE = 1
    ACT_TWO = 2
    ACT_THREE = 3
    BOX = 4
    UNDELIVERED = 5
    """The packet of this tag did not arrive, or its session is not known (any more)."""


@dataclass(eq=False)
class MalformedPacket(PeerFault):
    """Bytes that a link does not carry."""

    reason: str
    length: int

    template: ClassVar[str] = "malformed packet of {length} bytes: {reason}"
    hint: ClassVar[str] = "the other side runs another protocol, or not ours at all"


class Packet(NamedTuple):
    """From one node to another; `tag` names the handshake or session."""

    sender: PeerId
    receiver: PeerId
    kind: int
    tag: bytes
    rest: bytes = b""

    def encode(self) -> bytes:
        """As a link carries it."""
        return b"".join(
            (b"\x00", self.sender, self.receiver, self.kind.to_bytes(1, "big"), self.tag, self.rest)
        )


class Attach(NamedTuple):
    """I am `peer`: signed for this challenge of the listener that is called `host`."""

    peer: PeerId
    signature: bytes
    host: str

    def encode(self) -> bytes:
        """As a link carries it."""
        return b"\x02" + self.peer + self.signature + self.host.encode()


def challenge(random: bytes) -> bytes:
    """As a link carries it."""
    return b"\x01" + random


def attached(peer: PeerId) -> bytes:
    """As a link carries it."""
    return b"\x03" + peer


def read_packet(data: bytes) -> Packet:
    """The packet in `data`; kinds unknown to us pass.

    Raises:
        MalformedPacket: something else, too short or too long.
    """
    _check(data, LinkKind.PACKET, HEADER_BYTES, MAX_PACKET_BYTES)
    return Packet(data[1:34], data[34:67], data[67], data[68:76], data[76:])


def read_challenge(data: bytes) -> bytes:
    """The 32 bytes that are to be signed.

    Raises:
        MalformedPacket: something else.
    """
    _check(data, LinkKind.CHALLENGE, 1 + CHALLENGE_BYTES, 1 + CHALLENGE_BYTES)
    return data[1:]


def read_attach(data: bytes) -> Attach:
    """Who wants to be attached.

    Raises:
        MalformedPacket: something else.
    """
    least = 1 + _ID + _SIGNATURE
    _check(data, LinkKind.ATTACH, least + 1, least + _LONGEST_HOST)
    try:
        host = data[least:].decode()
    except UnicodeDecodeError:
        raise MalformedPacket("the host is no text", len(data)) from None
    return Attach(data[1:34], data[34:99], host)


def read_attached(data: bytes) -> PeerId:
    """Who is attached now.

    Raises:
        MalformedPacket: something else.
    """
    _check(data, LinkKind.ATTACHED, 1 + _ID, 1 + _ID)
    return data[1:]


def _check(data: bytes, kind: LinkKind, least: int, most: int) -> None:
    if not data or data[0] != kind:
        found = data[0] if data else "nothing"
        raise MalformedPacket(f"it begins with {found}, expected {int(kind)}", len(data))
    if not least <= len(data) <= most:
        raise MalformedPacket(f"{kind.name} has {least} to {most} bytes", len(data))
