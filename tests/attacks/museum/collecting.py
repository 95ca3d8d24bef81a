"""Whether a page's tests are there: asked of pytest itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[3]


def collected(names: Iterable[str]) -> set[str]:
    """Which of these pytest finds. A helper is none, nor is anything in a file that fails to load;
    one that is not found at all is an `AssertionError` that says so."""
    options = ("--collect-only", "-q", "-n0", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *sorted(names)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return {line.split("[")[0] for line in done.stdout.splitlines() if "::" in line}
