"""The broken contracts, read from `catalogue.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    sentence: str
    """Key of the sentence of the protocol that it breaks, in `SENTENCES`."""
    file: str
    old: str
    """Stands exactly once in `file`, or first after `after`."""
    new: str
    after: str = ""
    equivalent: str = ""
    """Why no test can see a difference; empty: a test must."""


_RAW = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))

SENTENCES: dict[str, str] = _RAW["sentences"]
"""What docs/protocol.md says, quoted."""

NEAR: dict[str, list[str]] = _RAW["near"]
"""Tests that run first for the mutants of a sentence."""

CATALOGUE: tuple[Mutant, ...] = tuple(Mutant(**entry) for entry in _RAW["mutant"])
