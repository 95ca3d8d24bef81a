"""What is damaged or cannot be written: one message that names it, or no harm at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from populus import Project
from populus.exceptions import PopulusError
from tests.tools.populus.conftest import Run, refused

LATIN = "// Gr\xfc\xdfe\ncontract C {}".encode("latin-1")


@pytest.mark.parametrize("where", ["contracts/Latin.sol", "node_modules/@openzeppelin/Latin.sol"])
def test_source_in_another_encoding_is_named(sample: Path, run: Run, where: str) -> None:
    path = sample / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(LATIN)
    if "node_modules" in where:
        (sample / "contracts" / "User.sol").write_text(f'import "{where}";')
    refused(run(sample, "compile"), "Latin.sol", "not UTF-8", "0xfc")


DEEP = b'{"version": "1", "contracts": {"a": {"b": ' + b"[" * 100_000


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 3}', b"\xff\xfe", DEEP])
def test_damaged_cache_is_filled_again(sample: Path, damage: bytes) -> None:
    entries = list((sample / "build" / "cache").glob("*.json"))
    assert entries
    for entry in entries:
        entry.write_bytes(damage)
    assert "Math" in Project(sample).compiled_contract_data


@pytest.mark.parametrize("name", ["populus.json", "project.json"])
@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        b"[" * 100_000,
        b'{"chains": ' + b"9" * 10_000 + b"}",
        b'{"chains": {"\\ud800": {}}}',
        b'{"compilation": {"contracts_source_dirs": ["a\\u0000b"]}}',
    ],
    ids=["deep", "deeper", "digits", "surrogate", "zero"],
)
def test_project_file_that_attacks_its_reader_ends_in_one_message(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """In a process of its own: what recursed took the process with it."""
    (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-m", "populus", "compile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    if name == "populus.json":
        assert "populus.json cannot be read" in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff",
        DEEP,
        b'{"deployments": []}',
        b'{"deployments": {"blockchain://x/block/x": {"Math": "0x12"}}}',
        b'{"deployments": {"blockchain://x/block/x": {"Math": [3]}}}',
        b'{"pending": {"blockchain://x/block/x": {"Math": {"transaction": "0x"}}}}',
    ],
)
def test_damaged_registrar_is_named(sample: Path, run: Run, content: bytes) -> None:
    (sample / "registrar.json").write_bytes(content)
    chains = {
        "tester": {
            "contracts": {
                "backends": {"File": {"class": "x.JSONFileBackend", "settings": {}}},
            }
        }
    }
    path = sample / "populus.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chains": chains}))
    refused(run(sample, "deploy", "-c", "tester", "Math"), "registrar.json")


@pytest.mark.parametrize("damage", [b"{}", b"[]", b'{"format": 1}'])
def test_damaged_manifest_is_named(sample: Path, damage: bytes) -> None:
    path = sample / "populus.json"
    content = json.loads(path.read_text())
    content["compilation"]["artifacts_dir"] = "artifacts"
    path.write_text(json.dumps(content))
    (sample / "artifacts").mkdir()
    (sample / "artifacts" / "manifest.json").write_bytes(damage)
    with pytest.raises(PopulusError, match=r"manifest\.json is damaged"):
        _ = Project(sample).compiled_contract_data


def test_project_that_cannot_be_written_is_built_elsewhere(
    sample: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = sample / "contracts" / "Math.sol"
    for name in ("Token.sol", "Refuser.sol"):
        (sample / "contracts" / name).unlink()
    source.write_text(source.read_text().replace("a * 7", "a * 9"))
    build = sample / "build"
    build.rename(tmp_path / "moved")
    build.write_text("in the way of a folder")
    compiled = run(sample, "compile")
    assert compiled.exit_code == 0, compiled.output
    assert str(tmp_path / "cache") in compiled.output
    with Project(sample).get_chain("tester") as chain:
        assert chain.provider.get_or_deploy_contract("Math")[0].call().multiply7(1) == 9
    assert sorted(path.name for path in sample.iterdir()) == ["build", "contracts", "populus.json"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_project_without_permission_is_built_elsewhere(sample: Path, run: Run) -> None:
    for folder in (sample, sample / "build"):
        folder.chmod(0o555)
    try:
        assert run(sample, "compile").exit_code == 0
    finally:
        for folder in (sample, sample / "build"):
            folder.chmod(0o755)


def test_other_projects_pay_nothing_for_the_plugin(tmp_path: Path) -> None:
    """pytest loads it in every project of the environment."""
    heavy = "{'web3', 'eth', 'eth_tester', 'eth_account', 'requests', 'solcx', 'msgspec'}"
    (tmp_path / "test_it.py").write_text(
        f"import sys\n\ndef test():\n    assert not {heavy} & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
