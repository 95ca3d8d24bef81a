"""Deals in escrow in a terminal: `perun escrow`, `deals`, `award`, `let-go`."""

from __future__ import annotations

from typing import Final

import click

from perun.api.client import Node
from perun.app.values import Deal
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
from perun.cli.render import console, plain, say
from perun.cli.watching import why_of

__all__ = ["COMMANDS"]

_DAY: Final = 86_400


@command("deals")
@JSON
def deals(node: Node, as_json: bool) -> None:
    """Show deals in escrow: invitations, what is locked, what has ended lately."""
    found = node.deals()
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    rows = table("id", "with", "you", "they", "arbiter", "until", "state", "gain")
    for one in found:
        gain = "" if one.gain is None else amounts.signed(one.asset, one.gain)
        rows.add_row(
            one.id[:14] + "…", who(one.peer, one.name), amounts.show(one.asset, one.amount),
            amounts.show(one.asset, one.peer_amount), one.arbiter[:10] + "…",
            time_of(one.until), one.state, gain,
        )  # fmt: skip
    show_table(rows, "No deals. Begin one: perun escrow WHOM 0.1ether --arbiter ADDRESS")


@command("escrow")
@click.argument("whom")
@click.argument("amount")
@click.option("--arbiter", required=True, help="Address of the key that may share it out.")
@click.option("--theirs", default="0", show_default=True, help="What they put in.")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True)
@click.option("--due", type=click.IntRange(1), default=3, show_default=True, help="Days.")
@click.option("--late-pays", default="0", help="Goes to them if nobody has said anything by then.")
@KEY
@YES
@JSON
def escrow(
    node: Node, whom: str, amount: str, arbiter: str, theirs: str, days: int, due: int,
    late_pays: str, key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Put AMOUNT such as 0.1ether into escrow with WHOM; an arbiter can share it out."""
    amounts = Amounts(node)
    units, asset = amounts.read(amount)
    if not as_json:
        consent(yes, f"Put {amount} into escrow with {plain(whom)[:14]}…. The holder of "
                f"{plain(arbiter)} can give all of it away.")  # fmt: skip
    late = amounts.read(late_pays, asset)[0] or "0"
    gain = "0" if late == "0" else f"-{late}"
    begun = node.escrow(
        whom, units or "0", arbiter, amounts.read(theirs, asset)[0] or "0", asset, days * _DAY,
        due * _DAY, gain, idempotency_key=key,
    )  # fmt: skip
    _show(amounts, begun, as_json)


@command("award")
@click.argument("deal")
@click.argument("shift")
@click.argument("signature")
@KEY
@JSON
def award(
    node: Node, deal: str, shift: str, signature: str, key: str | None, as_json: bool
) -> None:
    """Bring the arbiter's word: SHIFT and SIGNATURE as the arbiter gave them."""
    done = node.bring_award(_id(node, deal), shift, signature, idempotency_key=key)
    _show(Amounts(node), done, as_json)


@command("let-go")
@click.argument("deal")
@click.argument("amount")
@click.option("--receive", is_flag=True, help="AMOUNT is for you; else it is for them.")
@KEY
@YES
@JSON
def let_go(
    node: Node, deal: str, amount: str, receive: bool, key: str | None, yes: bool, as_json: bool
) -> None:
    """Let DEAL go if AMOUNT moves; it does once they say the same, or get all they can."""
    amounts, id = Amounts(node), _id(node, deal)
    (one,) = node.deals(id)
    units = amounts.read(amount, one.asset)[0] or "0"
    if not receive:
        consent(yes, f"Let it go and give them {amounts.show(one.asset, units)}.")
    gain = units if receive or units == "0" else f"-{units}"
    _show(amounts, node.let_go(id, gain, idempotency_key=key), as_json)


COMMANDS: Final = (deals, escrow, award, let_go)


def _id(node: Node, start: str) -> str:
    return by_start([one.id for one in node.deals()], start, "deal")


def _show(amounts: Amounts, deal: Deal, as_json: bool) -> None:
    if as_json:
        print_json(deal)
        return
    say(console(), f"{deal.state}: deal {deal.id}{amounts.for_us(deal.asset, deal.gain)}")
    if deal.why:
        say(console(), why_of(deal))
    if deal.instance is not None:
        say(console(), f"What an arbiter signs is about {deal.instance}.")
