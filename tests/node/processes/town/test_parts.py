"""The parts of `perun up`, one by one."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from perun.town.asking import serve
from perun.town.claims import Claims
from perun.town.household import CannotStart, Child, Household
from perun.town.pace import Pace
from perun.town.place import BadTown, PortTaken, Town, found_town, open_town
from tests.node.processes.town.running import PATIENCE


def test_a_town_keeps_its_ports(tmp_path: Path) -> None:
    with Claims() as claims:  # Those of networks that run here now.
        town = found_town(tmp_path, "embedded", claims)
        assert open_town(tmp_path) == town
        assert len(set(ports_of(town))) == len(ports_of(town))
        town.require_ports(claims)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", town.ports.hub))
            other.listen()
            with pytest.raises(PortTaken, match=f"port {town.ports.hub}, which is the hub's"):
                town.require_ports(claims)


def test_two_that_are_founded_at_once_take_other_ports(tmp_path: Path) -> None:
    ours, theirs = Claims(tmp_path / "ports"), Claims(tmp_path / "ports")
    one = found_town(tmp_path / "one", "embedded", ours)
    two = found_town(tmp_path / "two", "embedded", theirs)  # Nobody listens for the first one yet.
    assert not set(ports_of(one)) & set(ports_of(two))
    with pytest.raises(PortTaken, match=f"port {one.ports.chain}, which is the chain's"):
        one.require_ports(theirs)
    with ours:
        one.require_ports(ours)
    with theirs:  # The first one is down: its ports are anybody's.
        one.require_ports(theirs)


def ports_of(town: Town) -> list[int]:
    return [getattr(town.ports, name) for name in town.ports.__struct_fields__]


def test_a_folder_that_says_nonsense_is_no_town(tmp_path: Path) -> None:
    (tmp_path / "town.json").write_text("{")
    with pytest.raises(BadTown, match=r"town\.json"):
        open_town(tmp_path)


def test_a_block_a_second_while_something_happens_and_few_otherwise() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    made = []
    for second in range(1, 121):
        now = float(second)
        if pace.is_due(1 if second == 60 else 0):
            made.append(second)
    assert made == [*range(1, 30), 44, 59, *range(60, 90), 104, 119]


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_who_never_gets_ready_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    said: list[str] = []
    with Household(tmp_path, said.append) as house:
        child = house.start(Child("clerk", program("print('no ink'); raise SystemExit(1)")))
        with pytest.raises(CannotStart, match="the clerk does not start: no ink"):
            house.await_ready(child)
    assert said[0] == "The clerk has ended (no ink); it is started again at once."
    assert (tmp_path / "clerk.log").read_text() == "no ink\n" * 4


def test_what_is_told_is_shown_and_the_rest_is_logged(tmp_path: Path) -> None:
    said: list[str] = []
    loop = "print('{}'); print('> two teas'); print('ready'); import time; time.sleep(600)"
    with Household(tmp_path, said.append) as house:
        child = house.start(Child("clerk", program(f"import sys\n{loop}")))
        house.await_ready(child)
        assert child.process is not None
    assert said == ["clerk: two teas"]
    assert child.process.poll() is not None


def test_a_process_ends_when_its_starter_has_ended(tmp_path: Path) -> None:
    text = (
        "import sys, time\nfrom pathlib import Path\nfrom perun.town.leash import leashed\n"
        f"lock = leashed(Path({str(tmp_path / 'lock')!r}))\n"
        "print('there', flush=True)\ntime.sleep(600)"
    )
    child = subprocess.Popen(program(text), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"there\n"
    child.stdin.close()
    assert child.wait(timeout=PATIENCE) != 0
    child.stdout.close()


@pytest.fixture
def page() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    def answer(text: str) -> tuple[bool, str]:
        asked.append(text)
        return text == "please", f"you said {text}"

    server = serve("127.0.0.1", 0, answer)
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_the_patron_hears_programs_and_no_web_pages(page: tuple[str, list[str]]) -> None:
    url, asked = page
    post: Any = requests.post
    assert (post(url, data="please").status_code, post(url, data="now").status_code) == (200, 400)
    assert post(url, data="please", headers={"Origin": "https://evil.example"}).status_code == 403
    assert post(url, data="x" * 10_000).status_code == 413
    assert "perun request" in requests.get(url, timeout=PATIENCE).text
    assert asked == ["please", "now"]


def test_a_process_that_is_ready_is_heard_among_what_it_logs() -> None:
    code = (
        "import sys, threading\n"
        "from perun.hub.logs import JsonLog\n"
        "from perun.town.household import READY, announce\n"
        "sys.setswitchinterval(1e-6)\n"
        "log, over = JsonLog(sys.stdout), threading.Event()\n"
        "def write():\n"
        "    while not over.is_set():\n"
        "        log.write('Sent', {})\n"
        "threads = [threading.Thread(target=write) for _ in range(3)]\n"
        "[thread.start() for thread in threads]\n"
        "for _ in range(300):\n"
        "    announce(READY)\n"
        "over.set()\n"
        "[thread.join() for thread in threads]\n"
    )
    ran = subprocess.run(
        [sys.executable, "-u", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines().count("ready") == 300
