"""Swaps by the command, each side by itself: two assets of one network, and two networks."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from perun.api.client import CallRefused, Node, NotReached, connect
from perun.api.place import tokens_folder
from perun.api.publishing import publish_place
from perun.api.server import ApiServer
from perun.api.tokens import Tokens
from perun.app.settings import KnownToken
from perun.app.values import HashLock
from perun.cli.main import cli
from perun.cli.swapping import (
    BadTicket,
    Leg,
    NotSwapped,
    Ticket,
    give,
    give_parts,
    pieces,
    plan,
    read,
    secrets_of,
    take,
    take_parts,
)
from perun.core.rules.swaps import SwapRejected
from perun.crypto import keccak
from perun.daemon.carrying import Carrier, Swap, keep, kept
from perun.node.threads import NodeThread
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import ETH, Address, Asset, Wei
from tests.node.processes.network.wired import eventually

TOKEN = Asset(Address(b"\xab" * 20))
KNOWN = msgspec.structs.replace(SETTINGS, tokens=(KnownToken(TOKEN, "USDC", 6),))
POLICY = replace(OPEN_HANDED, assets=(ETH, TOKEN))
WHOLE = 10**18
ETHER, USDC = 10**17, 3 * 10**6
SECRET = b"\x2a" * 32


def name_of(asset: Asset) -> str:
    return "0x" + asset.hex()


@dataclass
class Side:
    """Somebody in one network."""

    person: Person
    home: Path
    node: Node

    def free(self, asset: Asset = ETH) -> int:
        (view,) = (one for one in self.node.channels() if one.asset.lower() == name_of(asset))
        return int(view.free)

    def lock(self) -> HashLock:
        (one,) = self.node.locks()
        return one


def served(stack: ExitStack, folder: Path, *assets: Asset) -> tuple[Side, Side]:
    """Alice and Bob in a network, with a channel of each asset and an interface each."""
    town = Town()
    people = [town.person(name, POLICY, KNOWN) for name in ("alice", "bob")]
    for asset in assets:
        for person in people:
            if asset != ETH:
                town.world.ledger.mint(asset, person.party.account.address, Wei(WHOLE))
        open_channel(town.world, people[0].party, people[1].party, WHOLE, WHOLE, asset)
    thread = NodeThread(*(person.party.node for person in people))
    sides = []
    for place, person in enumerate(people):
        home = folder / str(place)
        home.mkdir(parents=True)
        server = ApiServer(person.party.node, Tokens(tokens_folder(home)))
        server.start()
        stack.callback(server.stop)
        publish_place(home, server.url)
        sides.append(Side(person, home, stack.enter_context(connect(home=home))))
    thread.start()
    stack.callback(thread.stop)
    return sides[0], sides[1]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    with ExitStack() as stack:
        yield served(stack, tmp_path, ETH, TOKEN)


def offer(alice: Side, there: Side, bob: Side, asset: Asset = TOKEN) -> Ticket:
    given, wanted = (str(ETHER), name_of(ETH)), (str(USDC), name_of(asset))
    return plan(alice.node, there.node, bob.person.id, given, wanted, SECRET)


def run(side: Side, *words: str, typed: str = "") -> Result:
    """At a wide terminal."""
    environment = {"PERUN_HOME": str(side.home), "COLUMNS": "200"}
    return CliRunner(env=environment).invoke(cli, words, input=typed)


def quiet(_text: str) -> None:
    """Nobody looks on."""


def test_two_assets_of_one_network_are_swapped(pair: tuple[Side, Side]) -> None:
    alice, bob = pair
    ticket = offer(alice, alice, bob)
    with ThreadPoolExecutor(1) as pool:
        giving = pool.submit(give, alice.node, alice.node, ticket, SECRET, quiet)
        taken = run(bob, "swap", "take", str(ticket), "--yes")
        got = giving.result(120)
    assert (got.gain, taken.exit_code) == (str(USDC), 0), taken.output
    assert "Give 3 USDC, and get 0.100000 ETH." in taken.output
    assert "Swapped: 0.100000 ETH received." in taken.output
    assert (alice.free(), alice.free(TOKEN)) == (WHOLE - ETHER, WHOLE + USDC)
    assert (bob.free(), bob.free(TOKEN)) == (WHOLE + ETHER, WHOLE - USDC)
    assert give(alice.node, alice.node, ticket, SECRET, quiet).gain == str(USDC), "shown already"
    # The same line again is the same swap.
    again = run(bob, "swap", "take", str(ticket), "--yes")
    assert "Swapped: 0.100000 ETH received." in again.output
    assert bob.free(TOKEN) == WHOLE - USDC
    assert "to you" in run(bob, "locks").output


def test_two_networks_are_swapped_between_with_a_node_in_each(tmp_path: Path) -> None:
    with ExitStack() as stack:
        alice, bob = served(stack, tmp_path / "one", ETH)
        alice_there, bob_there = served(stack, tmp_path / "other", TOKEN)
        ticket = offer(alice, alice_there, bob)
        with ThreadPoolExecutor(2) as pool:
            giving = pool.submit(give, alice.node, alice_there.node, ticket, SECRET, quiet)
            taking = pool.submit(take, bob.node, bob_there.node, ticket, quiet)
            gains = giving.result(120).gain, taking.result(120).gain
        assert gains == (str(USDC), str(ETHER))
        assert (alice.free(), alice_there.free(TOKEN)) == (WHOLE - ETHER, WHOLE + USDC)
        assert (bob.free(), bob_there.free(TOKEN)) == (WHOLE + ETHER, WHOLE - USDC)


def test_lock_that_nobody_answers_shows_nothing(pair: tuple[Side, Side]) -> None:
    alice, bob = pair
    ticket = offer(alice, alice, bob)
    late = replace(ticket, second=replace(ticket.second, until=alice.node.status().block.time + 9))
    with pytest.raises(NotSwapped, match="in time"):
        give(alice.node, alice.node, late, SECRET, quiet)
    assert bob.lock().secret is None


@pytest.mark.parametrize("part", ["amount", "asset"])
def test_less_than_was_asked_for_is_not_taken(pair: tuple[Side, Side], part: str) -> None:
    """Bob locks a wei less, or of something else, and time runs out: Alice shows nothing."""
    alice, bob = pair
    ticket = offer(alice, alice, bob)
    leg = ticket.second
    late = replace(ticket, second=replace(leg, until=alice.node.status().block.time + 9))
    amount = str(USDC - 1) if part == "amount" else leg.amount
    asset = name_of(ETH) if part == "asset" else leg.asset
    bob.node.lock(alice.person.id, amount, ticket.hash, leg.until, asset)
    with pytest.raises(NotSwapped, match="they have locked"):
        give(alice.node, alice.node, late, SECRET, quiet)
    assert {one.secret for one in alice.node.locks()} == {None}


def test_less_under_the_same_hash_stops_nobody(pair: tuple[Side, Side]) -> None:
    """A hub that sees the hash in the first lock could else have every swap come to nothing."""
    alice, bob = pair
    ticket = offer(alice, alice, bob)
    bob.node.lock(alice.person.id, "1", ticket.hash, ticket.second.until, ticket.second.asset)
    bob.node.lock(alice.person.id, "1", ticket.hash, ticket.second.until)
    with ThreadPoolExecutor(1) as pool:
        giving = pool.submit(give, alice.node, alice.node, ticket, SECRET, quiet)
        leg = ticket.second
        bob.node.lock(alice.person.id, leg.amount, ticket.hash, leg.until, leg.asset)
        assert giving.result(120).gain == str(USDC)


class Restarting(Node):
    """A node that is started again, or busy, now and then."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.url, "")
        self._headers = node._headers
        self.failing = False
        self._answers = itertools.count()

    def _call(self, method: str, result: Any, fields: dict[str, Any]) -> Any:
        number = next(self._answers) if self.failing else 0
        if number % 3 == 1:
            raise NotReached(self.url, "connection refused")
        if number % 3 == 2:
            raise CallRefused(18, "NotAnswered", "busy", {}, "")
        return super()._call(method, result, fields)


