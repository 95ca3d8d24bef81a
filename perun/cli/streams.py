"""Streams in a terminal: `perun streams`, `perun stream open`, `pay`, `run`, `pause`, `stop` …

A node goes on paying by itself whoever looks on: Ctrl-C ends the looking and nothing else.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

import click

from perun.api.client import Node
from perun.app.values import Stream
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
    who,
)
from perun.cli.outcome import NOT_DONE, UNDER_WAY
from perun.cli.render import console, plain, say
from perun.cli.times import UNITS
from perun.cli.watching import TO_REACH, next_event, watched, why_of

__all__ = ["COMMANDS"]

_EVERY = click.option(
    "--every", metavar="TIME", help="Pay by itself so often: 1s, 10m, 1h; 0.1s is ten at once."
)
_TICKS = click.option(
    "--ticks", type=click.IntRange(1), default=1, show_default=True, help="So many each time."
)
_WAIT = click.option("--wait/--no-wait", default=True, help="Until it has come about.")


def _every(text: str, ticks: int) -> tuple[int, int]:
    """Whole seconds, and ticks that are paid each time."""
    unit = UNITS.get(text[-1:].lower())
    try:
        seconds = float(text if unit is None else text[:-1]) * (unit or 1)
    except ValueError:
        raise _no_time(f"{text} is no time; write 1s, 10m, 1h") from None
    parts = round(1 / seconds) if 0 < seconds < 1 else 1
    whole = round(seconds * parts)
    if not 1 <= whole <= 31_536_000 or abs(whole / parts - seconds) > seconds / 1_000:
        raise _no_time(f"{text}: whole seconds, or a whole number of times a second")
    return whole, ticks * parts


def _no_time(why: str) -> click.BadParameter:
    return click.BadParameter(why, param_hint="--every")


@command("streams")
@JSON
def streams(node: Node, as_json: bool) -> None:
    """Show streams: what flows to or from you, what has ended lately."""
    _list(node, as_json)


@click.group("stream")
def stream() -> None:
    """Pay somebody tick by tick, as long as you like: open, pay, run, pause, stop."""


@command("list")
@JSON
def list_(node: Node, as_json: bool) -> None:
    """Show streams: what flows to or from you, what has ended lately."""
    _list(node, as_json)


@command("open")
@click.argument("whom")
@click.argument("amount")
@click.option("--tick", required=True, help="What one tick pays, such as 0.00001ether.")
@_EVERY
@_TICKS
@click.option("--hours", type=click.IntRange(1, 8_760), default=24, show_default=True)
@_WAIT
@KEY
@YES
@JSON
def open_(
    node: Node, whom: str, amount: str, tick: str, every: str | None, ticks: int, hours: int,
    wait: bool, key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Open a stream to WHOM, which can bring them AMOUNT such as 0.01ether at most.

    Only what you pay in it is theirs; the rest comes back when either of you stops it.
    """
    amounts = Amounts(node)
    units, asset = amounts.read(amount)
    tick_units = amounts.read(tick, asset)[0]
    seconds, each = (0, ticks) if every is None else _every(every, ticks)
    if not as_json:
        flows = f", {each} x {tick} every {seconds} s by itself" if seconds else ""
        consent(yes, f"Lock {amount} to pay {plain(whom)[:14]}… in ticks of {tick}{flows}.")
    since = node.status().event
    begun = node.stream(
        whom, units or "0", tick_units or "0", seconds, each, asset, 3_600 * hours,
        idempotency_key=key,
    )  # fmt: skip
    if wait:
        begun = _until(node, begun, since, lambda one: one.state not in ("invited", "opening"))
    _show(amounts, begun, as_json)
    if begun.state == "over" and begun.gain is None:
        sys.exit(NOT_DONE)
    sys.exit(UNDER_WAY if begun.state in ("invited", "opening") else 0)


@command("show")
@click.argument("stream")
@JSON
def show(node: Node, stream: str, as_json: bool) -> None:
    """Show how much has flowed in STREAM, and what is left."""
    _show(Amounts(node), _one(node, stream), as_json)


