"""Swaps in a terminal: `perun swap give`, `swap take`, `swap resume`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
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
from perun.cli.swapping import (
    MOST_PARTS,
    BadTicket,
    Leg,
    NotSwapped,
    Ticket,
    give_parts,
    look,
    pieces,
    plan,
    read,
    take_parts,
)
from perun.core.rules.swaps import SwapRejected
from perun.daemon.carrying import Swap, forget, keep, kept

__all__ = ["COMMANDS"]

_ETH: Final = "0x" + 40 * "0"
_THERE: Final = click.option(
    "--there",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your node in the other network, if there are two.",
)


@click.group("swap")
def swap() -> None:
    """Swap two assets with somebody, in one network or across two: give, take, resume."""


@command("give")
@click.argument("whom")
@click.argument("amount")
@click.argument("wanted")
@click.option("--parts", type=click.IntRange(1, MOST_PARTS), default=1, show_default=True,
              help="One after the other: only one is at stake.")  # fmt: skip
@_THERE
@YES
@JSON
def give(
    node: Node, whom: str, amount: str, wanted: str, parts: int, there: Path | None, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Give AMOUNT such as 0.1ether to WHOM, who gives you WANTED such as 300USDC.

    You lock first, and print a line that they take. While this runs it waits for their lock and
    shows the secret that moves both. If it is ended before, `perun swap resume` goes on with it;
    without that nothing moves, and your lock is free again at its end.
    """
    with _other(node, there) as far:
        here, away = Amounts(node), Amounts(far)
        given, asked = _read(here, amount), _read(away, wanted)
        secret = secrets.token_bytes(32)
        ticket = plan(node, far, whom, given, asked, secret, parts)
        one = pieces(ticket)[0].first.amount
        cut = f", {here.show(given[1], one)} at a time" if parts > 1 else ""
        consent(
            yes,
            f"Lock {here.show(given[1], given[0])} for {plain(whom)[:14]}…{cut}, and get "
            f"{away.show(asked[1], asked[0])}. If they do not lock theirs, yours is free again "
            f"after {time_of(ticket.first.until)}.",
        )
        other = "" if there is None else str(home_of(there))
        keep(_home(), Swap(ticket.hash, str(ticket), other, "0x" + secret.hex()))
        _give(node, far, ticket, secret, as_json)


@command("take")
@click.argument("ticket")
@_THERE
@YES
@JSON
def take(node: Node, ticket: str, there: Path | None, yes: bool, as_json: bool) -> None:
    """Take the swap that somebody offers by TICKET, the line that `perun swap give` prints.

    You lock once theirs is good. If this is ended your node goes on with it, and so does the same
    line again, or `perun swap resume`; between two networks both of your nodes have to run.
    """
    offered = read(ticket)
    with _other(node, there) as far:
        first, second = _matched(offered, node, far)
        paid = Amounts(second)
        (seconds, worth), parts = look(offered, second.status()), len(pieces(offered))
        asset = offered.second.asset
        consent(
            yes,
            f"Give {paid.show(asset, offered.second.amount)}, and get "
            f"{Amounts(first).show(offered.first.asset, offered.first.amount)}. Once yours is "
            f"locked they may look at the market for {seconds // 60} minutes and let both lapse, "
            f"which is worth up to {paid.show(asset, str(worth))} to them"
            + (f", in each of {parts} parts." if parts > 1 else ": swap large amounts in parts."),
        )
        homes = [_home(), home_of(there) if there else _home()]
        _take(first, second, offered, homes[:: 1 if first is node else -1], as_json)


@command("resume")
@JSON
def resume(node: Node, as_json: bool) -> None:
    """Go on with the swaps that you have begun from this node's folder, one after the other."""
    swaps = [*kept(_home())]
    for swap in swaps:
        ticket, there = read(swap.ticket), Path(swap.other) if swap.other else None
        with _other(node, there) as far:
            if swap.secret:
                _give(node, far, ticket, bytes.fromhex(swap.secret[2:]), as_json)
            else:
                _take(node, far, ticket, [_home(), there or _home()], as_json)
    if not swaps and not as_json:
        _tell("No swap is under way here.")


for _one in (give, take, resume):
    swap.add_command(_one)

COMMANDS: Final = (swap,)


def _home() -> Path:
    """Of the node that the command asks."""
    return home_of(click.get_current_context().params["home"])


def _give(node: Node, far: Node, ticket: Ticket, secret: bytes, as_json: bool) -> None:
    """What came to nothing is forgotten; whatever else ends us, it is kept."""
    try:
        for got in give_parts(node, far, ticket, secret, _tell):
            _show(Amounts(far), got, as_json)
    except (NotSwapped, SwapRejected):
        forget(_home(), ticket.hash)
        raise
    forget(_home(), ticket.hash)


def _take(first: Node, second: Node, ticket: Ticket, homes: Sequence[Path], as_json: bool) -> None:
    """Args:
    homes: of both nodes.
    """
    other = "" if homes[0] == homes[1] else str(homes[1])

    def kept_with(piece: Ticket, theirs: HashLock) -> None:
        keep(homes[0], Swap(piece.hash, str(ticket), other, lock=theirs.id))

    for got in take_parts(first, second, ticket, _tell, kept_with):
        forget(homes[0], got.hash)
        _show(Amounts(first), got, as_json)


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
