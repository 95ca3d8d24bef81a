"""What a client says to a tower and is answered, as bytes of one POST (protocol, section 13).

A request is signed by the client's node key, for one host: a tower cannot pass on what it was told
as if it were the client.
"""

from __future__ import annotations

from typing import Final

import msgspec

from perun.core.state import PeerId
from perun.crypto import PublicKey, SecretKey, sign, verify_with
from perun.crypto.agreement import public_key_of
from perun.encoding.wire_data import tower_digest
from perun.errors import BadKey
from perun.nesting import is_deep_msgpack
from perun.types import Signature

__all__ = ["Answer", "MOST_EXPORT", "Request", "SKEW", "TOWER_PATH"]

TOWER_PATH: Final = "/tower"
MOST_EXPORT: Final = 2 * 2**20
"""Bytes; a channel with a few machines has some 3,000."""
SKEW: Final = 600
"""Seconds by which clocks may differ."""


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Watch this for me; without content: what do you have of mine?"""

    version: int
    client: bytes
    host: str
    at: int
    """Unix time."""
    content: bytes
    """An export, or empty."""
    signature: bytes

    @classmethod
    def sign(cls, key: SecretKey, host: str, at: int, content: bytes) -> Request:
        """By the client."""
        signature = sign(tower_digest(host, at, content), key)
        return cls(1, public_key_of(key.secret), host, at, content, signature)

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """Raises `ValueError`: not one that its client has signed."""
        if is_deep_msgpack(data, _MOST_THINGS):
            raise ValueError("nested too deep")
        try:
            found = _requests.decode(data)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from None
        if found.version != 1 or not 0 <= found.at < 2**40 or len(found.client) != 33:
            raise ValueError("another version, or a field out of range")
        try:
            key = PublicKey(found.client)
        except BadKey:
            raise ValueError("the client is no public key") from None
        digest = tower_digest(found.host, found.at, found.content)
        if not verify_with(digest, Signature(found.signature), key):
            raise ValueError("the signature is not its client's")
        return found

    @property
    def peer(self) -> PeerId:
        """Who asks."""
        return self.client


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a tower has on disk, and how far it sees."""

    refused: str = ""
    """Why it does not take it; empty: taken."""
    heights: tuple[tuple[bytes, int], ...] = ()
    """Version of each channel and total of each machine that it answers with."""
    sees: int = 0
    """Time of the newest block that it has looked at."""


_MOST_THINGS: Final = 64
"""In a request: itself, and its fields."""
_requests: Final = msgspec.msgpack.Decoder(Request)
