"""A hub's numbers as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from perun.hub.shown import Status
from perun.types import Record

__all__ = ["Machinery", "metrics"]


class Machinery(Record, frozen=True):
    """What is counted outside the node's turns."""

    healthy: bool
    ready: bool
    head_age: float
    """Seconds since the newest block; −1: none was seen."""
    links: int
    turned_away: int
    carried: int
    undelivered: int
    inbox: int
    gas_spent: int
    """Wei."""


def metrics(status: Status, machinery: Machinery) -> str:
    """One page."""
    lines: list[str] = []

    def show(name: str, kind: str, what: str, values: Mapping[str, float | int]) -> None:
        lines.append(f"# HELP perun_hub_{name} {what}")
        lines.append(f"# TYPE perun_hub_{name} {kind}")
        lines.extend(f"perun_hub_{name}{labels} {value}" for labels, value in values.items())

    def gauge(name: str, what: str, value: float | str | None) -> None:
        if value is not None:
            show(name, "gauge", what, {"": _number(value)})

    gauge("healthy", "Whether the node works and sees the chain.", machinery.healthy)
    gauge("ready", "Whether it takes new channels.", machinery.ready)
    show("channels", "gauge", "Channels by phase.", _labelled("phase", status.channels))
    show("instances", "gauge", "Instances that cross.", _labelled("stage", status.instances))
    gauge("peers_online", "Peers with a session.", status.online)
    gauge("head_block", "Newest block seen.", status.block)
    gauge("final_block", "Newest final block seen.", status.final)
    gauge("head_age_seconds", "Seconds since the newest block came.", machinery.head_age)
    gauge("gas_price_wei", "What gas costs.", status.gas_price)
    gauge("account_wei", "ETH of the account.", status.balance)
    gauge("gas_needed_wei", "What leaving all channels could cost.", status.gas_needed)
    gauge("credit_wei", "Credit in the contract.", status.credit)
    gauge("deposits_wei", "Ours in channels.", status.deposits)
    gauge("locked_wei", "Ours under instances.", status.locked)
    gauge("offers_waiting", "Offered channels that wait for their turn.", status.waiting)
    gauge("opens_live", "Opens signed and not used yet.", status.opens)
    gauge("addresses_waiting", "Addresses that have let an Open lapse.", status.strikes)
    gauge("links", "Connections that are attached.", machinery.links)
    gauge("inbox", "Inputs that wait for a turn.", machinery.inbox)
    for name, what, value in (
        ("turned_away_total", "Connections turned away by a limit.", machinery.turned_away),
        ("carried_total", "Packets passed on by the relay.", machinery.carried),
        ("undelivered_total", "Packets that found nobody.", machinery.undelivered),
        ("fees_wei_total", "Fees earned.", status.fees),
        ("gas_wei_total", "Gas paid.", machinery.gas_spent),
    ):
        show(name, "counter", what, {"": _number(value)})
    return "\n".join(lines) + "\n"


def _number(value: float | str) -> float | int:
    return int(value) if isinstance(value, str | bool) else value


def _labelled(label: str, counts: Mapping[str, int]) -> dict[str, float | int]:
    return {f'{{{label}="{name}"}}': count for name, count in _sorted(counts.items())}


def _sorted(items: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(items)
