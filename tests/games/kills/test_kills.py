"""A few kills; `python -m tests.games.kills --kills 200` does the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perun.node.keeping import Place
from tests.games.kills.hangman import Hangman, SignatureLost
from tests.support.postgres import Servers


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    """Where each keeps its store."""
    if request.param == "sqlite":
        return lambda name: tmp_path / f"{name}.perun"
    postgres: Servers = request.getfixturevalue("postgres")
    return postgres.place_of


def test_killed_processes_lose_and_contradict_nothing(places: Callable[[str], Place]) -> None:
    with Hangman(places, seed=1) as hangman:
        hangman.add_machine()
        hangman.settle()
        hangman.tick()
        hangman.settle()
        for _ in range(9):
            hangman.round()
        hangman.reckon()
        assert hangman.kills.total() == 9
        assert len(hangman.kills) == 3
        assert hangman.seen["PaymentReceived"] > 0
        assert hangman.seen["TransferDone"] > 0


def test_every_tick_that_was_given_can_be_claimed_whoever_was_killed_mid_stream(
    places: Callable[[str], Place],
) -> None:
    with Hangman(places, seed=4) as hangman:
        hangman.open_stream()
        for name in ("bob", "alice", "ingrid", "bob", "alice"):
            hangman.stream_on()
            hangman.kill(name)
            assert hangman.convicts[0].streamed[hangman.stream] > 0
        hangman.reckon()
        given = hangman.convicts[0].streamed[hangman.stream]
        assert hangman.convicts[2].streamed[hangman.stream] == given > 0
        assert hangman.claim() == given


def test_lost_tick_would_be_seen(places: Callable[[str], Place]) -> None:
    with Hangman(places, seed=5) as hangman:
        hangman.open_stream()
        hangman.convicts[2].streamed[hangman.stream] += 2
        with pytest.raises(SignatureLost, match="lost ticks up to 2"):
            hangman.kill("bob")


def test_lost_signature_would_be_seen(places: Callable[[str], Place]) -> None:
    with Hangman(places, seed=2) as hangman:
        hangman.add_machine()
        hangman.settle()
        hangman.tick()
        hangman.settle()
        (machine,) = hangman.machines
        hangman.convicts[0].paid[machine] += 5
        with pytest.raises(SignatureLost, match="forgot that it paid 5"):
            hangman.kill("alice")


def test_cut_or_stopped_process_signs_nothing_that_its_heir_does_not_know(
    postgres: Servers,
) -> None:
    with Hangman(postgres.place_of, seed=3) as hangman:
        hangman.add_machine()
        hangman.settle()
        hangman.tick()
        hangman.settle()
        for name in ("alice", "ingrid"):
            hangman.work()
            hangman.cut(name, postgres)
        hangman.mute("alice", 0)
        hangman.mute("ingrid", 1)
        hangman.work()
        hangman.stop("ingrid")
        hangman.work()
        hangman.reckon()
        assert hangman.seen["PaymentReceived"] > 0
        assert hangman.seen["TransferDone"] > 0
