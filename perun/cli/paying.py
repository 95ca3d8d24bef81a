"""`perun pay`, `refund`, `request`."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import Final
from urllib.parse import parse_qsl

import click

from perun.api.amounts import ETH_NAME
from perun.api.client import Node
from perun.app.values import Payment
from perun.cli.asking import (
    JSON,
    KEY,
    YES,
    Amounts,
    Names,
    by_start,
    command,
    consent,
    print_json,
    time_of,
)
from perun.cli.outcome import NOT_DONE, UNDER_WAY
from perun.cli.render import console, plain, say
from perun.cli.waiting import working

__all__ = ["COMMANDS"]

_SCHEME: Final = "perun:"
_NUMBERS: Final = {"amount": re.compile("[0-9]{1,40}"), "until": re.compile("[0-9]{1,11}")}


@command("pay")
@click.argument("to")
@click.argument("sum", required=False, metavar="[AMOUNT]")
@click.option("--asset", help="A token, by name or address; else ETH, or what the request says.")
@click.option("--text", default="", help="For the receiver.")
@click.option(
    "--wait", type=click.IntRange(0, 600), default=45, show_default=True, help="Seconds, at most."
)
@KEY
@YES
@JSON
def pay(
    node: Node, to: str, sum: str | None, asset: str | None, text: str, wait: int,
    key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Pay TO, an address, a contact, or a perun: request: AMOUNT such as 0.1ether or "5 USDC"."""
    amounts, names = Amounts(node), Names(node)
    units, asset = amounts.read(sum, asset)
    if not as_json:
        if not yes:
            whom = _link(to)[0] if to.lower().startswith(_SCHEME) else to
            import_module("perun.cli.addressees").require(whom, names.known())
        what = _meant(amounts, names, to, units, asset)
        consent(yes, f"Pay {what}. Signed, it cannot be taken back.")
    with working(as_json or not sys.stderr.isatty(), "finding a way"):
        done = node.pay(to, units, asset=asset, text=text, wait=wait, idempotency_key=key)
    if as_json:
        print_json(done)
    else:
        _show(amounts, names, done)
    if done.step == "failed":
        sys.exit(NOT_DONE)
    if done.step in ("finding", "opening"):
        sys.exit(UNDER_WAY)


@command("refund")
@click.argument("payment")
@click.argument("sum", required=False, metavar="[AMOUNT]")
@click.option("--text", default="", help="For the receiver.")
@KEY
@YES
@JSON
def refund(
    node: Node, payment: str, sum: str | None, text: str, key: str | None, yes: bool, as_json: bool
) -> None:
    """Give back a PAYMENT that you received, whole or AMOUNT of it."""
    amounts, names, known = Amounts(node), Names(node), node.payments(limit=1000)
    payment = by_start([one.id for one in known], payment, "payment")
    view = next(one for one in known if one.id == payment)
    units, _ = amounts.read(sum, view.asset)
    whom = names.show(view.peer)
    if not as_json:
        all_of_it = amounts.show(view.asset, str(int(view.amount) - int(view.refunded)))
        what = all_of_it if units is None else amounts.show(view.asset, units)
        consent(yes, f"Give back {what} of {payment[:14]}… to {whom}.")
    with working(as_json or not sys.stderr.isatty(), "paying back"):
        done = node.refund(payment, units, text=text, idempotency_key=key)
    if as_json:
        print_json(done)
    else:
        _show(amounts, names, done)
    if done.step == "failed":
        sys.exit(NOT_DONE)


@command("request")
@click.argument("sum", required=False, metavar="[AMOUNT]")
@click.option("--asset", help="A token, by name or address; else ETH.")
@click.option("--memo", default="", help="What it is for.")
@click.option("--minutes", type=click.IntRange(1), default=60, show_default=True)
@click.option("--relay", help="The hub to reach you over, if you have several.")
@JSON
def request(
    node: Node, sum: str | None, asset: str | None, memo: str, minutes: int, relay: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Ask for AMOUNT by a link and a QR code that can be paid once."""
    units, asset = Amounts(node).read(sum, asset)
    made = node.request(units or "0", asset, memo, 60 * minutes, relay)
    if as_json:
        print_json(made)
        return
    out = console()
    if out.is_terminal:
        import segno  # no program that reads the link waits for it

        segno.make(made.uri, error="l").terminal(compact=True)
    say(out, made.uri)
    # Only the link to a program that reads it.
    say(
        console(stderr=not out.is_terminal),
        f"until {time_of(made.until)} UTC; perun requests shows whether it is paid",
    )


def _meant(amounts: Amounts, names: Names, to: str, units: str | None, asset: str | None) -> str:
    """What will be paid, to whom, and what for: a link says so itself."""
    if not to.lower().startswith(_SCHEME):
        whom = plain(to)
        short = whom if len(whom) <= 48 else f"{whom[:14]}…{whom[-24:]}"
        return f"{_sum(amounts, units, asset)} to {short}"
    payee, fields = _link(to)
    if fields.get("amount", "0") != "0":
        units = units or fields["amount"]
        asset = "0x" + fields.get("asset", "").removeprefix("0x")
    memo = f', for "{plain(fields["memo"])}"' if fields.get("memo") else ""
    until = f" (it asks until {time_of(int(fields['until']))} UTC)" if "until" in fields else ""
    return f"{_sum(amounts, units, asset)} to {names.show(payee)}{memo}{until}"


def _link(text: str) -> tuple[str, dict[str, str]]:
    """Whom a link names, and its parameters, to be shown: the node takes no link that says one
    twice, or that its payee has not signed."""
    target, _, query = text[len(_SCHEME) :].partition("?")
    fields = dict(parse_qsl(query))
    for name, form in _NUMBERS.items():
        if not form.fullmatch(fields.get(name, "0")):
            raise click.UsageError(f"not a payment request: its {name} is no number")
    return target.partition("@")[0], fields


def _sum(amounts: Amounts, units: str | None, asset: str | None) -> str:
    if units is None or units == "0":
        raise click.UsageError("say how much: perun pay TO AMOUNT, such as 0.1ether")
    return amounts.show(asset or ETH_NAME, units)


def _show(amounts: Amounts, names: Names, done: Payment) -> None:
    out = console()
    line = f"{done.step}: {amounts.show(done.asset, done.amount)} to {names.show(done.peer)}"
    say(out, line, "bold red" if done.step == "failed" else "bold")
    if done.why:
        say(out, done.why)
    if done.receipt:
        say(out, "the receiver has signed a receipt")
    say(out, f"id {done.id}")


COMMANDS: Final = (pay, refund, request)
