"""anvil as a process of our own: started with the chain, ended with it."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from web3 import HTTPProvider, Web3

from populus.chain.base import REGISTRAR_NAME
from populus.chain.external import REQUEST_SECONDS, ExternalChain
from populus.exceptions import ChainError
from populus.registrar import Registrar

if TYPE_CHECKING:
    from populus.workspace import Workspace

__all__ = ["AnvilChain", "find_anvil"]

HARDFORK = "prague"  # what the tester chain runs, so that both agree
START_SECONDS = 30
_LISTENING = "Listening on "


class AnvilChain(ExternalChain):
    """A local node with ten rich accounts, on a free port or on `settings.port`."""

    setting_names: ClassVar[tuple[str, ...]] = (
        "chain_id",
        "port",
        "hardfork",
        "accounts",
        "block_time",
        "binary",
        "fork_url",
        "fork_block",
    )
    keeps_addresses: ClassVar[bool] = False
    process: subprocess.Popen[str] | None = None
    _ready = False

    def __init__(self, project: Workspace, chain_name: str) -> None:
        super().__init__(project, chain_name)
        self.say: Callable[[str], object] = lambda _: None  # gets every line anvil prints

    @cached_property
    def registrar(self) -> Registrar:
        """In memory; a fork begins with what the project knows of the chain it is of."""
        registrar = Registrar(self.web3)
        if "fork_url" in self.settings:
            kept = Registrar(self.web3, self.project.root / REGISTRAR_NAME)
            registrar.restore(kept.snapshot())
        return registrar

    def _start(self) -> Web3:
        self._endpoint = self._launch()
        return Web3(HTTPProvider(self._endpoint, {"timeout": REQUEST_SECONDS}))

    def _mines_at_once(self, web3: Web3) -> bool:  # noqa: ARG002
        return "block_time" not in self.settings

    @property
    def endpoint(self) -> str:
        """The address other programs can reach this chain at."""
        return self._endpoint

    def _command(self) -> list[str]:
        settings = self.settings
        binary = settings.get("binary") or find_anvil(self.project.root)
        if binary is None:
            raise ChainError(
                f"The chain {self.chain_name!r} needs the program anvil, which was not found.",
                "Install it: npm install @foundry-rs/anvil, or put anvil on PATH.",
            )
        command = [str(binary), "--host", "127.0.0.1", "--port", str(settings.get("port", 0))]
        command += ["--hardfork", str(settings.get("hardfork", HARDFORK))]
        for key, option in (
            ("chain_id", "--chain-id"),
            ("accounts", "--accounts"),
            ("block_time", "--block-time"),
            ("fork_url", "--fork-url"),
            ("fork_block", "--fork-block-number"),
        ):
            if key in settings:
                command += [option, str(settings[key])]
        return command

    def _launch(self) -> str:
        command = self._command()
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,  # Ctrl-C ends us, and we end it
            )
        except OSError as error:
            raise ChainError(f"{command[0]} cannot be started: {error}.") from None
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, lines), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        said: list[str] = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            said.append(line.strip())
            self.say(line.rstrip())
            if line.startswith(_LISTENING):
                return "http://" + line.removeprefix(_LISTENING).strip()
        text = " ".join(part for part in said[-5:] if part) or "it said nothing"
        raise ChainError(f"anvil did not start: {text}")

    def _read(self, process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
        """Take what anvil prints, to the end: a full pipe would stop it."""
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                if self._ready:
                    self.say(line.rstrip())
                else:
                    self._ready = line.startswith(_LISTENING)
                    lines.put(line)
        lines.put(None)

    def _stop(self) -> None:
        process, self.process = self.process, None
        self._ready = False
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_anvil(project_dir: Path) -> Path | None:
    """`ANVIL_BINARY`, `anvil` on `PATH`, or from a `node_modules` from the project upwards."""
    named: Any = os.environ.get("ANVIL_BINARY") or shutil.which("anvil")
    if named:
        return Path(named)
    root = project_dir.resolve()
    for folder in (root, *root.parents):
        binary = folder / "node_modules" / ".bin" / "anvil"
        if binary.exists():
            return binary
    return None
