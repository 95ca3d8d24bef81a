"""Figures with units and targets, as a table and as JSON, and the machine they were taken on."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["Figure", "Result", "as_json", "machine", "percentile", "show"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it reaches its target; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found."""

    name: str
    title: str
    figures: tuple[Figure, ...]

    def value(self, name: str) -> float:
        """A figure's value; raises `KeyError`."""
        for figure in self.figures:
            if figure.name == name:
                return figure.value
        raise KeyError(name)


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of values in ascending order, the one that `share` of them do not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def machine() -> dict[str, Any]:
    """Where the figures were taken."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((one.split(":")[1].strip() for one in lines if "model name" in one), "")
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("coincurve", "msgspec", "safe-pysha3")},
    }


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "machine": machine(),
        "results": {
            result.name: {
                "title": result.title,
                "figures": {
                    figure.name: {
                        **{
                            key: value
                            for key, value in asdict(figure).items()
                            if key != "name" and value not in (None, "")
                        },
                        **({} if figure.met is None else {"met": figure.met}),
                    }
                    for figure in result.figures
                },
            }
            for result in results
        },
    }


def show(results: Sequence[Result], console: Console) -> None:
    """The table."""
    where = machine()
    console.print(
        f"{where['cpu']}, {where['cores']} cores, load {where['load'][0]}, "
        f"Python {where['python']}, SQLite {where['sqlite']}, coincurve {where['coincurve']}"
    )
    for result in results:
        table = Table(title=result.title, title_justify="left", min_width=72)
        table.add_column("figure")
        table.add_column("value", justify="right")
        table.add_column("unit")
        table.add_column("target")
        for figure in result.figures:
            target = ""
            if figure.at_least is not None:
                target = f"at least {figure.at_least:g}"
            elif figure.at_most is not None:
                target = f"at most {figure.at_most:g}"
            if figure.met is not None:
                target += " ✓" if figure.met else " ✗ missed"
            table.add_row(figure.name, _number(figure.value), figure.unit, target)
        console.print(table)


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
