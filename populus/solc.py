"""Where the Solidity compiler comes from.

The first that has the wanted version of: `SOLC_BINARY`, `solc` on `PATH`, one py-solc-x has
installed, the npm package `solc` in a `node_modules` from the project upwards, the tool's own
cache, filled once by npm. The npm package is a library; a small script makes a program of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import solcx
from solcx.exceptions import SolcError
from solcx.wrapper import get_version_str_from_solc_binary

from populus.exceptions import CompilerError
from populus.locking import locked
from populus.places import own_folder
from populus.pragmas import RELEASES, Range, fits, newest

__all__ = ["Solc", "find_solc", "version_for"]

_INSTALL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Solc:
    """A compiler program and its full version, such as `0.8.37+commit.f401782d`."""

    binary: Path
    version: str


def find_solc(project_dir: Path, wanted: str | None, *, install: bool = True) -> Solc:
    """The first compiler of version `wanted`, or the first at all when that is None.

    Raises:
        CompilerError: there is none, or `SOLC_BINARY` is set and is not the wanted one.
    """
    explicit = os.environ.get("SOLC_BINARY")
    if explicit:
        return _explicit(explicit, wanted)
    for candidate in _installed(project_dir, wanted):
        version = _version(candidate)
        if version and (wanted is None or version.partition("+")[0] == wanted):
            return Solc(candidate, version)
    if not install:
        raise CompilerError(_missing(wanted), "Install one: npm install solc, or set SOLC_BINARY.")
    return _fill_own_cache(wanted or RELEASES[0])


def version_for(project_dir: Path, ranges: Iterable[Range]) -> str | None:
    """The version to compile sources with that ask for these ranges.

    That of the first compiler on this machine that suits, or else of the newest release that does;
    None if we know of none. `SOLC_BINARY` leaves no choice.
    """
    ranges = list(ranges)
    explicit = os.environ.get("SOLC_BINARY")
    if explicit:
        return _explicit(explicit, None).version.partition("+")[0]
    for candidate in _installed(project_dir, None):
        number = (_version(candidate) or "").partition("+")[0]
        if number and fits(number, ranges):
            return number
    return newest(ranges)


def _missing(wanted: str | None) -> str:
    return f"No Solidity compiler{f' of version {wanted}' if wanted else ''} was found."


def _explicit(binary: str, wanted: str | None) -> Solc:
    path = shutil.which(binary)
    version = _version(Path(path)) if path else None
    if path is None or version is None:
        raise CompilerError(
            f"SOLC_BINARY is {binary!r}, which is not a program that answers `--version`.",
            "Point it at a Solidity compiler or unset it.",
        )
    if wanted is not None and version.partition("+")[0] != wanted:
        raise CompilerError(
            f"SOLC_BINARY is {binary!r} of version {version}; populus.json wants {wanted}.",
            "Change compilation.backend.settings.version, or unset SOLC_BINARY.",
        )
    return Solc(Path(path), version)


def _installed(project_dir: Path, wanted: str | None) -> Iterator[Path]:
    on_path = shutil.which("solc")
    if on_path:
        yield Path(on_path)
    for version in solcx.get_installed_solc_versions():
        if wanted is None or str(version) == wanted:
            yield Path(solcx.install.get_executable(version))
    if shutil.which("node") is None:
        return
    for folder in (project_dir.resolve(), *project_dir.resolve().parents):
        module = folder / "node_modules" / "solc"
        if found := _module_version(module, wanted):
            yield _wrapper(module, found)
    for module in sorted(own_folder().glob("solc-*/node_modules/solc"), reverse=True):
        if found := _module_version(module, wanted):
            yield _wrapper(module, found)


def _module_version(module: Path, wanted: str | None) -> str | None:
    """Version of the npm package at `module` if it is the wanted one; spares starting Node."""
    try:
        version = str(json.loads((module / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return None
    return version if wanted in (None, version) else None


def _version(binary: Path) -> str | None:
    """What the program calls itself; asked once, as starting Node takes its time."""
    try:
        return _asked(binary, binary.stat().st_mtime_ns)
    except OSError:
        return None


@cache
def _asked(binary: Path, _changed: int) -> str | None:
    try:
        return str(get_version_str_from_solc_binary(binary))
    except (OSError, SolcError, subprocess.SubprocessError):
        return None


def _wrapper(module: Path, version: str) -> Path:
    """An executable that runs the npm package at `module`; written once."""
    script = (files("populus") / "assets" / "solc.js.txt").read_text(encoding="utf-8")
    script = script.replace("__VERSION__", version).replace("'__MODULE__'", json.dumps(str(module)))
    path = own_folder() / f"solc-{hashlib.sha256(script.encode()).hexdigest()[:16]}"
    _write_program(path, script)
    if os.name == "nt":  # which starts no script by its first line
        command = path.with_suffix(".cmd")
        _write_program(command, f'@node "{path}" %*\n')
        return command
    return path


def _write_program(path: Path, text: str) -> None:
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o755)
        Path(temporary).replace(path)


def _fill_own_cache(version: str) -> Solc:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CompilerError(
            _missing(version) + " npm, which could fetch it, is not there either.",
            "Install Node with npm, or set SOLC_BINARY to a compiler.",
        )
    folder = own_folder() / f"solc-{version}"
    with locked(folder):
        module = folder / "node_modules" / "solc"
        if not _module_version(module, version):
            print(  # noqa: T201 - said before anything is fetched
                f"No Solidity compiler {version} found; fetching it once: "
                f"npm install solc@{version}",
                file=sys.stderr,
            )
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            command = [npm, "install", "--no-audit", "--no-fund", f"solc@{version}"]
            try:
                done = subprocess.run(
                    command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS
                )
            except subprocess.TimeoutExpired:
                raise CompilerError(f"`npm install solc@{version}` did not end.") from None
            if done.returncode != 0:
                raise CompilerError(
                    f"`npm install solc@{version}` failed: {done.stderr.strip()[-500:]}",
                    "Install a compiler yourself and set SOLC_BINARY.",
                )
        binary = _wrapper(module, version)
    found = _version(binary)
    if found is None:
        raise CompilerError(f"The compiler installed at {module} does not run.")
    return Solc(binary, found)
