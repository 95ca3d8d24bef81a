"""Bytecode as bytes with holes: libraries to fill in, immutables to look past.

Offsets are those of the compiler's `linkReferences` and `immutableReferences`, in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from populus.contracts.exceptions import BytecodeMismatch

__all__ = [
    "code_matches",
    "library_names",
    "link",
    "verify_code",
    "without_metadata",
    "without_placeholders",
]

# What the compiler appends: a hash of sources and settings, comments included (CBOR; ipfs, bzzr).
_METADATA = re.compile(rb"(dipfsX\"\x12 |ebzzr[01]X )(.{32})", re.DOTALL)
_PUSH20 = 0x73
_ADDRESS = 20


def without_placeholders(code: str, references: Iterable[Mapping[str, Any]]) -> str:
    """`0x` hex of compiler output with every `__$…$__` placeholder replaced by zeros."""
    digits = code.removeprefix("0x")
    for reference in references:
        at = 2 * reference["start"]
        end = at + 2 * reference["length"]
        digits = digits[:at] + "0" * (end - at) + digits[end:]
    return "0x" + digits


def library_names(references: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of the libraries that must be linked, each once, in order of appearance."""
    return list(dict.fromkeys(reference["name"] for reference in references))


def link(code: str, references: Iterable[Mapping[str, Any]], addresses: Mapping[str, str]) -> str:
    """`code` with the address of each library written into its holes."""
    raw = bytearray.fromhex(code.removeprefix("0x"))
    for reference in references:
        address = bytes.fromhex(addresses[reference["name"]].removeprefix("0x"))
        raw[reference["start"] : reference["start"] + reference["length"]] = address
    return "0x" + raw.hex()


def without_metadata(code: bytes | bytearray) -> bytes:
    """`code` with zeros for every hash of metadata: a comment changes nothing else."""
    return _METADATA.sub(lambda match: match[1] + bytes(32), code)


def code_matches(deployed: bytes, expected: str, immutables: Iterable[Mapping[str, int]]) -> bool:
    """Whether deployed code is `expected` once what only the chain knows is masked.

    That is every immutable, and the address a library keeps at its start to notice direct calls
    (`PUSH20 <own address> ADDRESS EQ`); and hashes of metadata, which are no code.
    """
    wanted = bytearray.fromhex(expected.removeprefix("0x"))
    found = bytearray(deployed)
    if not found or len(found) != len(wanted):
        return False
    holes = [(hole["start"], hole["length"]) for hole in immutables]
    if wanted[0] == _PUSH20 and not any(wanted[1 : 1 + _ADDRESS]):
        holes.append((1, _ADDRESS))
    for start, length in holes:
        wanted[start : start + length] = bytes(length)
        found[start : start + length] = bytes(length)
    return without_metadata(wanted) == without_metadata(found)


def verify_code(
    name: str, address: str, deployed: bytes, expected: str, immutables: Iterable[Mapping[str, int]]
) -> None:
    """Raise `BytecodeMismatch` unless the code at `address` is the one of `name`."""
    if code_matches(deployed, expected, immutables):
        return
    what = "no code" if not deployed else "other code than the sources compile to"
    raise BytecodeMismatch(
        f"{name} at {address}: there is {what}.",
        "Deploy it again, or record the right address with registrar.set_contract_address.",
    )
