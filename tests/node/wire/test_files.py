"""A listener may have more links than a process has files at first."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="Windows has no such limit")

_CODE = """
import resource
from perun.serving import room_for_files
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, min({hard}, hard)))
room_for_files({connections})
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "expected"),
    [(256, 4_000, 1_000, 2_024), (256, 2_000, 9_000, 2_000), (3_000, 4_000, 1_000, 3_000)],
    ids=["as many as it needs", "no more than it may", "never fewer than it had"],
)
def test_process_takes_as_many_files_as_its_connections_need(
    soft: int, hard: int, connections: int, expected: int
) -> None:
    code = _CODE.format(soft=soft, hard=hard, connections=connections)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(found.stdout) == expected
