"""Commands and their errors: one message, an exit code, never a traceback."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from perun.cli import init
from perun.cli.main import cli
from perun.crypto import SecretKey
from perun.node.profile import Profile, read_profile, write_profile
from perun.store import SqliteStore
from perun.types import Address, ChainId
from perun.wallet import KeyAccount, encrypt

KEY = SecretKey(b"\x07" * 32)
PLACES = {name: Address(bytes((n,)) * 20) for n, name in enumerate(("MSContract", "VPM"), 1)}
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


def run(*arguments: str, password: str = "open") -> Result:
    return CliRunner(env={"PERUN_PASSWORD": password, "COLUMNS": "200"}).invoke(cli, arguments)


def message(result: Result) -> str:
    """The one message of a failed command."""
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store without channels, that says whose it is."""
    path = tmp_path / "store"
    opened = SqliteStore(path)
    profile = Profile(ChainId(31337), PLACES, KEY.address, KEY.public_key.data, bytes(32))
    write_profile(opened, profile, encrypt(KEY, "open", work=2))
    opened.close()
    return path


@pytest.mark.parametrize("command", ["exit", "status", "backup", "export"])
def test_file_that_is_no_store_is_said(tmp_path: Path, command: str) -> None:
    path = tmp_path / "text"
    path.write_text("no store")
    rest = {
        "exit": ("--rpc", NOWHERE),
        "status": (),
        "backup": (str(tmp_path / "new"),),
        "export": (str(tmp_path / "new"),),
    }[command]
    assert "no store" in message(run(command, str(path), *rest))
    assert path.read_text() == "no store"


def test_exit_says_that_nobody_answers(store: Path) -> None:
    assert "no answer from the node" in message(run("exit", str(store), "--rpc", NOWHERE))


def test_exit_says_that_the_password_is_wrong(store: Path) -> None:
    result = run("exit", str(store), "--rpc", NOWHERE, password="shut")
    assert "password is wrong" in message(result)


def test_exit_says_that_the_node_is_running(store: Path) -> None:
    holder = SqliteStore(store)
    try:
        assert "in use by process" in message(run("exit", str(store), "--rpc", NOWHERE))
    finally:
        holder.close()


@pytest.mark.parametrize("damage", ["cut", "flipped", "profile", "keyfile", "no meta"])
def test_damaged_store_is_one_message_to_every_command(
    store: Path, tmp_path: Path, damage: str
) -> None:
    if damage in ("cut", "flipped"):
        whole = store.read_bytes()
        broken = whole[:5000] if damage == "cut" else whole[:4096] + b"\xff" * (len(whole) - 4096)
        store.write_bytes(broken)
    else:
        with closing(sqlite3.connect(store, isolation_level=None)) as db:
            if damage == "no meta":
                db.execute("DROP TABLE meta")
            else:
                db.execute("UPDATE meta SET value = ? WHERE name = ?", (b"\xff\xfe", damage))
    message(run("exit", str(store), "--rpc", NOWHERE))
    rest: dict[str, tuple[str, ...]] = {"status": (), "export": (str(tmp_path / "new"),)}
    for command, more in rest.items():
        result = run(command, str(store), *more)
        if damage != "keyfile":
            message(result)
    run("backup", str(store), str(tmp_path / "copy"))


def test_watch_says_that_the_export_is_none(tmp_path: Path) -> None:
    path, key = tmp_path / "export", tmp_path / "key"
    path.write_text("{}")
    key.write_text(encrypt(KEY, "open", work=2))
    result = run("watch", str(path), "--rpc", NOWHERE, "--keyfile", str(key))
    assert "no answer from the node" in message(result) or "no export" in message(result)


def test_backup_and_status(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert run("backup", str(store), str(copy)).exit_code == 0
    result = run("status", str(copy))
    assert result.exit_code == 0
    assert "on chain 31337" in result.output


def test_seed_and_key_are_not_shown(store: Path) -> None:
    opened = SqliteStore(store)
    write_profile(opened, Profile(ChainId(1), PLACES, KEY.address, b"\4" * 64, b"\x5e" * 32))
    shown = repr(read_profile(opened))
    opened.close()
    assert "5e5e" not in shown
    assert KEY.secret.hex() not in shown + repr(KEY) + repr(KeyAccount(KEY))


def test_export_of_a_store_without_channels(store: Path, tmp_path: Path) -> None:
    result = run("export", str(store), str(tmp_path / "export"))
    assert result.exit_code == 0
    assert "0 channels, no key" in result.output


def test_keys_are_made_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perun.wallet.keyfile.DEFAULT_WORK", 2)
    path = tmp_path / "key"
    made = run("keys", "new", str(path))
    assert made.exit_code == 0
    shown = run("keys", "show", str(path))
    assert shown.output.strip() == made.output.split()[0]
    assert "password is wrong" in message(run("keys", "show", str(path), password="shut"))


def test_unknown_command_is_a_usage_error() -> None:
    assert run("dance").exit_code == 2


def test_help_names_every_command() -> None:
    output = run("--help").output
    for command in ("demo", "exit", "watch", "export", "backup", "status", "keys"):
        assert command in output


def test_a_faucet_that_gives_nothing_ends_no_new_node() -> None:
    """After a restore the account has had some already: the node is there all the same."""
    assert init._gift("127.0.0.1:9", "0x" + 40 * "1").startswith("nothing: no faucet")
