"""Which commands there are, where each is, and its line in the list of all.

A command is loaded when it is called: a wallet that asks a node must not wait for what a chain
needs, and a list of commands for none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

__all__ = ["SECTIONS", "Commands", "Listed"]

Listed = tuple[str, str, str]
"""A command's name, the module that has it among its `COMMANDS`, and what is said of it."""

SECTIONS: Final[dict[str, tuple[Listed, ...]]] = {
    "A node of yours": (
        ("up", "perun.cli.up", "Put up a whole network here, to try everything."),
        ("init", "perun.cli.init", "Make a node: twelve words, keys, a file of settings."),
        ("node", "perun.cli.node", "Run a node in this terminal, or in the background."),
        ("wallet", "perun.cli.wallet", "Open the page over your own node."),
        ("networks", "perun.cli.looking", "Show the networks that the node knows."),
        ("contacts", "perun.cli.looking", "Names for nodes: list them, add, remove."),
        ("status", "perun.cli.stores", "Show how the node stands, or what a store knows."),
        ("backup", "perun.cli.stores", "Show where it is backed up; or copy a store."),
        ("towers", "perun.cli.towers", "Who watches for this node while it is offline."),
        ("restore", "perun.cli.restore", "Get back every store of twelve words."),
    ),
    "Money": (
        ("balance", "perun.cli.looking", "Show what is yours, and what is wrong."),
        ("pay", "perun.cli.paying", "Pay an address, a contact, or a request."),
        ("request", "perun.cli.paying", "Ask for money by a link that can be paid once."),
        ("refund", "perun.cli.paying", "Give back a payment, whole or in part."),
        ("payments", "perun.cli.looking", "Show payments, the newest first."),
        ("requests", "perun.cli.looking", "Show what you have asked for."),
        ("stream", "perun.cli.streams", "Pay tick by tick, as long as you like."),
        ("streams", "perun.cli.streams", "Show streams, yours and to you."),
        ("swap", "perun.cli.swaps", "Swap two assets, in one network or across two."),
        ("lock", "perun.cli.locks", "Pay once a secret is shown, or take by it."),
        ("locks", "perun.cli.locks", "Show hash locks."),
    ),
    "Channels": (
        ("open", "perun.cli.channels", "Open a channel with a hub or a person."),
        ("channels", "perun.cli.looking", "Show your channels."),
        ("exposure", "perun.cli.looking", "Show what you would get alone, and by when."),
        ("topup", "perun.cli.channels", "Put more into a channel."),
        ("withdraw", "perun.cli.channels", "Take money out of a channel that goes on."),
        ("close", "perun.cli.channels", "End a channel by agreement: one transaction."),
        ("leave", "perun.cli.channels", "End a channel alone: slower and dearer."),
        ("offers", "perun.cli.looking", "Show what peers want that waits for your word."),
        ("answer", "perun.cli.channels", "Say yes or no to an offer."),
    ),
    "Games": (
        ("play", "perun.cli.playing", "Play with somebody, for money."),
        ("games", "perun.cli.playing", "Show games and coin flips."),
        ("move", "perun.cli.playing", "Make a move."),
        ("resign", "perun.cli.playing", "Give a game up."),
        ("draw", "perun.cli.playing", "Offer a draw in a game, or take the one offered."),
        ("rematch", "perun.cli.playing", "Play once more, with sides swapped."),
        ("clock", "perun.cli.playing", "Make the other side move on chain, in time."),
        ("flip", "perun.cli.playing", "Flip a coin with somebody."),
        ("throw", "perun.cli.playing", "Rock, paper, scissors with somebody."),
        ("escrow", "perun.cli.deals", "Put money where an arbiter can share it out."),
        ("deals", "perun.cli.deals", "Show deals in escrow."),
        ("award", "perun.cli.deals", "Bring an arbiter's word."),
        ("let-go", "perun.cli.deals", "Let a deal go at an amount."),
        ("bet", "perun.cli.bets", "Bet on a price that a reporter signs, or sign one."),
        ("bets", "perun.cli.bets", "Show bets on prices."),
        ("nano", "perun.cli.nano", "Write rules of your own, and search them."),
    ),
    "For others": (
        ("hub", "perun.cli.hub", "Run a hub, and look after it."),
        ("gateway", "perun.cli.gateway", "Hold a hub's sockets, without any key."),
        ("page", "perun.cli.page", "Serve the page: a wallet in a browser."),
        ("tower", "perun.cli.tower_running", "Watch for others."),
        ("watch", "perun.cli.tower", "Answer for the owner of an export, who is asleep."),
    ),
    "With a store and no node": (
        ("export", "perun.cli.tower", "Write what a tower needs: signatures, and no key."),
        ("exit", "perun.cli.leaving", "Get everything out that the chain owes, alone."),
        ("keys", "perun.cli.keys", "Make and look at encrypted keyfiles."),
        ("demo", "perun.cli.demo", "See channels live, pay, cheat and close."),
    ),
    "": (("inhabitant", "perun.cli.inhabitant", "A process of `perun up`."),),
}
"""Under its heading; what has none is not for people, and not shown."""


class Commands(click.Group):
    """Knows its commands by name, and loads the one that is called."""

    def __init__(
        self, *args: Any, sections: Mapping[str, Sequence[Listed]] = SECTIONS, **kwargs: Any
    ) -> None:
        """Args:
        sections: what is in it, under headings; others are as click has them.
        """
        super().__init__(*args, **kwargs)
        self._sections = sections
        self._places = {name: place for rows in sections.values() for name, place, _ in rows}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names that are shown, in that order."""
        shown = [name for heading, rows in self._sections.items() if heading for name, _, _ in rows]
        return [*shown, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        place = self._places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        found: list[click.Command] = import_module(place).COMMANDS
        return next(command for command in found if command.name == cmd_name)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without loading any."""
        for heading, rows in self._rows().items():
            with formatter.section(heading):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names that begin so; or options."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        every = [row for rows in self._rows().values() for row in rows]
        return [CompletionItem(n, help=text) for n, text in every if n.startswith(incomplete)]

    def _rows(self) -> dict[str, list[tuple[str, str]]]:
        found = {
            heading: [(name, text) for name, _, text in rows]
            for heading, rows in self._sections.items()
            if heading
        }
        if self.commands:
            own = [(name, one.get_short_help_str()) for name, one in self.commands.items()]
            found["Your shell"] = own
        return found
