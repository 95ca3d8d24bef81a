"""Rules that nobody here has seen come to a running network, and two newcomers play by them: over
the hub and in a channel of their own, against a cheat on the chain, a tower, and the clock."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from web3 import Web3

from perun.api.client import Node, connect
from perun.app.values import Game
from perun.bindings import transport
from perun.bindings.nanocontract import submit
from perun.bindings.turn_game import TurnGame
from perun.chain.rpc import connect as connect_chain
from perun.core.nanocontracts.plays import signed_position
from perun.crypto.interop import address
from perun.daemon.contracts import read_contracts
from perun.encoding.turn_game import position_evidence
from perun.node.backup import open_copy
from perun.types import Game as GameTerms
from perun.types import InstanceId
from tests.node.processes.network.wired import eventually
from tests.node.processes.town.running import Up, shell
from tests.node.processes.town.test_up import names_of

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc"),
]

STAKE = 10**15
MORE = 20 * STAKE
"""More than is in their own channel: it goes over the hub."""
HERE = Path(__file__).parent


@dataclass
class Newcomer:
    """Somebody with a terminal, and a node that runs by itself."""

    town: Path
    home: Path
    node: Node
    begins: str
    """What is typed in a new terminal."""

    def types(self, command: str, typed: str = "y\n", code: int = 0) -> str:
        return shell(self.town, f"{self.begins} && {command}", typed, code=code)

    @property
    def id(self) -> str:
        return self.node.status().node

    @property
    def money(self) -> int:
        return sum(int(one.free) + int(one.locked) for one in self.node.channels())

    def game(self, id: str) -> Game:
        (found,) = self.node.games(id)
        return found


@contextmanager
def newcomer(town: Path, name: str, more: str = "") -> Iterator[Newcomer]:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    home = town / name
    begins = f"export PERUN_HOME={home}{more}"
    at = f"{begins} && perun"
    shell(town, f"{at} init --rpc $RPC --hub $HUB --yes --api 127.0.0.1:{port}")
    shell(town, f"{at} node start")
    try:
        with connect(home=home) as node:
            yield Newcomer(town, home, node, begins)
    finally:
        shell(town, f"{at} node stop")


@pytest.mark.slow
def test_unseen_rules_are_dropped_in_played_and_disputed(tmp_path: Path) -> None:
    home = tmp_path / "up"
    with Up(home) as up, ExitStack() as stack:
        up.hear("Type in another terminal")
        ann = stack.enter_context(newcomer(home, "ann", " && unset PERUN_TOWER_ADDRESSES"))
        ben = stack.enter_context(newcomer(home, "ben"))
        for one in (ann, ben):
            one.types("perun open $HUB 0.1ether --receive 0.1ether --draw --yes")
        ben.types(f"perun contacts add ann {ann.id}")
        ann.types(f"perun contacts add ben {ben.id}")

        where = drop_in(ann, ben, tmp_path)
        assert play_to_the_end(ann, ben) == STAKE
        in_a_channel_of_two(ann, ben)
        assert where in ann.types("perun nano list")

        money = (ann.money, ben.money)
        disputed_with_a_tower(ann, ben, connect_chain(names_of(home)["RPC"]).web3)
        moved = (money[0] - MORE, money[1] + MORE)
        eventually(lambda: (ann.money, ben.money) == moved)
        assert "it adds up" in shell(home, f"perun hub audit --home {home / 'hub'}")


def drop_in(ann: Newcomer, ben: Newcomer, folder: Path) -> str:
    """One file of Solidity, and one of Python, into nodes that run on."""
    ann.types(f"cd {folder} && perun nano new Chomp")
    for name, place in (("Chomp.sol", "contracts"), ("chomp.py", "")):
        text = (HERE / "unseen" / f"{name}.txt").read_text(encoding="utf-8")
        (folder / "Chomp" / place / name).write_text(text, encoding="utf-8")
    checked = ann.types(f"cd {folder} && perun nano check Chomp")
    assert "every position, 68 of them; the longest game had 12 moves" in checked
    assert "Nothing wrong was found." in checked

    said = ann.types(f"cd {folder} && perun nano deploy Chomp")
    where = said.partition("stands at ")[2].split()[0]
    # Who does not know the rules is not even asked; Ann is told why nothing came of it.
    early = ann.node.play(ben.id, "Chomp", STAKE)
    eventually(lambda: "did not agree" in ann.game(early.id).why)
    refused = ben.types(f"perun nano add Chomp {names_of(ben.town)['RPC'][7:]}", code=1)
    assert "address" in refused
    # Ben has no view: his node shows bytes, and he types them.
    assert "Your node plays by it" in ben.types(f"perun nano add Chomp {where}")
    return where


def begin(ann: Newcomer, ben: Newcomer, stake: int = STAKE) -> str:
    game = ann.node.play(ben.id, "Chomp", stake)
    eventually(lambda: [one.id for one in ben.node.offers()] == [game.id])
    ben.node.answer(game.id, True)
    eventually(lambda: ann.game(game.id).turn == "you")
    return game.id


def move(who: Newcomer, id: str, typed: str) -> None:
    eventually(lambda: who.game(id).turn == "you" and not who.game(id).why)
    before = who.game(id).moves
    who.node.move(id, typed)
    eventually(lambda: who.game(id).moves > before)


def play_to_the_end(ann: Newcomer, ben: Newcomer) -> int:
    """Ann's node draws a bar of chocolate; Ben's knows bytes only."""
    id = begin(ann, ben)
    assert ann.game(id).board == "####\n####\n####"
    assert ben.game(id).board == "0x03030303"
    move(ann, id, "c1")
    eventually(lambda: ben.game(id).turn == "you")
    assert "nothing is there" in ben.types(f"perun move {id[:14]} 0x20", code=1)
    move(ben, id, "0x10")
    move(ann, id, "a2")
    assert ann.game(id).board == "....\n....\n#..."
    ben.node.move(id, "0x00")
    eventually(lambda: ann.game(id).state == "over" and ben.game(id).state == "over")
    return int(ann.game(id).gain or 0)


def disputed_with_a_tower(ann: Newcomer, ben: Newcomer, web3: Web3) -> None:
    """While Ben is away somebody shows the chain how the game began. His tower answers with where
    it stands; he comes back for his move, and Ann is silent until her time is over."""
    id = begin(ann, ben, MORE)
    where = address(read_contracts(ann.home / "contracts.json")["TurnGame"])
    old, instance = oldest_position(ann, id)
    move(ann, id, "d1")
    move(ben, id, "0x20")
    move(ann, id, "b2")
    eventually(lambda: ben.game(id).turn == "you")
    for one in (ann, ben):
        one.types("perun node stop")

    transport.submit(web3, submit(where, old), web3.eth.accounts[0])
    game = TurnGame(web3, where)
    eventually(lambda: game.record(instance).version == 4)

    ben.types("perun node start")
    eventually(lambda: ben.game(id).state == "onChain" and ben.game(id).turn == "you")
    ben.node.move(id, "0x10")
    pass_time(web3, game.record(instance).start)
    eventually(lambda: game.record(instance).live)
    assert game.record(instance).turn == 1
    eventually(lambda: ben.game(id).turn == "them")
    pass_time(web3, ben.game(id).until + 1)
    eventually(lambda: ben.game(id).gain == str(MORE))
    ann.types("perun node start")


def oldest_position(whose: Newcomer, id: str) -> tuple[bytes, InstanceId]:
    """What a cheat keeps: the beginning, as both have signed it."""
    _, books = open_copy(whose.home / "store.sqlite")
    (instance,) = (one for one in books.instances.values() if one.invitation.hex() == id[2:])
    terms, game = instance.terms, instance.game
    assert isinstance(terms, GameTerms)
    assert game is not None
    assert game.agreed is not None
    position = signed_position(instance.id, game.agreed)
    evidence = position_evidence(terms, position, game.agreed.alice, game.agreed.bob)
    return evidence, instance.id


def pass_time(web3: Web3, until: int) -> None:
    """The newest block is later than that."""
    left = until - web3.eth.get_block("latest")["timestamp"] + 1
    web3.provider.make_request("evm_increaseTime", [left])  # type: ignore[arg-type]
    eventually(lambda: web3.eth.get_block("latest")["timestamp"] > until)


def in_a_channel_of_two(ann: Newcomer, ben: Newcomer) -> None:
    """No hub is between them."""
    account = ben.node.status().account
    half = "0.01 ether"
    ann.node.open(ben.id, half, peer_amount=half, account=account, consent=True)
    eventually(lambda: any(one.kind == "channel" for one in ben.node.offers()))
    (offer,) = ben.node.offers()
    ben.types(f"perun answer {offer.id[:14]} yes")
    eventually(lambda: "10000000000000000" in {one.peer_free for one in ann.node.channels()})
    assert play_to_the_end(ann, ben) == STAKE
    assert {one.state for one in ann.node.games()} == {"over"}
