"""A whole life with every log wide open: no key, word of a phrase, password, token or preimage
stands in anything that any process has written."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from rich.console import Console

from perun.api.client import CallRefused, connect
from perun.api.place import read_place
from perun.cli.living import opened
from perun.cli.running import tell
from perun.core.nanocontracts.hash_lock import CommandLock, CommandReveal
from perun.core.notices import InstanceAdded, InstanceRemoved
from perun.crypto import SecretKey, keccak
from perun.daemon.keyring import Keyring
from perun.daemon.settings import WireSettings
from perun.hub.logs import JsonLog
from perun.types import Preimage, Salt, UnixTime, Wei
from tests.node.processes.network.homes import ETHER, User
from tests.node.processes.network.test_bad_days import Scene, pay
from tests.node.processes.network.wired import eventually

pytestmark = pytest.mark.chain

SECRET = Preimage(keccak(b"what only the payer of a hash lock knows"))
WIDE_OPEN = """
import faulthandler, logging, sys
faulthandler.enable()
logging.basicConfig(level=1, stream=sys.stderr, force=True)
"""


@contextmanager
def every_log(file: Path) -> Iterator[None]:
    """Whatever libraries log in this process goes to a file."""
    handler = logging.FileHandler(file)
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.NOTSET if one is not root else 1)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)


def test_no_log_at_any_level_has_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(WIDE_OPEN)
    paths = [str(tmp_path / "python"), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    with every_log(tmp_path / "here.log"), ExitStack() as stack:
        live(Scene(stack, tmp_path), tmp_path, stack)
    secrets = secrets_below(tmp_path)
    logs = sorted(tmp_path.rglob("*.log"))
    said = {file: file.read_text(errors="replace") for file in logs}
    assert [file.name for file in logs] == [
        *("carol.log", "commands.log", "here.log", "hub.log", "told.log")
    ]
    for words in ("DEBUG:asyncio", "DEBUG:web3", "SessionUp", "Fatal Python error", "refused"):
        assert any(words in text for text in said.values()), words
    for what, secret in secrets.items():
        for file, text in said.items():
            assert secret not in text, f"{what} in {file.name}"


def live(scene: Scene, folder: Path, stack: ExitStack) -> None:
    """Channels, payments, a hash lock, a daemon of its own, and all that is refused."""
    alice, bob = scene.user("alice"), scene.user("bob")
    pay(alice, bob, "coffee")
    lock_and_reveal(alice, bob)
    write_all((*alice.told, *bob.told), folder / "told.log")

    carol = scene.place.home("carol", WireSettings(hubs=(scene.hub.link,)))
    with (folder / "carol.log").open("wb") as output:
        node = subprocess.Popen(
            [sys.executable, "-m", "perun.cli.main", "node", "run", "--home", str(carol)],
            stdout=output,
            stderr=output,
        )
        stack.callback(lambda: node.poll() is None and node.kill())
        eventually(lambda: (carol / "api.json").exists())
        ask_wrongly(carol)
        with connect(home=carol) as asked:
            asked.open(scene.hub.link, ETHER, peer_amount=ETHER, draw=True, consent=True)
            eventually(lambda: [one.phase for one in asked.channels()] == ["open"])
            with pytest.raises(CallRefused):
                asked.pay(alice.daemon.name, 10**30)
        commands = type_wrongly(carol)
        (folder / "commands.log").write_text(commands)
        node.send_signal(signal.SIGABRT)
        node.wait()
    scene.hub.process.send_signal(signal.SIGABRT)
    scene.hub.ended()
    (folder / "hub.log").write_text("".join(scene.hub.raw))


def write_all(told: Iterable[object], log: Path) -> None:
    """As a hub's process and a node's would print it."""
    with log.open("w") as output:
        lines, shown = JsonLog(output), Console(file=output, width=10_000)
        for one in told:
            lines.tell(one)
            tell(shown, one)


def lock_and_reveal(alice: User, bob: User) -> None:
    """Bob is paid over the hub for a secret; a wrong one is refused."""
    node = alice.daemon.assembly.node
    ((channel, _),) = node.books.channels.items()
    validity = UnixTime(node.books.chain.head_time + 7_200)
    lock = CommandLock(
        channel, Wei(1_000), keccak(SECRET), validity, Salt(os.urandom(32)), bob.daemon.peer
    )
    node.post((lock,))
    other = bob.daemon.assembly.node

    def locked() -> list[Any]:
        known = list(other.books.instances.values())
        return [one.id for one in known if getattr(one.terms, "hash", b"") == keccak(SECRET)]

    eventually(lambda: bool(locked()))
    (id,) = locked()
    eventually(lambda: any(isinstance(t, InstanceAdded) and t.instance == id for t in bob.told))
    other.post((CommandReveal(id, Preimage(keccak(b"wrong"))),))
    other.post((CommandReveal(id, SECRET),))
    eventually(lambda: any(isinstance(t, InstanceRemoved) and t.instance == id for t in alice.told))


def ask_wrongly(home: Path) -> None:
    """With the owner's token where it does not belong, and beside what makes no sense."""
    place = read_place(home)
    token = place.token
    bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for path, headers, body in (
        (f"/?token={token}", {}, b"{}"),
        ("/", {**bearer, "Origin": "https://elsewhere.example"}, b"{}"),
        ("/", {**bearer, "Content-Type": token}, b"{}"),
        ("/", {**bearer, "Host": token}, b"{}"),
        ("/", bearer, token.encode()),
        ("/", bearer, f'{{"jsonrpc":"2.0","id":1,"method":"{token}"}}'.encode()),
        (f"/{token}", bearer, b"{}"),
        ("/ws", bearer, b""),
    ):
        asked = Request(place.url + path, data=body or None, headers=headers)
        try:
            urlopen(asked, timeout=10).read()
        except HTTPError as error:
            error.read()


