"""The compiled contracts that the package ships: code to deploy, and code to compare with.

`perun/artifacts` is written by the compiler's driver; a test compares it with the sources.
"""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract."""

    name: str
    creation: bytes
    """What a transaction that creates it carries. No contract of ours takes arguments."""
    runtime: bytes
    """What then stands at its address, with zeros where immutables will be."""
    immutables: tuple[tuple[int, int], ...]
    """Start and length of these, in bytes."""

    def matches(self, code: bytes) -> bool:
        """Whether `code`, found on chain, is this contract; immutables are not compared."""
        if not code or len(code) != len(self.runtime):
            return False
        found = bytearray(code)
        for start, length in self.immutables:
            found[start : start + length] = bytes(length)
        return bytes(found) == self.runtime


@cache
def artifact(name: str) -> Artifact:
    """The compiled contract of that name, as shipped."""
    file = pkgutil.get_data("perun", f"artifacts/{name}.json")
    assert file is not None
    content = json.loads(file)
    runtime = bytearray.fromhex(content["deployedBytecode"].removeprefix("0x"))
    holes = tuple((item["start"], item["length"]) for item in content["immutableReferences"])
    for start, length in holes:
        runtime[start : start + length] = bytes(length)
    return Artifact(
        name=name,
        creation=bytes.fromhex(content["bytecode"].removeprefix("0x")),
        runtime=bytes(runtime),
        immutables=holes,
    )
