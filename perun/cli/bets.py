"""Bets on a price in a terminal: `perun bets`, `perun bet offer`, `accept`, `price`, `show`."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import click
import msgspec

from perun.api.client import Node
from perun.app.values import Bet
from perun.cli.asking import (
    JSON,
    KEY,
    YES,
    Amounts,
    by_start,
    command,
    consent,
    print_json,
    show_table,
    table,
    time_of,
    who,
)
from perun.cli.commands import Commands, Listed
from perun.cli.outcome import UNDER_WAY
from perun.cli.render import console, plain, say
from perun.cli.times import second_of
from perun.cli.watching import TO_REACH, watched, why_of
from perun.nesting import read_json
from perun.types import MAX_AMOUNT

__all__ = ["COMMANDS"]

_TO_BE_PAID: Final = 60.0
"""Seconds in which whoever is there has agreed on what a price says."""


@command("bets")
@JSON
def bets(node: Node, as_json: bool) -> None:
    """Show bets on prices: invitations, what is locked, what has ended lately."""
    _list(node, as_json)


_COMMANDS: Final[tuple[Listed, ...]] = (
    ("offer", "perun.cli.bets", "Offer somebody a bet."),
    ("accept", "perun.cli.bets", "Agree to a bet."),
    ("decline", "perun.cli.bets", "Say no to one."),
    ("price", "perun.cli.bets", "Bring what the reporter has signed."),
    ("show", "perun.cli.bets", "Show one bet."),
    ("list", "perun.cli.bets", "Show all."),
    ("sign", "perun.cli.reporter", "Sign a price: for a reporter, without a node."),
)


@click.group("bet", cls=Commands, sections={"Commands": _COMMANDS})
def bet() -> None:
    """Bet with somebody on a price that a reporter will sign: offer, accept, price; or sign one."""


@command("list")
@JSON
def list_(node: Node, as_json: bool) -> None:
    """Show bets on prices: invitations, what is locked, what has ended lately."""
    _list(node, as_json)


@command("offer")
@click.argument("whom")
@click.argument("amount")
@click.option("--reporter", required=True, help="Address of the key that signs the price.")
@click.option("--feed", required=True, help="What is priced, as the reporter names it: ETH/USD.")
@click.option("--at", required=True, help="When: 2026-12-31T12:00 (UTC), Unix seconds, +10m.")
@click.option("--above", type=int, help="You win all if the price is higher than this.")
@click.option("--below", type=int, help="You win all if it is lower than this.")
@click.option("--from", "strike", type=int, help="Nothing moves at this price; for each 1 above …")
@click.option("--gain", help="… you get so much, and pay so much for each below it; or …")
@click.option("--lose", help="… the other way round.")
@click.option("--theirs", help="What they can lose; the same as you if not given.")
@click.option("--hours", type=click.IntRange(1, 8_760), default=24, show_default=True,
              help="To bring a price to the chain; without one nothing moves.")  # fmt: skip
@KEY
@YES
@JSON
def offer(
    node: Node, whom: str, amount: str, reporter: str, feed: str, at: str, above: int | None,
    below: int | None, strike: int | None, gain: str | None, lose: str | None,
    theirs: str | None, hours: int, key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Offer WHOM a bet in which you can lose AMOUNT such as 0.1ether.

    Prices are whole numbers, in the unit in which the reporter says them.
    """
    amounts = Amounts(node)
    units, asset = amounts.read(amount)
    if sum(one is not None for one in (above, below, strike)) != 1:
        raise click.UsageError("say one of --above PRICE, --below PRICE, --from PRICE")
    if (strike is None) != (gain is None and lose is None) or (gain and lose):
        raise click.UsageError("--from PRICE goes with one of --gain AMOUNT, --lose AMOUNT")
    if strike is not None:
        each = int(amounts.read(gain or lose, asset)[0] or 0)
        slope, base = each if gain else -each, strike
        said = f"each 1 above {base} {'brings you' if gain else 'costs you'} {gain or lose}"
    else:
        # The whole lock moves with the first unit: more than any lock is cut to it.
        slope = -MAX_AMOUNT if above is None else MAX_AMOUNT
        base = below or 0 if above is None else above
        said = f"you win if it is {'above' if slope > 0 else 'below'} {base}"
    second = second_of(at)
    if not as_json:
        consent(yes, f"Bet {amount} with {plain(whom)[:14]}… on {plain(feed)} at "
                f"{time_of(second)} UTC: {said}. The holder of {plain(reporter)} can give all "
                "of it away.")  # fmt: skip
    begun = node.bet(
        whom, units or "0", reporter, feed, second, str(base), str(slope), "1",
        amounts.read(theirs, asset)[0], asset, 3_600 * hours, idempotency_key=key,
    )  # fmt: skip
    patience = time.monotonic() + TO_REACH
    while not begun.reached and time.monotonic() < patience:
        node.events(node.status().event, wait=1)
        (begun,) = node.bets(begun.id)
    _show(amounts, begun, as_json)