def test_whoever_locked_second_goes_on_looking_though_a_node_is_started_again(
    tmp_path: Path,
) -> None:
    """In two networks this command alone carries the secret over: its end would cost the lock."""
    with ExitStack() as stack:
        alice, bob = served(stack, tmp_path / "one", ETH)
        alice_there, bob_there = served(stack, tmp_path / "other", TOKEN)
        ticket = offer(alice, alice_there, bob)
        here, there = Restarting(bob.node), Restarting(bob_there.node)
        stack.callback(here.hang_up)
        stack.callback(there.hang_up)

        def tell(text: str) -> None:
            here.failing = there.failing = here.failing or text.startswith("locked;")

        with ThreadPoolExecutor(2) as pool:
            giving = pool.submit(give, alice.node, alice_there.node, ticket, SECRET, quiet)
            taking = pool.submit(take, here, there, ticket, tell)
            gains = giving.result(120).gain, taking.result(120).gain
        assert gains == (str(USDC), str(ETHER))


# --------------------------------------------------------------------------------------- in parts


def test_swap_in_parts_moves_all_one_part_after_the_other(pair: tuple[Side, Side]) -> None:
    alice, bob = pair
    given, wanted = (str(ETHER), name_of(ETH)), (str(USDC), name_of(TOKEN))
    ticket = plan(alice.node, alice.node, bob.person.id, given, wanted, SECRET, 3)
    assert read(str(ticket)) == ticket
    with ThreadPoolExecutor(1) as pool:
        giving = pool.submit(lambda: [*give_parts(alice.node, alice.node, ticket, SECRET, quiet)])
        taken = run(bob, "swap", "take", str(ticket), "--yes")
        assert len(giving.result(120)) == 3
    assert "in each of 3 parts" in taken.output
    assert taken.output.count("Swapped: 0.033333 ETH received.") == 3
    assert (alice.free(), alice.free(TOKEN)) == (WHOLE - ETHER, WHOLE + USDC)
    assert [*kept(bob.home)] == []


