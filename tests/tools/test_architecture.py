"""Imports only point down, and the protocol does no I/O.

    types, errors, checks, nesting ← crypto ← encoding ← core (and, apart, spec) ← ports ← bindings
        ← chain, wire, store, wallet ← node ← app ← api, hub ← cli

`core` and `spec` are two tellings of one protocol and never import each other; edges of one level
never do either: `node` joins them. `testing` may import everything and is imported by nothing.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VALUES = {"types", "errors", "checks", "nesting"}
PURE = VALUES | {"crypto", "encoding", "units"}
FRONT = PURE | {"signing", "randomness", "bindings", "deployments"}
EDGE = PURE | {"core", "ports", "bindings", "deployments", "randomness"}
NODE = EDGE | {"chain", "wire", "store", "wallet"}

# Part of the package -> other parts that it may import.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "checks": {"errors"},
    "nesting": set(),
    "types": {"errors", "checks"},
    "crypto": VALUES,
    "encoding": VALUES | {"crypto"},
    "units": VALUES,
    "games": VALUES,
    "signing": PURE,
    "randomness": VALUES | {"crypto"},
    "core": PURE,
    "spec": PURE,
    "ports": PURE | {"core"},
    "bindings": PURE | {"ports"},
    "deployments": PURE | {"bindings"},
    "names": FRONT | {"api"},
    "chain": EDGE,
    "serving": set(),
    "serving_thread": {"serving"},
    "wire": EDGE | {"serving"},
    "store": EDGE,
    "wallet": EDGE,
    "referee": PURE | {"core"},
    "node": NODE | {"referee"},
    "nano": EDGE | {"chain", "referee", "games"},
    # It also runs where there is no chain, store or thread of ours: in a page.
    "app": PURE | {"core", "ports", "node", "games"},
    "api": PURE | {"core", "app", "serving", "serving_thread"},
    "hub": NODE | {"node", "app", "api", "serving_thread"},
    "page": NODE | {"node", "app", "api", "backup", "tower", "referee"},
    "backup": NODE | {"node", "app"},
    "tower": NODE | {"node", "app"},
    "daemon": NODE | {"node", "app", "api", "hub", "backup", "tower", "referee", "games"},
    "demo": NODE | {"node"},
    "town": NODE | {"node", "app", "api", "hub", "daemon", "games"},
    "cli": NODE
    | {"node", "app", "api", "hub", "backup", "tower", "daemon", "demo", "town", "names"}
    | {"signing", "nano", "referee"},
    # The public names come from one place, and by name only.
    "": {"names"},
}
EVERYTHING = {"testing"}

# Part of `core` -> other parts that it may import, beside the seams and what those parts may.
SEAMS = {
    *(
        "chain_view",
        "game_view",
        "state",
        "inputs",
        "effects",
        "notices",
        "faults",
        "config",
        "limits",
        "indexes",
        "books",
    ),
    *("signing", "rulebook"),
}
ROOMS: dict[str, set[str]] = {
    "rules": set(),
    "nanocontracts": {"rules"},
    "preverify": {"nanocontracts"},
    "states": {"nanocontracts"},
    "hub": {"states"},
    "virtual": {"states"},
    "channel": {"hub", "virtual"},
    "open_at_once": {"channel"},
    "meeting": {"channel"},
    "clockwork": {"channel"},
    "starting": {"channel"},
    "table": {"open_at_once", "meeting", "clockwork", "starting"},
    "step": {"table"},
}

# The protocol takes time, randomness and signatures as inputs, and answers with what to do.
OUTSIDE_OF_CORE = {
    *("socket", "sqlite3", "time", "datetime", "random", "secrets", "os", "pathlib", "io"),
    *("logging", "asyncio", "threading", "subprocess", "web3", "eth_account", "requests"),
}
CALLS_OUTSIDE_OF_CORE = {"open", "print", "input", "exec", "eval", "__import__"}


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    file: Path
    line: int
    module: str
    inside_a_function: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"

    @property
    def part(self) -> str:
        """`core` of `perun/core/state.py`; empty for `perun/__init__.py`."""
        inner = self.file.relative_to(ROOT).parts[1:]
        return inner[0].removesuffix(".py") if inner[0] != "__init__.py" else ""

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports_of(file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            # `from perun import checks` names a module, `from perun.types import Wei` does not.
            name = node.module or ""
            inner = [f"{name}.{alias.name}" for alias in node.names]
            names = [item if _is_module(item) else name for item in inner]
        else:
            continue
        for name in names:
            yield Import(file, node.lineno, name, id(node) in inside)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


PERUN = [item for file in files("perun") for item in imports_of(file)]


def test_every_part_is_known() -> None:
    parts = {item.part for item in PERUN}
    assert parts <= ALLOWED.keys() | EVERYTHING, "say in ALLOWED what the new part may import"


def test_imports_point_down() -> None:
    wrong = [
        str(item)
        for item in PERUN
        if item.top == "perun"
        and item.part not in EVERYTHING
        and item.module.split(".")[1] not in ALLOWED[item.part] | {item.part}
    ]
    assert wrong == []


def test_tool_and_package_know_nothing_of_each_other() -> None:
    tool = [item for file in files("populus") for item in imports_of(file)]
    assert [str(item) for item in tool if item.top in {"perun", "tests"}] == []
    assert [str(item) for item in PERUN if item.top in {"populus", "tests"}] == []


def test_modules_of_the_tool_import_each_other_in_no_circle() -> None:
    """Imports for types alone included: what can be read alone can be understood alone."""
    below: dict[str, set[str]] = {}
    for file in files("populus"):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        below[module] = {item.module for item in imports_of(file) if item.top == "populus"}
    while leaves := {name for name, names in below.items() if not names & (below.keys() - {name})}:
        below = {name: names for name, names in below.items() if name not in leaves}
    assert below == {}


def test_core_does_no_io() -> None:
    wrong = [str(item) for item in PERUN if item.part == "core" and item.top in OUTSIDE_OF_CORE]
    for file in files("perun/core"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                if name in CALLS_OUTSIDE_OF_CORE:
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} calls {name}")
    assert wrong == []


def test_rooms_of_the_core_stand_on_each_other() -> None:
    below: dict[str, set[str]] = dict.fromkeys(SEAMS, SEAMS)
    for room, others in ROOMS.items():
        below[room] = SEAMS | {room} | others | {part for one in others for part in below[one]}
    wrong = []
    for item in PERUN:
        room = item.file.relative_to(ROOT).with_suffix("").parts[2:3]
        target = item.module.split(".")[2:3]
        if item.part == "core" and item.module.startswith("perun.core.") and room != ("__init__",):
            assert room[0] in below, f"say in ROOMS where {room[0]} stands"
            if target[0] not in below[room[0]]:
                wrong.append(str(item))
    assert wrong == []


def test_names_of_the_core_are_imported_from_where_they_live() -> None:
    wrong = [str(item) for item in PERUN if item.part == "core" and item.file.stem == "__init__"]
    assert wrong == []


def test_core_remembers_nothing_beside_its_books() -> None:
    """What a module keeps is shared by all nodes of a process, and changes under a pure step."""
    wrong = []
    for file in files("perun/core"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            kept = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
                node.value, ast.Dict | ast.List | ast.Set
            )
            final = isinstance(node, ast.AnnAssign) and "Final" in ast.unparse(node.annotation)
            listing = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            if (kept and not final and not listing) or "lru_cache" in ast.unparse(node):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_core_takes_no_private_key() -> None:
    named = ("SecretKey", "PrivateKey", "LocalAccount")
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno} names {alias.name}"
        for file in files("perun/core")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in named or node.module in {"perun.crypto.interop", "perun.crypto.backend"}
    ]
    assert wrong == []


def test_no_import_hides_in_a_function() -> None:
    """Against a cycle it means that a name lives in the wrong file."""
    wrong = [str(item) for item in PERUN if item.inside_a_function and item.top == "perun"]
    assert wrong == []


def test_no_module_imports_itself_on_the_way() -> None:
    graph: dict[str, set[str]] = {}
    modules = {_module(file) for file in files("perun")}
    for item in PERUN:
        target = item.module
        while target and target not in modules:
            target = target.rpartition(".")[0]
        if target:
            graph.setdefault(_module(item.file), set()).add(target)
    # The face of the package names its public names for type checkers; at run time it waits.
    graph.pop("perun", None)
    seen: dict[str, bool] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " imports ".join((*path[path.index(module) :], module))
        if module not in seen:
            seen[module] = True
            for target in graph.get(module, ()):
                if target != module:
                    visit(target, (*path, module))

    for module in graph:
        visit(module, ())


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("package", ["perun.core", "perun.spec", "perun.encoding"])
def test_protocol_starts_without_web3(package: str) -> None:
    """What is not imported cannot be used by accident, and takes no second to load."""
    code = (
        "import importlib, pkgutil, sys\n"
        f"package = importlib.import_module({package!r})\n"
        "for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(found.name)\n"
        "print(*{'web3', 'eth_account', 'eth_tester', 'sqlite3', 'populus'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []


def test_map_of_the_program_above_the_node_names_each_of_its_files() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("| to find in `perun/app` |")[1].split("\n\n")[0]
    files = {file.name for file in (ROOT / "perun" / "app").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"`(\w+\.py)`", table)) == files
