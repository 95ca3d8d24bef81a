"""What to type in another terminal once a town is up: exactly that, as this program is installed.

Long addresses are in a small file for the shell, with where `perun` is and where the newcomer's
node lives: all of it in the town's folder, so that nothing else is touched.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from perun.daemon.settings import FILE_NAME
from perun.town.place import HOST, Town
from perun.town.settling import address_of, hub_link, tower_place

__all__ = ["NAMES", "next_steps", "write_names"]

NAMES: Final = "names"
"""The file for the shell."""
_YOU: Final = "you"
_HOW_FAR: Final = 54
"""Where remarks begin."""


def write_names(town: Town) -> None:
    """The file to be read by the shell."""
    lines = [
        "# For a shell: . names",
        f"export PERUN_HOME={shlex.quote(str(town.home / _YOU))}",
        f"export RPC={town.rpc}",
        f"export HUB={hub_link(town)}",
        f"export SHOP={address_of(town, 'shop')}",
        f"export PATRON=http://{HOST}:{town.ports.patron}",
        f"export PLAYER={address_of(town, 'patron')}",
        f"export PERUN_TOWER_ADDRESSES={tower_place(town)}",
        *_where_perun_is(),
    ]
    (town.home / NAMES).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _where_perun_is() -> list[str]:
    python = Path(sys.executable)
    found = []
    if path := os.environ.get("PYTHONPATH"):
        found.append(f"export PYTHONPATH={shlex.quote(path)}")
    if (python.parent / "perun").exists():
        return [*found, f"export PATH={shlex.quote(str(python.parent))}:$PATH"]
    return [*found, f'perun() {{ {shlex.quote(str(python))} -m perun.cli.main "$@"; }}']


def next_steps(town: Town) -> list[str]:
    """Lines for people."""
    lives = (town.home / _YOU / FILE_NAME).exists()
    init = "perun init --rpc $RPC --hub $HUB --yes"
    first = [] if lives else [(init, "your node, with one ETH")]
    steps = [
        (f". {_short(town.home / NAMES)}", "perun, HUB, SHOP, PATRON, PLAYER"),
        *first,
        ("perun node start", ""),
        ("perun open $HUB 0.1ether --receive 0.1ether --draw", "one transaction"),
        ("perun pay $SHOP 0.001ether", "a coffee"),
        ("perun payments", "which one it was"),
        ("perun pay $SHOP 5ether", "more than you have"),
        (f"perun request 0.02ether | {_post()} $PATRON", "be paid"),
        ("perun balance", ""),
        ("perun exposure", "what would be yours alone, and who watches"),
        ("perun play $PLAYER 0.001ether", "tic-tac-toe with the patron, for money"),
        ("perun flip $PLAYER 0.001ether", "heads or tails"),
        ("perun close 0x", "your only channel, to the end"),
        ("perun node stop", ""),
    ]
    return [
        "",
        "Your network is up. Type in another terminal:",
        "",
        *(
            f"  {step:{_HOW_FAR}}{'  # ' + remark if remark else ''}".rstrip()
            for step, remark in steps
        ),
        "",
        *_page(town),
        f"Chain {town.rpc} · hub {HOST}:{town.ports.hub} · logs {_short(town.logs)}",
        "Ctrl-C ends all of it; started again, it goes on where it was.",
        "",
    ]


def _page(town: Town) -> list[str]:
    if not town.pages:
        return []
    # Extensions of browsers do not look at pages of 127.0.0.1.
    return [
        f"Or in a browser, which is then a node of its own: http://localhost:{town.ports.page}/"
    ]


def _post() -> str:
    """A program that posts standard input, and shows the answer."""
    if shutil.which("curl"):
        return "curl -sd @-"
    return f"{shlex.quote(sys.executable)} -m perun.town.asking"


def _short(path: Path) -> str:
    """As a shell takes it."""
    home = Path.home()
    if path.is_relative_to(home) and " " not in str(path):
        return f"~/{path.relative_to(home)}"
    return shlex.quote(str(path))
