"""What all commands share that ask a running node: options, amounts, tables, words.

They hold no rule of their own. `--json` prints what the node answered; people get tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.table import Table

from perun.api.amounts import ETH_NAME, has_names, in_digits, tokens_among
from perun.api.client import Node, connect
from perun.app.values import Token, Value
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.render import clock, console, ether, plain, say
from perun.errors import Misuse
from perun.types import UnixTime
from perun.units import format_units

__all__ = [
    "ACCOUNT",
    "JSON",
    "KEY",
    "YES",
    "Amounts",
    "Names",
    "by_start",
    "command",
    "consent",
    "print_json",
    "show_table",
    "table",
    "time_of",
    "who",
]

JSON = click.option("--json", "as_json", is_flag=True, help="Print what the node answers.")
YES = click.option("--yes", is_flag=True, help="Ask nothing.")
ACCOUNT = click.option("--account", help="The other's on chain, as `perun balance` shows it there.")
KEY = click.option("--key", help="Idempotency key: the same again happens once.")


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command whose first argument is the node."""

    def wrap(function: Callable[..., None]) -> click.Command:
        def run(home: Path, **options: Any) -> None:
            with connect(home=home_of(home)) as node:
                function(node, **options)

        run.__doc__ = function.__doc__
        run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        return click.command(name)(HOME_OPTION(run))

    return wrap


# ------------------------------------------------------------------------------------- amounts


class Amounts:
    """Reads and shows amounts; the node is asked for names of tokens when one is needed."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tokens: tuple[Token, ...] | None = None

    def read(self, text: str | None, asset: str | None = None) -> tuple[str | None, str | None]:
        """Digits of the smallest unit, and of which asset: of `0.1ether`, `5 USDC`, `5`.

        Args:
            asset: which it must be, by address or name; None: what the unit says, if there is one.

        Raises:
            UnknownUnit, OtherAsset, BadUnits: it cannot be meant.
        """
        fields = {"amount": text, "asset": asset}
        tokens = self._known() if has_names(fields) else self._tokens or ()
        read = in_digits(fields, tokens)
        return read["amount"], read["asset"]

    def show(self, asset: str, units: str) -> str:
        """`0.100000 ETH`, `5.00 USDC`; smallest units of a token without a name."""
        if asset.lower() == ETH_NAME:
            return f"{ether(int(units))} ETH"
        token = self._token(asset)
        if token is None:
            return f"{units} of {asset[:8]}…"
        return f"{format_units(int(units), token.decimals)} {plain(token.symbol)}"

    def signed(self, asset: str, units: str) -> str:
        """The same, of what may be negative."""
        return ("-" if units.startswith("-") else "") + self.show(asset, units.lstrip("-"))

    def for_us(self, asset: str, gain: str | None) -> str:
        """How a line about something locked ends, once it is known what it brings us."""
        return "" if gain is None else f", {self.signed(asset, gain)} for you"

    def name(self, asset: str) -> str:
        """Of an asset."""
        if asset.lower() == ETH_NAME:
            return "ETH"
        token = self._token(asset)
        return asset if token is None else plain(token.symbol)

    def _token(self, asset: str) -> Token | None:
        return next((one for one in self._known() if one.asset.lower() == asset.lower()), None)

    def _known(self) -> tuple[Token, ...]:
        if self._tokens is None:
            self._tokens = tokens_among(self._node.networks())
        return self._tokens


# ---------------------------------------------------------------------------------------- showing


def print_json(value: Value | Iterable[Value]) -> None:
    """As the node answered."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(*headings: str, folded: str = "") -> Table:
    """An empty one, that fits a terminal of 80 columns.

    Args:
        folded: the heading of the column that gives way if it does not; the last if not given.
    """
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        gives_way = heading == (folded or headings[-1])
        made.add_column(heading, overflow="fold", no_wrap=not gives_way)
    return made


def show_table(made: Table, otherwise: str) -> None:
    """Prints it; or words, if it is empty."""
    out = console()
    out.print(made) if made.row_count else say(out, otherwise)


def time_of(seconds: int | None) -> str:
    """UTC."""
    return "" if seconds is None else clock(UnixTime(seconds))


class Names:
    """How our user calls others; the node is asked once, when the first one is shown."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[str, str] | None = None

    def show(self, id: str) -> str:
        """A contact's name, or the beginning of an id."""
        return who(id, self._names().get(id, ""))

    def known(self) -> Collection[str]:
        """All names that our user has given."""
        return self._names().values()

    def _names(self) -> dict[str, str]:
        if self._known is None:
            self._known = {one.node: one.name for one in self._node.contacts()}
        return self._known


def who(node: str, name: str = "") -> str:
    """A name, or the beginning of an id."""
    return plain(name) or node[:14] + "…"


def consent(yes: bool, text: str, *, ask_only: bool = False) -> None:
    """Says what will happen, and asks unless it was given leave; ends the command at a no."""
    if not ask_only:
        say(console(), text)
    if yes:
        return
    click.confirm("Go on?" if not ask_only else text, abort=True)


# ------------------------------------------------------------------------------------------- ids


@dataclass(eq=False)
class NotOne(Misuse):
    """The beginning of an id fits none, or several."""

    what: str
    start: str
    found: int

    def __str__(self) -> str:
        if not self.found:
            return f"no {self.what} begins with {self.start}; `perun {self.what}s` lists them"
        return f"{self.found} {self.what}s begin with {self.start}; type more of the one you mean"


def by_start(known: list[str], start: str, what: str) -> str:
    """An id that is given by its beginning, as tables show it.

    Raises:
        NotOne: none, or several, begin so.
    """
    wanted = start.rstrip("…").lower()
    found = [id for id in known if id.startswith(wanted)]
    if len(found) != 1:
        raise NotOne(what, start, len(found))
    return found[0]
