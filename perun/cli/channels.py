"""`perun open`, `topup`, `withdraw`, `close`, `leave`, `answer`: channels begin, change and end.

What moves money says first what it will do and what it may cost at worst, and asks, unless `--yes`
was given. Then it shows how far it is, to the end, unless `--no-wait` was given.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import click
from rich.table import Table

from perun.api.client import Node
from perun.app.values import Channel, Done, Opening
from perun.cli.asking import (
    ACCOUNT,
    JSON,
    KEY,
    YES,
    Amounts,
    by_start,
    command,
    consent,
    print_json,
)
from perun.cli.outcome import NOT_DONE
from perun.cli.render import console, ether, plain, say
from perun.cli.waiting import WAIT, goes_on, until_over

__all__ = ["COMMANDS"]

_REFUSED: Final = "refused"


@command("open")
@click.argument("peer")
@click.argument("sum", metavar="AMOUNT")
@click.option("--receive", default="0", help="What the peer is to put in: what you can be paid.")
@click.option("--draw", is_flag=True, help="The peer's share out of its credit: one transaction.")
@click.option("--fee", default="0", help="What you pay the peer for its share.")
@click.option("--asset", help="A token, by name or address; else ETH.")
@ACCOUNT
@WAIT
@KEY
@YES
@JSON
def open_(
    node: Node, peer: str, sum: str, receive: str, draw: bool, fee: str, asset: str | None,
    account: str | None, wait: bool, key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Open a channel with PEER, a hub or a person, and put AMOUNT into it."""
    amounts = Amounts(node)
    units, asset = amounts.read(sum, asset)
    share, price = (amounts.read(one, asset)[0] for one in (receive, fee))
    terms: dict[str, Any] = {"asset": asset, "peer_amount": share, "draw": draw, "fee": price}
    terms["account"] = account
    assert units is not None
    plan = node.open(peer, units, consent=False, **terms)
    if not as_json:
        _show_plan(amounts, plan)
        consent(yes, "Open it?", ask_only=True)
    if plan.fee != "0":
        terms["fee"] = plan.fee  # What was shown, whatever the peer's card says by now.
    opened: list[Opening] = []

    def begin() -> Done:
        now = node.open(peer, units, consent=True, idempotency_key=key, **terms)
        opened.append(now)
        over = now.state in ("open", _REFUSED)
        return Done(id=now.channel or "0x", state=now.state, text=now.why, over=over)

    done = until_over(node, "open", begin, wait=wait, quiet=as_json)
    if as_json:
        print_json(_changed(opened[0], done))
    else:
        _say_how(node, amounts, "open", done)
    if done.state == _REFUSED:
        sys.exit(NOT_DONE)


def _changed(opening: Opening, done: Done) -> Opening:
    fields = {name: getattr(opening, name) for name in opening.__struct_fields__}
    return Opening(**{**fields, "state": done.state, "why": "" if done.over else done.text})


def _simple(
    name: str,
    method: str,
    text: str,
    warning: str,
    act: Callable[[Node], Callable[..., Done]],
    *,
    money: bool = False,
) -> click.Command:
    """A command about one channel."""

    def run(
        node: Node, channel: str, wait: bool, key: str | None, yes: bool, as_json: bool,
        sum: str | None = None,
    ) -> None:  # fmt: skip
        amounts, known = Amounts(node), node.channels() or node.channels(True)
        id = by_start([one.id for one in known], channel, "channel")
        view = next(one for one in known if one.id == id)
        units = (amounts.read(sum, view.asset)[0],) if money else ()
        if not as_json:
            shown = amounts.show(view.asset, str(units[0])) if units else ""
            consent(yes, warning.format(channel=id[:14] + "…", sum=shown))

        def begin() -> Done:
            return act(node)(id, *units, idempotency_key=key)

        done = until_over(node, method, begin, wait=wait, quiet=as_json)
        if as_json:
            print_json(done)
        else:
            _say_how(node, amounts, name, done)

    run.__doc__ = text
    wrapped: Any = run
    for option in (JSON, YES, KEY, WAIT):
        wrapped = option(wrapped)
    if money:
        wrapped = click.argument("sum", metavar="AMOUNT")(wrapped)
    return command(name)(click.argument("channel")(wrapped))


topup = _simple(
    "topup",
    "topUp",
    "Put AMOUNT more into CHANNEL, by a transaction.",
    "Put {sum} more into {channel}.",
    lambda node: node.top_up,
    money=True,
)
withdraw = _simple(
    "withdraw",
    "withdraw",
    "Take AMOUNT out of CHANNEL to your account, with the peer's consent.",
    "Take {sum} out of {channel}; the peer must agree, and the chain takes its gas.",
    lambda node: node.withdraw,
    money=True,
)
close = _simple(
    "close",
    "close",
    "End CHANNEL by agreement: one transaction pays both.",
    "Close {channel}. Payments in it end; your money goes to your account.",
    lambda node: node.close,
)
leave = _simple(
    "leave",
    "leave",
    "End CHANNEL through the chain, alone: slower and dearer than `close`.",
    "Leave {channel} alone. It takes the challenge and gas; close it if the peer answers.",
    lambda node: node.leave,
)


@command("answer")
@click.argument("offer")
@click.argument("word", type=click.Choice(["yes", "no"]))
@JSON
def answer(node: Node, offer: str, word: str, as_json: bool) -> None:
    """Say yes or no to an OFFER."""
    id = by_start([one.id for one in node.offers()], offer, "offer")
    done = node.answer(id, word == "yes")
    if as_json:
        print_json(done)
    else:
        say(console(), "accepted" if done.accepted else "refused")


# ---------------------------------------------------------------------------------------- showing


def _say_how(node: Node, amounts: Amounts, name: str, done: Done) -> None:
    out = console()
    if not done.over:
        say(out, goes_on(name, done))
        return
    style = "bold red" if done.state == _REFUSED else "bold"
    say(out, f"{done.state}: {plain(done.text)}", style)
    found: Channel | None = next((one for one in node.channels() if one.id == done.id), None)
    if found is not None and found.phase == "open":
        can = f"can be spent, {amounts.show(found.asset, found.peer_free)} can be received"
        say(out, f"channel {done.id[:14]}…: {amounts.show(found.asset, found.free)} {can}")
    if name in ("withdraw", "close", "leave"):
        outside = node.status().outside
        if outside is not None:
            say(out, f"Your account has {ether(int(outside))} ETH.")


def _show_plan(amounts: Amounts, plan: Opening) -> None:
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_row("with", f"{plan.peer[:14]}…")
    shown.add_row("you put in", amounts.show(plan.asset, plan.amount))
    shown.add_row("the peer puts in", amounts.show(plan.asset, plan.peer_amount))
    if plan.fee != "0":
        shown.add_row("fee", amounts.show(plan.asset, plan.fee))
    cost = ether(plan.gas * int(plan.gas_price))
    shown.add_row("gas now", f"{plan.gas:,} at most, {cost} ETH")
    alone = ether(plan.leave_gas * int(plan.gas_price))
    lost = "nothing" if plan.worst == "0" else amounts.show(plan.asset, plan.worst)
    shown.add_row(
        "at worst",
        f"{lost} is lost; the rest comes back alone within {_span(plan.worst_after)}, "
        f"for {alone} ETH of gas",
    )
    shown.add_row("the money counts", plain(plan.counts_after))
    console().print(shown)


def _span(seconds: int) -> str:
    """A length of time as people say it, rounded up."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{-(-seconds // size)} {unit}"
    return f"{seconds} seconds"


COMMANDS: Final = (open_, topup, withdraw, close, leave, answer)
