"""Pytest plugin that changes one file of the core as it is loaded: `-p tests.games.planted.edited`.

The variable PERUN_EDIT names an edit of `edits.toml`. Nothing on disk is changed.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["EDITS", "ROOT", "Edit"]

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the source of the core."""

    name: str
    file: str
    old: str
    new: str
    near: tuple[str, ...] = ()
    """Files of `tests/core` that should notice, tried first."""
    equivalent: str = ""
    """Why no test can notice; empty: one must."""

    @property
    def applies(self) -> bool:
        """Whether what it changes stands there, once."""
        return (ROOT / self.file).read_text(encoding="utf-8").count(self.old) == 1

    def on(self, source: str) -> str:
        """The changed source."""
        assert source.count(self.old) == 1, f"{self.name}: what it changes is not there"
        return source.replace(self.old, self.new)


def _read() -> dict[str, Edit]:
    table = tomllib.loads(Path(__file__).with_name("edits.toml").read_text(encoding="utf-8"))
    edits = [
        Edit(**{**fields, "name": name, "near": tuple(fields.get("near", ()))})
        for name, fields in table.items()
    ]
    return {edit.name: edit for edit in edits}


EDITS = _read()


class _Loader(SourceFileLoader):
    """Compiles the changed source, and leaves no bytecode."""

    def __init__(self, name: str, path: str, edit: Edit) -> None:
        super().__init__(name, path)
        self._edit = edit

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError("no bytecode for what stands nowhere")

    def get_data(self, path: str) -> bytes:
        return self._edit.on(super().get_data(path).decode()).encode()


class _Finder:
    """Finds the one module that is changed."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self._name = edit.file.removesuffix(".py").replace("/", ".")

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        file = str(ROOT / self._edit.file)
        return spec_from_file_location(name, file, loader=_Loader(name, file, self._edit))


if "PERUN_EDIT" in os.environ:
    _edit = EDITS[os.environ["PERUN_EDIT"]]
    assert not any(name.startswith("perun.core") for name in sys.modules)
    sys.meta_path.insert(0, _Finder(_edit))
