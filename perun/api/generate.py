"""Writes `calls.py` from the list of methods: `python -m perun.api.generate`.

A test compares it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from perun.app import values
from perun.app.methods import METHODS, Method

__all__ = ["PAGE", "text"]

PAGE: Final = Path(__file__).with_name("calls.py")

_LEFT_OUT: Final = ("subscribe", "unsubscribe")
"""The clients have `watch` for these."""

_HEAD: Final = '''"""What the clients can call, as `python -m perun.api.generate` writes it.

Amounts are integers or digits in the asset's smallest unit, or decimals of a unit: ether, gwei, a
token by the node's name for it. With the unit the asset is said, too.
"""

from __future__ import annotations

from typing import Any, Literal

from perun.app.values import {names}

__all__ = ["AsyncCalls", "Calls", "Units"]

Units = str | int
"""An amount: `5`, `"5"` in the smallest unit, `"0.1 ether"`, `"3 gwei"`, `"5 USDC"`."""
'''

_CLASS: Final = '''

class {name}:
    """Every method; how a call is carried out is the client's."""

    {a}def _call(self, method: str, result: Any, fields: dict[str, Any]) -> Any:
        raise NotImplementedError
'''


def text() -> str:
    """What stands in the file, as ruff formats it."""
    called = [method for name, method in METHODS.items() if name not in _LEFT_OUT]
    results = sorted({name for method in called for name in _names(method.result)})
    parts = [_HEAD.format(names=", ".join(results))]
    for name, prefix in (("Calls", ""), ("AsyncCalls", "async ")):
        parts.append(_CLASS.format(name=name, a=prefix))
        parts += [_method(method, prefix) for method in called]
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"]
    ran = subprocess.run(command, input="".join(parts), capture_output=True, text=True, check=True)
    return ran.stdout


def _names(kind: Any) -> list[str]:
    if kind in vars(values).values():
        return [kind.__name__]
    return [name for one in get_args(kind) if one is not Ellipsis for name in _names(one)]


def _method(method: Method, prefix: str) -> str:
    fields = msgspec.structs.fields(method.params)
    plain = [f for f in fields if f.name != "idempotency_key"]
    ordered = sorted(plain, key=lambda field: not field.required)
    given = [_parameter(field) for field in ordered]
    if len(plain) < len(fields):
        given.append("*, idempotency_key: str | None = None")
    result = _shown(method.result)
    wait = "await " if prefix else ""
    names = ", ".join(f'"{field.encode_name}": {field.name}' for field in fields)
    return (
        f"\n    {prefix}def {_snake(method.name)}(self, {', '.join(given)}) -> {result}:\n"
        f'        """{method.summary}"""\n'
        f'        answer: {result} = {wait}self._call("{method.name}", {result}, {{{names}}})\n'
        "        return answer\n"
    ).replace("(self, )", "(self)")


def _parameter(field: msgspec.structs.FieldInfo) -> str:
    shown = _shown(field.type)
    if "amount" in field.name or field.name == "fee":
        shown = shown.replace("str", "Units")
    default = "" if field.required else f" = {field.default!r}"
    return f"{field.name}: {shown}{default}"


def _shown(kind: Any) -> str:
    """A type as it is written, without what only a schema needs."""
    base = kind
    while hasattr(base, "__metadata__"):
        base = base.__origin__
    if base is type(None):
        return "None"
    if base is Ellipsis:
        return "..."
    inner = get_args(base)
    if not inner:
        return str(base.__name__)
    origin = getattr(base, "__origin__", None)
    if origin is tuple:
        return f"tuple[{', '.join(map(_shown, inner))}]"
    if all(isinstance(one, str) for one in inner):
        return f"Literal[{', '.join(map(repr, inner))}]"
    return " | ".join(map(_shown, inner))


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
