"""What the wheel ships is what the sources say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perun.bindings.artifacts import Artifact, artifact
from populus.artifacts import read_artifacts, write_artifacts
from populus.compiler import compile_sources
from populus.project import Project

SHIPPED = Path(__file__).parents[3] / "perun" / "artifacts"
AGAIN = "run `populus compile` and commit perun/artifacts"


def test_the_sources_have_not_changed_since(project: Project) -> None:
    """By hash of every source, and the compiler's settings."""
    found = read_artifacts(SHIPPED, project.sources, project.compiler_settings)
    assert found is not None, AGAIN


@pytest.mark.slow
def test_the_compiler_makes_the_same_again(project: Project, tmp_path: Path) -> None:
    if not (Path(project.project_dir) / "node_modules" / "solc").exists():
        pytest.skip("needs the Node packages")
    root, settings = Path(project.project_dir), project.compiler_settings
    contracts, version = compile_sources(root, tmp_path / "build", project.sources, settings)
    fresh = tmp_path / "artifacts"
    write_artifacts(fresh, contracts, project.sources, settings, version)
    assert {path.name for path in fresh.iterdir()} == {path.name for path in SHIPPED.glob("*.json")}
    for path in fresh.iterdir():
        assert json.loads(path.read_text()) == json.loads((SHIPPED / path.name).read_text()), AGAIN


@pytest.fixture
def two_bytes() -> Artifact:
    """Code of four bytes, of which the middle two are an immutable."""
    return Artifact("Two", b"", b"\x01\0\0\x04", ((1, 2),))


@pytest.mark.parametrize("code", [b"\x01\0\0\x04", b"\x01\x02\x03\x04", b"\x01\xff\xff\x04"])
def test_immutables_are_not_compared(two_bytes: Artifact, code: bytes) -> None:
    assert two_bytes.matches(code)


@pytest.mark.parametrize("code", [b"", b"\x01\0\0\x05", b"\x02\0\0\x04", b"\x01\0\0", b"\x01" * 5])
def test_all_else_is(two_bytes: Artifact, code: bytes) -> None:
    assert not two_bytes.matches(code)


def test_contracts_with_a_domain_keep_it_as_an_immutable() -> None:
    assert artifact("LibSignatures").immutables == ()
    for name in ("MSContract", "VPM", "HashTimeLock"):
        assert {length for _, length in artifact(name).immutables} == {32}
