"""Tokens: owner-only files, each good for one scope, and for so much in 24 hours.

    <home>/tokens/owner.json    {"token": "…", "scope": "all"}
    <home>/tokens/till.json     {"token": "…", "scope": "spend", "limits": {"0x000…0": "10000000"}}

A token's name is that of its file: what it has spent is counted by that name.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from perun.api.place import TokenUnsafe
from perun.app.methods import Scope
from perun.app.work import Caller
from perun.errors import Misuse
from perun.nesting import read_json
from perun.types import Address, Asset, Wei

__all__ = ["OWNER", "BadToken", "Tokens", "make_token", "read_token"]

OWNER: Final = "owner"
"""The name of the token that may do everything."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(eq=False)
class BadToken(Misuse):
    """A token's file, or its name, is not as it must be."""

    path: str
    why: str

    template: ClassVar[str] = "{path}: {why}"
    hint: ClassVar[str] = "delete it, and make a new token"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str
    scope: str
    limits: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without the token."""
        return f"_File({self.scope})"


def make_token(
    folder: Path, name: str, scope: Scope, limits: Mapping[Asset, Wei] | None = None
) -> str:
    """Makes a token, unless there is one of this name; and returns it.

    Raises:
        BadToken: the name, or the file that is there.
    """
    if not _NAME.fullmatch(name):
        raise BadToken(name, "a name has small letters, digits and dashes, at most 32")
    path = folder / f"{name}.json"
    if path.exists():
        return read_token(path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    texts = {"0x" + asset.hex(): str(most) for asset, most in (limits or {}).items()}
    body = msgspec.json.encode(_File(token, scope.name.lower(), texts))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, body)
        os.fsync(fd)
    finally:
        os.close(fd)
    return token


def read_token(path: Path) -> str:
    """The token in a file."""
    return _read(path).token


def _read(path: Path) -> _File:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise TokenUnsafe(str(path))
    try:
        return read_json(path.read_bytes(), _File)
    except msgspec.MsgspecError as error:
        raise BadToken(str(path), str(error)) from None


class Tokens:
    """All tokens of a folder; read again when its files have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._callers: dict[bytes, Caller] = {}

    def caller(self, token: str) -> Caller | None:
        """Who may do what with it; None: nobody.

        Raises:
            BadToken, TokenUnsafe: a file is not as it must be.
        """
        self._refresh()
        offered = _hash(token)
        found = None
        for known, caller in self._callers.items():
            if hmac.compare_digest(known, offered):
                found = caller
        return found

    def _refresh(self) -> None:
        paths = sorted(self._folder.glob("*.json"))
        seen = tuple((p.name, s.st_mtime_ns, s.st_ino) for p in paths for s in (p.stat(),))
        if seen == self._seen:
            return
        self._callers = {}
        for path in paths:
            file = _read(path)
            self._callers[_hash(file.token)] = _caller(path, file)
        self._seen = seen


def _hash(token: str) -> bytes:
    # Bytes of a header that are no text come as surrogates.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _caller(path: Path, file: _File) -> Caller:
    try:
        scope = Scope[file.scope.upper()]
        limits = {
            Asset(Address(bytes.fromhex(asset.removeprefix("0x")))): Wei(int(most))
            for asset, most in file.limits.items()
        }
    except (KeyError, ValueError) as error:
        raise BadToken(str(path), f"not a scope, asset or amount: {error}") from None
    if any(len(asset) != 20 for asset in limits):
        raise BadToken(str(path), "an asset has 20 bytes")
    return Caller(path.stem, scope, limits)
