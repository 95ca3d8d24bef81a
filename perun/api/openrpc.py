"""The OpenRPC document: every method with the JSON schemas of what it takes and answers.

`python -m perun.api.openrpc` writes `docs/reference/openrpc.json`; a test compares it.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Final

import msgspec

from perun.app import errors, values
from perun.app.errors import Refusal
from perun.app.methods import METHODS, Method, Scope

__all__ = ["PAGE", "document", "text"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "openrpc.json"

_AT: Final = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The document, as JSON values."""
    types = [t for method in METHODS.values() for t in (method.params, method.result)]
    shown, components = msgspec.json.schema_components([*types, values.Event], ref_template=_AT)
    pairs = zip(METHODS.values(), shown[:-1:2], shown[1:-1:2], strict=True)
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "Perun application interface",
            "version": "1",
            "description": "Amounts are decimal strings in the asset's smallest unit, times Unix "
            "seconds, bytes 0x-hex. Parameters go by name; batches are not taken. Events come as "
            "notifications `event` over a WebSocket after `subscribe`.",
        },
        "servers": [{"name": "this machine", "url": "http://127.0.0.1:{port}/"}],
        "methods": [_method(method, components, result) for method, _, result in pairs],
        "components": {"schemas": components, "errors": _errors()},
    }


def _method(method: Method, components: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    schema = components[method.params.__name__]
    required = set(schema.get("required", ()))
    return {
        "name": method.name,
        "summary": method.summary,
        "tags": [{"name": f"scope: {method.scope.name.lower()}"}],
        "paramStructure": "by-name",
        "params": [
            {"name": name, "required": name in required, "schema": one}
            for name, one in schema["properties"].items()
        ],
        "result": {"name": "result", "schema": result},
        "errors": [{"$ref": f"#/components/errors/{name}"} for name in _names_for(method)],
    }


def _names_for(method: Method) -> list[str]:
    """Errors that can come of a method beside those of bad calls."""
    names = ["BadParams", "Forbidden"]
    if method.scope >= Scope.SPEND:
        names += ["KeyReused", "NoSuch", "SpendLimit"]
    if method.name in ("pay", "refund"):
        names += ["BadRequest", "NoWay", "RequestAltered", "RequestExpired"]
    if method.name in ("events", "subscribe"):
        names.append("Gone")
    return names


def _errors() -> dict[str, Any]:
    """The interface's own refusals."""
    found = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Refusal) and kind is not Refusal
    }
    return {
        name: {
            "code": kind.code,
            "message": " ".join((inspect.getdoc(kind) or "").split()),
            "data": {"name": name, "do": kind.hint},
        }
        for name, kind in sorted(found.items())
    }


def text() -> str:
    """What stands in the file."""
    body = msgspec.json.encode(document(), order="deterministic")
    return msgspec.json.format(body, indent=1).decode() + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
