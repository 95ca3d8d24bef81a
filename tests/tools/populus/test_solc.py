"""Where the compiler comes from, and in which order. No network: every program here is a fake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import solcx

from populus.exceptions import CompilerError
from populus.solc import find_solc

SCRIPT = (
    "#!/bin/sh\necho 'solc, the solidity compiler'\necho 'Version: {version}+commit.{commit}'\n"
)


def program(folder: Path, version: str, commit: str = "00000000", name: str = "solc") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(SCRIPT.format(version=version, commit=commit))
    path.chmod(0o755)
    return path


def module(folder: Path, version: str) -> Path:
    """A stand-in for the npm package: enough for `--version`."""
    path = folder / "node_modules" / "solc"
    path.mkdir(parents=True)
    (path / "package.json").write_text(json.dumps({"version": version, "main": "index.js"}))
    text = f"{version}+commit.0000node.Emscripten.clang"
    (path / "index.js").write_text(f"exports.version = () => '{text}'\n")
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a machine that has Node at most: empty PATH otherwise, own cache, no solc."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("node", "env", "sh", "mkdir"):
        found = shutil.which(tool)
        if found:
            (tools / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SOLC_BINARY", raising=False)
    monkeypatch.setattr(solcx, "get_installed_solc_versions", list)
    project = tmp_path / "above" / "project"
    project.mkdir(parents=True)
    return project


def test_solc_binary_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = program(bare / "mine", "0.8.30", "11111111")
    monkeypatch.setenv("PATH", str(program(bare / "other", "0.8.30").parent))
    monkeypatch.setenv("SOLC_BINARY", str(chosen))
    assert find_solc(bare, "0.8.30").version == "0.8.30+commit.11111111"


def test_solc_binary_of_another_version_is_refused(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLC_BINARY", str(program(bare / "mine", "0.8.30")))
    with pytest.raises(CompilerError, match=r"0\.8\.30.*wants 0\.8\.37"):
        find_solc(bare, "0.8.37")


def test_solc_binary_that_is_no_compiler_is_refused(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLC_BINARY", str(bare / "nothing"))
    with pytest.raises(CompilerError, match="SOLC_BINARY"):
        find_solc(bare, None)


def test_path_comes_before_node_modules(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(bare, "0.8.30")
    monkeypatch.setenv("PATH", str(program(bare / "bin", "0.8.30", "22222222").parent))
    assert find_solc(bare, None).version.endswith("22222222")


def test_another_version_on_path_is_passed_over(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_node()
    program(tmp_path / "tools", "0.7.6")
    module(bare.parent, "0.8.30")
    found = find_solc(bare, "0.8.30")
    assert found.version == "0.8.30+commit.0000node"


def require_node() -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")


def test_one_that_py_solc_x_has_is_taken(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = program(bare / "solcx", "0.8.30", "33333333")
    monkeypatch.setattr(solcx, "get_installed_solc_versions", lambda: ["0.8.30"])
    monkeypatch.setattr(solcx.install, "get_executable", lambda _: installed)
    assert find_solc(bare, "0.8.30").binary == installed


def test_without_any_the_message_names_the_version(bare: Path) -> None:
    with pytest.raises(CompilerError, match=r"0\.8\.30(.|\n)*npm"):
        find_solc(bare, "0.8.30")


def test_the_own_cache_is_filled_once(
    bare: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    require_node()
    npm = tmp_path / "tools" / "npm"
    index = "exports.version = () => '0.8.30+commit.00cached'"
    npm.write_text(
        "#!/bin/sh\nmkdir -p node_modules/solc\n"
        """echo '{"version": "0.8.30", "main": "index.js"}' > node_modules/solc/package.json\n"""
        f"""echo "{index}" > node_modules/solc/index.js\n"""
        f"""echo "$@" >> {tmp_path}/calls\n"""
    )
    npm.chmod(0o755)
    assert find_solc(bare, "0.8.30").version == "0.8.30+commit.00cached"
    assert "npm install solc@0.8.30" in capfd.readouterr().err
    assert find_solc(bare, "0.8.30").version == "0.8.30+commit.00cached"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["install --no-audit --no-fund solc@0.8.30"]


def test_a_failing_npm_is_reported(bare: Path, tmp_path: Path) -> None:
    require_node()
    npm = tmp_path / "tools" / "npm"
    npm.write_text("#!/bin/sh\necho 'no such package' >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(CompilerError, match="no such package"):
        find_solc(bare, "9.9.9")
