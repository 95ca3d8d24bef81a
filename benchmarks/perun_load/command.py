"""The command: processes, the chain between them, the phases of a run, and what is shown."""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from benchmarks.gateways import Gateway, cpu_of
from benchmarks.perun_load.acts import ACTS, Done
from benchmarks.perun_load.chain import Miner
from benchmarks.perun_load.hub import NAME, Hub, hub
from benchmarks.perun_load.wallets import Report, Wallets, wallets
from benchmarks.players import key_named
from benchmarks.processes import Process, Processes
from benchmarks.report import percentile
from perun.core.limits import LIMITS
from perun.node.settings import peer_id
from perun.testing.ledger import Ledger
from perun.types import ETH, Address, ChainId
from tests.support.nats import NatsServer

__all__ = ["main"]

_CHALLENGE: Final = LIMITS[ChainId(31337)].least_challenge
_USUAL: Final = "pay=90,open=4,close=3,leave=1,reconnect=2"


def _mix(_: Any, __: Any, text: str) -> dict[str, float]:
    """Weights by kind, from `pay=90,open=4`."""
    found: dict[str, float] = {}
    for part in text.split(","):
        kind, _equals, weight = part.strip().partition("=")
        if kind not in ACTS:
            raise click.BadParameter(f"{kind!r}: there are {', '.join(ACTS)}")
        try:
            found[kind] = float(weight)
        except ValueError:
            raise click.BadParameter(f"{part!r}: a number after =") from None
    if any(weight < 0 for weight in found.values()) or not sum(found.values()):
        raise click.BadParameter("weights are 0 or more, and one of them is more")
    return found


