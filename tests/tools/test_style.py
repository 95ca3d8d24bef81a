"""Format, lint and types are part of the suite; Solidity's where Node packages are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE_TOOLS = ROOT / "node_modules" / ".bin"

PYTHON = {
    "lint": ["ruff", "check", "--quiet", "--output-format=concise", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "types": ["mypy"],
}
SOLIDITY = {
    "lint": ["solhint", "--disc", "--quiet", "contracts/**/*.sol", "tests/contracts/**/*.sol"],
    "format": ["prettier", "--check", "contracts/**/*.sol", "tests/**/*.sol"],
}


def accepts(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("habit", PYTHON)
def test_python(habit: str) -> None:
    accepts([sys.executable, "-m", *PYTHON[habit]])


@pytest.mark.parametrize("habit", SOLIDITY)
def test_solidity(habit: str) -> None:
    tool, *arguments = SOLIDITY[habit]
    if shutil.which("node") is None or not (NODE_TOOLS / tool).exists():
        pytest.skip(f"{tool} is not installed: npm install")
    accepts([str(NODE_TOOLS / tool), *arguments])
