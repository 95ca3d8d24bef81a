"""Which compiler a file asks for: `pragma solidity`, its own and that of all it imports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from semantic_version import NpmSpec, Version

from populus.sources import SourceSet, imports, without_comments

__all__ = ["RELEASES", "Range", "by_version", "fits", "newest", "ranges_of"]

# Newest releases of each line; what a project asks for exactly counts as well.
RELEASES = ("0.8.37", "0.7.6", "0.6.12", "0.5.17", "0.4.26")

_PRAGMA = re.compile(r"\bpragma\s+solidity\s+([^;]+);")
_NUMBER = re.compile(r"\d+\.\d+\.\d+")
_OPERATOR = re.compile(r"\s*(\^|~|[<>]=?|=)\s*")

Range = str
"""As npm writes it: `^0.4.11`, `>=0.4.22 <0.6.0`."""


def ranges_of(content: str) -> set[Range]:
    """The ranges a file asks for; none if it asks for nothing that can be read."""
    found = set()
    for text in _PRAGMA.findall(without_comments(content)):
        written = _OPERATOR.sub(r" \1", text.replace('"', "")).strip()
        try:
            NpmSpec(written)
        except ValueError:
            continue
        found.add(written)
    return found


def fits(version: str, ranges: Iterable[Range]) -> bool:
    """Whether a compiler of this version, such as `0.8.37`, suits all ranges."""
    return all(Version(version) in NpmSpec(one) for one in ranges)


def newest(ranges: Iterable[Range]) -> str | None:
    """The newest release that we know of and that suits all ranges."""
    ranges = list(ranges)
    named = {number for one in ranges for number in _NUMBER.findall(one)}
    known = sorted({*RELEASES, *named}, key=Version, reverse=True)
    return next((version for version in known if fits(version, ranges)), None)


def by_version(
    sources: SourceSet, remappings: Sequence[str], choose: Callable[[Iterable[Range]], str | None]
) -> dict[str | None, SourceSet]:
    """The sources by the version that compiles them.

    One version for all if one suits all, else for each file, with all it imports, its own.

    Args:
        choose: the version for these ranges; None leaves it to a compiler to complain.
    """
    asked = {name: ranges_of(content) for name, content in sources.contents.items()}
    common = choose(set().union(*asked.values()))
    if common is not None:
        return {common: sources}
    closures = {name: _closure(name, sources, remappings) for name in sources.own}
    found: dict[str | None, SourceSet] = {}
    for name, closure in closures.items():
        version = choose(set().union(*(asked[file] for file in closure)))
        part = found.setdefault(version, SourceSet({}, {}))
        part.own[name] = sources.own[name]
        part.imported.update((file, sources.contents[file]) for file in closure)
    return found


def _closure(name: str, sources: SourceSet, remappings: Sequence[str]) -> set[str]:
    """A file and everything it imports."""
    contents, found, waiting = sources.contents, {name}, [name]
    while waiting:
        importer = waiting.pop()
        for imported in imports(importer, contents[importer], remappings):
            if imported in contents and imported not in found:
                found.add(imported)
                waiting.append(imported)
    return found
