"""A daemon and its nodes of the chain: two are compared, one may be down, news may be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from perun.chain import Compared
from perun.chain.anvil import Anvil
from perun.chain.reports import Stopped, Unanswered
from perun.cli.main import cli
from perun.daemon.contracts import write_contracts
from perun.daemon.settings import FILE_NAME, BadSettings, read_settings
from perun.store.faults import StoreFull
from tests.node.processes.daemon.town import Town, until

pytestmark = pytest.mark.chain

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Anvil() as anvil:
        town = Town(tmp_path, anvil)
        try:
            yield town
        finally:
            town.close()


@pytest.mark.parametrize("down", [0, 1, None])
def test_two_nodes_are_compared_and_one_may_be_down(town: Town, down: int | None) -> None:
    rpc = [town.anvil.url, town.anvil.url.replace("http", "ws")]
    if down is not None:
        rpc[down] = NOBODY
    daemon, node = town.settle("alice", rpc=tuple(rpc))
    assert isinstance(daemon.assembly.chain.follower._reading, Compared)
    before = node.status().block.number
    town.anvil.mine()
    until(lambda: node.status().block.number > before)
    told = [what.what for _, what in town.told if isinstance(what, Unanswered)]
    assert len(told) == (0 if down is None else 1)


def test_two_chains_are_none(town: Town) -> None:
    with Anvil(options=["--timestamp", "1"]) as other:
        Town(town.folder, other)
        with pytest.raises(BadSettings, match="two chains"):
            town.settle("alice", rpc=(town.anvil.url, other.url))


def test_a_node_is_made_with_two_that_are_compared(town: Town, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts.json"
    write_contracts(contracts, town.contracts)

    def init(name: str, *rpc: str) -> Result:
        words = ["init", "--home", str(tmp_path / name), "--contracts", str(contracts), "--yes"]
        return CliRunner().invoke(cli, [*words, *(word for url in rpc for word in ("--rpc", url))])

    url = town.anvil.url
    done = init("one", NOBODY, url)
    assert done.exit_code == 0, done.output
    assert read_settings(tmp_path / "one" / FILE_NAME).chain.rpc == (NOBODY, url)
    with Anvil(options=["--timestamp", "1"]) as other:
        assert "code" in init("two", url, other.url).output  # no contracts there
        Town(town.folder, other)
        assert "two chains" in init("two", url, other.url).output
    assert not (tmp_path / "two").exists()
    assert init("three", url, url, url).exit_code == 2


def test_chain_port_that_has_stopped_ends_the_daemon(town: Town) -> None:
    daemon, _ = town.settle("alice")

    def full(*_: object) -> None:
        raise StoreFull("journal", "disk full")

    daemon.assembly.chain.submitter.poll = full  # type: ignore[method-assign]
    assert daemon.failed is None
    town.anvil.mine()
    until(lambda: daemon.failed is not None)
    assert [what for _, what in town.told if isinstance(what, Stopped)]


def test_whoever_listens_and_fails_ends_nothing(town: Town) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    town.hears = fail
    daemon, node = town.settle("alice")
    before = node.status().block.number
    daemon._hear(Unanswered("anything", "at all"))
    town.anvil.mine()
    until(lambda: node.status().block.number > before)
    assert daemon.failed is None
