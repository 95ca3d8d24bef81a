"""The folder of a town, what is where in it, and the ports, which stay the same for good.

Whoever lives here has the hub's address in its settings, and that names a port.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal

import msgspec

from perun.api.page import is_built
from perun.errors import Misuse
from perun.nesting import read_json
from perun.town.claims import TEN, Claims

__all__ = ["BadTown", "Kind", "PortTaken", "Town", "found_town", "open_town"]

Kind = Literal["anvil", "embedded"]
"""Who makes the chain: anvil, or py-evm in a process of ours."""

HOST: Final = "127.0.0.1"
_FILE: Final = "town.json"
# Below those that systems give to whoever dials out: a port that is free now stays free.
_FIRST_PORT: Final = 7_400
_LAST_PORT: Final = 9_999


@dataclass(eq=False)
class BadTown(Misuse):
    """The folder's file cannot be read or written."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"
    hint: ClassVar[str] = "choose another --home, or delete the folder: its money is worth nothing"


@dataclass(eq=False)
class PortTaken(Misuse):
    """Another program listens where a part of this town has to."""

    port: int
    whose: str
    path: str

    template: ClassVar[str] = "port {port}, which is the {whose}'s, is used by another program"
    hint: ClassVar[str] = (
        "end that program, which may be another `perun up`; or choose another --home: "
        "a new network takes ports that are free"
    )


class Ports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All on 127.0.0.1."""

    chain: int
    hub: int
    hub_api: int
    hub_admin: int
    shop_api: int
    patron_api: int
    patron: int
    tower: int
    tower_api: int
    page: int = 0
    """0: a town that was founded before there was a page; none is served."""


class Town(msgspec.Struct, frozen=True):
    """A folder that is one."""

    home: Path
    kind: Kind
    ports: Ports

    @property
    def rpc(self) -> str:
        """Of the chain."""
        return f"http://{HOST}:{self.ports.chain}"

    @property
    def pages(self) -> tuple[str, ...]:
        """The one that serves the page; nobody where it is not built."""
        return ("page",) if self.ports.page and is_built() else ()

    @property
    def chain(self) -> Path:
        """Where the chain is kept."""
        return self.home / "chain"

    @property
    def hub(self) -> Path:
        """The hub's folder; `shop` and `patron` have theirs beside it."""
        return self.home / "hub"

    @property
    def logs(self) -> Path:
        """What processes have said."""
        return self.home / "log"

    def require_ports(self, claims: Claims) -> None:
        """Claims them. Raises `PortTaken` if another program has one of ours."""
        for name in Ports.__struct_fields__:
            port = getattr(self.ports, name)
            if port and not (claims.take(port) and _is_free(port)):
                raise PortTaken(port, name.replace("_", " "), str(self.home))


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    kind: Kind
    ports: Ports


def open_town(home: Path) -> Town | None:
    """The town in a folder; None: there is none.

    Raises:
        BadTown: its file cannot be read.
    """
    file = home / _FILE
    try:
        kept = read_json(file.read_bytes(), _Kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadTown(str(file), error.strerror or type(error).__name__) from None
    except msgspec.DecodeError as error:
        raise BadTown(str(file), str(error)) from None
    return Town(home, kept.kind, kept.ports)


def found_town(home: Path, kind: Kind, claims: Claims) -> Town:
    """A new town in a folder, with ports of its own, which it has claimed.

    Raises:
        BadTown: the folder cannot be written.
    """
    first = _free_ten(claims)
    ports = Ports(**{name: first + at for at, name in enumerate(Ports.__struct_fields__)})
    town = Town(home, kind, ports)
    file = home / _FILE
    try:
        for folder in (home, town.chain, town.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(_Kept(kind, ports))) + b"\n")
        fresh.replace(file)
    except OSError as error:
        raise BadTown(str(file), error.strerror or type(error).__name__) from None
    return town


def _free_ten(claims: Claims) -> int:
    """The first of ten ports on which nobody listens, and which nobody else has claimed."""
    for first in range(_FIRST_PORT, _LAST_PORT, TEN):
        if claims.take(first):
            if all(map(_is_free, range(first, first + TEN))):
                return first
            claims.drop(first)
    raise BadTown(HOST, f"no ten ports in a row from {_FIRST_PORT} to {_LAST_PORT} are free")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            return False
        return True
