"""The files that hold the numbers, and what to say when they are out of date."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.gas.page import page, picture

ROOT = Path(__file__).parent.parent.parent
GAS = ROOT / "benchmarks" / "gas" / "gas.json"
SPREAD = ROOT / "benchmarks" / "gas" / "spread.json"
PAGE = ROOT / "docs" / "gas.md"
PICTURE = ROOT / "docs" / "gas.svg"


def read(path: Path) -> Any:
    """A JSON file's content."""
    return json.loads(path.read_text(encoding="utf-8"))


def write(measured: Mapping[str, Any], spread: Mapping[str, list[int]]) -> None:
    """All four files."""
    GAS.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = (f" {json.dumps(name)}: {json.dumps(gas)}" for name, gas in spread.items())
    SPREAD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for path, text in pages(measured, spread).items():
        path.write_text(text, encoding="utf-8")


def pages(measured: Mapping[str, Any], spread: Mapping[str, list[int]]) -> dict[Path, str]:
    """What the page and the picture have to be."""
    return {PAGE: page(measured, spread), PICTURE: picture(measured)}


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """One line for each number that differs, is new or is gone."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from differences(old.get(key), new.get(key), f"{where}/{key}" if where else key)
    elif isinstance(old, int) and isinstance(new, int) and old != new:
        yield f"{where}: {old:,} -> {new:,} ({new - old:+,})"
    elif old != new:
        yield f"{where}: {old} -> {new}"
