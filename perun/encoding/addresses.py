"""How people write nodes: `perun1…` is an id, `perun1…@host[:port]` says where it is found too.

Node ids are the 33 bytes of a compressed public key (protocol, section 9). What is mistyped is
refused here, with the reason, before anything is paid or dialled.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.crypto import PublicKey
from perun.encoding import bech32m
from perun.errors import BadKey, Misuse
from perun.types import Record

__all__ = [
    "BadHost",
    "BadNodeId",
    "NodeAddress",
    "node_id",
    "parse_host",
    "show_node_id",
    "url_of",
]

_PREFIX: Final = "perun"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST_NAME: Final = 253


@dataclass(eq=False)
class BadNodeId(Misuse):
    """Text that names no node."""

    text: str
    reason: str

    template: ClassVar[str] = "{text!r} is no node id: {reason}"
    hint: ClassVar[str] = "copy it again, from 'perun1' to its last character"


@dataclass(eq=False)
class BadHost(Misuse):
    """Text that says no place on the network."""

    text: str
    reason: str

    template: ClassVar[str] = "{text!r} is no host: {reason}"
    hint: ClassVar[str] = "write a name or an IP address, and a port if it is not 443: host:8443"


def show_node_id(peer: bytes) -> str:
    """A node id as people see it: `perun1` and 59 letters and digits."""
    return bech32m.encode(_PREFIX, peer)


def node_id(text: str) -> bytes:
    """The 33 bytes of a node id; spaces around it do not matter.

    Raises:
        BadNodeId: mistyped, cut off, or no public key.
    """
    try:
        peer = bech32m.decode(_PREFIX, text.strip())
    except ValueError as error:
        raise BadNodeId(text, str(error)) from None
    if len(peer) != 33:
        raise BadNodeId(text, f"it holds {len(peer)} bytes, not 33")
    try:
        PublicKey(peer)
    except BadKey:
        raise BadNodeId(text, "its bytes are no public key of secp256k1") from None
    return peer


class NodeAddress(Record, frozen=True, gc=False):
    """A node and where its listener is: `perun1…@host[:port]` (protocol, section 9)."""

    peer: bytes
    host: str
    """Lower case, with its port unless that is 443; an IPv6 address stands in brackets."""

    @classmethod
    def parse(cls, text: str) -> NodeAddress:
        """Reads what somebody has typed.

        Raises:
            BadNodeId: the part before @.
            BadHost: the part after it.
        """
        name, _, host = text.strip().partition("@")
        return cls(node_id(name), parse_host(host))

    def __str__(self) -> str:
        return f"{show_node_id(self.peer)}@{self.host}"

    def __repr__(self) -> str:
        return f"NodeAddress({self})"


def parse_host(text: str) -> str:
    """`host[:port]` in its one form: lower case, without `:443`.

    Raises:
        BadHost: no name, no IP address, or no port.
    """
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?", text)
    if found is None:
        raise BadHost(text, "it is not of the form host or host:port")
    name, port = found[1].lower(), int(found[2] or 443)
    if not 1 <= port <= 65_535:
        raise BadHost(text, f"port {port} is not within 1 to 65535")
    if name.startswith("["):
        try:
            name = f"[{ipaddress.IPv6Address(name[1:-1])}]"
        except ValueError:
            raise BadHost(text, "the brackets hold no IPv6 address") from None
    elif not _is_name(name):
        raise BadHost(text, "it is no name of the internet and no IP address")
    return name if port == 443 else f"{name}:{port}"


def url_of(host: str, path: str) -> str:
    """A page of a host: by TLS, unless it is on this machine."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    plain = name in ("127.0.0.1", "localhost", "[::1]")
    return f"{'http' if plain else 'https'}://{host}{path}"


def _is_name(name: str) -> bool:
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        return False
    # What ends in digits can only be an IPv4 address (RFC 3696).
    if not labels[-1].isdigit():
        return True
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
