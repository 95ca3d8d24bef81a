"""Payments under a secret in a terminal: `perun locks`, `perun lock secret`, `pay`, `take`."""

from __future__ import annotations

import json
import secrets
import sys
from typing import Final

import click

from perun.api.client import Node
from perun.app.values import HashLock
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
from perun.cli.outcome import NOT_DONE, UNDER_WAY
from perun.cli.render import console, plain, say
from perun.cli.times import second_of
from perun.cli.watching import watched, why_of
from perun.crypto import keccak

__all__ = ["COMMANDS"]

_EARLY: Final = ("invited", "opening")


@command("locks")
@JSON
def locks(node: Node, as_json: bool) -> None:
    """Show hash locks: payments that happen if a secret is shown in time."""
    _list(node, as_json)


_COMMANDS: Final[tuple[Listed, ...]] = (
    ("secret", "perun.cli.locks", "Make a secret, and the hash to be paid under."),
    ("pay", "perun.cli.locks", "Lock a payment under a hash."),
    ("take", "perun.cli.locks", "Take one by its secret."),
    ("list", "perun.cli.locks", "Show all."),
)


@click.group("lock", cls=Commands, sections={"Commands": _COMMANDS})
def lock() -> None:
    """Pay somebody once a secret is shown in time: over one hub, or over several."""


@click.command("secret")
def secret() -> None:
    """Make a secret, and its hash: hand out the hash, and keep the secret until you are to be paid.

    Whoever sees it takes every lock under its hash that pays him.
    """
    made = secrets.token_bytes(32)
    click.echo(json.dumps({"secret": "0x" + made.hex(), "hash": "0x" + keccak(made).hex()}))


@command("pay")
@click.argument("whom")
@click.argument("amount")
@click.argument("hash")
@click.option("--until", default="+2h", show_default=True,
              help="When it is over: 2026-12-31T12:00 (UTC), Unix seconds, +10m.")  # fmt: skip
@click.option("--wait/--no-wait", default=True, help="Until it is locked.")
@KEY
@YES
@JSON
def pay(
    node: Node, whom: str, amount: str, hash: str, until: str, wait: bool, key: str | None,
    yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Lock AMOUNT such as 0.1ether for WHOM, who gets it by the secret of HASH."""
    amounts = Amounts(node)
    units, asset = amounts.read(amount)
    last = second_of(until)
    if not as_json:
        consent(yes, f"Lock {amount} for {plain(whom)[:14]}…: it is theirs once they show the "
                f"secret, until {time_of(last)} UTC; else it is free again then.")  # fmt: skip
    since = node.status().event
    one = node.lock(whom, units or "0", hash, last, asset, idempotency_key=key)
    if wait:
        one = watched(node, one, since, node.locks, lambda one: one.state in _EARLY)
    _show(amounts, one, as_json)
    # What was refused has no instance, and nothing is locked.
    sys.exit(NOT_DONE if one.instance is None and one.state == "over" else 0)


@command("take")
@click.argument("lock")
@click.argument("secret")
@click.option("--wait/--no-wait", default=True, help="Until it is paid.")
@KEY
@JSON
def take(
    node: Node, lock: str, secret: str, wait: bool, key: str | None, as_json: bool
) -> None:  # fmt: skip
    """Take LOCK, which pays you, by its SECRET: off chain, or on chain if they are silent.

    - reads the secret here, so that nobody sees it in a list of processes.
    """
    amounts = Amounts(node)
    id = by_start([one.id for one in node.locks()], lock, "lock")
    if secret == "-":  # noqa: S105  # no secret
        secret = sys.stdin.readline().strip()
    since = node.status().event
    one = node.show_secret(id, secret, idempotency_key=key)
    if wait:
        one = watched(node, one, since, node.locks, lambda one: one.gain is None)
    _show(amounts, one, as_json)
    sys.exit(UNDER_WAY if one.gain is None else 0)


@command("list")
@JSON
def list_(node: Node, as_json: bool) -> None:
    """Show hash locks: payments that happen if a secret is shown in time."""
    _list(node, as_json)


COMMANDS: Final = (locks, lock, secret, pay, take, list_)


# ------------------------------------------------------------------------------------- helpers


def _list(node: Node, as_json: bool) -> None:
    found = node.locks()
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    rows = table("id", "with", "amount", "direction", "until", "state")
    for one in found:
        rows.add_row(
            one.id[:10] + "…", who(one.peer, one.name), amounts.show(one.asset, one.amount),
            "you pay" if one.pays else "to you", time_of(one.until), one.state,
        )  # fmt: skip
    show_table(rows, "No locks. Make one: perun lock pay WHOM 0.1ether HASH")


def _show(amounts: Amounts, one: HashLock, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    direction = f"{'to' if one.pays else 'from'} {who(one.peer, one.name)}"
    amount = amounts.show(one.asset, one.amount)
    gain = amounts.for_us(one.asset, one.gain)
    say(console(), f"{one.state}: {amount} {direction}, lock {one.id}{gain}")
    if one.why:
        say(console(), why_of(one))
