"""JSON-RPC 2.0 as spoken here: one call a message, parameters by name, always an id."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perun.app.errors import code_of, values_of
from perun.app.methods import METHODS, Params
from perun.errors import PerunError
from perun.nesting import read_json

__all__ = [
    "INTERNAL",
    "INVALID",
    "MAX_BODY",
    "NOT_JSON",
    "Call",
    "Refused",
    "failure",
    "notification",
    "read_call",
    "success",
]

MAX_BODY: Final = 65_536
"""Bytes of a call."""

NOT_JSON: Final = -32700
INVALID: Final = -32600
NO_METHOD: Final = -32601
BAD_PARAMS: Final = -32602
INTERNAL: Final = -32603

Id = str | int | None


class Call(msgspec.Struct, frozen=True):
    """A call whose parameters are of the method's type."""

    id: Id
    method: str
    params: Params


class _Raw(msgspec.Struct, frozen=True):
    jsonrpc: str
    method: str
    id: str | int
    params: msgspec.Raw = msgspec.Raw(b"{}")


class Refused(Exception):
    """A message that is no call; `text` is the answer to it."""

    def __init__(self, id: Id, code: int, message: str, do: str) -> None:
        super().__init__(message)
        data = {"name": "NoCall", "values": {}, "do": do}
        body = {"code": code, "message": message, "data": data}
        self.text = _encode({"jsonrpc": "2.0", "id": id, "error": body})


def read_call(text: bytes | str) -> Call:
    """Reads one call.

    Raises:
        Refused: with the answer.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BODY:
        raise Refused(None, INVALID, f"longer than {MAX_BODY} bytes", "say it in several calls")
    if data.lstrip()[:1] == b"[":
        raise Refused(None, INVALID, "batches are not taken", "send one call after the other")
    try:
        raw = read_json(data, _Raw)
    except msgspec.ValidationError as error:
        do = 'send {"jsonrpc": "2.0", "id": 1, "method": …, "params": {…}}'
        raise Refused(None, INVALID, str(error), do) from None
    except msgspec.DecodeError as error:
        raise Refused(None, NOT_JSON, f"not JSON: {error}", "send JSON in UTF-8") from None
    if raw.jsonrpc != "2.0":
        raise Refused(raw.id, INVALID, f"jsonrpc is {raw.jsonrpc!r}, not '2.0'", "say 2.0")
    method = METHODS.get(raw.method)
    if method is None:
        do = "the OpenRPC document lists all methods"
        raise Refused(raw.id, NO_METHOD, f"no method {raw.method!r}", do)
    try:
        params = read_json(bytes(raw.params), method.params)
    except msgspec.MsgspecError as error:
        do = f"see {raw.method} in the OpenRPC document; parameters go by name"
        raise Refused(raw.id, BAD_PARAMS, f"{raw.method}: {error}", do) from None
    return Call(raw.id, raw.method, params)


def success(id: Id, result: Any) -> bytes:
    """The answer to a call."""
    return _encode({"jsonrpc": "2.0", "id": id, "result": result})


def failure(id: Id, error: PerunError) -> bytes:
    """The answer to a call that was refused, with its values and what to do."""
    data = {
        "name": type(error).__name__,
        "values": values_of(error),
        "do": error.hint or getattr(error, "do", ""),
    }
    body = {"code": code_of(error), "message": str(error), "data": data}
    return _encode({"jsonrpc": "2.0", "id": id, "error": body})


def notification(method: str, params: Any) -> bytes:
    """Something that is told without being asked."""
    return _encode({"jsonrpc": "2.0", "method": method, "params": params})


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)