def type_wrongly(home: Path) -> str:
    """What commands print that are refused, some of them holding a secret."""
    printed = ""
    keyring = keyring_of(home)
    wrong_password = {"PERUN_PASSWORD": "not the password of anything"}
    backwards = " ".join(reversed(keyring.phrase.split()))
    for words, typed, more in (
        (["pay", "nobody", "1ether", "--yes"], "", {}),
        (["open", "nonsense", "1ether"], "", {}),
        (["node", "run"], "", {}),
        (["init", "--restore", "--home", str(home / "again"), "--yes", "--rpc", "http://[",
          "--contracts", str(home / "contracts.json")], backwards, {}),
        (["keys", "show", str(home / "keys.json")], "", wrong_password),
        (["restore", "--home", str(home)], backwards, wrong_password),
    ):  # fmt: skip
        ran = subprocess.run(
            [sys.executable, "-m", "perun.cli.main", *words],
            input=typed + "\n",
            capture_output=True,
            text=True,
            env={**os.environ, "PERUN_HOME": str(home), **more},
            check=False,
        )
        assert ran.returncode != 0, words
        assert "Traceback" not in ran.stderr, ran.stderr
        printed += f"{words}\n{ran.stdout}{ran.stderr}"
    return printed


def keyring_of(home: Path) -> Keyring:
    _, keyring, _ = opened(home)
    return keyring


def secrets_below(folder: Path) -> dict[str, str]:
    """Everything that no log may have, by what it is."""
    found = {"preimage": SECRET.hex(), "preimage as Python shows it": repr(bytes(SECRET))[2:-1]}
    for file in folder.rglob("keys.json"):
        keyring, name = keyring_of(file.parent), file.parent.name
        words = keyring.phrase.split()
        for start in range(10):
            found[f"words of {name} from {start}"] = " ".join(words[start : start + 3])
        found[f"words of {name} backwards"] = " ".join(reversed(words))
        keys = {"account": keyring.account, "node": keyring.node, "tower": keyring.tower}
        for what, key in keys.items():
            assert isinstance(key, SecretKey)
            found[f"{what} key of {name}"] = key.secret.hex()
            found[f"{what} key of {name} as a number"] = str(int.from_bytes(key.secret, "big"))
        found[f"backup key of {name}"] = keyring.backup.hex()
        found[f"seed of {name}"] = keccak(b"perun store " + keyring.node.secret).hex()
    for file in folder.rglob("api.json"):
        found[f"token of {file.parent.name}"] = read_place(file.parent).token
    assert any("token" in what for what in found)
    return found
