"""`perun hub up` on a chain that calls itself Sepolia: killed, run again, run twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from perun.chain.anvil import Anvil
from perun.cli.main import cli
from perun.crypto.interop import checksum
from perun.daemon.contracts import read_contracts
from perun.daemon.settings import read_settings
from perun.testing.parties import key_of
from perun.wallet import write_keyfile

pytestmark = pytest.mark.chain

SEPOLIA = 11_155_111
KEY = key_of("operator")


NOBODY = "http://127.0.0.1:9"


def arguments(anvil: Anvil, folder: Path, network: str = "sepolia", *more: str) -> list[str]:
    given = (
        *(word for url in (*more, anvil.url) for word in ("--rpc", url)),
        "--home",
        str(folder / "hub"),
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    )
    keys = ("--keyfile", str(folder / "key"), "--password-file", str(folder / "password"))
    return ["hub", "up", "--network", network, "--only-prepare", *given, *keys]


def test_killed_and_run_twice_it_pays_for_each_contract_once(tmp_path: Path) -> None:
    write_keyfile(tmp_path / "key", KEY, "open", work=2)
    (tmp_path / "password").write_text("open\n")
    options = ["--chain-id", str(SEPOLIA), "--block-time", "1"]
    with Anvil(options=options) as anvil:
        account = checksum(KEY.address)
        poor = CliRunner().invoke(cli, arguments(anvil, tmp_path))
        assert poor.exit_code == 1
        assert "has 0 wei, deploying may cost" in poor.output

        anvil.request("anvil_setBalance", account, hex(10**18))
        process = subprocess.Popen(
            [sys.executable, "-m", "perun.cli.main", *arguments(anvil, tmp_path)],
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        with process:
            assert process.stderr is not None
            said = [line for line, _ in zip(process.stderr, range(1), strict=False)]
            process.kill()
        assert "MSContract: deploying with nonce 0" in said[0]

        outputs = [CliRunner().invoke(cli, arguments(anvil, tmp_path)) for _ in range(2)]
        for output in outputs:
            assert output.exit_code == 0, output.output
            assert account in output.output
        contracts = read_contracts(tmp_path / "hub" / "contracts.json")
        assert anvil.endpoint().next_nonce(KEY.address) == len(contracts) == 14
        settings = read_settings(tmp_path / "hub" / "perun.toml")
        assert settings.hub is not None
        assert settings.hub.faucet is None
        assert settings.hub.credit == 10**18

        again = CliRunner().invoke(cli, arguments(anvil, tmp_path, "sepolia", NOBODY))
        assert again.exit_code == 0, again.output
        assert "one of two nodes does not answer" in again.output
        with Anvil(options=[*options, "--timestamp", "1"]) as another:
            two = CliRunner().invoke(cli, arguments(anvil, tmp_path, "sepolia", another.url))
        assert two.exit_code == 1
        assert "names nodes of two chains" in two.output

        other = CliRunner().invoke(cli, arguments(anvil, tmp_path, "hoodi"))
        assert other.exit_code == 1
        assert "the node of hoodi is on chain 11155111, not 560048" in other.output
