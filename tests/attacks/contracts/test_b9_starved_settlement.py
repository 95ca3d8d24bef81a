"""B9: gas limits at which a settlement succeeds with a failure that only want of gas has made.

A payout into credit although it could be paid, an instance counted as undone although it is done.
Whatever the limit, a settlement does all it does with plenty, or nothing. `close`, `withdraw` and
token payouts are swept in `tests/attacks/redteam/test_starving.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from populus.exceptions import ContractReverted
from tests.support.channels import new_channel
from tests.support.contracts import Receipt
from tests.support.instances import new_machine, new_nano
from tests.support.stage import FOREVER, Stage

Settle = Callable[[int], Receipt]


def assert_whole_or_nothing(stage: Stage, settle: Settle, limits: range) -> None:
    with stage.chain.isolated():
        whole = settle(5_000_000).events
    succeeded = []
    for gas in limits:
        with stage.chain.isolated():
            try:
                events = settle(gas).events
            except ContractReverted:
                continue
            assert events == whole, f"something is missing with {gas}"
            succeeded.append(gas)
    assert succeeded, "the sweep is too low"
    assert succeeded[0] > limits.start, "the sweep is too high"


@pytest.mark.parametrize("function", ["settle", "settleMany"])
def test_payee_and_nanocontract_that_give_up_early(stage: Stage, function: str) -> None:
    """Both work with their allowance and fail cheaply with a little less."""
    bob = stage.party_at(stage.deploy("ThriftyPayee").address, stage.bob)
    app = stage.deploy("ThriftyNanocontract", 115_000)
    channel = new_channel(stage, bob=bob).fund(10, 10)
    nanos = (new_nano(app, 1, 4, 4, FOREVER), new_nano(app, 2, 1, 1, FOREVER))
    for nano, shift in zip(nanos, (4, -1), strict=True):
        app.send(stage.carol, "set", nano.id, True, shift)
    channel.register(stage.alice, 2, 1, nanos)
    channel.wait_until_settleable()

    def settle(gas: int) -> Receipt:
        if function == "settle":
            return channel.settle(stage.carol, 1, nanos, gas=gas)
        items = ((channel.terms, 1, nanos),)
        return stage.ms.send(stage.carol, "settleMany", items, gas=gas)

    assert_whole_or_nothing(stage, settle, range(60_000, 300_000, 7_000))


def test_machine_that_is_done_is_never_counted_as_undone(stage: Stage) -> None:
    """After `expiry` that would free the payer's lock; VPM needs a few thousand gas only."""
    channel = new_channel(stage).fund(10, 10)
    machine = new_machine(stage)
    machine.submit(stage.bob, 9)
    channel.register(stage.alice, 2, 0, (machine.nano(),))
    stage.wait_until(machine.final_time + 1)

    def settle(gas: int) -> Receipt:
        return channel.settle(stage.carol, 0, (machine.nano(),), gas=gas)

    assert_whole_or_nothing(stage, settle, range(30_000, 110_000, 2_000))
