"""`perun-load` in a small form: everything happens, and the audit adds up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.mark.slow
def test_load_of_all_kinds_is_audited_to_the_wei() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "perun-load"), "--wallets", "10"]
    command += ["--seconds", "6", "--mix", "pay=10,open=5,close=3,leave=1,reconnect=3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every one has arrived" in done.stdout
