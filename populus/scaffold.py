"""`populus init`: a project in a folder, with an example contract and its passing test."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["create_project"]

FILES = {
    "populus.json": "populus.json",
    "Greeter.sol": "contracts/Greeter.sol",
    "test_greeter.py": "tests/test_greeter.py",
}


def create_project(folder: Path) -> tuple[list[str], list[str]]:
    """Write what is missing; the paths written, and the paths left as they were."""
    written, kept = [], []
    assets = files("populus") / "assets"
    for asset, path in FILES.items():
        target = folder / path
        if target.exists():
            kept.append(path)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((assets / f"{asset}.txt").read_text(encoding="utf-8"), encoding="utf-8")
        written.append(path)
    return written, kept