@click.command("perun-load", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--wallets", "count", type=click.IntRange(2), default=100, show_default=True)
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
@click.option("--seconds", type=click.FloatRange(0), default=20.0, show_default=True)
@click.option(
    "--mix",
    callback=_mix,
    default=_USUAL,
    show_default=True,
    help="Weights of what wallets do; what is not named does not happen.",
)
@click.option("--at-once", type=click.IntRange(1), help="Acts under way; else half the wallets.")
@click.option("--partners", type=click.IntRange(1), default=2, help="Whom each pays.")
@click.option(
    "--gateways", type=click.IntRange(0), default=0, help="In front of the hub, over NATS."
)
@click.option("--patience", type=click.FloatRange(1), default=30.0, help="Seconds for an act.")
@click.option("--seed", type=int, default=1, help="Of who does what.")
def main(
    count: int,
    processes: int,
    seconds: float,
    mix: dict[str, float],
    at_once: int | None,
    partners: int,
    gateways: int,
    patience: float,
    seed: int,
) -> None:
    """Load a hub with wallets over real sockets, and audit it to the wei.

    Starts a hub with its store on disk, gateways if asked for, and wallets in a few processes, all
    on 127.0.0.1; their chain is a ledger in memory that blocks come to every second. First all
    open a channel. Then for SECONDS wallets that are free do what is drawn by the weights of MIX:

    \b
      pay        1 wei to a partner, over the hub, with a note, until it is answered
      open       a channel, by whoever has none: offered, mined, met
      close      … by agreement: machines taken out, one transaction
      leave      … alone, through the chain: until the dispute is there
      reconnect  the line is cut; until there is a session with the hub again

    In the end all close what they have, and what does not close is left. Then what each account
    was paid out, less what it had put in, must be what its wallet was paid, less what it has paid,
    by its rows; and the hub must have neither won nor lost a wei.

    Exits with 1 if the audit does not add up.
    """
    hidden = Options(
        count, processes, seconds, mix, at_once or count // 2, partners, gateways, patience, seed
    )
    # Nothing is left running, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perun-load-")))
        run = Run(hidden, folder, stack)
        wrong = run.play(Console())
    for one in wrong:
        print(one)
    sys.exit(1 if wrong else 0)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    wallets: int
    processes: int
    seconds: float
    mix: Mapping[str, float]
    at_once: int
    partners: int
    gateways: int
    patience: float
    seed: int


class Run:
    """All processes, and the chain between them."""

    def __init__(self, options: Options, folder: Path, stack: ExitStack) -> None:
        self._options = options
        self._key = key_named(NAME)
        self._names = tuple(f"wallet {number}" for number in range(options.wallets))
        ledger = Ledger(lag=0)
        self._miner = Miner(ledger)
        self._began = _owned(ledger, self._key.address)
        self._mined = time.monotonic()
        self._every = max(1.0, options.wallets / 200)
        """Seconds between two blocks: each is told to every wallet."""
        self._says: dict[int, Any] = {}
        self._reports: list[Report] = []
        self._costs: list[tuple[float, int]] = []
        self._refused: Counter[str] | None = None
        """What the hub did; it has ended then."""
        self._processes = stack.enter_context(Processes())
        self._gateways: list[Gateway] = []
        nats = ""
        if options.gateways:
            server = NatsServer(folder)
            stack.callback(server.stop)
            nats = server.url
        many = str(options.wallets + 1)
        for _ in range(options.gateways):
            room = ("--links", many, "--links-per-address", many)
            self._gateways.append(Gateway(nats, *room))
            stack.callback(self._gateways[-1].kill)
        start = self._miner.start()
        self._hub = self._processes.start(hub, Hub(start, folder, options.wallets + 1, nats))
        _, host = self._hub.hear()
        hosts = tuple(gateway.host for gateway in self._gateways) or (host,)
        self._workers = [
            self._processes.start(wallets, self._wallets(place, hosts))
            for place in range(options.processes)
        ]

    def _wallets(self, place: int, hosts: tuple[str, ...]) -> Wallets:
        options, dice = self._options, random.Random(self._options.seed)
        peers = [peer_id(key_named(name).public_key) for name in self._names]
        partners = {}
        for peer in peers:
            others = dice.sample(peers, min(options.partners + 1, len(peers)))
            partners[peer] = tuple(one for one in others if one != peer)[: options.partners]
        return Wallets(
            self._miner.start(),
            peer_id(self._key.public_key),
            hosts,
            self._names[place :: options.processes],
            partners,
            options.patience,
            options.seed + place,
        )

    # ----------------------------------------------------------------------------------- phases

    def play(self, console: Console) -> list[str]:
        """All of it; what does not add up."""
        options = self._options
        self._until(lambda: self._sum(1) == options.wallets)
        opening = self._all("open")
        gateways, begun = cpu_of([one.pid for one in self._gateways]), self._ask_cost()
        self._tell("mix", options.mix, max(1, options.at_once // options.processes))
        self._serve(options.seconds)
        self._tell("mix", {}, 0)
        took = options.seconds + self._until(lambda: self._sum(0) == 0)
        gateways = cpu_of([one.pid for one in self._gateways]) - gateways
        cost = self._ask_cost()
        self._all("close")
        if self._sum(2):
            self._all("leave")
            for _ in range(4):
                self._mine(_CHALLENGE + 1)
                self._serve(1.0)
        self._until(lambda: self._sum(2) == 0, failing=False)
        self._tell("end")
        self._until(lambda: len(self._reports) == options.processes)
        self._hub.tell(("end",))
        self._until(lambda: self._refused is not None)
        done = _together(self._reports)
        self._show(console, done, opening, took, cost[0] - begun[0], gateways, cost[1])
        return self._audit(console)

    def _all(self, kind: str) -> float:
        """Every wallet that can; how long it took until none was at it."""
        self._tell("all", kind)
        # Those who have begun say so, and then that they are done.
        self._serve(0.5)
        return 0.5 + self._until(lambda: self._sum(0) == 0)

    def _until(self, question: Callable[[], bool], *, failing: bool = True) -> float:
        begun = time.monotonic()
        while not question():
            self._serve(0.02)
            if time.monotonic() - begun > 4 * self._options.patience:
                if not failing:
                    break
                raise AssertionError(f"it never happened: {self._says}")
        return time.monotonic() - begun

    def _sum(self, place: int) -> int:
        """Of what all processes have said last: acts under way, links, channels; -1: not yet."""
        if len(self._says) < len(self._workers):
            return -1
        return sum(said[place] for said in self._says.values())

    def _ask_cost(self) -> tuple[float, int]:
        self._costs.clear()
        self._hub.tell(("cost",))
        self._until(lambda: bool(self._costs))
        return self._costs[0]

    # ---------------------------------------------------------------------------------- serving

    def _serve(self, seconds: float) -> None:
        """Hears what is said, and mines, for so long."""
        end = time.monotonic() + seconds
        pipes = {one.pipe: one for one in (self._hub, *self._workers)}
        while (left := end - time.monotonic()) > 0:
            if time.monotonic() - self._mined > self._every:
                self._mine(0)
            for ready in wait(list(pipes), min(left, 0.05)):
                self._hear(pipes[ready])  # type: ignore[index]

    def _hear(self, process: Process) -> None:
        match process.pipe.recv():
            case ("submit", sender, transaction):
                self._miner.submit(sender, transaction)
            case ("busy", *numbers):
                self._says[id(process)] = numbers
            case ("report", report):
                self._reports.append(report)
            case ("cost", *cost):
                self._costs.append((cost[0], cost[1]))
            case ("ended", refused):
                self._refused = refused

    def _mine(self, skipped: int) -> None:
        self._mined = time.monotonic()
        block = self._miner.mine(skipped)
        for process in (self._hub, *self._workers):
            process.tell(("block", block))

    def _tell(self, *what: Any) -> None:
        for worker in self._workers:
            worker.tell(what)

    # --------------------------------------------------------------------------------- the end

    def _show(
        self,
        console: Console,
        done: Mapping[str, Done],
        opening: float,
        took: float,
        hub_cpu: float,
        gateway_cpu: float,
        hub_memory: int,
    ) -> None:
        options = self._options
        table = Table(
            title=f"{options.wallets} wallets in {options.processes} processes", min_width=72
        )
        for name in ("act", "done", "a second", "p50", "p99", "errors"):
            table.add_column(name, justify="left" if name == "act" else "right")
        for kind, of in done.items():
            times = sorted(of.seconds)
            rate = len(times) / took
            table.add_row(
                kind,
                f"{len(times):,}",
                f"{rate:,.1f}" if kind != "open" else "",
                _span(times, 0.5),
                _span(times, 0.99),
                str(of.errors.total()),
            )
        console.print(table)
        for kind, of in done.items():
            for why, number in of.errors.most_common(5):
                console.print(f"  {kind}: {number} × {why}")
        acts = sum(len(of.seconds) for of in done.values()) or 1
        console.print(
            f"all opened in {opening:.1f} s; hub: {hub_cpu / acts * 1e6:,.0f} µs of its processor "
            f"for an act, {hub_memory / 1e6:,.0f} MB"
            + (f"; gateways: {gateway_cpu / acts * 1e6:,.0f} µs" if options.gateways else "")
        )
        refused = sum((report.refused for report in self._reports), self._refused or Counter())
        if refused:
            named = ", ".join(f"{number} × {why}" for why, number in refused.most_common())
            console.print(f"of each other they refused, as too late or crossing: {named}")

    def _audit(self, console: Console) -> list[str]:
        """Raises nothing: what does not add up, in words."""
        ledger, wrong = self._miner.ledger, list[str]()
        moved = 0
        for account in (one for report in self._reports for one in report.accounts):
            got, said = _owned(ledger, account.address), account.received - account.paid
            moved += account.paid
            if account.left:
                wrong.append(f"0x{account.address.hex()}: {account.left} channels are not over")
            elif got != said:
                wrong.append(f"0x{account.address.hex()}: {got} wei by the chain, {said} by rows")
        won = _owned(ledger, self._key.address) - self._began
        if won:
            wrong.append(f"the hub has won {won} wei")
        if not wrong:
            console.print(f"audited: {moved:,} wei were paid, and every one has arrived")
        return wrong


def _owned(ledger: Ledger, account: Address) -> int:
    """What an account has been paid out and is owed, less what it has put in, in wei."""
    eth: int = ledger.contracts.host.eth.get(account, 0)
    return eth + ledger.credits.get((ETH, account), 0)


def _together(reports: Iterable[Report]) -> dict[str, Done]:
    found = {kind: Done([], Counter()) for kind in ACTS}
    for report in reports:
        for kind, done in report.done.items():
            found[kind].seconds.extend(done.seconds)
            found[kind].errors.update(done.errors)
    return found


def _span(times: list[float], share: float) -> str:
    if not times:
        return ""
    seconds = percentile(times, share)
    return f"{seconds * 1e3:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
