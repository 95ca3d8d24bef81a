"""What a watchtower is given: signatures to show on chain, and nothing to sign or spend with.

A JSON file: which chain and contracts, and rows as the store has them, cut down to what defends:

    {"format": 2, "profile": {…}, "rows": [["ChannelView", "<base64>"], …]}

It holds each channel's newest fully signed state, the other side's newest statements and known
secrets of hash locks that pay us. It does not hold keys, the seed, our own statements, or states
that are not fully signed.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
from msgspec.structs import replace

from perun.core.books import Row
from perun.core.nanocontracts.kinds import kind_of
from perun.core.state import ChannelView, InstanceView, Stage, Totals
from perun.encoding.records import CorruptRow, RowCodec
from perun.errors import Misuse, StoreFault
from perun.nesting import is_deep_json
from perun.node.profile import Profile, profile_of
from perun.types import Signature, Version, Wei

__all__ = [
    "BadExport",
    "Export",
    "export_bytes",
    "export_text",
    "keep_export",
    "parse_export",
    "read_export",
    "rows_for_tower",
    "write_export",
]

FORMAT: Final = 3

_MOST: Final = 2**28
"""Bytes; a hub with ten thousand channels writes a tenth of it."""

_CODECS: Final[dict[str, RowCodec[Any]]] = {
    kind.__name__: RowCodec(kind) for kind in (ChannelView, InstanceView, Totals)
}


@dataclass(eq=False)
class BadExport(StoreFault):
    """A watchtower's file cannot be read."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"
    hint: ClassVar[str] = "make it anew with `perun export STORE FILE`"


class _File(msgspec.Struct, frozen=True):
    """What stands in the file."""

    format: int
    profile: list[Any]
    rows: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Export:
    """A watchtower's file."""

    profile: Profile
    """Without the seed, which is 32 zero bytes here."""
    rows: tuple[Row, ...]


def rows_for_tower(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows that defend, without everything that does not."""
    every = tuple(rows)
    channels = [row for row in every if isinstance(row, ChannelView)]
    alive = {row.id for row in channels if row.stage is Stage.JOINED and not row.final.ended}
    instances = [
        row
        for row in every
        if isinstance(row, InstanceView) and any(leg.channel in alive for leg in row.legs)
    ]
    # A hub's other channel may have ended: whoever looks at the instance asks for it all the same.
    named = alive | {leg.channel for row in instances for leg in row.legs}
    known = {row.id for row in instances}
    return (
        *(_channel(row) for row in channels if row.id in named),
        *(
            replace(
                kind_of(row.terms).defending(row),
                ready=Signature(b""),
                own_ready=Signature(b""),
                ready_sent=False,
            )
            for row in instances
        ),
        *(
            replace(row, asked=Wei(0), sent=Wei(0), sent_signature=Signature(b""))
            for row in every
            if isinstance(row, Totals) and row.received_signature and row.machine in known
        ),
    )


def _channel(view: ChannelView) -> ChannelView:
    agreed = view.agreed
    if agreed is not None and not (agreed.own and agreed.peer):
        agreed = None
    return replace(
        view,
        agreed=agreed,
        proposals=(),
        held=None,
        intents=(),
        close=None,
        withdraws=(),
        opens=(),
        deposits=(),
        waiting=(),
        inflight=None,
        leaving=False,
        signed=Version(0) if agreed is None else agreed.state.version,
    )


def export_text(profile: Profile, rows: Iterable[Row]) -> bytes:
    """What a tower is given, as bytes: the same for the same rows."""
    public = msgspec.to_builtins(replace(profile, seed=bytes(32)))
    kept = sorted(
        [type(row).__name__, base64.b64encode(_CODECS[type(row).__name__].encode(row)).decode()]
        for row in rows_for_tower(rows)
    )
    return json.dumps({"format": FORMAT, "profile": public, "rows": kept}).encode()


def write_export(path: Path, profile: Profile, rows: Iterable[Row]) -> None:
    """Writes the file as a whole, so that a tower that reads it now and then finds old or new.

    Raises:
        BadExport: it cannot be written.
    """
    keep_export(path, export_text(profile, rows))


def keep_export(path: Path, text: bytes) -> None:
    """Writes what `export_text` has made.

    Raises:
        BadExport: it cannot be written.
    """
    new = path.with_name(path.name + ".new")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise BadExport(str(path), error.strerror or "cannot be written") from error


def read_export(path: Path) -> Export:
    """Reads a tower's file.

    Raises:
        BadExport: it is not there, or none.
    """
    return parse_export(path, export_bytes(path))


def export_bytes(path: Path) -> bytes:
    """What stands in a tower's file; two files that differ here differ.

    Raises:
        BadExport: it is not there, or too large to be one.
    """
    try:
        with path.open("rb") as file:
            found = file.read(_MOST + 1)
    except OSError as error:
        raise BadExport(str(path), error.strerror or "cannot be read") from error
    if len(found) > _MOST:
        raise BadExport(str(path), f"more than {_MOST} bytes")
    return found


def parse_export(path: Path, found: bytes) -> Export:
    """The export that `found`, the bytes of `path`, is.

    Raises:
        BadExport: it is none.
    """
    try:
        if is_deep_json(found):
            raise BadExport(str(path), "it is nested too deep")
        content = msgspec.json.decode(found, type=_File)
        if content.format != FORMAT:
            raise BadExport(str(path), f"format {content.format} is not known here")
        profile = profile_of(content.profile)
        rows = tuple(
            _CODECS[name].decode(base64.b64decode(body, validate=True))
            for name, body in content.rows
        )
    except (ValueError, KeyError, msgspec.MsgspecError, Misuse, CorruptRow) as error:
        raise BadExport(str(path), "no export of this program") from error
    channels = {row.id for row in rows if isinstance(row, ChannelView)}
    if any(
        leg.channel not in channels
        for row in rows
        if isinstance(row, InstanceView)
        for leg in row.legs
    ):
        raise BadExport(str(path), "a channel is missing")
    return Export(profile, rows)
