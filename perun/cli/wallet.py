"""The wallet: `perun open`, `pay`, `request`, `payments`, `channels`, `balance` and the rest.

Every command asks a running node by its interface, and holds no rule of its own. `--json` prints
what the node answered; people get tables. What moves money says first what it will do and what it
may cost at worst, and asks, unless `--yes` was given.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import click
import msgspec
import segno
from rich.table import Table

from perun.api.client import Node, connect
from perun.app.values import Channel, Opening, Payment, Value
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.outcome import NOT_PAID, UNDER_WAY
from perun.cli.render import amount, clock, console, ether, plain, say
from perun.errors import Misuse
from perun.types import Address, Asset, UnixTime, Wei

__all__ = ["COMMANDS"]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print what the node answers.")
_YES = click.option("--yes", is_flag=True, help="Ask nothing.")
_KEY = click.option("--key", help="Idempotency key: the same again happens once.")


def _command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of the wallet: its first argument is the node."""

    def wrap(function: Callable[..., None]) -> click.Command:
        def run(home: Path, **options: Any) -> None:
            with connect(home=home_of(home)) as node:
                function(node, **options)

        run.__doc__ = function.__doc__
        run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        return click.command(name)(HOME_OPTION(run))

    return wrap


# ------------------------------------------------------------------------------------ looking


@_command("channels")
@_JSON
@click.option("--ended", is_flag=True, help="Those that have ended, too.")
def channels(node: Node, as_json: bool, ended: bool) -> None:
    """Show your channels."""
    found = node.channels(ended)
    if as_json:
        _json(found)
        return
    table = _table("channel", "with", "state", "free", "locked", "can receive", "guaranteed")
    for one in found:
        table.add_row(
            one.id[:14] + "…",
            _who(one.peer, one.name),
            one.phase + (" …" if one.busy else ""),
            _money(one.asset, one.free),
            _money(one.asset, one.locked),
            _money(one.asset, one.peer_free),
            _money(one.asset, one.guaranteed),
        )
    _show(table, "No channels. Open one: perun open perun1…@host 0.1ether")


@_command("balance")
@_JSON
def balance(node: Node, as_json: bool) -> None:
    """Show what is yours, what is wrong, and what to do about it."""
    status = node.status()
    if as_json:
        _json(status)
        return
    out = console()
    say(out, f"{status.node}")
    outside = (
        "" if status.outside is None else f", {ether(int(status.outside))} ETH outside channels"
    )
    say(out, f"account {status.account}{outside}")
    block = status.block
    fresh = "" if block.fresh else ", too old to act on"
    say(out, f"{status.network.caip2}  block {block.number}, final {block.final_number}{fresh}")
    table = _table("asset", "can be spent", "locked", "guaranteed", "credit")
    for one in status.balances:
        table.add_row(
            "ETH" if _asset(one.asset) == bytes(20) else one.asset,
            _money(one.asset, one.free),
            _money(one.asset, one.locked),
            _money(one.asset, one.guaranteed),
            _money(one.asset, one.credit),
        )
    _show(table, "No money in channels yet.")
    for problem in status.problems:
        say(out, f"! {problem.text}; {problem.do}", "bold red")


@_command("exposure")
@_JSON
def exposure(node: Node, as_json: bool) -> None:
    """Show what you would get if everybody else vanished now, and by when."""
    found = node.exposure()
    if as_json:
        _json(found)
        return
    table = _table(
        "channel", "have", "alone", "at the latest", "gas", "be online by", "for", "watched by"
    )
    for one in found.channels:
        table.add_row(
            one.channel[:14] + "…",
            _money(one.asset, one.have),
            _money(one.asset, one.alone),
            _time(one.alone_by),
            f"{one.alone_gas:,}",
            _time(one.online_by),
            plain(one.reason),
            plain(", ".join(watcher.name for watcher in one.watchers)) or "nobody",
        )
    _show(table, "No channels, nothing exposed.")


@_command("payments")
@_JSON
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def payments(node: Node, as_json: bool, limit: int) -> None:
    """Show payments, the newest first."""
    found = node.payments(limit=limit)
    if as_json:
        _json(found)
        return
    table = _table("when", "", "amount", "with", "state", "text", "id")
    for one in found:
        table.add_row(
            _time(one.created),
            "→" if one.direction == "out" else "←",
            _money(one.asset, one.amount),
            _who(one.peer),
            one.step,
            plain(one.text or one.why),
            one.id[:14] + "…",
        )
    _show(table, "No payments yet.")


