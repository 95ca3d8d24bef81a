"""Writes the reference from the code's own documentation: `python docs/reference/generate.py`.

`python.md` has every public name of `perun`, `errors.md` every exception that contracts and package
raise, `commands.md` every command, `phases.md` the table phase × input of the core. A test compares
them with what this would write.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import msgspec

import perun
from perun import reverts
from perun.bindings.logs import Event
from perun.cli.main import cli
from perun.core.rules.phases import Phase
from perun.core.table import TABLE
from perun.encoding.messages import Message
from perun.errors import PerunError
from perun.types import Record

FOLDER = Path(__file__).parent
HEAD = "<!-- Written by docs/reference/generate.py; change the docstrings instead. -->\n\n"


def pages() -> dict[str, str]:
    """The pages' text by file name."""
    return {
        "python.md": HEAD + python_page(),
        "errors.md": HEAD + errors_page(),
        "commands.md": HEAD + commands_page(),
        "phases.md": HEAD + phases_page(),
        "messages.md": HEAD + messages_page(),
    }


def phases_page() -> str:
    """The table phase × input of `perun.core.table`, drawn from it."""
    heads = " | ".join(phase.value for phase in Phase)
    lines = [
        "# Phases of a channel, and what is taken up in them",
        "",
        "Elsewhere a command raises `NotAllowedNow`, a message `PeerNotAllowed`; nothing changes.",
        "",
        f"| input | taken up by | {heads} |",
        "|---|---|" + "---|" * len(Phase),
    ]
    for kind, row in TABLE.items():
        if row.channel is not None:
            module = row.act.__module__.removeprefix("perun.core.")
            marks = " | ".join("●" if phase in row.phases else "" for phase in Phase)
            lines.append(f"| `{kind.__name__}` | `{module}.{row.act.__name__}` | {marks} |")
    lines += ["", "Whatever the phase:", "", "| input | taken up by |", "|---|---|"]
    for kind, row in TABLE.items():
        if row.channel is None:
            module = row.act.__module__.removeprefix("perun.core.")
            lines.append(f"| `{kind.__name__}` | `{module}.{row.act.__name__}` |")
    return "\n".join(lines) + "\n"


def messages_page() -> str:
    """Every message of the core, and the records in them, field by field as they are packed."""
    union = msgspec.inspect.type_info(Message)
    assert isinstance(union, msgspec.inspect.UnionType)
    structs = [it for it in union.types if isinstance(it, msgspec.inspect.StructType)]
    inner: dict[str, msgspec.inspect.StructType] = {}
    parts = [
        "# Messages between nodes\n",
        "What sessions carry (protocol, section 10): the byte 1, then one MessagePack array whose "
        "first item is the message's number and whose others are its fields, in this order. "
        "Records in a message are arrays of their fields. Fields at the end that have their "
        "default may be left out. An integer beyond 64 bits is extension 1: a byte, 0 or 1 for "
        "negative, then its magnitude, greatest byte first. Signatures are 65 or 64 bytes.\n",
    ]
    for struct in sorted(structs, key=lambda it: int(str(it.tag))):
        parts.append(_struct(f"{struct.tag} `{struct.cls.__name__}`", struct, inner))
    parts.append("# Records in them\n")
    done: set[str] = set()
    while left := sorted(inner.keys() - done):
        for name in left:
            parts.append(_struct(f"`{name}`", inner[name], inner))
        done |= set(left)
    return "\n".join(parts)


def _struct(
    title: str,
    struct: msgspec.inspect.StructType,
    inner: dict[str, msgspec.inspect.StructType],
) -> str:
    said = {name: doc for name, _, doc in _fields(struct.cls)}
    lines = [f"## {title}\n", _text(struct.cls.__doc__)]
    for field in struct.fields:
        default = "" if field.required else f", default `{_shown(field.default)}`"
        kind = _kind(field.type, inner)
        lines.append(f"- `{field.name}`: {kind}{default} {said.get(field.name, '')}".rstrip())
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return "empty" if value in (b"", "", ()) else str(value)


def _kind(of: msgspec.inspect.Type, inner: dict[str, msgspec.inspect.StructType]) -> str:
    """A field's type in words."""
    match of:
        case msgspec.inspect.StructType():
            if of.tag is None:
                inner[of.cls.__name__] = of
            return f"`{of.cls.__name__}`"
        case msgspec.inspect.UnionType():
            known = [it for it in of.types if not isinstance(it, msgspec.inspect.NoneType)]
            return " or ".join([*(_kind(it, inner) for it in known), "nil"])
        case msgspec.inspect.VarTupleType():
            return f"array of {_kind(of.item_type, inner)}"
        case msgspec.inspect.BytesType(least, most) if least is not None and least == most:
            return f"{most} bytes"
        case msgspec.inspect.BytesType(_, most):
            return "bytes" if most is None else f"at most {most} bytes"
        case msgspec.inspect.StrType(_, most):
            return "text" if most is None else f"text, at most {most} characters"
        case msgspec.inspect.IntType(_, _, below, most):
            if below is not None:
                return f"integer below 2^{(below - 1).bit_length()}"
            return "integer" if most is None else f"integer up to {most}"
        case msgspec.inspect.BoolType():
            return "boolean"
        case _:
            raise TypeError(of)


