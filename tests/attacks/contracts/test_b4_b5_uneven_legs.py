"""B4, B5: one instance, two channels, and a moment or an order in which they count differently."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.contracts.conftest import Path, new_path
from tests.support.stage import HOUR, Stage

ORIENTATIONS = list(itertools.product([True, False], repeat=2))


@pytest.fixture(scope="module")
def paths(stage: Stage) -> dict[tuple[bool, bool], Path]:
    """Funded channels for each orientation; examples put their own machines in."""
    return {orientation: new_path(stage, *orientation) for orientation in ORIENTATIONS}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("totals", [(7, 0), (1, 4), (25, 0), (0, 25)])
def test_hub_gains_nothing_whichever_way_the_channels_point(
    paths: dict[tuple[bool, bool], Path],
    orientation: tuple[bool, bool],
    totals: tuple[int, int],
) -> None:
    """B4: role and shift are exchanged before the shift is limited to the locks."""
    path = paths[orientation].with_machine(alice_lock=10, bob_lock=4)
    stage = path.stage
    path.register()
    path.machine.submit(stage.carol, *totals)
    stage.wait_until(path.machine.final_time + 1)
    gained = stage.gains(path.left.asset, stage.alice, stage.ingrid, stage.bob)
    path.settle("left")
    path.settle("right")
    moved = max(-4, min(10, totals[0] - totals[1]))
    assert gained() == (100 - moved, 200, 100 + moved)


MOMENTS = [-1, 0, 1]


@pytest.mark.parametrize("raised", [False, True], ids=["", "raised at T"])
@pytest.mark.parametrize("left", MOMENTS)
@pytest.mark.parametrize("right", MOMENTS)
def test_hub_gains_nothing_at_the_last_second(
    path: Path, left: int, right: int, raised: bool
) -> None:
    """B5: submitted in the last second of validity, settled around the end of everything.

    Deadline, final time and expiry are one second T; each leg is tried at T−1, T and T+1, and the
    total is raised between them in the block at T.
    """
    stage = path.stage
    path.register()
    stage.at(path.machine.terms.validity)
    path.machine.submit(stage.bob, 5)
    final = path.machine.final_time
    gained = stage.gains(path.left.asset, stage.alice, stage.ingrid, stage.bob)

    for offset in MOMENTS:
        with stage.one_block(final + offset):
            if offset == left:
                path.settle("left")
            if offset == 0 and raised:
                path.machine.submit(stage.bob, 7)
            if offset == right:
                path.settle("right")
    stage.at(final + 10)
    path.settle("left")
    path.settle("right")

    paid = 7 if raised else 5
    assert gained() == (100 - paid, 200, 100 + paid)


@settings(max_examples=settings.default.max_examples // 3)  # ten transactions each
@given(
    by_alice=st.integers(0, 30),
    by_bob=st.integers(0, 30),
    locks=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    orientation=st.sampled_from(ORIENTATIONS),
    left=st.integers(0, 3 * HOUR),
    right=st.integers(0, 3 * HOUR),
)
def test_hub_gains_nothing_in_any_order_and_at_any_time(
    paths: dict[tuple[bool, bool], Path],
    by_alice: int,
    by_bob: int,
    locks: tuple[int, int],
    orientation: tuple[bool, bool],
    left: int,
    right: int,
) -> None:
    stage = paths[orientation].stage
    with stage.chain.isolated():
        path = paths[orientation].with_machine(
            alice_lock=locks[0], bob_lock=locks[1], validity=stage.now + HOUR
        )
        machine = path.machine
        gained = stage.gains(path.left.asset, stage.alice, stage.ingrid, stage.bob)
        path.register()
        machine.submit(stage.carol, by_alice, by_bob)
        start = stage.now + HOUR + 1
        for offset, side in sorted([(left, "left"), (right, "right")]):
            stage.at(max(stage.now + 1, start + offset))
            path.settle(side)
        stage.at(max(stage.now, machine.final_time) + 1)
        path.settle("left")
        path.settle("right")

        paid = (by_alice if locks[0] else 0) - (by_bob if locks[1] else 0)
        moved = max(-locks[1], min(locks[0], paid))
        assert gained() == (100 - moved, 200, 100 + moved)
