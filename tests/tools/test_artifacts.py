"""`perun/artifacts` and `tests/contracts/artifacts`, as committed, are what the sources make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from populus import Project
from populus.artifacts import read_artifacts, write_artifacts
from populus.compiler import compile_sources
from populus.exceptions import CompilerError
from populus.solc import find_solc
from populus.sources import SourceSet

ROOT = Path(__file__).resolve().parents[2]
SETS = ["contracts", "test contracts"]


@pytest.fixture(params=SETS)
def committed(request: pytest.FixtureRequest) -> tuple[Project, SourceSet, Path]:
    """A project, a set of its sources, and the folder their artifacts are in."""
    project = Project(ROOT)
    if request.param == "contracts":
        return project, project.sources, ROOT / project.config["compilation.artifacts_dir"]
    folder = ROOT / project.config["compilation.test_artifacts_dir"]
    return project, project.test_sources, folder


def test_artifacts_match_their_manifest(committed: tuple[Project, SourceSet, Path]) -> None:
    project, sources, folder = committed
    found = read_artifacts(folder, sources, project.compiler_settings)
    assert found is not None, f"{folder.name} is not that of the sources: run `make artifacts`"


def test_artifacts_are_what_the_compiler_makes(
    committed: tuple[Project, SourceSet, Path], tmp_path: Path
) -> None:
    project, sources, folder = committed
    settings = project.compiler_settings
    try:
        find_solc(ROOT, settings.version, install=False)
    except CompilerError:
        pytest.skip(f"no Solidity compiler {settings.version}: npm install, or set SOLC_BINARY")
    missing = [name for name in _recorded(folder) if name not in sources.contents]
    if missing:
        pytest.skip(f"{missing[0]} is not installed: npm install")
    contracts, version = compile_sources(ROOT, project.build_dir, sources, settings)
    write_artifacts(tmp_path, contracts, sources, settings, version)
    assert contents(tmp_path) == contents(folder), "run `make artifacts`"


def _recorded(folder: Path) -> list[str]:
    return list(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["sources"])


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