def commands_page() -> str:
    """Every command of `perun`, as its `--help` has it."""
    parts = ["# Commands\n"]

    def add(command: click.Command, name: str) -> None:
        context = click.Context(command, info_name=name, terminal_width=96)
        parts.append(f"## `{name}`\n\n```\n{command.get_help(context)}\n```\n")
        if isinstance(command, click.Group):
            for sub in command.list_commands(context):
                found = command.get_command(context, sub)
                assert found is not None
                add(found, f"{name} {sub}")

    add(cli, "perun")
    return "\n".join(parts)


def python_page() -> str:
    """Quantities, records, functions, contracts, events."""
    public = {name: getattr(perun, name) for name in perun.__all__}
    classes = {name: it for name, it in public.items() if inspect.isclass(it)}
    records = {name: it for name, it in classes.items() if issubclass(it, Record)}
    errors = {name for name, it in classes.items() if issubclass(it, PerunError)}
    fronts = {name: it for name, it in classes.items() if name not in records.keys() | errors}
    functions = {name: it for name, it in public.items() if inspect.isfunction(it)}
    announced = {
        name: it
        for name, it in vars(perun.events).items()
        if inspect.isclass(it) and issubclass(it, Event) and it is not Event
    }
    parts = [
        "# `import perun`\n",
        _text(perun.__doc__),
        "## Functions\n",
        *(_function(name, it) for name, it in sorted(functions.items())),
        "## Records\n",
        *(_record(name, it) for name, it in records.items()),
        "## Contracts\n",
        *(_front(name, it) for name, it in fronts.items()),
        "## Events (`perun.events`)\n",
        *(_record(name, it) for name, it in announced.items()),
    ]
    return "\n".join(parts)


def errors_page() -> str:
    """The tree, the package's own errors, and a line for each refusal of a contract."""
    public = [getattr(perun, name) for name in perun.__all__]
    own = [it for it in public if inspect.isclass(it) and issubclass(it, PerunError)]
    refusals = [kind for kind in reverts.Reverted.__subclasses__() if kind.signature]
    return "\n".join(
        [
            "# Errors\n",
            _text(import_module("perun.errors").__doc__),
            "## What the package raises (`perun`)\n",
            "| exception | below | meaning | what to do |",
            "|---|---|---|---|",
            *(_row(kind, kind.__mro__[1].__name__) for kind in own),
            "",
            "## What contracts refuse (`perun.reverts`)\n",
            _text(reverts.Reverted.__doc__),
            "| exception | Solidity | meaning | what to do |",
            "|---|---|---|---|",
            *(_row(kind, kind.signature) for kind in refusals),
            "",
        ]
    )


def _row(kind: type[Any], origin: str) -> str:
    again = "may be tried again" if getattr(kind, "retry", False) else ""
    said = "; ".join(part for part in (kind.hint, again) if part)
    meaning = " ".join((inspect.getdoc(kind) or "").split())
    return f"| `{kind.__name__}` | `{origin}` | {meaning} | {said} |"


def _function(name: str, function: Callable[..., Any], level: int = 3) -> str:
    signature = _plain(str(inspect.signature(function)))
    return (
        f"{'#' * level} `{name}`\n\n```python\n{name}{signature}\n```\n\n{_text(function.__doc__)}"
    )


def _record(name: str, record: type[Record]) -> str:
    lines = [f"### `{name}`\n", _text(record.__doc__)]
    lines += [f"- `{field}: {kind}` {said}".rstrip() for field, kind, said in _fields(record)]
    return "\n".join(lines) + "\n"


def _fields(record: type) -> Iterator[tuple[str, str, str]]:
    """Name, type and documentation of each field, as the source has them."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(record))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for item, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(item, ast.AnnAssign):
            said = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                said = "— " + " ".join(str(after.value.value).split())
            yield ast.unparse(item.target), ast.unparse(item.annotation), said


def _front(name: str, front: type) -> str:
    parts = [f"### `{name}`\n", _text(front.__doc__)]
    if dataclasses.is_dataclass(front):
        parts += [f"- `{field}: {kind}` {said}".rstrip() for field, kind, said in _fields(front)]
        parts.append("")
    for base in reversed(front.__mro__[:-1]):
        for method, it in vars(base).items():
            if inspect.isfunction(it) and not method.startswith("_") and it.__doc__:
                parts.append(_function(method, it, level=4))
    return "\n".join(parts)


def _plain(signature: str) -> str:
    """Annotations without quotes, as they are written."""
    return re.sub(r"'([^']*)'", r"\1", signature)


def _text(doc: str | None) -> str:
    """A docstring as Markdown: indented parts, such as tables, stay as they are."""
    lines = inspect.cleandoc(doc or "").splitlines()
    parts: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        indented = line.startswith("    ") or (inside and not line.strip())
        if line.strip() == "" and inside:
            indented = any(later.startswith("    ") for later in lines[number + 1 : number + 2])
        if indented != inside:
            parts.append("```text" if indented else "```")
            inside = indented
        parts.append(line.removeprefix("    ") if inside else line)
    if inside:
        parts.append("```")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
