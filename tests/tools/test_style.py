"""Format, lint and types are part of the suite; others than Python's where Node packages are."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE_TOOLS = ROOT / "node_modules" / ".bin"
DAPP = ROOT / "dapp"

PYTHON = {
    "lint": ["ruff", "check", "--quiet", "--output-format=concise", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "types": ["mypy"],
}
SOLIDITY = {
    "lint": ["solhint", "--disc", "--quiet", "contracts/**/*.sol", "tests/contracts/**/*.sol"],
    "format": ["prettier", "--check", "contracts/**/*.sol", "tests/**/*.sol"],
}
TYPESCRIPT = {
    "format": ["prettier", "--check", "--log-level", "warn", "."],
    "types": ["svelte-check", "--fail-on-warnings", "--tsconfig", "tsconfig.json"],
}


def accepts(command: list[str], where: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("habit", PYTHON)
def test_python(habit: str) -> None:
    accepts([sys.executable, "-m", *PYTHON[habit]])


@pytest.mark.parametrize("habit", SOLIDITY)
def test_solidity(habit: str) -> None:
    tool, *arguments = SOLIDITY[habit]
    accepts([_of_node(NODE_TOOLS / tool, "npm install"), *arguments])


@pytest.mark.parametrize("habit", TYPESCRIPT)
def test_typescript(habit: str) -> None:
    tool, *arguments = TYPESCRIPT[habit]
    accepts([_of_node(DAPP / "node_modules" / ".bin" / tool, "make page"), *arguments], DAPP)


def test_the_page_says_everything_in_every_language() -> None:
    _of_node(DAPP / "node_modules" / "svelte", "make page")
    accepts(["node", "test/text.mjs"], DAPP)


def _of_node(tool: Path, how: str) -> str:
    if shutil.which("node") is None or not tool.exists():
        pytest.skip(f"{tool.name} is not installed: {how}")
    return str(tool)
