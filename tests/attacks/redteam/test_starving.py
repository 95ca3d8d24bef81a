"""Every gas limit: a transaction does what it does with plenty, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from populus.exceptions import ContractReverted
from tests.support.channels import BasicChannel, new_channel, sorted_nanos
from tests.support.contracts import Receipt
from tests.support.instances import new_machine, new_nano
from tests.support.stage import FOREVER, Stage

Send = Callable[[int], Receipt]


def assert_all_or_nothing(stage: Stage, send: Send, low: int, high: int) -> None:
    """`send` with any limit either fails or leaves the same events as with plenty.

    If a starved call passed for a failure, it would do so just below the least limit that works:
    that limit is looked for down to 16 gas, after a coarse sweep over everything.
    """
    with stage.chain.isolated():
        expected = send(5_000_000).events

    def works(gas: int) -> bool:
        with stage.chain.isolated():
            try:
                events = send(gas).events
            except ContractReverted:
                return False
        assert events == expected, f"starved with {gas}"
        return True

    assert works(high), "the sweep ends below what the transaction needs"
    fails, least = low, high
    for gas in range(low, high, (high - low) // 8):
        if works(gas):
            least = min(least, gas)
        elif gas < least:
            fails = gas
    while least - fails > 16:
        middle = (fails + least) // 2
        fails, least = (fails, middle) if works(middle) else (middle, least)


@pytest.fixture
def thrifty_bob(stage: Stage) -> BasicChannel:
    """Bob's account takes money only if it is left 80,000 gas, and gives up cheaply if not."""
    wallet = stage.deploy("ThriftyPayee")
    return new_channel(stage, bob=stage.party_at(wallet.address, stage.bob)).fund(10, 10)


def test_payee_of_a_close(stage: Stage, thrifty_bob: BasicChannel) -> None:
    signed = thrifty_bob.both(thrifty_bob.close_digest(0))
    assert_all_or_nothing(
        stage,
        lambda gas: thrifty_bob.close(stage.carol, 0, signatures=signed, gas=gas),
        60_000,
        260_000,
    )


def test_payee_of_a_withdrawal(stage: Stage, thrifty_bob: BasicChannel) -> None:
    signed = thrifty_bob.both(thrifty_bob.withdraw_digest(0, 0, 3))
    assert_all_or_nothing(
        stage,
        lambda gas: thrifty_bob.withdraw(stage.carol, 0, 0, 3, signatures=signed, gas=gas),
        60_000,
        260_000,
    )


def test_account_that_refuses_once_it_has_enough(stage: Stage) -> None:
    """A real refusal becomes credit only with the whole allowance; below it nothing happens."""
    wallet = stage.deploy("GasBurningPayee")
    channel = new_channel(stage, alice=stage.party_at(wallet.address, stage.alice)).fund(10, 10)
    signed = channel.both(channel.close_digest(0))
    assert_all_or_nothing(
        stage,
        lambda gas: channel.close(stage.carol, 0, signatures=signed, gas=gas),
        90_000,
        330_000,
    )


@pytest.mark.parametrize("need", [90_000, 119_700])
def test_outcome(stage: Stage, need: int) -> None:
    """An instance that is done may not be made to look unfinished after its expiry."""
    app = stage.deploy("ThriftyNanocontract", need)
    channel = new_channel(stage).fund(10, 10)
    nanos = sorted_nanos(*(new_nano(app, n, 2, 2, stage.now) for n in (1, 2)))
    for nano in nanos:
        app.send(stage.carol, "set", nano.id, True, 2)
    channel.register(stage.alice, 1, nanos=nanos)
    channel.wait_until_settleable()
    assert_all_or_nothing(
        stage, lambda gas: channel.settle(stage.carol, nanos=nanos, gas=gas), 60_000, 330_000
    )


def test_outcome_of_the_payment_machine(stage: Stage) -> None:
    """VPM spends so little that a starved call is hardest to tell from one that says "not done"."""
    machine = new_machine(stage, validity=stage.now + 100, challenge=60)
    channel = new_channel(stage).fund(10, 10)
    machine.submit(stage.carol, by_bob=4)
    channel.register(stage.alice, 1, nanos=(machine.nano(),))
    stage.wait_until(machine.final_time + 4000)
    send: Send = lambda gas: channel.settle(stage.carol, nanos=(machine.nano(),), gas=gas)  # noqa: E731
    assert_all_or_nothing(stage, send, 38_000, 120_000)


def test_evidence(stage: Stage) -> None:
    """Whoever passes another's evidence on cannot cut its gas."""
    app = stage.deploy("ThriftyNanocontract", 299_000)
    channel = new_channel(stage).fund(10, 10)
    nanos = (new_nano(app, 1, 2, 2, FOREVER),)
    signed = channel.state(1, nanos=nanos)
    assert_all_or_nothing(
        stage,
        lambda gas: channel.register(stage.alice, 1, 0, nanos, signed, (b"news",), gas=gas),
        100_000,
        480_000,
    )


def test_token_payout(stage: Stage) -> None:
    """A token that burns all it gets: credit with the whole allowance, else nothing."""
    token = stage.deploy_token("GasBurningToken")
    channel = new_channel(stage, asset=token).fund(10)
    token.send(stage.carol, "setBurning", True)
    signed = channel.both(channel.close_digest(0))
    assert_all_or_nothing(
        stage,
        lambda gas: channel.close(stage.carol, 0, signatures=signed, gas=gas),
        90_000,
        480_000,
    )
