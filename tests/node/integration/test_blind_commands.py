"""`perun watch` and `perun exit` behind nodes that bend: what they say, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from perun.cli import leaving, vigil
from perun.cli.main import cli
from perun.cli.outcome import BLIND, FAILED
from perun.core.books import Row
from perun.core.inputs import CommandTransfer
from perun.errors import StoreFault
from perun.node.export import write_export
from perun.node.profile import write_profile
from perun.store import SqliteStore
from perun.store.faults import StoreFull, StoreReadOnly
from perun.testing.bent.catalogue import CATALOGUE
from perun.testing.bent.double import Bent, Server
from perun.testing.bent.node import ScriptedNode
from perun.types import Wei
from perun.wallet import encrypt
from tests.support.scene import KEYS, Scene

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


class Left:
    """Bob's store and export, after Alice has paid him; both nodes are off."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.scene = scene = Scene(folder)
        alice, self.bob = scene.enter("alice"), scene.enter("bob")
        self.channel = scene.open(alice, self.bob)
        alice.do(CommandTransfer(self.channel, Wei(100)))
        scene.settle()
        books = self.bob.books
        rows: list[Row] = [*books.channels.values(), *books.instances.values()]
        self.export = folder / "bob.watch"
        write_export(self.export, self.bob.profile, rows)
        for party in (alice, self.bob):
            party.cut_power()
        store = SqliteStore(self.bob.path)
        write_profile(store, self.bob.profile, encrypt(KEYS["bob"], "open", work=2))
        store.close()
        self.keyfile = folder / "tower-key"
        self.keyfile.write_text(encrypt(KEYS["tower"], "open", work=2))
        self.bent = server.clients["node"] = Bent(ScriptedNode(scene.chain))
        server.clients["other"] = Bent(ScriptedNode(scene.chain))
        self.url, self.other = server.url("node"), server.url("other")

    def bend(self, *names: str) -> None:
        """From now on the node has these quirks and no others."""
        for name in self.bent.quirks:
            self.bent.drop(name)
        for kind in CATALOGUE:
            if kind.name in names:
                self.bent.take(kind, Random(1))

    def watch(self, *more: str, rpc: tuple[str, ...] = ()) -> Result:
        nodes = [part for url in rpc or (self.url,) for part in ("--rpc", url)]
        return run("watch", str(self.export), *nodes, "--keyfile", str(self.keyfile), *more)

    def leave(self, *more: str) -> Result:
        return run("exit", str(self.bob.path), "--rpc", self.url, *more)

    def register_old(self) -> None:
        self.scene.register_start(self.bob, self.channel)


def run(*arguments: str) -> Result:
    return CliRunner(env={"PERUN_PASSWORD": "open", "COLUMNS": "200"}).invoke(cli, arguments)


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Left]:
    for module in (leaving, vigil):
        monkeypatch.setattr(module, "_ROUND_SECONDS", 0.0)
    server = Server()
    yield Left(tmp_path, server)
    server.close()


def test_tower_that_sees_ends_well(left: Left) -> None:
    left.register_old()
    result = left.watch("--rounds", "2")
    assert result.exit_code == 0
    assert "answer sent" in result.output
    assert left.scene.chain.pool


@pytest.mark.parametrize("quirk", ["an outage", "no newest block", "another chain's id"])
def test_tower_that_is_blind_says_so_at_once_and_by_its_code(left: Left, quirk: str) -> None:
    left.register_old()

    def after_a_look(_: float) -> None:
        left.bend(quirk)
        left.scene.chain.mine()

    vigil_of = vigil.Vigil.__init__.__kwdefaults__
    before = dict(vigil_of)
    vigil_of["sleep"] = after_a_look
    try:
        result = left.watch("--rounds", "3")
    finally:
        vigil_of.update(before)
    assert result.exit_code == BLIND
    assert "BLIND" in result.output


def test_tower_of_two_nodes_sees_by_the_one_that_is_up(left: Left) -> None:
    left.register_old()
    for nodes in ((NOWHERE, left.other), (left.other, NOWHERE)):
        result = left.watch("--rounds", "2", rpc=nodes)
        assert result.exit_code == 0, result.output
    assert left.scene.chain.pool
    assert left.watch("--rounds", "1", rpc=(NOWHERE, NOWHERE)).exit_code == BLIND
    assert left.watch("--rounds", "1", rpc=(NOWHERE,) * 3).exit_code == 2


def test_two_nodes_that_disagree_are_not_believed(left: Left) -> None:
    left.register_old()
    left.bend("another chain's id")
    result = left.watch("--rounds", "2", rpc=(left.other, left.url))
    assert result.exit_code == FAILED
    assert "belongs to chain 31337" in result.stderr


def test_nothing_is_owed_is_not_said_by_a_node_without_a_block(left: Left) -> None:
    left.bend("no newest block")
    for mode in ("--dry-run", "--no-wait"):
        result = left.leave(mode)
        assert result.exit_code == BLIND, result.output
        assert "Nothing is owed" not in result.output


def test_what_an_exit_does_not_know_it_says(left: Left) -> None:
    left.bend("no logs")
    result = left.leave("--dry-run")
    assert result.exit_code == BLIND
    assert "more may be owed" in result.output


def test_dry_run_reads_the_past_in_small_pieces(left: Left) -> None:
    left.bend("logs of few blocks only", "flaky")
    result = left.leave("--dry-run")
    assert result.exit_code == 0, result.output
    assert "1.000000 ETH" in result.output


@pytest.mark.parametrize("fault", [StoreReadOnly, StoreFull])
def test_exit_works_from_a_medium_that_takes_nothing(
    left: Left, monkeypatch: pytest.MonkeyPatch, fault: type[StoreFault]
) -> None:
    """A copy of what a backup on it says is enough."""

    def open_or_refuse(path: Path) -> SqliteStore:
        if path == left.bob.path:
            raise fault(str(path), "nothing can be written")  # type: ignore[call-arg]
        return SqliteStore(path)

    monkeypatch.setattr(leaving, "SqliteStore", open_or_refuse)
    result = left.leave("--no-wait")
    assert result.exit_code == 0, result.output
    assert "going on without the disk" in result.output
    assert len(left.scene.chain.pool) == 1
