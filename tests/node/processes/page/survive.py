"""Bad days of the page in a real browser: `make survive`, or `make survive ONLY="hubDies"`.

`python -m tests.node.processes.page.survive CASE…`; without cases all of them. Those in which time
goes on have a network of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perun.town.place import open_town
from tests.node.processes.page.test_browser import DAPP
from tests.node.processes.town.running import Up

SCRIPT = ["node", "test/survive.mjs"]


def towns(chosen: Sequence[str]) -> list[list[str]]:
    """The cases, by the network that they share."""
    said = subprocess.run([*SCRIPT, "--towns"], cwd=DAPP, capture_output=True, check=True)
    all_of_them = [line.split() for line in said.stdout.decode().splitlines()]
    known = {case for town in all_of_them for case in town}
    if unknown := set(chosen) - known:
        raise SystemExit(f"no case {', '.join(unknown)}; there are: {' '.join(sorted(known))}")
    found = [[case for case in town if not chosen or case in chosen] for town in all_of_them]
    return [town for town in found if town]


def survive(cases: Sequence[str]) -> int:
    """In one network; the script's exit code."""
    with tempfile.TemporaryDirectory() as home, Up(Path(home) / "town") as up:
        up.hear("Ctrl-C")
        town = open_town(up.home)
        assert town is not None
        url = f"http://localhost:{town.ports.page}/"
        environment = {**os.environ, "PYTHON": sys.executable}
        command = [*SCRIPT, url, str(up.home), *cases]
        return subprocess.run(command, cwd=DAPP, env=environment, check=False).returncode


def main() -> int:
    """0 if all is well."""
    # Whoever ends it finds nothing of it running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    return max(survive(cases) for cases in towns(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
