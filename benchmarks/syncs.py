"""Do the nodes wait for the disk as often as they say? `strace` counts the system calls.

The payments benchmark runs once more in a process of its own whose `fdatasync` calls are counted
from outside. Each commit is one. Each time SQLite moves its log into the file it makes two more,
and a third when the log begins anew; a store that is new makes a few.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, Result

__all__ = ["syncs"]

_WHILE_OPENING: Final = 40
"""At most so many for making, sealing, migrating and closing two stores."""


def syncs(folder: Path, seconds: float = 2.0, channels: int = 100, pairs: int = 500) -> Result:
    """Runs the payments under `strace` and compares."""
    strace = shutil.which("strace")
    if strace is None:
        return Result("syncs", "fdatasync, counted from outside: strace is not installed", ())
    summary, found = folder / "strace.txt", folder / "payments.json"
    program = (
        "import json, sys; from pathlib import Path; "
        "from benchmarks.payments import payments; from benchmarks.report import as_json; "
        "home, out, seconds, channels, pairs = sys.argv[1:]; "
        "r = payments(Path(home), float(seconds), int(channels), pairs=int(pairs)); "
        "Path(out).write_text(json.dumps(as_json([r])))"
    )
    arguments = [str(folder), str(found), str(seconds), str(channels), str(pairs)]
    count = [strace, "-f", "--seccomp-bpf", "-c", "-e", "trace=fdatasync", "-o", str(summary)]
    subprocess.run(
        [*count, sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
        timeout=300,
    )
    counted = 0
    for line in summary.read_text().splitlines():
        words = line.split()
        if words and words[-1] == "fdatasync":
            counted = int(words[3])
    figures = json.loads(found.read_text())["results"]["payments"]["figures"]
    said = figures["commits of all"]["value"]
    checkpoints = figures["checkpoints"]["value"]
    paid = figures["payments"]["value"]
    return Result(
        "syncs",
        "fdatasync of the payments benchmark, counted from outside by strace",
        (
            Figure("fdatasync by strace", counted),
            Figure("commits by the stores", said, at_most=counted),
            Figure("checkpoints", checkpoints),
            Figure("neither", counted - said - 3 * checkpoints, at_most=_WHILE_OPENING),
            Figure("payments", paid),
            Figure("payments per fdatasync and side", 2 * paid / counted),
        ),
    )
