"""What there is to see of a node: `perun channels`, `balance`, `exposure`, `payments`, …"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from perun.api.client import Node
from perun.cli.asking import (
    ACCOUNT,
    JSON,
    Amounts,
    Names,
    command,
    print_json,
    show_table,
    table,
    time_of,
    who,
)
from perun.cli.homes import HOME_OPTION
from perun.cli.render import console, ether, plain, say

__all__ = ["COMMANDS"]


@command("channels")
@JSON
@click.option("--ended", is_flag=True, help="Those that have ended, too.")
def channels(node: Node, as_json: bool, ended: bool) -> None:
    """Show your channels."""
    found = node.channels(ended)
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    shown = table("channel", "with", "state", "free", "locked", "can receive", folded="with")
    for one in found:
        shown.add_row(
            one.id[:8] + "…",
            who(one.peer, one.name),
            one.phase + (" …" if one.busy else ""),
            amounts.show(one.asset, one.free),
            amounts.show(one.asset, one.locked),
            amounts.show(one.asset, one.peer_free),
        )
    show_table(shown, "No channels. Open one: perun open perun1…@host 0.1ether")
    for one in found:
        if one.doing:
            say(console(), f"{one.id[:8]}… {plain(one.doing)}")


@command("balance")
@JSON
def balance(node: Node, as_json: bool) -> None:
    """Show what is yours, what is wrong, and what to do about it."""
    status = node.status()
    if as_json:
        print_json(status)
        return
    out, amounts = console(), Amounts(node)
    say(out, f"node     {status.node}")
    outside = "" if status.outside is None else f", has {ether(int(status.outside))} ETH"
    say(out, f"account  {status.account}{outside}")
    block = status.block
    fresh = "" if block.fresh else ", too old to act on"
    say(
        out,
        f"network  {status.network.caip2}, block {block.number}, final {block.final_number}{fresh}",
    )
    shown = table("in channels", "can be spent", "locked", "guaranteed", "credit")
    for one in status.balances:
        shown.add_row(
            amounts.name(one.asset),
            amounts.show(one.asset, one.free),
            amounts.show(one.asset, one.locked),
            amounts.show(one.asset, one.guaranteed),
            amounts.show(one.asset, one.credit),
        )
    show_table(shown, "No money in channels yet.")
    for problem in status.problems:
        say(out, f"! {problem.text}; {problem.do}", "bold red")


@command("exposure")
@JSON
def exposure(node: Node, as_json: bool) -> None:
    """Show what you would get if everybody else vanished now, and by when."""
    found = node.exposure()
    if as_json:
        print_json(found)
        return
    out, amounts, names = console(), Amounts(node), Names(node)
    for one in found.channels:
        watchers = plain(", ".join(watcher.name for watcher in one.watchers)) or "nobody"
        shown = table(f"{one.channel[:14]}…", f"with {names.show(one.peer)}")
        shown.add_row("you have", amounts.show(one.asset, one.have))
        shown.add_row(
            "alone you would get",
            f"{amounts.show(one.asset, one.alone)}, by {time_of(one.alone_by)} at the latest, "
            f"for {one.alone_gas:,} gas",
        )
        if one.online_by is not None:
            shown.add_row("be online by", f"{time_of(one.online_by)}: {plain(one.reason)}")
        shown.add_row("watched by", watchers)
        out.print(shown)
    if not found.channels:
        say(out, "No channels, nothing exposed.")


@command("payments")
@JSON
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def payments(node: Node, as_json: bool, limit: int) -> None:
    """Show payments, the newest first."""
    found = node.payments(limit=limit)
    if as_json:
        print_json(found)
        return
    amounts, names = Amounts(node), Names(node)
    shown = table("when (UTC)", "", "amount", "with", "text", "id", folded="text")
    for one in found:
        said = plain(one.text or one.why)
        is_final = one.step in ("done", "received")
        shown.add_row(
            time_of(one.created)[5:16],
            "→" if one.direction == "out" else "←",
            amounts.show(one.asset, one.amount),
            names.show(one.peer),
            said if is_final else f"{one.step}: {said}",
            one.id[:8] + "…",
        )
    show_table(shown, "No payments yet.")


@command("requests")
@JSON
def requests(node: Node, as_json: bool) -> None:
    """Show what you have asked for."""
    found = node.requests()
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    shown = table("until (UTC)", "amount", "state", "memo", "id", folded="memo")
    for one in found:
        asked = "any" if one.amount == "0" else amounts.show(one.asset, one.amount)
        shown.add_row(time_of(one.until)[:16], asked, one.state, plain(one.memo), one.id[:8] + "…")
    show_table(shown, "You have asked for nothing.")


@command("offers")
@JSON
def offers(node: Node, as_json: bool) -> None:
    """Show what peers want that waits for your word."""
    found = node.offers()
    if as_json:
        print_json(found)
        return
    amounts, names = Amounts(node), Names(node)
    shown = table("id", "from", "what", "asks of you", "until (UTC)", folded="what")
    for one in found:
        asked = one.loses if one.kind == "proposal" else one.own_amount
        shown.add_row(
            one.id[:8] + "…",
            names.show(one.peer),
            plain(one.text),
            amounts.show(one.asset, asked),
            time_of(one.until)[:16],
        )
    show_table(shown, "Nothing waits for your word.")


@command("networks")
@JSON
def networks(node: Node, as_json: bool) -> None:
    """Show the networks that the node knows, which one it is on, and its tokens."""
    found = node.networks()
    if as_json:
        print_json(found)
        return
    shown = table("network", "name", "contract", "", "tokens", folded="contract")
    for one in found:
        tokens = ", ".join(plain(token.symbol) for token in one.tokens)
        current = "current" if one.current else ""
        shown.add_row(one.caip2, plain(one.name), one.contract, current, tokens)
    show_table(shown, "None.")


@click.group("contacts", invoke_without_command=True)
@HOME_OPTION
@JSON
@click.pass_context
def contacts(context: click.Context, home: Path, as_json: bool) -> None:
    """Names for nodes: list them, add, remove."""
    if context.invoked_subcommand is None:
        context.invoke(contacts_list, home=home, as_json=as_json)


@command("list")
@JSON
def contacts_list(node: Node, as_json: bool) -> None:
    """Everybody whom you gave a name."""
    found = node.contacts()
    if as_json:
        print_json(found)
        return
    shown = table("name", "node", "host", "channels", folded="name")
    for one in found:
        shown.add_row(plain(one.name), who(one.node), plain(one.host), str(one.channels))
    show_table(shown, "Nobody yet: perun contacts add NAME perun1…@host")


@command("add")
@click.argument("name")
@click.argument("address")
@ACCOUNT
@JSON
def contacts_add(node: Node, name: str, address: str, account: str | None, as_json: bool) -> None:
    """Give the node at ADDRESS a NAME; it may reach you from then on."""
    done = node.add_contact(name, address, account)
    if as_json:
        print_json(done)
    else:
        say(console(), f"{done.name} is {done.node}")


@command("remove")
@click.argument("name")
@JSON
def contacts_remove(node: Node, name: str, as_json: bool) -> None:
    """Forget a NAME."""
    done = node.remove_contact(name)
    if as_json:
        print_json(done)
    else:
        say(console(), done.text)


for _one in (contacts_list, contacts_add, contacts_remove):
    contacts.add_command(_one)

COMMANDS: Final = (channels, balance, exposure, payments, requests, offers, networks, contacts)
