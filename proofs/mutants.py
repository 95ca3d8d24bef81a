"""Rules of the models in Coq, changed one at a time (`mutants.toml`): each must break a proof, or
have the model make a call of the games differently."""

from __future__ import annotations

import shutil
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proofs import model
from proofs.rows import Row

__all__ = ["MUTANTS", "Mutant", "mutants", "notices"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule of the model, changed."""

    what: str
    file: str
    old: str
    new: str


def _read() -> Sequence[Mutant]:
    text = Path(__file__).with_suffix(".toml").read_text()
    return tuple(Mutant(**entry) for entry in tomllib.loads(text)["mutant"])


MUTANTS = _read()


def mutants() -> list[Row]:
    """Each change of a rule must be noticed."""
    rows = []
    for mutant in MUTANTS:
        started = time.monotonic()
        noticed = notices(mutant)
        note = f"breaks {noticed}" if noticed else "not noticed"
        seconds = time.monotonic() - started
        rows.append(
            Row(mutant.what, "changed rule of the model", noticed is not None, seconds, note)
        )
        print(f"{'ok   ' if noticed else 'WRONG'} {mutant.what:56} {note}", flush=True)
    return rows


def notices(mutant: Mutant) -> str | None:
    """Which file no longer holds, or "a replayed trace"; None if all is as before."""
    folder = model.BUILD.with_name("mutant")
    model.copy(folder)
    path = folder / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.what}: found {text.count(mutant.old)} times, wanted once")
    path.write_text(text.replace(mutant.old, mutant.new))
    for name in model.files():
        if mutant.file not in model.needed(name):
            _as_before(name, folder)
        elif model.coqc(folder / name, folder).returncode:
            return name
    return None if all(row.good for row in model.traces(300, folder=folder)) else "a replayed trace"


def _as_before(name: str, folder: Path) -> None:
    """A file that the change does not reach: taken over, if it was compiled before."""
    compiled = model.BUILD / Path(name).with_suffix(".vo").name
    source = model.BUILD / name
    if compiled.exists() and source.read_bytes() == (model.SOURCE / name).read_bytes():
        shutil.copy2(compiled, folder)
    else:
        model.coqc(folder / name, folder).check_returncode()