@_command("requests")
@_JSON
def requests(node: Node, as_json: bool) -> None:
    """Show what you have asked for."""
    found = node.requests()
    if as_json:
        _json(found)
        return
    table = _table("until", "amount", "state", "memo", "id")
    for one in found:
        asked = "any" if one.amount == "0" else _money(one.asset, one.amount)
        table.add_row(_time(one.until), asked, one.state, plain(one.memo), one.id[:14] + "…")
    _show(table, "You have asked for nothing.")


@_command("networks")
@_JSON
def networks(node: Node, as_json: bool) -> None:
    """Show the networks that the node knows, and which one it is on."""
    found = node.networks()
    if as_json:
        _json(found)
        return
    table = _table("network", "name", "contract", "")
    for one in found:
        table.add_row(one.caip2, plain(one.name), one.contract, "current" if one.current else "")
    _show(table, "None.")


@click.group("contacts", invoke_without_command=True)
@click.pass_context
def contacts(context: click.Context) -> None:
    """Names for nodes: list them, add, remove."""
    if context.invoked_subcommand is None:
        context.invoke(contacts_list)


@_command("list")
@_JSON
def contacts_list(node: Node, as_json: bool) -> None:
    """Everybody whom you gave a name."""
    found = node.contacts()
    if as_json:
        _json(found)
        return
    table = _table("name", "node", "host", "channels")
    for one in found:
        table.add_row(plain(one.name), _who(one.node), plain(one.host), str(one.channels))
    _show(table, "Nobody yet: perun contacts add NAME perun1…@host")


@_command("add")
@click.argument("name")
@click.argument("address")
@_JSON
def contacts_add(node: Node, name: str, address: str, as_json: bool) -> None:
    """Give the node at ADDRESS a NAME; it may reach you from then on."""
    done = node.add_contact(name, address)
    if as_json:
        _json(done)
    else:
        say(console(), f"{done.name} is {done.node}")


@_command("remove")
@click.argument("name")
@_JSON
def contacts_remove(node: Node, name: str, as_json: bool) -> None:
    """Forget a NAME."""
    done = node.remove_contact(name)
    if as_json:
        _json(done)
    else:
        say(console(), done.text)


# ------------------------------------------------------------------------------------- paying


