"""The model in Coq: prove what is claimed of it, and compare it with what runs.

`coq` compiles every file in a copy below `build/proofs/coq` and wants each claim to rest on no
axiom. `traces` has the model make the calls of the stateful games again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from proofs.rows import Row

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "proofs" / "coq"
BUILD = ROOT / "build" / "proofs" / "coq"
CLOSED = "Closed under the global context"
CALLS = 2_000
"""Calls of the games that a short comparison makes; `--calls 100000` for a long one."""


class NoCoq(SystemExit):
    """Coq is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "coqc is not on PATH. Install Coq 8.16 (Debian: apt-get install coq), "
            "or name it by the variable COQC."
        )


def coqc(file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Compile one file of the theory `Perun` that lies in `folder`."""
    command = [compiler(), "-q", "-Q", str(folder), "Perun", str(file)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def compiler() -> str:
    found = shutil.which(os.environ.get("COQC", "coqc"))
    if found is None:
        raise NoCoq
    return found


def files() -> list[str]:
    """The theory's files, each after those that it needs."""
    lines = (SOURCE / "_CoqProject").read_text().split()
    return [word for word in lines if word.endswith(".v")]


def needed(file: str) -> list[str]:
    """The file and all that it is built on, in the order of `files`."""
    wanted = {file}
    for name in reversed(files()):
        if name in wanted:
            text = (SOURCE / name).read_text()
            for line in re.findall(r"^From Perun Require \w+ (.*?)\.$", text, re.M):
                wanted |= {f"{word}.v" for word in line.split()}
    return [name for name in files() if name in wanted]


def copy(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCE, folder)


def claims() -> list[str]:
    """What `Claims.v` asks about, in its order."""
    text = (SOURCE / "Claims.v").read_text()
    return re.findall(r"^  ([\w.]+),?$", text, re.M)


def proved_in() -> dict[str, str]:
    """The file that proves each claim."""
    found: dict[str, str] = {}
    for claim in claims():
        theorem = re.compile(rf"^Theorem {claim.rpartition('.')[2]}\b", re.M)
        module = claim.rpartition(".")[0]
        for name in files():
            text = (SOURCE / name).read_text()
            if theorem.search(text) and (not module or f"Module {module}." in text):
                found.setdefault(claim, name)
    return found


def coq() -> list[Row]:
    """Compile all; every claim must rest on nothing."""
    copy(BUILD)
    taken: dict[str, float] = {}
    closed = False
    for name in files():
        started = time.monotonic()
        done = coqc(BUILD / name, BUILD)
        taken[name] = time.monotonic() - started
        print(f"{'WRONG' if done.returncode else 'ok   '} {name:24} {taken[name]:6.1f} s")
        if done.returncode:
            print(done.stdout + done.stderr)
            break
        if name == "Claims.v":
            closed = done.stdout.strip() == CLOSED
            print(done.stdout.strip())
    return [
        Row(claim, "theorem, every history", closed, taken.get(name), name)
        for claim, name in proved_in().items()
    ]


def traces(calls: int = CALLS, seed: int = 0, folder: Path = BUILD) -> list[Row]:
    """Have the models make `calls` calls of the games, and be brought what nanocontracts were.

    The games themselves compare `perun.spec` with the contracts' bytecode at every step, so a
    contract that does anything else is noticed here as well.
    """
    if not (folder / "Replay.vo").exists():
        copy(folder)
        for name in needed("Replay.v"):
            coqc(folder / name, folder).check_returncode()
    rows = []
    for first in range(0, calls, 2000):
        count = min(2000, calls - first)
        for what, write in _written(seed + first, count):
            started = time.monotonic()
            wrong = _differs(write, folder)
            if wrong:
                print(wrong)
            kind, seconds = "replayed: bytecode, spec, model", time.monotonic() - started
            rows.append(Row(f"{what}, from {first + 1:,}", kind, not wrong, seconds))
            print(f"{'WRONG' if wrong else 'ok   '} {rows[-1].claim}", flush=True)
    return rows


def _differs(write: Callable[[], str], folder: Path) -> str:
    """What differs, if anything: bytecode from `perun.spec` in the game, or the model from it."""
    try:
        text = write()
    except AssertionError as difference:
        return f"the contract is not what perun.spec says: {difference}"
    (folder / "Cases.v").write_text(text)
    done = coqc(folder / "Cases.v", folder)
    return (done.stdout[-2000:] + done.stderr[-2000:]) if done.returncode else ""


def _written(seed: int, count: int) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is made again, and what writes the file that Coq takes only if it does the same."""
    from proofs import calls, instances

    yield f"{count:,} calls of MSContract", lambda: calls.as_coq(*calls.record(seed, count))
    pieces = count // 5
    yield (
        f"{pieces:,} times evidence for each nanocontract",
        lambda: instances.as_coq(instances.record(seed, pieces)),
    )
