"""`python -m benchmarks.paired COMMIT`: is this commit slower than that one?

Both are measured in turn, this, that, that, this, by benchmarks that each of them brings along, so
that what a machine's neighbours do falls on both alike. A commit is checked out into a folder that
is thrown away; the Python and its packages are those that run this command.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.report import machine

__all__ = ["main", "slower"]

COMPARED: Final = {
    "payments": ("ratio", "cpu ratio"),
    "updates": ("ratio", "cpu ratio"),
    "virtual": ("ratio", "cpu ratio"),
}
"""Benchmark -> the figures compared; of each, more is better."""
HERE: Final = Path(__file__).parent.parent

Figures = dict[tuple[str, str], float]


def slower(new: Sequence[float], old: Sequence[float]) -> float:
    """By which share `new` falls behind `old`, by their medians; below 0 where it is ahead."""
    return 1 - statistics.median(new) / statistics.median(old)


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """A commit's files, for as long as they are needed."""
    place = folder / "that"
    git = ("git", "-C", str(HERE), "worktree")
    subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def measured(tree: Path, names: Sequence[str], seconds: float, found: Path) -> Figures:
    """What one run of a commit's own benchmarks finds. Missed targets are not our question."""
    command = [sys.executable, "-m", "benchmarks", *names]
    command += ["--seconds", str(seconds), "--json", str(found)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    found.unlink(missing_ok=True)
    ran = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if not found.exists():
        raise click.ClickException(f"the benchmarks of {tree} did not run:\n{ran.stderr}")
    results = json.loads(found.read_text())["results"]
    return {
        (name, figure): results[name]["figures"][figure]["value"]
        for name in names
        for figure in COMPARED[name]
    }


@click.command()
@click.argument("commit")
@click.option("--rounds", default=4, show_default=True, type=click.IntRange(1), help="of four runs")
@click.option("--seconds", default=2.0, show_default=True, help="how long each benchmark pays")
@click.option("--only", "names", multiple=True, type=click.Choice([*COMPARED]))
@click.option("--allowed", default=0.03, show_default=True, help="share that may be lost")
def main(commit: str, rounds: int, seconds: float, names: tuple[str, ...], allowed: float) -> None:
    """Compare the files here with COMMIT. Exits with 1 if a figure lost more than is allowed."""
    names = names or tuple(COMPARED)
    runs: dict[bool, list[Figures]] = {True: [], False: []}
    with (
        tempfile.TemporaryDirectory(prefix="perun-paired-") as home,
        checked_out(commit, Path(home)) as that,
    ):
        for new in track([True, False, False, True] * rounds, "measuring in turn"):
            tree = HERE if new else that
            runs[new].append(measured(tree, names, seconds, Path(home) / "found.json"))
    where = machine()
    table = Table(
        title=f"{where['cpu']}, {where['cores']} cores, load {where['load'][0]}, "
        f"medians of {2 * rounds} runs each",
        title_justify="left",
    )
    for heading in ("benchmark", "figure", commit, "here", "change", "spread here"):
        table.add_column(heading, justify="left" if heading in ("benchmark", "figure") else "right")
    lost = []
    for name in names:
        for figure in COMPARED[name]:
            here, there = ([run[name, figure] for run in runs[new]] for new in (True, False))
            share = slower(here, there)
            if share > allowed:
                lost.append(f"{name} {figure} {share:.1%}")
            table.add_row(
                name,
                figure,
                f"{statistics.median(there):.3f}",
                f"{statistics.median(here):.3f}",
                f"{0 - share:+.1%}",
                f"{min(here):.3f} to {max(here):.3f}",
            )
    Console().print(table)
    if lost:
        raise click.ClickException(f"slower by more than {allowed:.0%}: {', '.join(lost)}")


if __name__ == "__main__":
    main()
