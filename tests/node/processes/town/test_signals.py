"""`perun up` whose processes are ended in the midst of payments, politely and not: whoever asks
again under one key pays once, both sides' books agree, and the hub's add up to the wei."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from perun.api.client import connect
from perun.daemon.auditing import audit_home
from perun.errors import PerunError
from tests.node.processes.network.wired import eventually
from tests.node.processes.town.running import Up, shell
from tests.node.processes.town.test_up import stopped_at_the_end

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc"),
]
AMOUNT = 10**14


class Payer(threading.Thread):
    """Pays again and again; whatever is not answered is asked again under its key."""

    def __init__(self, home: Path, payee: str) -> None:
        super().__init__(daemon=True)
        self._home, self._payee = home, payee
        self._enough = threading.Event()
        self.keys: list[str] = []
        self.answers: dict[str, str] = {}
        self.done = 0
        self.last = ""

    def run(self) -> None:
        while not self._enough.is_set():
            self.keys.append(f"key {len(self.keys)}")
            self.ask(self.keys[-1])

    def ask(self, key: str) -> None:
        """Until there is an answer, or it is enough for now."""
        while not self._enough.is_set():
            try:
                with connect(home=self._home) as node:
                    paid = node.pay(self._payee, AMOUNT, idempotency_key=key, wait=20)
            except (PerunError, OSError) as error:
                self.last = str(error)  # somebody is away: the same wish again
                continue
            self.last = f"{paid.step}: {paid.why}"
            if paid.step in ("done", "failed"):
                self.answers[key] = paid.step
                self.done += paid.step == "done"
                return

    def goes_on(self, before: int) -> None:
        """Waits until one more is paid."""
        try:
            eventually(lambda: self.done > before)
        except AssertionError:
            raise AssertionError(f"nothing more is paid: {self.last}") from None

    def finish(self) -> None:
        """Everything that was wished is asked again, and has come to its end."""
        self._enough.set()
        self.join()
        self._enough.clear()
        for key in self.keys:
            self.ask(key)
            assert self.answers[key] in ("done", "failed")


def ended_in_the_midst(home: Path, rounds: tuple[tuple[str, int], ...]) -> None:
    with Up(home) as up:
        up.hear("Type in another terminal")
        steps, own = up.steps(), 0
        with stopped_at_the_end(home):
            for step in steps[: 1 + next(n for n, step in enumerate(steps) if " open " in step)]:
                said = shell(home, step)
                own = own if "node start" not in step else process_in(said)
            shop = names_of(home)["SHOP"]
            payer = Payer(home / "you", shop)
            payer.start()
            payer.goes_on(0)
            for name, how in rounds:
                before = payer.done
                if name == "you":
                    os.kill(own, how)
                    eventually(lambda own=own: has_ended(own))  # type: ignore[misc]
                    own = process_in(shell(home, "perun node start"))
                else:
                    os.kill(up.children()[name], how)
                    up.hear(f"The {'chain' if name == 'anvil' else name} is back.")
                payer.goes_on(before)
            payer.finish()
            agree(home, payer, shop)
            audit = audit_home(home / "hub")
            assert audit.holds, audit.wrong
            assert up.end() == 0
            assert up.children() == {}


def process_in(said: str) -> int:
    """The daemon's, out of what its start has printed."""
    found = re.search(r"running as process (\d+)", said)
    assert found is not None, said
    return int(found[1])


def has_ended(process: int) -> bool:
    """Whether it runs no more, whoever has not taken notice of that yet."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def agree(home: Path, payer: Payer, shop: str) -> None:
    """Each wish once, at both ends; no more has left than was wished."""
    node_id = shop.partition("@")[0]
    with connect(home=home / "you") as you, connect(home=home / "shop") as theirs:
        out = [one for one in you.payments("out", limit=1_000) if one.peer == node_id]
        done = {one.id for one in out if one.step == "done"}
        wished = sum(step == "done" for step in payer.answers.values())
        assert len(done) == wished
        me = you.status().node
        came = [one.id for one in theirs.payments("in", limit=1_000) if one.peer == me]
        assert sorted(came) == sorted(done)
        assert all(one.amount == str(AMOUNT) for one in out)


def names_of(home: Path) -> dict[str, str]:
    lines = (home / "names").read_text().splitlines()
    pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    return {name: value.strip("'\"") for name, value in pairs}


def test_hub_and_own_daemon_are_ended_in_the_midst_of_payments(tmp_path: Path) -> None:
    ended_in_the_midst(tmp_path / "up", (("hub", signal.SIGTERM), ("you", signal.SIGKILL)))


@pytest.mark.slow
def test_each_process_is_ended_in_the_midst_of_payments(tmp_path: Path) -> None:
    everybody = ("anvil", "chain", "hub", "you", "tower", "shop", "patron")
    rounds = tuple((name, how) for how in (signal.SIGTERM, signal.SIGKILL) for name in everybody)
    ended_in_the_midst(tmp_path / "up", rounds)
