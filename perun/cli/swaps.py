"""Swaps in a terminal: `perun swap give`, `swap take`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from perun.api.client import Node, connect
from perun.app.values import HashLock, Status
from perun.cli.asking import (
    JSON,
    YES,
    Amounts,
    command,
    consent,
    print_json,
    time_of,
)
from perun.cli.homes import home_of
from perun.cli.render import console, plain, say
from perun.cli.swapping import BadTicket, Leg, Ticket, look, plan, read
from perun.cli.swapping import give as give_first
from perun.cli.swapping import take as take_second

__all__ = ["COMMANDS"]

_ETH: Final = "0x" + 40 * "0"
_THERE: Final = click.option(
    "--there",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your node in the other network, if there are two.",
)


@click.group("swap")
def swap() -> None:
    """Swap two assets with somebody, in one network or across two: give, take."""


@command("give")
@click.argument("whom")
@click.argument("amount")
@click.argument("wanted")
@_THERE
@YES
@JSON
def give(
    node: Node, whom: str, amount: str, wanted: str, there: Path | None, yes: bool, as_json: bool
) -> None:
    """Give AMOUNT such as 0.1ether to WHOM, who gives you WANTED such as 300USDC.

    You lock first, and print a line that they take. While this runs it waits for their lock and
    shows the secret that moves both. Whatever ends it before: nothing has moved, and your lock is
    free again at its end.
    """
    with _other(node, there) as far:
        here, away = Amounts(node), Amounts(far)
        given, asked = _read(here, amount), _read(away, wanted)
        secret = secrets.token_bytes(32)
        ticket = plan(node, far, whom, given, asked, secret)
        consent(
            yes,
            f"Lock {here.show(given[1], given[0])} for {plain(whom)[:14]}…, and get "
            f"{away.show(asked[1], asked[0])}. If they do not lock theirs, yours is free again "
            f"after {time_of(ticket.first.until)}.",
        )
        got = give_first(node, far, ticket, secret, _tell)
        _show(away, got, as_json)


@command("take")
@click.argument("ticket")
@_THERE
@YES
@JSON
def take(node: Node, ticket: str, there: Path | None, yes: bool, as_json: bool) -> None:
    """Take the swap that somebody offers by TICKET, the line that `perun swap give` prints.

    You lock once theirs is good. The same line again goes on where it stands: in two networks do
    that before its first lock ends, if this was ended, or you may have paid for nothing.
    """
    offered = read(ticket)
    with _other(node, there) as far:
        first, second = _matched(offered, node, far)
        got, paid = Amounts(first), Amounts(second)
        seconds, worth = look(offered, second.status())
        asset = offered.second.asset
        consent(
            yes,
            f"Give {paid.show(asset, offered.second.amount)}, and get "
            f"{got.show(offered.first.asset, offered.first.amount)}. Once yours is locked they "
            f"may look at the market for {seconds // 60} minutes and let both lapse, which is "
            f"worth up to {paid.show(asset, str(worth))} to them: swap large amounts in parts.",
        )
        _show(got, take_second(first, second, offered, _tell), as_json)


for _one in (give, take):
    swap.add_command(_one)

COMMANDS: Final = (swap,)


@contextmanager
def _other(node: Node, there: Path | None) -> Iterator[Node]:
    """The node in the other network; the same one if there is none."""
    if there is None:
        yield node
        return
    with connect(home=home_of(there)) as far:
        yield far


def _read(amounts: Amounts, text: str) -> tuple[str, str]:
    units, asset = amounts.read(text)
    if not units or units == "0":
        raise click.BadParameter(f"{text}: nothing is swapped for nothing")
    return units, asset or _ETH


def _matched(ticket: Ticket, here: Node, there: Node) -> tuple[Node, Node]:
    """Our node where we are paid, and where we pay. Raises `BadTicket`."""
    statuses = here.status(), there.status()
    for one, other, nodes in (
        (statuses[0], statuses[1], (here, there)),
        (statuses[1], statuses[0], (there, here)),
    ):
        if _is_there(one, ticket.first) and _is_there(other, ticket.second):
            return nodes
    wanted = f"{ticket.first.network} and {ticket.second.network}"
    raise BadTicket(f"it is for {wanted}; name your node in the other one by --there")


def _is_there(status: Status, leg: Leg) -> bool:
    ours = status.network.caip2, status.network.contract.lower()
    return ours == (leg.network, leg.contract.lower())


def _tell(text: str) -> None:
    say(console(stderr=True), text)


def _show(amounts: Amounts, got: HashLock, as_json: bool) -> None:
    if as_json:
        print_json(got)
        return
    say(console(), f"Swapped: {amounts.show(got.asset, got.amount)} received.")
