"""What the guide shows is what runs, from the wheel alone, and what type checkers accept."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from mypy import api as mypy

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "first_payment.py"
# Found by type checkers as an installed package would be.
STRICT = ("--strict", "--no-error-summary", "--cache-dir", str(ROOT / ".mypy_cache" / "users"))


def test_first_payment_is_short_and_needs_little() -> None:
    text = EXAMPLE.read_text()
    assert len(text.splitlines()) <= 25
    imported = [
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    ]
    assert set(imported) == {"perun", "web3"}


def test_guide_ends_with_first_payment() -> None:
    guide = ROOT / "docs" / "guides" / "first-payment.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", guide.read_text(), re.M | re.S)
    assert blocks[-1] == EXAMPLE.read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked: what a user gets, and nothing of this repository beside it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("perun", "populus"):
        _copy(ROOT / name, source / name)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [sys.executable, "-m", *command, "--wheel-dir", folder, source],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (archive,) = folder.glob("*.whl")
    zipfile.ZipFile(archive).extractall(folder / "installed")
    return folder / "installed"


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def test_the_wheel_ships_contracts_and_types_and_no_tests(wheel: Path) -> None:
    for name in ("LibSignatures", "MSContract", "VPM", "HashTimeLock"):
        assert (wheel / "perun" / "artifacts" / f"{name}.json").exists()
    assert (wheel / "perun" / "py.typed").exists()
    tops = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"perun", "populus"}


def test_first_payment_runs_from_the_wheel_without_node(wheel: Path, tmp_path: Path) -> None:
    # The example must not find this repository, nor Node, nor a compiler.
    environment = {"PYTHONPATH": str(wheel), "PATH": "", "HOME": str(tmp_path)}
    script = tmp_path / "first_payment.py"
    script.write_text(EXAMPLE.read_text() + "\nassert perun.__file__.startswith(WHEEL)\n")
    script.write_text(f"WHEEL = {str(wheel)!r}\n" + script.read_text())
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    shown = dict(line.split(maxsplit=1) for line in ran.stdout.splitlines())
    alice, bob = (Decimal(shown[name].removesuffix(" ETH")) for name in ("Alice", "Bob"))
    # Everybody began with a million; 0.3 went over, and fees for deploying all contracts, of which
    # chess is by far the largest, for opening and closing.
    assert Decimal("999999.68") < alice < Decimal("999999.7")
    assert Decimal("1000000.299") < bob < Decimal("1000000.3")


def test_a_users_script_is_checked_strictly(tmp_path: Path) -> None:
    mistakes = {
        "perun.Statement(machine, 5)": "Wei",
        "perun.Statement(machine, 5.0)": "Wei",
        "perun.Statement(channel, wei)": "MachineId",
        "perun.sign(perun.Statement(machine, wei), key, suite.ms_contract.domain)": "overload",
        "perun.sign(perun.Statement(machine, wei), 'key', suite.vpm.domain)": "overload",
        "suite.ms_contract.fund(perun.ETH, b'', wei)": "sender",
        "receipt.only(perun.events.Deposited).alice": "alice",
        "perun.nothing_such": "nothing_such",
    }
    script = tmp_path / "script.py"
    script.write_text(
        "import perun\n"
        "from web3 import EthereumTesterProvider, Web3\n"
        "suite = perun.deploy(Web3(EthereumTesterProvider()))\n"
        "key, wei = perun.new_key(), perun.parse_ether('1')\n"
        "machine = perun.MachineId(perun.InstanceId(bytes(32)))\n"
        "channel = perun.ChannelId(bytes(32))\n"
        "signature = perun.sign(perun.Statement(machine, wei), key, suite.vpm.domain)\n"
        "receipt = suite.ms_contract.fund(perun.ETH, key, wei, sender=key)\n"
        "credited: perun.Wei = receipt.only(perun.events.Credited).amount\n" + "\n".join(mistakes)
    )
    before = os.environ.get("MYPYPATH")
    os.environ["MYPYPATH"] = str(ROOT)
    try:
        out, err, _ = mypy.run([*STRICT, "--no-color-output", str(EXAMPLE), str(script)])
    finally:
        os.environ.pop("MYPYPATH") if before is None else os.environ.update(MYPYPATH=before)
    assert err == ""
    found = [line for line in out.splitlines() if ": error: " in line]
    first = 10  # the line of the first mistake
    for number, (line, word) in enumerate(mistakes.items(), start=first):
        # By name: mypy's cache remembers the folder of an earlier run.
        said = [text for text in found if f"/{script.name}:{number}: " in text]
        assert said, f"not found: {line}\n{out}"
        assert word in said[0], line
    assert len(found) == len(mistakes), out
