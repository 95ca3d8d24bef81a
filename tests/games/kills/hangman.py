"""Runs payer, hub and payee as processes, kills them, and compares what left with what is kept."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from perun.core.config import Policy
from perun.core.effects import Watch
from perun.core.inputs import (
    Command,
    CommandAddMachine,
    CommandDispute,
    CommandOffer,
    CommandPay,
    CommandRemove,
    CommandTransfer,
)
from perun.core.nanocontracts.hash_chain import CommandStream, CommandTick
from perun.core.notices import InstanceRemoved, VirtualReady
from perun.core.state import PeerId
from perun.encoding.messages import AnswerState, Message, Paid, Pay, Propose, Ticked, Ticks
from perun.node.keeping import Place
from perun.node.settings import peer_id
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.testing.ledger import Ledger, LedgerChain
from perun.testing.network import meant
from perun.testing.parties import key_of
from perun.testing.stories import OPEN_HANDED, hub_policy
from perun.types import (
    ETH,
    ChannelId,
    InstanceId,
    MachineId,
    Nonce,
    Salt,
    Seconds,
    State,
    UnixTime,
    Wei,
)
from tests.games.kills.child import Report, live
from tests.node.processes.network.proxy import Proxy
from tests.support.postgres import Servers, by_way_of

NAMES = ("alice", "ingrid", "bob")
_TICK = Wei(2)
"""What a tick of a stream is worth here."""
_PATIENCE = 120.0
"""Seconds of silence after which a process counts as hung."""


class SignatureLost(AssertionError):
    """A process has forgotten, or contradicted, what it had let out."""


class Convict:
    """One process, in all its lives."""

    def __init__(self, name: str, place: Place, ledger: Ledger) -> None:
        self.name, self.ledger = name, ledger
        self.key = key_of(name)
        self.peer: PeerId = peer_id(self.key.public_key)
        self.policy: Policy = hub_policy() if name == "ingrid" else OPEN_HANDED
        self.place = place
        self.chain = LedgerChain(ledger, self.key.address, self._told)
        self.pipe: Connection | None = None
        self.process: ForkServerProcess | None = None
        self.report: Report | None = None
        self.states: dict[tuple[bytes, int], State | int] = {}
        """By channel and version what has left; a bare version if it left as an answer."""
        self.answered: Counter[bytes] = Counter()
        self.paid: Counter[bytes] = Counter()
        """Highest total that has left, by machine …"""
        self.acknowledged: Counter[bytes] = Counter()
        """… and that was said to be stored."""
        self.streamed: Counter[bytes] = Counter()
        """Highest total of ticks that has left, or was said to be stored, by stream."""

    def _told(self, inputs: Any) -> None:
        self.tell("inputs", list(inputs))

    def tell(self, *message: Any) -> None:
        """Says something to the process; it may be dead."""
        if self.pipe is not None:
            try:
                self.pipe.send(message)
            except OSError:
                self.pipe = None

    def start(self, context: Any) -> None:
        """A process on the same store."""
        ours, theirs = context.Pipe()
        arguments = (self.name, self.place, self.policy, int(self.ledger.time), theirs)
        self.process = context.Process(target=live, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self.pipe = ours
        self.report = None

    def kill(self) -> None:
        """`kill -9`."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.join()
        self.process.close()

    def signal(self, number: int) -> None:
        """Sends the process a signal."""
        assert self.process is not None
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def left(self, message: Message) -> None:
        """Something it has signed or promised has left it."""
        match message:
            case Propose(state):
                known = self.states.setdefault((state.channel, state.version), state)
                if known != state:
                    raise SignatureLost(f"{self.name}: two states with one version: {state}")
            case AnswerState(channel, version):
                self.answered[channel] = max(self.answered[channel], version)
            case Pay(machine, paid):
                self.paid[machine] = max(self.paid[machine], paid)
            case Paid(machine, paid):
                self.acknowledged[machine] = max(self.acknowledged[machine], paid)
            case Ticks(stream):
                total = message.base + message.ticks * _TICK
                self.streamed[stream] = max(self.streamed[stream], total)
            case Ticked(stream, total):
                self.streamed[stream] = max(self.streamed[stream], total)

    def reborn(self, found: Report) -> None:
        """What its store holds must be at least what has left it."""
        self.report = found
        exit_only, versions, totals, _, streams = found
        if exit_only:
            raise SignatureLost(f"{self.name}: takes its own store for a copy")
        for channel, version in self.states:
            if versions.get(channel, (0, 0))[0] < version:
                raise SignatureLost(f"{self.name}: forgot that it signed version {version}")
        for channel, version in self.answered.items():
            if versions.get(channel, (0, 0))[1] < version:
                raise SignatureLost(f"{self.name}: forgot the full state {version}")
        for machine, paid in self.paid.items():
            if machine not in totals or totals[machine].sent < paid:
                raise SignatureLost(f"{self.name}: forgot that it paid {paid}")
        for machine, paid in self.acknowledged.items():
            if paid and (machine not in totals or totals[machine].received < paid):
                raise SignatureLost(f"{self.name}: lost a statement over {paid}")
        for stream, total in self.streamed.items():
            if streams.get(stream, 0) < total:
                raise SignatureLost(f"{self.name}: lost ticks up to {total}")


