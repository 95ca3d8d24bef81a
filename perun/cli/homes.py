"""Where a node's folder is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

__all__ = ["HOME", "HOME_OPTION", "JSON_OPTION", "home_of"]

HOME: Final = "PERUN_HOME"

HOME_OPTION = click.option(
    "--home",
    envvar=HOME,
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("~/.perun"),
    help="Folder of the node; PERUN_HOME, or ~/.perun.",
)

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="For programs.")


def home_of(folder: Path) -> Path:
    """The folder, `~` understood."""
    return folder.expanduser().absolute()
