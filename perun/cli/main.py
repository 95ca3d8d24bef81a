"""`perun`: the commands, and what an error looks like: one message, exit code 1, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click
from click.shell_completion import get_completion_class

from perun.cli.outcome import FAILED
from perun.cli.render import console, say
from perun.errors import PerunError

__all__ = ["cli", "main"]

_INTERRUPTED = 130


_PLACES: Final = {
    "perun.cli.up": ("up",),
    "perun.cli.node": ("init", "node"),
    "perun.cli.wallet": (
        *("open", "pay", "request", "refund", "payments", "requests", "channels", "balance"),
        *("exposure", "topup", "withdraw", "close", "leave", "offers", "answer", "contacts"),
        "networks",
    ),
    "perun.cli.hub": ("hub",),
    "perun.cli.leaving": ("exit",),
    "perun.cli.tower": ("watch", "export"),
    "perun.cli.stores": ("backup", "status"),
    "perun.cli.restore": ("restore",),
    "perun.cli.towers": ("tower", "towers"),
    "perun.cli.keys": ("keys",),
    "perun.cli.demo": ("demo",),
}
"""Where a command is: a wallet that asks a node must not wait for what a chain needs."""


class _Commands(click.Group):
    """Loads a command when it is called, and turns what this package raises into one message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *(n for p in _PLACES.values() for n in p)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for place, names in _PLACES.items():
            if cmd_name in names:
                found: list[click.Command] = import_module(place).COMMANDS
                return next(command for command in found if command.name == cmd_name)
        return super().get_command(ctx, cmd_name)

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
    perun up                            a whole network here, to try everything below
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


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands: eval "$(perun completion bash)"."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "perun", "_PERUN_COMPLETE").source())


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry of the console script."""
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="perun")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
