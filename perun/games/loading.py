"""Views that somebody has written for rules of their own: a file of Python, which is run."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import ClassVar

from perun.errors import Misuse
from perun.games.view import View

__all__ = ["BadView", "load_views"]


@dataclass(eq=False)
class BadView(Misuse):
    """A file has no view that can be used."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"
    hint: ClassVar[str] = (
        "it needs a class below perun.games.View: see docs/guides/write-a-nanocontract.md"
    )


def load_views(file: Path) -> dict[str, View]:
    """The views in a file, by the names of rules contracts.

    Raises:
        BadView: it cannot be run, or has none.
    """
    spec = spec_from_file_location(f"perun_view_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BadView(str(file), "no file of Python")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        kinds = [
            one
            for one in vars(module).values()
            if isinstance(one, type) and issubclass(one, View) and one.__module__ == spec.name
        ]
        found = {kind.name: kind() for kind in kinds}
    except Exception as error:  # Somebody's own code: whatever it raises, it is told.
        raise BadView(str(file), f"{type(error).__name__}: {error}") from None
    if not found:
        raise BadView(str(file), "it has no view")
    return found