class Hangman:
    """The three, a ledger, and a supply of work."""

    def __init__(self, places: Callable[[str], Place], seed: int = 0) -> None:
        """Args:
        places: of the store of each, by name.
        """
        self.random = Random(seed)
        self.ledger = Ledger()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.games.kills.child"])
        self._stack = ExitStack()
        self.ways: dict[str, tuple[Proxy, Proxy]] = {}
        """By which each reaches its database and its witness."""
        self.convicts = [Convict(name, self._place(places, name), self.ledger) for name in NAMES]
        self.kills: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.machines: list[MachineId] = []
        """Virtual machines that both ends were told are ready."""
        self._pings = 0
        self._count = 0
        for convict in self.convicts:
            self._start(convict)
        self._open()

    def __enter__(self) -> Hangman:
        return self

    def __exit__(self, *_: object) -> None:
        for convict in self.convicts:
            convict.kill()
        self._stack.close()

    def _place(self, places: Callable[[str], Place], name: str) -> Place:
        place = places(name)
        if isinstance(place, Path):
            return place
        ways = self._stack.enter_context(Proxy(0)), self._stack.enter_context(Proxy(0))
        for way, url in zip(ways, (place.database, place.witness), strict=True):
            way.target = urlsplit(url).port or 0
        self.ways[name] = ways
        return by_way_of(place, ways[0].host, ways[1].host)

    # --------------------------------------------------------------------------------------- life

    def _start(self, convict: Convict) -> None:
        convict.start(self._context)
        while convict.report is None:
            self._pump()
        convict.tell("inputs", [convict.chain.block(), *convict.chain.snapshots()])
        for other in self.convicts:
            if other is not convict and other.pipe is not None:
                convict.tell("meet", other.peer)
                other.tell("meet", convict.peer)

    def kill(self, name: str) -> None:
        """Kills one at whatever it is doing, and starts it again; what is in its pipes is read
        first: it has left."""
        convict = self.convicts[NAMES.index(name)]
        convict.kill()
        while convict.pipe is not None:
            self._pump_one(convict)
        self.kills[name] += 1
        self._start(convict)

    def cut(self, name: str, servers: Servers) -> None:
        """Ends all sessions that one has with its database and its witness; it ends by that, and is
        started again."""
        convict = self.convicts[NAMES.index(name)]
        assert convict.process is not None
        servers.cut(convict.process.pid or 0)
        self._bury(convict, convict.process)
        self.kills[f"{name} cut"] += 1
        self._start(convict)

    def mute(self, name: str, server: int) -> None:
        """One server takes what one says and never answers: it ends by that, and is started again
        when the network is back."""
        convict = self.convicts[NAMES.index(name)]
        way = self.ways[name][server]
        way.mute = True
        assert convict.process is not None
        # It notices the witness only when it has something to say.
        self.work()
        self._bury(convict, convict.process)
        way.mute = False
        self.kills[f"{name} unheard"] += 1
        self._start(convict)

    def stop(self, name: str) -> None:
        """Stops one for longer than its lease, so that another takes over; then wakes it up: what
        it says from then on counts against it, and it ends by itself."""
        convict = self.convicts[NAMES.index(name)]
        old, pipe = convict.process, convict.pipe
        convict.signal(signal.SIGSTOP)
        self._start(convict)
        heir, convict.process, heirs_pipe = convict.process, old, convict.pipe
        # It has been told of what happened meanwhile, and would answer that now.
        convict.tell("time", int(self.ledger.time))
        convict.signal(signal.SIGCONT)
        convict.pipe = pipe
        for other in self.convicts:
            if other is not convict:
                convict.tell("meet", other.peer)
        assert old is not None
        self._bury(convict, old)
        convict.process, convict.pipe = heir, heirs_pipe
        self.kills[f"{name} stopped"] += 1

    def _bury(self, convict: Convict, process: ForkServerProcess) -> None:
        """Reads all that one still says, until it has ended by itself."""
        report = convict.report
        while convict.pipe is not None:
            if not convict.pipe.poll(_PATIENCE):
                raise SignatureLost(f"{convict.name}: goes on without its database")
            self._pump_one(convict)
        process.join()
        process.close()
        convict.report = report

    # ------------------------------------------------------------------------------------- pumping

    def _pump(self, timeout: float = _PATIENCE) -> int:
        """Handles what has come from all; how many messages."""
        pipes = {c.pipe: c for c in self.convicts if c.pipe is not None}
        ready = wait(list(pipes), timeout)
        if not ready and timeout == _PATIENCE:
            raise AssertionError("a process hangs")
        for pipe in ready:
            self._pump_one(pipes[pipe])  # type: ignore[index]
        return len(ready)

    def _pump_one(self, convict: Convict) -> None:
        assert convict.pipe is not None
        try:
            kind, *rest = convict.pipe.recv()
        except (EOFError, OSError):
            convict.pipe.close()
            convict.pipe = None
            return
        self.seen[kind] += 1
        if kind == "frame":
            self._carry(convict, *rest)
        elif kind == "watch":
            watch: Watch = rest[0]
            convict.chain.watch(watch)
        elif kind == "submit":
            convict.chain.submit(rest[0])
        elif kind == "alive":
            convict.reborn(rest[0])
        elif kind == "pong":
            if rest[1] is not None:
                convict.reborn(rest[1])
        elif kind == "notice":
            self._hear(rest[0])

    def _carry(self, sender: Convict, peer: PeerId, frame: bytes) -> None:
        receiver = next(c for c in self.convicts if c.peer == peer)
        sender.left(meant(frame))
        receiver.tell("frame", sender.peer, frame)

    def _hear(self, notice: object) -> None:
        self.seen[type(notice).__name__] += 1
        if isinstance(notice, VirtualReady):
            if notice.instance not in self.machines:
                self.machines.append(MachineId(notice.instance))
        elif isinstance(notice, InstanceRemoved) and notice.instance in self.machines:
            self.machines.remove(MachineId(notice.instance))

    def settle(self, *, report: bool = False) -> None:
        """Until nobody says anything but that it is there."""
        for _ in range(1_000):
            self._pings += 1
            before = self.seen.total() - self.seen["pong"]
            answers = self.seen["pong"] + len(self.convicts)
            for convict in self.convicts:
                convict.tell("ping", self._pings, report)
            while self.seen["pong"] < answers:
                self._pump()
            if self.seen.total() - self.seen["pong"] == before:
                return
        raise AssertionError("they never come to rest")

    # --------------------------------------------------------------------------------------- work

    def _do(self, who: int, *commands: Command) -> None:
        self.convicts[who].tell("inputs", list(commands))

    def _salt(self) -> Salt:
        self._count += 1
        return Salt(self._count.to_bytes(32, "big"))

    def _open(self) -> None:
        self.tick()
        self.settle()
        ingrid = self.convicts[1]
        for who in (0, 2):
            offer = CommandOffer(
                ingrid.peer,
                ingrid.key.address,
                ETH,
                Seconds(600),
                Nonce(who + 1),
                Wei(10**12),
                Wei(10**12),
            )
            self._do(who, offer)
        for _ in range(6):
            self.settle()
            self.tick()
        self.settle(report=True)
        self.channels = [ChannelId(next(iter(self.convicts[who].report[1]))) for who in (0, 2)]  # type: ignore[index]

    def tick(self, seconds: int = 12) -> None:
        """Time passes, for the chain and for all clocks."""
        for convict in self.convicts:
            convict.tell("time", int(self.ledger.time) + seconds)
        self.ledger.advance(seconds)

    def add_machine(self) -> None:
        """Alice asks for a virtual channel to Bob."""
        command = CommandAddMachine(
            self.channels[0],
            Wei(10**6),
            Wei(10**6),
            UnixTime(self.ledger.time + 50_000),
            Seconds(600),
            self._salt(),
            self.convicts[2].peer,
        )
        self._do(0, command)

    def open_stream(self) -> None:
        """Alice asks for a stream to Bob, over the hub."""
        until = UnixTime(self.ledger.time + 50_000)
        lock, behind = Wei(10**6), self.convicts[2].peer
        terms = (lock, _TICK, until, Seconds(600), self._salt(), behind)
        self._do(0, CommandStream(self.channels[0], *terms))
        self.settle()
        self.tick()
        self.settle(report=True)
        (self.stream,) = self.convicts[0].report[4]  # type: ignore[index]

    def stream_on(self) -> None:
        """Alice pays some ticks, one after the other, and somebody may die in the middle."""
        ticks = CommandTick(InstanceId(self.stream), 3)
        for _ in range(5):
            self._do(0, ticks)
            self._pump(0.002)

    def claim(self) -> int:
        """Bob goes to the chain with nobody's help: the total of ticks that it has recorded."""
        self._do(2, CommandDispute(self.channels[1]))
        for _ in range(6):
            self.settle()
            self.tick()
        (record,) = self.ledger.contracts.of(HashChain).records.values()
        return int(record.total)

    def work(self) -> None:
        """A little of everything, so that each process is always about to write something."""
        pays = [CommandPay(machine, Wei(1)) for machine in self.machines[-2:] for _ in range(4)]
        self._do(0, *pays, CommandTransfer(self.channels[0], Wei(2)))
        self._do(2, *pays, CommandTransfer(self.channels[1], Wei(3)))
        self._do(1, *(CommandTransfer(id, Wei(1)) for id in self.channels))
        if self.random.random() < 0.3 and len(self.machines) < 3:
            self.add_machine()
        if self.random.random() < 0.2 and len(self.machines) > 1:
            self._do(0, CommandRemove(InstanceId(self.machines[0])))

    def round(self, servers: Servers | None = None) -> None:
        """Work, and somebody dies in the middle of it.

        Args:
            servers: hold the stores; then sessions are cut too, networks hang, and processes are
                stopped.
        """
        self.work()
        for _ in range(self.random.randrange(1, 60)):
            if not self._pump(0.002):
                break
        name = self.random.choice(NAMES)
        how = self.random.random()
        if servers is None or how < 0.5:
            self.kill(name)
        elif how < 0.75:
            self.cut(name, servers)
        elif how < 0.9:
            self.mute(name, self.random.randrange(2))
        else:
            self.stop(name)
        if self.random.random() < 0.5:
            self.tick(self.random.choice((3, 12)))

    def reckon(self) -> None:
        """After the last kill: both sides of each channel, and all ends, say the same."""
        for _ in range(12):
            self.settle()
            self.tick()
        for one in self.convicts:
            for two in self.convicts:
                if one is not two:
                    one.tell("meet", two.peer)
        self.settle()
        self.settle(report=True)
        reports = [convict.report for convict in self.convicts]
        assert all(reports)
        alice, ingrid, bob = reports
        assert alice is not None
        assert ingrid is not None
        assert bob is not None
        for report in (alice, bob):
            for channel, (_, full) in report[1].items():
                if ingrid[1][channel][1] != full:
                    raise SignatureLost(f"versions differ: {full} and {ingrid[1][channel][1]}")
        if alice[4] != bob[4]:
            raise SignatureLost(f"streams differ: {alice[4]}, {bob[4]}")
        for machine in self.machines:
            if machine not in alice[2] or machine not in bob[2]:
                continue
            here, there = alice[2][machine], bob[2][machine]
            if here.sent < there.received or there.sent < here.received:
                raise SignatureLost(f"more received than sent: {here}, {there}")
            # What crosses with an end's leaving is not taken up, but judged by whoever removes it.
            same = (here.sent, here.received) == (there.received, there.sent)
            if not same and machine in alice[3] and machine in bob[3]:
                raise SignatureLost(f"totals differ: {here}, {there}")