@_command("pay")
@click.argument("to")
@click.argument("sum", required=False, metavar="[AMOUNT]")
@click.option("--asset", help="A token's address; else ETH, or what the request says.")
@click.option("--text", default="", help="For the receiver.")
@click.option("--wait", type=click.IntRange(0, 600), default=30, show_default=True)
@_KEY
@_YES
@_JSON
def pay(
    node: Node, to: str, sum: str | None, asset: str | None, text: str, wait: int,
    key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Pay TO, an address, a contact, or a perun: request: AMOUNT such as 0.1ether."""
    if not as_json:
        what = "what it asks for" if sum is None else sum
        _consent(yes, f"Pay {what} to {plain(to)[:80]}. Signed, it cannot be taken back.")
    with _working(as_json, "finding a way"):
        done = node.pay(to, _units(sum), asset=asset, text=text, wait=wait, idempotency_key=key)
    if as_json:
        _json(done)
    else:
        _show_payment(done)
    if done.step == "failed":
        sys.exit(NOT_PAID)
    if done.step in ("finding", "opening"):
        sys.exit(UNDER_WAY)


@_command("refund")
@click.argument("payment")
@click.argument("sum", required=False, metavar="[AMOUNT]")
@click.option("--text", default="", help="For the receiver.")
@_KEY
@_YES
@_JSON
def refund(
    node: Node, payment: str, sum: str | None, text: str, key: str | None, yes: bool, as_json: bool
) -> None:
    """Give back a PAYMENT that you received, whole or AMOUNT of it."""
    payment = _full([one.id for one in node.payments(limit=1000)], payment, "payment")
    _consent(yes or as_json, f"Give back {sum or 'all'} of {payment[:14]}….")
    with _working(as_json, "paying back"):
        done = node.refund(payment, _units(sum), text=text, idempotency_key=key)
    if as_json:
        _json(done)
    else:
        _show_payment(done)


@_command("request")
@click.argument("sum", required=False, metavar="[AMOUNT]")
@click.option("--asset", help="A token's address; else ETH.")
@click.option("--memo", default="", help="What it is for.")
@click.option("--minutes", type=click.IntRange(1), default=60, show_default=True)
@click.option("--relay", help="The hub to reach you over, if you have several.")
@_JSON
def request(
    node: Node, sum: str | None, asset: str | None, memo: str, minutes: int, relay: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Ask for AMOUNT by a link and a QR code that can be paid once."""
    made = node.request(_units(sum) or "0", asset, memo, 60 * minutes, relay)
    if as_json:
        _json(made)
        return
    out = console()
    if out.is_terminal:
        segno.make(made.uri, error="l").terminal(compact=True)
    say(out, made.uri)
    # Only the link to a program that reads it.
    say(
        console(stderr=not out.is_terminal),
        f"until {_time(made.until)}; perun requests shows whether it is paid",
    )


# ------------------------------------------------------------------------------------ channels


@_command("open")
@click.argument("peer")
@click.argument("sum", metavar="AMOUNT")
@click.option("--receive", default="0", help="What the peer is to put in: what you can be paid.")
@click.option("--draw", is_flag=True, help="The peer's share out of its credit: one transaction.")
@click.option("--fee", default="0", help="What you pay the peer for its share.")
@click.option("--asset", help="A token's address; else ETH.")
@click.option("--wait/--no-wait", default=True, help="Until the money counts.")
@_KEY
@_YES
@_JSON
def open_(
    node: Node, peer: str, sum: str, receive: str, draw: bool, fee: str, asset: str | None,
    wait: bool, key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Open a channel with PEER, a hub or a person, and put AMOUNT into it."""
    share, price = _units(receive) or "0", _units(fee) or "0"
    terms: dict[str, Any] = {"asset": asset, "peer_amount": share, "draw": draw, "fee": price}
    amount_ = _units(sum) or "0"
    plan = node.open(peer, amount_, consent=False, **terms)
    if not as_json:
        _show_plan(plan)
        _consent(yes, "Open it?", ask_only=True)
    done = node.open(peer, amount_, consent=True, idempotency_key=key, **terms)
    if wait and done.channel is not None and done.state != "refused":
        with _working(as_json, "waiting for a final block"):
            _await(node, done.channel, lambda one: one is None or one.phase == "open")
        done = msgspec.structs.replace(done, state="open")
    if as_json:
        _json(done)
        return
    say(
        console(),
        f"channel {done.channel}: {done.state} {done.why if done.state != 'open' else ''}",
    )


def _simple(
    name: str, text: str, warning: str, act: Callable[..., Any], *, money: bool
) -> click.Command:
    """A command about one channel."""

    def run(
        node: Node, channel: str, key: str | None, yes: bool, as_json: bool, sum: str = ""
    ) -> None:
        id = _full([one.id for one in node.channels(True)], channel, "channel")
        if not as_json:
            _consent(yes, warning.format(channel=id[:14] + "…", sum=sum))
        extra = (_units(sum),) if money else ()
        done = act(node)(id, *extra, idempotency_key=key)
        if as_json:
            _json(done)
        else:
            say(console(), f"{done.state}: {done.text}")

    run.__doc__ = text
    wrapped: Any = run
    for option in (_JSON, _YES, _KEY):
        wrapped = option(wrapped)
    if money:
        wrapped = click.argument("sum", metavar="AMOUNT")(wrapped)
    return _command(name)(click.argument("channel")(wrapped))


topup = _simple(
    "topup",
    "Put AMOUNT more into CHANNEL, by a transaction.",
    "Put {sum} more into {channel}.",
    lambda node: node.top_up,
    money=True,
)
withdraw = _simple(
    "withdraw",
    "Take AMOUNT out of CHANNEL to your account, with the peer's consent.",
    "Take {sum} out of {channel}; the peer must agree, and the chain takes its gas.",
    lambda node: node.withdraw,
    money=True,
)
close = _simple(
    "close",
    "End CHANNEL by agreement: one transaction pays both.",
    "Close {channel}. Payments in it end; your money goes to your account.",
    lambda node: node.close,
    money=False,
)
leave = _simple(
    "leave",
    "End CHANNEL through the chain, alone: slower and dearer than `close`.",
    "Leave {channel} alone. It takes the challenge and gas; close it if the peer answers.",
    lambda node: node.leave,
    money=False,
)


@_command("offers")
@_JSON
def offers(node: Node, as_json: bool) -> None:
    """Show what peers want that waits for your word."""
    found = node.offers()
    if as_json:
        _json(found)
        return
    table = _table("id", "from", "what", "asks of you", "until")
    for one in found:
        asked = one.own_amount if one.kind == "channel" else one.loses
        table.add_row(
            one.id[:14] + "…", _who(one.peer), plain(one.text), _money(one.asset, asked),
            _time(one.until),
        )  # fmt: skip
    _show(table, "Nothing waits for your word.")


@_command("answer")
@click.argument("offer")
@click.argument("word", type=click.Choice(["yes", "no"]))
@_JSON
def answer(node: Node, offer: str, word: str, as_json: bool) -> None:
    """Say yes or no to an OFFER."""
    id = _full([one.id for one in node.offers()], offer, "offer")
    done = node.answer(id, word == "yes")
    if as_json:
        _json(done)
    else:
        say(console(), "accepted" if done.accepted else "refused")


COMMANDS: Final = (
    *(open_, pay, request, refund, payments, requests, channels, balance, exposure),
    *(topup, withdraw, close, leave, offers, answer, contacts, networks),
)
for _one in (contacts_list, contacts_add, contacts_remove):
    contacts.add_command(_one)


# ------------------------------------------------------------------------------------- helpers


def _json(value: Value | Iterable[Value]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _table(*headings: str) -> Table:
    table = Table()
    for heading in headings:
        table.add_column(heading)
    return table


def _show(table: Table, otherwise: str) -> None:
    out = console()
    out.print(table) if table.row_count else say(out, otherwise)


def _units(text: str | None) -> str | None:
    """`0.1ether` as the interface reads it: `0.1 ether`; plain digits are smallest units."""
    if text is None:
        return None
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    unit = text[len(number) :].strip()
    return f"{number} {unit}" if unit else number


def _asset(text: str) -> Asset:
    return Asset(Address(bytes.fromhex(text[2:])))


def _money(asset: str, units: str) -> str:
    return amount(_asset(asset), Wei(int(units)))


def _time(seconds: int | None) -> str:
    return "" if seconds is None else clock(UnixTime(seconds))


def _who(node: str, name: str = "") -> str:
    return plain(name) or node[:14] + "…"


def _full(known: list[str], start: str, what: str) -> str:
    """An id that is given by its beginning, as tables show it."""
    wanted = start.rstrip("…").lower()
    found = [id for id in known if id.startswith(wanted)]
    if len(found) != 1:
        raise _NotOne(what, start, len(found))
    return found[0]


def _consent(yes: bool, text: str, *, ask_only: bool = False) -> None:
    if not ask_only:
        say(console(), text)
    if yes:
        return
    click.confirm("Go on?" if not ask_only else text, abort=True)


def _working(quiet: bool, text: str) -> Any:
    return console(stderr=True, quiet=quiet or not sys.stderr.isatty()).status(text)


def _await(node: Node, channel: str, done: Callable[[Channel | None], bool]) -> None:
    while True:
        found = next((one for one in node.channels() if one.id == channel), None)
        if done(found):
            return
        time.sleep(0.25)


def _show_payment(done: Payment) -> None:
    out = console()
    line = f"{done.step}: {_money(done.asset, done.amount)} to {_who(done.peer)}"
    say(out, line, "bold red" if done.step == "failed" else "bold")
    if done.why:
        say(out, done.why)
    if done.receipt:
        say(out, "the receiver has signed a receipt")
    say(out, f"id {done.id}")


def _show_plan(plan: Opening) -> None:
    table = Table(box=None, show_header=False)
    table.add_row("with", plan.peer)
    table.add_row("you put in", _money(plan.asset, plan.amount))
    table.add_row("the peer puts in", _money(plan.asset, plan.peer_amount))
    if plan.fee != "0":
        table.add_row("fee", _money(plan.asset, plan.fee))
    cost = ether(plan.gas * int(plan.gas_price))
    table.add_row("gas now", f"{plan.gas:,} at most, {cost} ETH")
    alone = ether(plan.leave_gas * int(plan.gas_price))
    table.add_row(
        "at worst",
        f"{_money(plan.asset, plan.worst)} is lost; the rest comes back alone within "
        f"{plan.worst_after:,} s, for {alone} ETH of gas",
    )
    table.add_row("the money counts", plain(plan.counts_after))
    console().print(table)


@dataclass(eq=False)
class _NotOne(Misuse):
    """The beginning of an id fits none, or several."""

    what: str
    start: str
    found: int

    template: ClassVar[str] = "{found} {what}s begin with {start}"
    hint: ClassVar[str] = "type more of it, as the table shows it"
