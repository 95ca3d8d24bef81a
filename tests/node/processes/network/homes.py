"""Folders of daemons on an anvil, hubs in processes of their own, and daemons in this one."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from perun import deploy
from perun.app.methods import GetChannels, Open, Params
from perun.app.work import Ask
from perun.chain.anvil import Anvil
from perun.cli.living import opened
from perun.daemon.contracts import write_contracts
from perun.daemon.daemon import Daemon
from perun.daemon.keyring import Keyring, new_phrase, write_keyring
from perun.daemon.settings import (
    FILE_NAME,
    Amount,
    ApiSettings,
    ChainSettings,
    HubSettings,
    NodeSettings,
    PolicySettings,
    Settings,
    WireSettings,
    read_settings,
    write_settings,
)
from perun.encoding.addresses import NodeAddress
from perun.errors import PerunError
from perun.types import Wei
from tests.node.processes.network.wired import eventually

PATIENCE_SECONDS = 60.0
ETHER = 10**18
FREE = HubSettings(
    credit=Amount(100 * ETHER),
    greatest_share=Amount(10 * ETHER),
    exit_gas=False,
    admin="127.0.0.1:0",
    faucet=Amount(ETHER),
    base_fee=Amount(7),
)


class Place:
    """A chain with the contracts, and rich accounts on it."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        self.anvil, self.folder = anvil, folder
        suite = deploy(anvil.endpoint().web3)
        known = suite.addresses()
        names = ("MSContract", "VPM", "HashTimeLock", "TurnGame", "TicTacToe", "Gate")
        self.contracts = {name: known[name] for name in names}

    def home(self, name: str, wire: WireSettings, hub: HubSettings | None = None) -> Path:
        """A folder with keys and settings, whose account has 1,000 ETH."""
        home = self.folder / name
        home.mkdir()
        keyring = Keyring.of(new_phrase())
        (home / "password").write_text("open\n")
        write_keyring(home / "keys.json", keyring, "open", work=2)
        write_contracts(home / "contracts.json", self.contracts)
        settings = Settings(
            ChainSettings((self.anvil.url,)),
            NodeSettings(password_file="password"),  # a file's name
            wire,
            ApiSettings("127.0.0.1:0"),
            policy=PolicySettings(
                greatest_deposit=Amount(ETHER), greatest_fee=Amount(10**16), small_channels=True
            ),
            hub=hub,
        )
        write_settings(home / FILE_NAME, settings)
        account = "0x" + keyring.account.address.hex()
        self.anvil.request("anvil_setBalance", account, hex(1_000 * ETHER))
        return home

    def listen_at(self, home: Path, link: str) -> None:
        """From now on it listens where it did."""
        settings = read_settings(home / FILE_NAME)
        host = NodeAddress.parse(link).host
        write_settings(
            home / FILE_NAME, replace(settings, wire=replace(settings.wire, listen=host))
        )


class HubProcess:
    """`perun hub run` in a process; its lines are read until it ends."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self._changed = threading.Condition()
        command = [sys.executable, "-m", "perun.cli.main", "hub", *arguments]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PERUN_HOME": str(home)},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._hear(line)
        with self._changed:
            self.lines.append({"event": "ended"})
            self._changed.notify_all()

    def _hear(self, line: str) -> None:
        with self._changed:
            self.raw.append(line)
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": "text", "text": line})
            self._changed.notify_all()

    def wait(self, event: str, **fields: object) -> dict[str, Any]:
        """The first line about something."""

        def found() -> dict[str, Any] | None:
            for line in self.lines:
                if line["event"] == event and fields.items() <= line.items():
                    return line
            return None

        with self._changed:
            self._changed.wait_for(
                lambda: found() is not None or self.lines[-1:] == [{"event": "ended"}],
                PATIENCE_SECONDS,
            )
            line = found()
        assert line is not None, f"no {event}: {''.join(self.raw[-20:])}"
        return line

    @property
    def link(self) -> str:
        """Its address, once it runs."""
        return str(self.wait("Running")["link"])

    def kill(self) -> None:
        """Without a word."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def stop(self) -> int:
        """As an operating system does."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        return code


class User:
    """A daemon in this process, asked as its user would."""

    def __init__(self, home: Path, link: str) -> None:
        settings, keyring, password = opened(home)
        settings = replace(settings, wire=replace(settings.wire, hubs=(link,)))
        self.told: list[object] = []
        self.daemon = Daemon(home, settings, keyring, password=password, tell=self.told.append)
        self.daemon.start()

    def ask(self, method: str, params: Params) -> Any:
        """The answer, or raises the refusal."""
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.daemon.lookups.ask(Ask(method, params, answers.put))
        answer = answers.get(timeout=PATIENCE_SECONDS)
        if isinstance(answer, PerunError):
            raise answer
        return answer

    def until(self, question: Callable[[], bool]) -> None:
        """Asks again until it is so."""
        eventually(question)

    def stop(self) -> None:
        """Leaves."""
        self.daemon.stop()


def running(stack: ExitStack, home: Path) -> HubProcess:
    hub = HubProcess(home, "run")
    stack.callback(lambda: hub.process.poll() is None and hub.kill())
    return hub


def entered(stack: ExitStack, place: Place, name: str, hub: HubProcess) -> User:
    user = User(place.home(name, WireSettings()), hub.link)
    stack.callback(user.stop)
    return user


def open_with(user: User, hub: HubProcess, amount: int = ETHER) -> None:
    user.ask(
        "open",
        Open(
            idempotency_key="open",
            peer=hub.link,
            amount=str(amount),
            peer_amount=str(amount),
            draw=True,
            consent=True,
        ),
    )


def is_open(user: User) -> bool:
    return [channel.phase for channel in user.ask("channels", GetChannels())] == ["open"]


def wei(text: str) -> Wei:
    """An amount out of an answer."""
    return Wei(int(text))
