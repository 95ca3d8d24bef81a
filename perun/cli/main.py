"""`perun`: the commands, and what an error looks like: one message, exit code 1, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from perun.cli.demo import demo
from perun.cli.hub import hub
from perun.cli.keys import keys
from perun.cli.leaving import leave
from perun.cli.node import init, node
from perun.cli.outcome import FAILED
from perun.cli.render import console, say
from perun.cli.stores import backup, status
from perun.cli.tower import export, watch
from perun.errors import PerunError

__all__ = ["cli", "main"]

_INTERRUPTED = 130


class _Commands(click.Group):
    """Turns everything this package raises on purpose into one message."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PerunError as error:
            say(console(stderr=True), f"Error: {error}", "red")
            ctx.exit(FAILED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="perun-channels", prog_name="perun")
def cli() -> None:
    """Perun: payment channels on Ethereum.

    \b
    perun demo                          see channels live, pay, cheat and close
    perun exit STORE --rpc URL          get everything out, alone
    perun watch EXPORT --rpc URL        answer for somebody who is asleep
    """


for command in (demo, init, node, hub, leave, watch, export, backup, status, keys):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry of the console script."""
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="perun")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
