"""Projects of the tool's own tests: one sample, compiled once, copied where it is changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from populus import Project
from populus.chain import TesterChain
from populus.cli import main
from populus.exceptions import CompilerError
from populus.solc import find_solc

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLE = Path(__file__).parent / "sample"
VERSION = "0.8.37"


@pytest.fixture(scope="session")
def solc() -> Path:
    """A compiler of the version the sample asks for; tests that need one skip without."""
    try:
        return find_solc(REPOSITORY, VERSION, install=False).binary
    except CompilerError:
        pytest.skip(f"no Solidity compiler {VERSION}: npm install, or set SOLC_BINARY")


@pytest.fixture(scope="session")
def compiled_sample(solc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project with a filled cache; not to be changed."""
    folder = tmp_path_factory.mktemp("sample") / "project"
    shutil.copytree(SAMPLE, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOLC_BINARY", str(solc))
        Project(folder).compile()
    return folder


@pytest.fixture
def sample(
    compiled_sample: Path, solc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the sample to change at will; its cache spares compiling what is unchanged."""
    folder = tmp_path / "project"
    shutil.copytree(compiled_sample, folder)
    monkeypatch.setenv("SOLC_BINARY", str(solc))
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder without anything."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def tester(compiled_sample: Path) -> Iterator[TesterChain]:
    """A fresh chain in memory of the sample project."""
    with Project(compiled_sample).get_chain("tester") as chain:
        assert isinstance(chain, TesterChain)
        yield chain


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(folder, "deploy", "-c", "tester")`: the command line in this process."""

    def invoke(folder: Path, *args: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(main, ["-p", os.fspath(folder), *args])

    return invoke


def refused(result: Result, *culprits: str) -> str:
    """The one message of a command that ended as it should when something is wrong."""
    assert result.exit_code not in (0, None), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    for culprit in culprits:
        assert culprit in result.output
    return result.output
