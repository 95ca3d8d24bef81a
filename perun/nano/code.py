"""Where the code of rules comes from: a project here, a file of bytecode, a chain, this package."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from perun.bindings.artifacts import artifact
from perun.bindings.translation import translated
from perun.chain import connect
from perun.crypto.interop import address, checksum
from perun.errors import Misuse
from perun.games import VIEWS, View, load_views
from perun.nano.scaffold import file_name

__all__ = ["NoRulesThere", "Rules", "rules_of"]


@dataclass(eq=False)
class NoRulesThere(Misuse):
    """No code was found under a name."""

    name: str
    reason: str

    template: ClassVar[str] = "{name}: {reason}"
    hint: ClassVar[str] = (
        "name a contract of the project in this folder, a file of bytecode in hex, an address with "
        "--rpc, or rules of this package"
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """Code that says it is the rules of a game."""

    name: str
    code: bytes
    """As it stands, or will stand, on chain."""
    view: View | None = None
    """None: nobody has written one."""
    creation: bytes = b""
    """What puts it there; empty: only the code itself is known."""
    view_file: Path | None = None
    """Where the view is written, if it is none of this package."""


def rules_of(name: str, folder: Path, rpc: str = "") -> Rules:
    """The rules that somebody means.

    Args:
        name: a contract of the project in `folder`, or of one below it that has the same name; a
            file of Solidity in one, or of bytecode in hex; an address; rules of this package.
        rpc: a node of the chain, for an address.

    Raises:
        NoRulesThere: there is no code under this name, or it does not compile.
        ChainFault: the chain's node cannot be asked.
    """
    file = folder / name
    if name.startswith("0x") and len(name) == 42:
        return Rules(name, _on_chain(name, rpc))
    if file.suffix in {".hex", ".bin", ".bin-runtime"}:
        return Rules(file.stem, _in_file(file))
    contract = file.stem if file.suffix == ".sol" else name
    for root in (folder, folder / contract, *file.parents):
        if (root / "populus.json").is_file():
            found = _in_project(root, contract)
            if found is not None:
                return found
    if contract in VIEWS:
        built = artifact(contract)
        return Rules(contract, built.runtime, VIEWS[contract], built.creation)
    raise NoRulesThere(name, "no such contract")


def _on_chain(name: str, rpc: str) -> bytes:
    if not rpc:
        raise NoRulesThere(name, "an address needs --rpc, the node of its chain")
    with translated():
        code = bytes(connect(rpc).web3.eth.get_code(checksum(address(name))))
    if not code:
        raise NoRulesThere(name, "no contract stands there")
    return code


def _in_file(file: Path) -> bytes:
    try:
        return bytes.fromhex(file.read_text(encoding="ascii").strip().removeprefix("0x"))
    except (OSError, ValueError) as error:
        raise NoRulesThere(str(file), str(error)) from None


def _in_project(root: Path, contract: str) -> Rules | None:
    command = [sys.executable, "-m", "populus", "-p", str(root), "compile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoRulesThere(contract, f"the project does not compile:\n{done.stderr.strip()}")
    built = json.loads((root / "build" / "contracts.json").read_text(encoding="utf-8"))
    if contract not in built:
        return None
    code = bytes.fromhex(built[contract]["bytecode_runtime"].removeprefix("0x"))
    if not code:
        raise NoRulesThere(contract, "an interface or an abstract contract has no code")
    creation = bytes.fromhex(built[contract]["bytecode"].removeprefix("0x"))
    shown = root / f"{file_name(contract)}.py"
    if shown.is_file():
        return Rules(contract, code, load_views(shown).get(contract), creation, shown)
    return Rules(contract, code, VIEWS.get(contract), creation)
