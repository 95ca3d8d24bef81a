"""Which Solidity files a project has, and every file they import.

Source names are paths relative to the project, as in Populus, so that metadata and artifacts do
not depend on where the project lies.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from populus.exceptions import CompilerError

__all__ = ["SourceSet", "collect_sources", "digest"]

_COMMENT_OR_STRING = re.compile(
    r"//[^\n]*|/\*.*?\*/|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')", re.DOTALL
)
_IMPORT = re.compile(r"\bimport\b[^;\"']*[\"'](?P<path>[^\"']+)[\"']")


@dataclass(frozen=True, slots=True)
class SourceSet:
    """Contents by source name: the project's `own` files and all they `imported`."""

    own: dict[str, str]
    imported: dict[str, str]

    @property
    def contents(self) -> dict[str, str]:
        """All files by source name."""
        return dict(sorted({**self.imported, **self.own}.items()))


def digest(content: str) -> str:
    """SHA-256 of a source, hex."""
    return hashlib.sha256(content.encode()).hexdigest()


def collect_sources(
    project_dir: Path, source_dirs: Sequence[str], remappings: Sequence[str] = ()
) -> SourceSet:
    """Every `*.sol` below `source_dirs` and, from there, everything imported that exists.

    A file that is imported but missing is left out: the compiler names it and the line.
    """
    own: dict[str, str] = {}
    for folder in source_dirs:
        base = (project_dir / folder).resolve()
        for path in sorted(base.rglob("*.sol")):
            if path.is_file() and "node_modules" not in path.relative_to(base).parts:
                own[_name(path, project_dir)] = _read(path)
    imported: dict[str, str] = {}
    waiting = list(own.items())
    while waiting:
        importer, content = waiting.pop()
        for name in imports(importer, content, remappings):
            if name in own or name in imported:
                continue
            found = find_file(project_dir, name)
            if found is not None:
                imported[name] = _read(found)
                waiting.append((name, imported[name]))
    return SourceSet(own, imported)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CompilerError(
            f"{path} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}.",
            "Solidity sources are UTF-8; save the file as such.",
        ) from None
    except OSError as error:
        raise CompilerError(f"{path} cannot be read: {error.strerror}.") from None


def _name(path: Path, project_dir: Path) -> str:
    root = project_dir.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def find_file(project_dir: Path, name: str) -> Path | None:
    """The file behind a source name; `node_modules/…` also in the folders above the project."""
    roots = [project_dir]
    if name.startswith("node_modules/"):
        roots += project_dir.resolve().parents
    for root in roots:
        if (root / name).is_file():
            return root / name
    return None


def imports(importer: str, content: str, remappings: Iterable[str]) -> list[str]:
    """Source names of what a file imports, by Solidity's own rules for paths and remappings."""
    names = []
    for match in _IMPORT.finditer(without_comments(content)):
        path = match["path"]
        if path.startswith(("./", "../")):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))
        names.append(remap(path, remappings))
    return names


def without_comments(content: str) -> str:
    """Solidity with every comment replaced by a space; strings stay."""
    return _COMMENT_OR_STRING.sub(lambda match: match["string"] or " ", content)


def remap(path: str, remappings: Iterable[str]) -> str:
    """Apply the longest matching `prefix=target`; contexts (`context:prefix=target`) as given."""
    best: tuple[int, str] = (-1, path)
    for remapping in remappings:
        prefix, _, target = remapping.partition("=")
        prefix = prefix.rpartition(":")[2]
        if path.startswith(prefix) and len(prefix) > best[0]:
            best = (len(prefix), target + path[len(prefix) :])
    return posixpath.normpath(best[1]) if best[0] >= 0 else path
