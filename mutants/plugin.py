"""Pytest plugin that puts a mutant where the compiled contracts are: `-p mutants.plugin`.

The variable PERUN_MUTANT names a JSON file with the changed contracts by name.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from populus.project import Project
from tests.games.stateful import codec


def pytest_configure() -> None:
    changed = json.loads(Path(os.environ["PERUN_MUTANT"]).read_text(encoding="utf-8"))
    codec.overrides.update(changed)
    plain = Project.compiled_contract_data.fget
    assert plain is not None

    def compiled(project: Project) -> dict[str, Any]:
        found = plain(project)
        return {name: data | changed.get(name, {}) for name, data in found.items()}

    Project.compiled_contract_data = property(compiled)  # type: ignore[method-assign,assignment]