def test_one_part_is_at_stake_and_a_killed_holder_goes_on_with_the_next(
    pair: tuple[Side, Side],
) -> None:
    alice, bob = pair
    words = ("swap", "give", bob.person.id, "0.1ether", "3USDC", "--parts", "3")
    with started(alice, *words) as process:
        ticket = read(offered_by(process))
        taking = take_parts(bob.node, bob.node, ticket, quiet, lambda *_: None)
        assert next(taking).hash == ticket.hash
        eventually(lambda: ticket.more[0] in {one.hash for one in bob.node.locks()})
        process.send_signal(signal.SIGKILL)
        process.wait()
    locked = {one.hash: int(one.amount) for one in alice.node.locks() if one.pays}
    assert locked.keys() == {ticket.hash, ticket.more[0]}
    assert locked[ticket.more[0]] == ETHER // 3
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(lambda: [*taking])
        done = run(alice, "swap", "resume")
        assert len(rest.result(120)) == 2
    assert done.output.count("Swapped: 1 USDC received.") == 3
    assert (alice.free(), alice.free(TOKEN)) == (WHOLE - ETHER, WHOLE + USDC)


def test_later_parts_leave_their_holder_no_longer_to_look_than_the_first(
    pair: tuple[Side, Side],
) -> None:
    """Alice locks the second part for days, so that Bob's would be open nearly as long."""
    alice, bob = pair
    given, wanted = (str(ETHER), name_of(ETH)), (str(USDC), name_of(TOKEN))
    ticket = plan(alice.node, alice.node, bob.person.id, given, wanted, SECRET, 2)
    (one, other), (first, second) = pieces(ticket), secrets_of(SECRET, 2)
    taking = take_parts(bob.node, bob.node, ticket, quiet, lambda *_: None)
    with ThreadPoolExecutor(2) as pool:
        giving = pool.submit(give, alice.node, alice.node, one, first, quiet)
        next(taking)
        giving.result(120)
        look = ticket.second.until - alice.node.status().block.time
        until = ticket.first.until + 50_000
        alice.node.lock(bob.person.id, other.first.amount, other.hash, until)
        rest = pool.submit(next, taking)
        eventually(lambda: other.hash in {x.hash for x in alice.node.locks() if not x.pays})
        theirs = next(x for x in alice.node.locks() if x.hash == other.hash and not x.pays)
        eventually(lambda: alice.node.locks(theirs.id)[0].state == "open")
        alice.node.show_secret(theirs.id, "0x" + second.hex())
        rest.result(120)
    assert theirs.until <= alice.node.status().block.time + look + 60