@command("accept")
@click.argument("bet")
@YES
@JSON
def accept(node: Node, bet: str, yes: bool, as_json: bool) -> None:
    """Agree to BET, which somebody has offered you."""
    amounts, one = Amounts(node), _one(node, bet)
    if not as_json:
        say(console(), _terms(amounts, one))
        consent(yes, f"You can lose {amounts.show(one.asset, one.amount)}; the holder of "
                f"{one.reporter} can give all of it away.")  # fmt: skip
    since = node.status().event
    node.answer(one.id, True)
    done = _until(node, one, since, ("asked", "opening"))
    _show(amounts, done, as_json)
    sys.exit(UNDER_WAY if done.state == "opening" else 0)


@command("decline")
@click.argument("bet")
def decline(node: Node, bet: str) -> None:
    """Say no to BET."""
    node.answer(_id(node, bet), False)
    say(console(), "declined: nothing is locked")


@command("show")
@click.argument("bet")
@JSON
def show(node: Node, bet: str, as_json: bool) -> None:
    """Show on what BET is, what is known of its price, and what came of it."""
    amounts, one = Amounts(node), _one(node, bet)
    if not as_json:
        say(console(), _terms(amounts, one))
    _show(amounts, one, as_json)


@command("price")
@click.argument("bet")
@click.argument("price", required=False)
@click.argument("signature", required=False)
@click.option("--file", type=click.File(), help="What `perun bet sign` printed; - reads it here.")
@click.option("--wait/--no-wait", default=True, help="Until the other side has followed it.")
@KEY
@JSON
def price(
    node: Node, bet: str, price: str | None, signature: str | None, file: Any, wait: bool,
    key: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Bring for BET what its reporter has signed: PRICE and SIGNATURE, or a file with them."""
    amounts, one = Amounts(node), _one(node, bet)
    if file is not None:
        price, signature = _read(file.read())
    if price is None or signature is None:
        raise click.UsageError("say PRICE and SIGNATURE, or --file FILE")
    since = node.status().event
    done = node.bring_price(one.id, price, signature, idempotency_key=key)
    if wait:
        done = _until(node, done, since, ("open", "decided"))
    _show(amounts, done, as_json)
    sys.exit(0 if done.state == "over" or not wait else UNDER_WAY)


COMMANDS: Final = (bets, bet, offer, accept, decline, price, show, list_)


# ------------------------------------------------------------------------------------- helpers


def _list(node: Node, as_json: bool) -> None:
    found = node.bets()
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    rows = table("id", "with", "on", "you", "they", "state", "gain", folded="on")
    for one in found:
        gain = "" if one.gain is None else amounts.signed(one.asset, one.gain)
        rows.add_row(
            one.id[:10] + "…", who(one.peer, one.name), f"{plain(one.feed)} {time_of(one.time)}",
            amounts.show(one.asset, one.amount), amounts.show(one.asset, one.peer_amount),
            one.state, gain,
        )  # fmt: skip
    show_table(rows, "No bets. Offer one: perun bet offer WHOM 0.1ether --reporter ADDRESS …")


def _id(node: Node, start: str) -> str:
    return by_start([one.id for one in node.bets()], start, "bet")


def _one(node: Node, start: str) -> Bet:
    (one,) = node.bets(_id(node, start))
    return one


def _read(text: str) -> tuple[str, str]:
    try:
        read = read_json(text, dict)
        return str(read["price"]), str(read["signature"])
    except (msgspec.DecodeError, KeyError, TypeError):
        raise click.UsageError("the file holds no price as `perun bet sign` prints it") from None


def _until(node: Node, one: Bet, since: int, states: tuple[str, ...]) -> Bet:
    """How it stands once it is in none of these states; or soon, with whoever is silent."""
    patience = time.monotonic() + _TO_BE_PAID

    def waits(one: Bet) -> bool:
        return one.state in states and time.monotonic() < patience

    gone = "They do not want to any more, or cannot: nothing is locked."
    return watched(node, one, since, node.bets, waits, gone)


def _terms(amounts: Amounts, one: Bet) -> str:
    slope = int(one.slope)
    side = "higher" if slope > 0 else "lower"
    where = f"{plain(one.feed)} at {time_of(one.time)} UTC ({one.time}) by {one.reporter}"
    stakes = (
        f"you put in {amounts.show(one.asset, one.amount)}, "
        f"they {amounts.show(one.asset, one.peer_amount)}"
    )
    each = "all of it"
    if abs(slope) < MAX_AMOUNT:
        each = f"{amounts.show(one.asset, str(abs(slope)))} for each {one.scale}"
    return f"{where}: {stakes}; a price {side} than {one.strike} brings you {each}"


def _show(amounts: Amounts, one: Bet, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    known = f", at {' and '.join(one.prices)}" if one.prices else ""
    void = ": the reporter has contradicted itself" if len(one.prices) > 1 else ""
    say(console(), f"{one.state}: bet {one.id}{known}{void}{amounts.for_us(one.asset, one.gain)}")
    if one.why:
        say(console(), why_of(one))
