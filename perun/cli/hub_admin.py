"""`perun hub status|channels|peers|fees|pause|resume|drain`: asked of the hub that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import click
import msgspec
import requests
from rich.table import Table

from perun.api.place import read_place
from perun.cli.asking import show_table, table
from perun.cli.homes import HOME_OPTION, JSON_OPTION, home_of
from perun.cli.render import amount, console, ether, say
from perun.errors import ChainFault
from perun.hub.shown import ADMIN_PLACE, ChannelLine, Fees, PeerLine, Status
from perun.types import Address, Asset, Wei

__all__ = ["COMMANDS", "HubNotRunning"]

_SECONDS: Final = 15.0


@dataclass(eq=False)
class HubNotRunning(ChainFault):
    """Nobody answers for the hub in a folder."""

    home: str
    reason: str

    template: ClassVar[str] = "no hub runs in {home}: {reason}"
    hint: ClassVar[str] = "start it with `perun hub run`; `perun hub audit` works without"


def _ask(home: Path, method: str, path: str) -> bytes:
    home = home_of(home)
    try:
        place = read_place(home, ADMIN_PLACE)
        answer = requests.request(
            method,
            f"{place.url}/{path}",
            headers={"Authorization": f"Bearer {place.token}"},
            timeout=_SECONDS,
            allow_redirects=False,
        )
    except (OSError, msgspec.DecodeError, requests.RequestException) as error:
        why = "nobody has said where it answers"
        if not isinstance(error, FileNotFoundError):
            why = type(error).__name__
        raise HubNotRunning(str(home), why) from None
    if answer.status_code != 200:
        raise HubNotRunning(str(home), f"HTTP {answer.status_code}: {answer.text.strip()[:200]}")
    return answer.content


def _looked(home: Path, path: str, kind: type, as_json: bool, show: Callable[[Any], None]) -> None:
    body = _ask(home, "GET", path)
    if as_json:
        click.echo(body.decode())
    else:
        show(msgspec.json.decode(body, type=kind))


def _eth(wei: str | None) -> str:
    return "not seen yet" if wei is None else f"{ether(int(wei))} ETH"


@click.command()
@HOME_OPTION
@JSON_OPTION
def status(home: Path, as_json: bool) -> None:
    """Show how the hub fares."""
    _looked(home, "status", Status, as_json, _show_status)


def _show_status(found: Status) -> None:
    shown = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(overflow="fold")
    mode = [word for word in ("paused", "draining", "exit_only") if getattr(found, word)]
    for name, value in (
        ("id", found.id),
        ("account", found.account),
        ("network", f"{found.network}, block {found.block}, final {found.final}"),
        ("mode", ", ".join(mode) or "takes new channels"),
        ("channels", _counted(found.channels)),
        ("instances", _counted(found.instances)),
        ("peers online", str(found.online)),
        ("account has", f"{_eth(found.balance)}, of which {_eth(found.gas_needed)} is for gas"),
        ("credit", _eth(found.credit)),
        ("in channels", f"{_eth(found.deposits)} of at most {_eth(found.deposits_most)}"),
        ("locked", _eth(found.locked)),
        ("fees earned", _eth(found.fees)),
        ("offers waiting", f"{found.waiting}, Opens signed and not used {found.opens}"),
    ):
        table.add_row(name, value)
    shown.print(table)
    if found.balance is not None and int(found.balance) < int(found.gas_needed):
        say(shown, f"Send the account ETH for gas: it needs {_eth(found.gas_needed)}.", "bold red")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


@click.command()
@HOME_OPTION
@JSON_OPTION
def channels(home: Path, as_json: bool) -> None:
    """Show all channels that have not ended; `held` counts what is listed in each."""
    _looked(home, "channels", list[ChannelLine], as_json, _show_channels)


def _show_channels(found: list[ChannelLine]) -> None:
    shown = table("channel", "peer", "phase", "free", "locked", "theirs", "held", folded="phase")
    for line in found:
        asset = Asset(Address(bytes.fromhex(line.asset[2:])))
        amounts = (line.ours, line.locked, line.theirs)
        shown.add_row(
            line.id[:8] + "…",
            line.peer[:11] + "…",
            line.phase if line.online else f"{line.phase}, offline",
            *(amount(asset, Wei(int(one))) for one in amounts),
            str(line.instances),
        )
    show_table(shown, "No channels.")


@click.command()
@HOME_OPTION
@JSON_OPTION
def peers(home: Path, as_json: bool) -> None:
    """Show whoever has a channel with the hub."""
    _looked(home, "peers", list[PeerLine], as_json, _show_peers)


def _show_peers(found: list[PeerLine]) -> None:
    shown = table("peer", "channels", "online", folded="peer")
    for line in found:
        shown.add_row(line.peer, str(line.channels), "yes" if line.online else "")
    show_table(shown, "Nobody.")


@click.command()
@HOME_OPTION
@JSON_OPTION
def fees(home: Path, as_json: bool) -> None:
    """Show what the hub charges, and has earned."""
    _looked(home, "fees", Fees, as_json, _show_fees)


def _show_fees(found: Fees) -> None:
    table = Table(box=None, show_header=False)
    for name, value in (
        ("for a virtual channel", _eth(found.base)),
        ("… per million locked", str(found.amount_ppm)),
        ("… per million and day", str(found.amount_day_ppm)),
        ("for a channel", _eth(found.opening)),
        ("… per million of our share", str(found.share_ppm)),
        ("earned", _eth(found.earned)),
    ):
        table.add_row(name, value)
    console().print(table)


def _act(name: str, what: str) -> click.Command:
    @click.command(name, help=what)
    @HOME_OPTION
    @JSON_OPTION
    def act(home: Path, as_json: bool) -> None:
        body = _ask(home, "POST", name)
        if as_json:
            click.echo(body.decode())
        else:
            say(console(), f"{name}: done")

    return act


COMMANDS: Final = (
    status,
    channels,
    peers,
    fees,
    _act("pause", "Take no new channels and no new instances; what there is goes on."),
    _act("resume", "Take new channels again."),
    _act("drain", "Take nothing new, finish what is under way, and stop."),
)
