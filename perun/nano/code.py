"""Where the code of rules comes from: a project here, a file of bytecode, a chain, this package."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from perun.bindings.artifacts import artifact
from perun.bindings.translation import translated
from perun.chain import connect
from perun.crypto.interop import address, checksum
from perun.errors import Misuse
from perun.games import VIEWS, View, load_views
from perun.nano.scaffold import file_name
from perun.referee.admission import MOST_CREATION, NotAdmitted, admit
from perun.referee.evm import Failed
from perun.referee.here import run

__all__ = ["NoRulesThere", "NotCompiled", "NotMade", "Rules", "rules_of"]

_CREATION_GAS: Final = 16_000_000
"""Most that a transaction may use (EIP-7825)."""


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


@dataclass(eq=False)
class NotCompiled(Misuse):
    """The project in which rules are has a mistake in it."""

    name: str
    said: str
    """What the compiler says, in lines."""

    template: ClassVar[str] = "{name}: its project does not compile"
    hint: ClassVar[str] = "mend what the compiler names, and check again"


@dataclass(eq=False)
class NotMade(Misuse):
    """What makes the code of rules does not make the same code always, or none."""

    name: str
    reason: str

    template: ClassVar[str] = "nobody can tell which code of {name} will stand on a chain: {reason}"
    hint: ClassVar[str] = "write what its constructor computes into the contract, as constants"


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
        NoRulesThere: there is no code under this name.
        NotCompiled, NotMade: the project has a mistake, or a constructor with a will of its own.
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
        raise NotCompiled(contract, done.stderr.strip())
    built = json.loads((root / "build" / "contracts.json").read_text(encoding="utf-8"))
    if contract not in built:
        return None
    creation = bytes.fromhex(built[contract]["bytecode"].removeprefix("0x"))
    if not creation:
        raise NoRulesThere(contract, "an interface or an abstract contract has no code")
    code = _made(contract, creation)
    shown = root / f"{file_name(contract)}.py"
    if shown.is_file():
        return Rules(contract, code, load_views(shown).get(contract), creation, shown)
    return Rules(contract, code, VIEWS.get(contract), creation)


def _made(contract: str, creation: bytes) -> bytes:
    """What comes to stand on a chain. A constructor may return any code, and fixes constants in it:
    so it is run, and not believed what the compiler says of a contract's code."""
    try:
        admit(creation, MOST_CREATION)
    except NotAdmitted as refused:
        reason = f"what puts it there has {refused.what} at byte {refused.offset}"
        raise NotMade(contract, reason) from None
    try:
        return run(creation, b"", _CREATION_GAS)[0]
    except Failed:
        raise NotMade(contract, "its constructor fails, or wants arguments") from None