@command("watch")
@click.argument("stream")
def watch(node: Node, stream: str) -> None:
    """Show STREAM whenever something has flowed, until it is over or Ctrl-C."""
    amounts, since, one = Amounts(node), node.status().event, _one(node, stream)
    shown = ""
    while True:
        line = _line(amounts, one)
        if line != shown:
            say(console(), line)
        shown = line
        if one.state == "over":
            return
        since = next_event(node, since)
        (one,) = node.streams(one.id)


@command("pay")
@click.argument("stream")
@click.argument("ticks", type=click.IntRange(1), default=1)
@KEY
@JSON
def pay(node: Node, stream: str, ticks: int, key: str | None, as_json: bool) -> None:
    """Pay TICKS in STREAM now; 1 if you do not say how many."""
    _show(Amounts(node), node.tick(_id(node, stream), ticks, idempotency_key=key), as_json)


@command("run")
@click.argument("stream")
@click.option("--every", metavar="TIME", default="1s", show_default=True, help="So often.")
@_TICKS
@KEY
@JSON
def run(node: Node, stream: str, every: str, ticks: int, key: str | None, as_json: bool) -> None:
    """Let the node pay in STREAM by itself, from now on."""
    seconds, each = _every(every, ticks)
    done = node.run_stream(_id(node, stream), seconds, each, idempotency_key=key)
    _show(Amounts(node), done, as_json)


@command("pause")
@click.argument("stream")
@KEY
@JSON
def pause(node: Node, stream: str, key: str | None, as_json: bool) -> None:
    """Pay no more in STREAM by itself; it stays open."""
    _show(Amounts(node), node.run_stream(_id(node, stream), 0, idempotency_key=key), as_json)


@command("stop")
@click.argument("stream")
@_WAIT
@KEY
@JSON
def stop(node: Node, stream: str, wait: bool, key: str | None, as_json: bool) -> None:
    """End STREAM at what was paid: yours, or one to you. The rest of it is free again."""
    since, id = node.status().event, _id(node, stream)
    done = node.stop_stream(id, idempotency_key=key)
    if wait:
        done = _until(node, done, since, lambda one: one.state == "over")
    _show(Amounts(node), done, as_json)
    sys.exit(0 if done.state == "over" else UNDER_WAY)


for _command in (open_, pay, run, pause, stop, show, watch, list_):
    stream.add_command(_command)

COMMANDS: Final = (streams, stream)


# ------------------------------------------------------------------------------------- helpers


def _list(node: Node, as_json: bool) -> None:
    found = node.streams()
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    rows = table("id", "with", "you", "paid", "left", "state")
    for one in found:
        rows.add_row(
            one.id[:10] + "…", who(one.peer, one.name), "pay" if one.pays else "get",
            amounts.show(one.asset, one.paid), amounts.show(one.asset, one.left), one.state,
        )  # fmt: skip
    show_table(rows, "No streams. Open one: perun stream open WHOM 0.01ether --tick 0.00001ether")


def _id(node: Node, start: str) -> str:
    return by_start([one.id for one in node.streams()], start, "stream")


def _one(node: Node, start: str) -> Stream:
    (one,) = node.streams(_id(node, start))
    return one


def _until(node: Node, one: Stream, since: int, done: Callable[[Stream], bool]) -> Stream:
    """How it stands once something is so, or nobody can be reached."""
    patience = time.monotonic() + TO_REACH

    def waits(one: Stream) -> bool:
        return not done(one) and (one.reached or time.monotonic() < patience)

    return watched(node, one, since, node.streams, waits)


def _line(amounts: Amounts, one: Stream) -> str:
    def show(units: str) -> str:
        return amounts.show(one.asset, units)

    done = "paid" if one.pays else "received"
    flow = f", {one.ticks} every {one.every} s" if one.every else ""
    said = f"{one.state}: {show(one.paid)} {done}, {show(one.left)} left"
    return f"{said}, {show(one.tick_amount)} a tick{flow}"


def _show(amounts: Amounts, one: Stream, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    say(console(), _line(amounts, one))
    say(console(), f"stream {one.id}")
    if one.why:
        say(console(), why_of(one))
