"""Mallory bets, loses, and falls silent: the chain pays whoever holds the reporter's word."""

from __future__ import annotations

from perun.core.inputs import CommandDispute
from perun.testing.stories import OPEN_HANDED
from tests.core.conftest import new_pair
from tests.core.ends import shares, silence, wait
from tests.core.test_bets import begin, bring


def test_loser_that_falls_silent_and_leaves_pays_by_the_price() -> None:
    pair = new_pair(OPEN_HANDED)
    begin(pair)
    silence(pair.world)
    bring(pair.bob, 2_300)
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world, pair.bob)
    assert shares(pair.world, pair.alice, pair.bob) == [970, 1_030]
