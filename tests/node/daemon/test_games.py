"""Games come into a running node, and none goes away."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from web3 import Web3

import perun
from perun.bindings import transport
from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call
from perun.bindings.rules import TicTacToe
from perun.crypto.interop import address
from perun.daemon.games import Games, named_rules
from perun.daemon.settings import (
    FILE_NAME,
    BadSettings,
    ChainSettings,
    Settings,
    write_settings,
)
from perun.games import BadView
from perun.referee import NotAdmitted, RulesRefused
from perun.types import Address

CHAIN = ChainSettings(("http://127.0.0.1:1",))
VIEW = """
from perun.games import View
class MyGame(View):
    name, title, how = "MyGame", "{title}", "any"
    def draw(self, position): return ""
    def read(self, text): return b""
"""


@pytest.fixture
def suite(web3: Web3) -> perun.Deployment:
    return perun.deploy(web3)


def named(*games: tuple[str, Address], views: tuple[str, ...] = ()) -> ChainSettings:
    return replace(
        CHAIN, games=tuple(f"{name}=0x{where.hex()}" for name, where in games), views=views
    )


def nim(web3: Web3) -> Address:
    mined = transport.submit(web3, Call(None, artifact("Nim").creation), web3.eth.accounts[0])
    return address(str(mined["contractAddress"]))


def names(games: Games) -> list[tuple[str, Address]]:
    return [(one.name, one.rules) for one in games.known]


def test_rules_of_others_are_named_by_their_place(web3: Web3, suite: perun.Deployment) -> None:
    where = suite.of(TicTacToe).address
    games = Games(Path(), CHAIN, named_rules(web3, named(("MyGame", where)).games, 0))
    assert names(games) == [("MyGame", where)]
    code = perun.keccak(artifact("TicTacToe").runtime)
    assert games.book.code_hash(where) == code
    assert games.book.start(code, bytes(32)).turn == 1


def test_what_comes_into_the_settings_is_taken_up_and_stays(
    web3: Web3, suite: perun.Deployment, tmp_path: Path
) -> None:
    where, other = suite.of(TicTacToe).address, nim(web3)
    games = Games(tmp_path, CHAIN, [], 0)
    games.look(web3)  # there is no file
    assert games.known == ()

    view = tmp_path / "my_game.py"
    for title in ("mine", "mine, mended"):
        view.write_text(VIEW.format(title=title))
        write_settings(tmp_path / FILE_NAME, Settings(named(("MyGame", where), views=(str(view),))))
        games.look(web3)
        (known,) = games.known
        assert known.view is not None
        assert (known.name, known.rules, known.view.title) == ("MyGame", where, title)

    # The same name for other rules: the newest is meant, and the old is played to its end.
    again = named(("MyGame", where), ("MyGame", other))
    write_settings(tmp_path / FILE_NAME, Settings(again))
    games.look(web3)
    assert names(games) == [("MyGame", other), ("MyGame", where)]
    assert games.places == {"MyGame": Web3.to_checksum_address(other)}
    write_settings(tmp_path / FILE_NAME, Settings(CHAIN))
    games.look(web3)
    assert len(games.known) == 2
    assert games.book.code_hash(where) is not None


def test_file_of_a_view_that_fails_changes_nothing(
    web3: Web3, suite: perun.Deployment, tmp_path: Path
) -> None:
    games = Games(tmp_path, CHAIN, [], 0)
    (tmp_path / "broken.py").write_text("1 / 0")
    settings = named(("MyGame", suite.of(TicTacToe).address), views=("broken.py",))
    write_settings(tmp_path / FILE_NAME, Settings(settings))
    with pytest.raises(BadView):
        games.look(web3)
    assert games.known == ()


def test_rules_in_a_block_that_is_not_final_are_not_played_by(
    web3: Web3, suite: perun.Deployment, tmp_path: Path
) -> None:
    """A reorganisation could put other code there, and then nobody could move on chain: whoever is
    to move loses. The other side would choose when it goes there."""
    games, where = Games(tmp_path, CHAIN, [], 2), nim(web3)
    write_settings(tmp_path / FILE_NAME, Settings(named(("MyGame", where))))
    (found,) = named_rules(web3, named(("MyGame", where)).games, 2)
    assert not found.final
    assert Games(tmp_path, CHAIN, [found], 2).known == (), "nor at a start"
    for _ in range(2):
        with pytest.raises(BadSettings, match="no final block yet"):
            games.look(web3)
        assert games.known == ()
        nim(web3)  # another block
    games.look(web3)
    assert names(games) == [("MyGame", where)]


@pytest.mark.parametrize("text", ["MyGame", "MyGame=0x12", "=0x" + "11" * 20, "M=0x" + "11" * 20])
def test_rules_that_are_nowhere_are_no_settings(web3: Web3, text: str) -> None:
    with pytest.raises(BadSettings, match="games"):
        named_rules(web3, (text,), 0)


def test_contract_that_is_no_rules_is_not_played_by(
    web3: Web3, suite: perun.Deployment, tmp_path: Path
) -> None:
    """The first looks at storage: whoever played by it would not know what the chain says."""
    games = Games(tmp_path, CHAIN, [], 0)
    for where in (suite.vpm.address, suite.lib_signatures.address):
        write_settings(tmp_path / FILE_NAME, Settings(named(("Not", where))))
        with pytest.raises((NotAdmitted, RulesRefused)):
            games.look(web3)
        assert games.known == ()
