"""`python -m benchmarks NAME …`: measure, show a table, and write JSON if asked.

docs/performance.md says what each measures, and shows a run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from benchmarks.apart import afar, apart
from benchmarks.crowd import crowd
from benchmarks.gateways import gateways
from benchmarks.hubs import hubs
from benchmarks.keeping import disk, memory, restart
from benchmarks.mass_exit import mass_exit
from benchmarks.network import network
from benchmarks.newcomer import newcomer
from benchmarks.payments import latency, payments, scaling
from benchmarks.report import Result, as_json, show
from benchmarks.scale import scale
from benchmarks.states import updates, virtual
from benchmarks.stream import stream
from benchmarks.syncs import syncs
from benchmarks.where import where

BENCHMARKS: Final[dict[str, Callable[..., Result]]] = {
    "payments": payments,
    "stream": stream,
    "updates": updates,
    "virtual": virtual,
    "apart": apart,
    "latency": latency,
    "network": network,
    "afar": afar,
    "crowd": crowd,
    "newcomer": newcomer,
    "scale": scale,
    "gateways": gateways,
    "hubs": hubs,
    "restart": restart,
    "memory": memory,
    "disk": disk,
    "scaling": scaling,
    "syncs": syncs,
    "where": where,
    "mass-exit": mass_exit,
}
TOGETHER: Final[dict[str, tuple[str, ...]]] = {
    # PostgreSQL and NATS are not everywhere; a simulation measures nothing of this machine.
    "all": tuple(name for name in BENCHMARKS if name not in ("scale", "gateways", "mass-exit")),
    "network": ("network", "afar", "crowd", "newcomer"),
}
"""Names that stand for several."""
UNTIMED: Final = frozenset({"restart", "memory", "newcomer", "mass-exit"})
"""Take as long as they take."""


@click.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice([*BENCHMARKS, "all"]))
@click.option("--seconds", type=click.FloatRange(0.1, 3_600.0), help="how long each one pays")
@click.option("--wallets", type=click.IntRange(2), help="of `scale` and `crowd`, an even number")
@click.option("--by-hand", is_flag=True, help="`scale` ends nothing: you do")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write all figures here")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="where the stores live meanwhile: the disk that is measured",
)
def main(
    names: tuple[str, ...],
    seconds: float | None,
    wallets: int | None,
    by_hand: bool,
    file: Path | None,
    folder: Path | None,
) -> None:
    """Measure payments, updates, virtual channels, and what a node keeps.

    Exits with 1 if a target is missed.
    """
    console = Console()
    results = []
    for name in dict.fromkeys(one for named in names for one in TOGETHER.get(named, (named,))):
        with tempfile.TemporaryDirectory(prefix="perun-benchmark-", dir=folder) as home:
            untimed = seconds is None or name in UNTIMED
            more: dict[str, Any] = {} if untimed else {"seconds": seconds}
            if wallets is not None and name in ("scale", "crowd"):
                more["wallets"] = wallets
            if by_hand and name == "scale":
                more["alone"] = True
            results.append(BENCHMARKS[name](Path(home), **more))
        show(results[-1:], console)
    if file is not None:
        file.write_text(json.dumps(as_json(results), indent=2) + "\n")
    missed = [r.name for r in results if any(figure.met is False for figure in r.figures)]
    if missed:
        console.print(f"targets missed: {', '.join(missed)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