def test_one_secret_says_nothing_of_the_others_and_no_part_is_nothing() -> None:
    shown = secrets_of(SECRET, 3)
    assert len({*shown, SECRET}) == 4
    assert secrets_of(SECRET, 1) == [SECRET]
    leg = Leg("eip155:1", name_of(ETH), name_of(ETH), "10", 5, "perun1" + 58 * "q")
    hash, *more = ("0x" + digit * 64 for digit in "abc")
    cut = [(one.first.amount, one.hash) for one in pieces(Ticket(hash, leg, leg, tuple(more)))]
    assert cut == [("4", hash), ("3", more[0]), ("3", more[1])]
    with pytest.raises(BadTicket, match="under one hash"):
        pieces(Ticket(hash, leg, leg, (hash,)))
    with pytest.raises(BadTicket, match="cannot be cut into 3 parts"):
        pieces(Ticket(hash, leg, replace(leg, amount="2"), tuple(more)))


# ----------------------------------------------------------------------- the command that is killed


@contextmanager
def started(side: Side, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which is killed at the latest at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "perun.cli.main", *words, "--yes"],
        env={**os.environ, "PERUN_HOME": str(side.home), "COLUMNS": "2000"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def offered_by(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    line = next(line for line in process.stderr if "perun swap take" in line)
    return line.split("perun swap take")[1]


def pays(side: Side) -> bool:
    return any(one.pays and one.state == "open" for one in side.node.locks())


@pytest.mark.parametrize("by", ["daemon", "resume"])
def test_secret_is_carried_over_though_the_command_was_killed(tmp_path: Path, by: str) -> None:
    """Alice shows it in one network when Bob's command is gone, and hopes to keep both."""
    with ExitStack() as stack:
        alice, bob = served(stack, tmp_path / "one", ETH)
        alice_there, bob_there = served(stack, tmp_path / "other", TOKEN)
        ticket = offer(alice, alice_there, bob)
        leg = ticket.first
        alice.node.lock(bob.person.id, leg.amount, ticket.hash, leg.until, leg.asset)
        words = ("swap", "take", str(ticket), "--there", str(bob_there.home))
        with started(bob, *words) as process:
            eventually(lambda: pays(bob_there))
            process.send_signal(signal.SIGKILL)
            process.wait()
        (kept_one,) = kept(bob.home)
        assert (kept_one.hash, kept_one.lock) == (ticket.hash, bob.lock().id)
        assert alice_there.lock().secret is None

        told: list[Exception] = []
        carrier = Carrier(bob.home, told.append)
        carrier.look()
        assert bob.lock().secret is None
        alice_there.node.show_secret(alice_there.lock().id, "0x" + SECRET.hex())
        eventually(lambda: bob_there.lock().state == "over")
        assert bob.lock().state == "open"
        if by == "daemon":
            carrier.look()
        else:
            assert "Swapped: 0.100000 ETH received." in run(bob, "swap", "resume").output
        eventually(lambda: bob.lock().state == "over")
        assert bob.free() == WHOLE + ETHER
        carrier.look()
        assert ([*kept(bob.home)], told) == ([], [])


def test_carrier_lives_by_itself_and_says_once_what_it_cannot_reach(tmp_path: Path) -> None:
    with ExitStack() as stack:
        alice, bob = served(stack, tmp_path / "one", ETH)
        ticket = offer(alice, alice, bob)
        leg = ticket.first
        alice.node.lock(bob.person.id, leg.amount, ticket.hash, leg.until, leg.asset)
        eventually(lambda: bob.lock().state == "open")
        other = str(tmp_path / "gone")
        keep(bob.home, Swap(ticket.hash, str(ticket), other, lock=bob.lock().id))
        told: list[Exception] = []
        carrier = Carrier(bob.home, told.append)
        carrier.look()
        carrier.look()
        assert [type(one) for one in told] == [NotReached]
        assert [*kept(bob.home)]

        carrier.start()
        stack.callback(carrier.stop)
        bob.node.show_secret(bob.lock().id, "0x" + SECRET.hex())
        eventually(lambda: not [*kept(bob.home)])


@pytest.mark.parametrize("networks", [1, 2])
def test_swap_whose_holder_was_killed_goes_on_where_it_stood(tmp_path: Path, networks: int) -> None:
    """The secret was nowhere but in the process that is gone."""
    with ExitStack() as stack:
        alice, bob = served(stack, tmp_path / "one", *(ETH, TOKEN)[: 3 - networks])
        alice_there, bob_there = alice, bob
        there: tuple[str, ...] = ()
        if networks == 2:
            alice_there, bob_there = served(stack, tmp_path / "other", TOKEN)
            there = ("--there", str(alice_there.home))
        words = ("swap", "give", bob.person.id, "0.1ether", "3USDC", *there)
        with started(alice, *words) as process:
            ticket = read(offered_by(process))
            process.send_signal(signal.SIGKILL)
            process.wait()
        (held,) = kept(alice.home)
        assert keccak(bytes.fromhex(held.secret[2:])).hex() == ticket.hash[2:]
        assert os.stat(alice.home / "swaps" / f"{held.hash}.json").st_mode & 0o077 == 0

        with ThreadPoolExecutor(1) as pool:
            taking = pool.submit(take, bob.node, bob_there.node, ticket, quiet)
            done = run(alice, "swap", "resume")
            assert taking.result(120).gain == str(ETHER)
        assert "Swapped: 3 USDC received." in done.output
        assert "No swap is under way here." in run(alice, "swap", "resume").output
        assert (alice.free(), alice_there.free(TOKEN)) == (WHOLE - ETHER, WHOLE + USDC)


@pytest.mark.parametrize("side", ["first", "second"])
def test_ends_by_which_somebody_could_lose_are_refused(pair: tuple[Side, Side], side: str) -> None:
    """Alice's lock ends too early to bring her secret there; or Bob's to be seen by her."""
    alice, bob = pair
    ticket = offer(alice, alice, bob)
    first, second, now = ticket.first, ticket.second, alice.node.status().block.time
    if side == "first":
        first = replace(first, until=first.until - 1)
        alice.node.lock(bob.person.id, first.amount, ticket.hash, first.until, first.asset)
        with pytest.raises(SwapRejected, match="1 s later"):
            take(bob.node, bob.node, replace(ticket, first=first), quiet)
        assert not bob.lock().pays
    else:
        short = now + 179
        bob.node.lock(alice.person.id, second.amount, ticket.hash, short, second.asset)
        with pytest.raises(SwapRejected, match="early"):
            give(alice.node, alice.node, ticket, SECRET, quiet)
        assert {one.secret for one in alice.node.locks()} == {None}


def test_ticket_is_read_as_it_was_written_or_refused(pair: tuple[Side, Side]) -> None:
    alice, bob = pair
    ticket = offer(alice, alice, bob)
    assert read(f" {ticket}\n") == ticket
    for bad in (
        "",
        "perun-swap:",
        "perun-swap:AAAA",
        str(ticket)[:-9],
        "perun-swap:" + "A" * 9_999,
    ):
        with pytest.raises(BadTicket):
            read(bad)
    elsewhere = replace(ticket, second=replace(ticket.second, network="eip155:10"))
    refused = run(bob, "swap", "take", str(elsewhere), "--yes")
    assert refused.exit_code == 1
    assert "--there" in refused.output
    asked = run(alice, "swap", "give", bob.person.id, "0.1ether", "3USDC", typed="n\n")
    assert "Lock 0.100000 ETH for" in asked.output
    assert "and get 3 USDC. If they do not lock theirs, yours is free again" in asked.output
    assert alice.node.locks() == ()
