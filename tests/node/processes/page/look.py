"""Pictures of every screen of the page, for people to look at: `make look`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from perun.town.place import open_town
from tests.node.processes.page.test_browser import DAPP
from tests.node.processes.town.running import Up

FOLDER = DAPP.parent / "build" / "look"


def main() -> int:
    """0 if nothing on any screen hinders anybody, or is wider than the window."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Up(Path(home) / "town") as up:
        up.hear("Ctrl-C")
        town = open_town(up.home)
        assert town is not None
        url = f"http://localhost:{town.ports.page}/"
        command = ["node", "test/look.mjs", url, str(FOLDER)]
        return subprocess.run(command, cwd=DAPP, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
