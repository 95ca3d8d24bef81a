"""`perun`: the commands, and what an error looks like: one message, exit code 1, no traceback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import get_completion_class

from perun.cli.commands import Commands
from perun.cli.later import put_off_curve
from perun.cli.outcome import FAILED
from perun.cli.texts import plain
from perun.errors import PerunError

__all__ = ["cli", "main"]

_INTERRUPTED = 130


class _Told(Commands):
    """Turns what this package raises into one message."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PerunError as error:
            with contextlib.suppress(OSError, ValueError):
                click.secho(f"Error: {plain(str(error))}", fg="red", err=True)
            ctx.exit(FAILED)


@click.group(cls=_Told, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="perun-channels", prog_name="perun")
def cli() -> None:
    """Perun: payment channels on Ethereum.

    \b
    perun up                            a whole network here, to try all this
    \b
    perun init --rpc URL --hub ADDRESS  make a node; then: perun node start
    perun open ADDRESS 0.1ether         a channel with a hub or a person
    perun pay WHOM 0.01ether            pay a node, a contact, a request
    perun request 0.01ether             be paid
    perun balance                       what is yours
    \b
    perun demo                          see channels live, pay, cheat and close
    perun exit STORE --rpc URL          get everything out, alone
    perun watch EXPORT --rpc URL        answer for somebody who is asleep
    """


@cli.command(short_help="Print what completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands: eval "$(perun completion bash)"."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "perun", "_PERUN_COMPLETE").source())


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry of the console script."""
    put_off_curve()
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="perun")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
