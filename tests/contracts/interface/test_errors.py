"""Every error of every ABI, raised with the values it promises.

Each scenario returns what to do and the values that must come out. The scenarios are compared with
the compiled ABIs, so an error that nothing can raise, or that nobody has tried, fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import ANY

import pytest
from eth_hash.auto import keccak

from perun.types import ETH
from tests.support import plain
from tests.support.channels import BasicChannel, new_channel
from tests.support.instances import new_lock, new_machine, new_nano, new_salt
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, Stage

Scenario = Callable[[Stage], tuple[Callable[[], object], tuple[Any, ...]]]

SCENARIOS: dict[tuple[str, str], Scenario] = {}


def raises(contract: str, error: str) -> Callable[[Scenario], Scenario]:
    """The scenario ends in this error of this contract."""

    def register(scenario: Scenario) -> Scenario:
        assert (contract, error) not in SCENARIOS
        SCENARIOS[contract, error] = scenario
        return scenario

    return register


def funded(stage: Stage) -> BasicChannel:
    return new_channel(stage).fund(10, 10)


def deposit(stage: Stage, channel: BasicChannel, amount: int, value: int, until: int) -> object:
    arguments = (channel.asset, channel.id, False, amount, until)
    return stage.ms.send(stage.alice, "deposit", *arguments, value=value)


def open_both(
    stage: Stage, channel: BasicChannel, share: int, until: int, credit: int = 9
) -> Callable[[], object]:
    """Bob signs for 9 of his credit."""
    value = 0 if any(channel.asset) else credit
    stage.ms.send(stage.treasury, "fund", channel.asset, stage.bob.account, credit, value=value)
    signature = stage.bob.sign_with_account(channel.open_digest(share, 9, until))
    arguments = (channel.terms, share, 9, until, signature)
    due = 0 if any(channel.asset) else share
    return lambda: stage.ms.send(stage.alice, "openBoth", *arguments, value=due)


# ---------------------------------------------------------------------- MSContract


@raises("MSContract", "TooLate")
def _(stage: Stage) -> Any:
    channel, limit = new_channel(stage), stage.now + 5
    stage.at(limit + 1)
    return lambda: deposit(stage, channel, 1, 1, limit), (limit, limit + 1)


@raises("MSContract", "DisputeStillOpen")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    deadline = channel.register(stage.alice, 0).timestamp + 3600
    stage.at(deadline)
    return lambda: channel.settle(stage.alice), (channel.id, deadline, deadline)


@raises("MSContract", "ValidUntilTooFar")
def _(stage: Stage) -> Any:
    moment = stage.now + 100
    action = open_both(stage, new_channel(stage), 1, moment + 3601)
    stage.at(moment)
    return action, (moment + 3601, moment + 3600)


@raises("MSContract", "DeadlineTooFar")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    stage.at(2**34 - 3600)
    return lambda: channel.register(stage.alice, 0), (2**34,)


@raises("MSContract", "WrongValue")
def _(stage: Stage) -> Any:
    return lambda: deposit(stage, new_channel(stage), 7, 6, FOREVER), (7, 6)


@raises("MSContract", "NotEnoughGas")
def _(stage: Stage) -> Any:
    payee = stage.party_at(stage.deploy("RefusingPayee").address, stage.bob)
    channel = new_channel(stage, bob=payee).fund(10, 10)
    return lambda: channel.close(stage.carol, gas=120_000), (ANY, 100_000)


@raises("MSContract", "AmountTooLarge")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    nanos = [new_nano(stage.vpm, number, 2**110) for number in (1, 2)]
    return lambda: channel.register(stage.alice, 2, 0, nanos), (0, 2**111)


@raises("MSContract", "ShareTooSmall")
def _(stage: Stage) -> Any:
    channel = new_channel(stage, asset=stage.deploy_token("FeeToken", stage.alice))
    return open_both(stage, channel, 100, stage.now + 60, credit=20), (90, 100)


@raises("MSContract", "NotAParty")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    return lambda: channel.register(stage.carol, 0), (channel.id, stage.carol.account)


@raises("MSContract", "WrongSigner")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    digest = channel.close_digest()
    signatures = channel.alice.sign(digest), stage.carol.sign(digest)
    expected = (channel.bob.key.address, stage.carol.key.address)
    return lambda: channel.close(stage.carol, signatures=signatures), expected


@raises("MSContract", "EmptyChannel")
def _(stage: Stage) -> Any:
    channel = new_channel(stage)
    return lambda: channel.close(stage.carol), (channel.id,)


@raises("MSContract", "InDispute")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    channel.register(stage.alice, 0)
    return lambda: deposit(stage, channel, 1, 1, FOREVER), (channel.id,)


@raises("MSContract", "NotInDispute")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    return lambda: channel.settle(stage.carol), (channel.id,)


@raises("MSContract", "StateMismatch")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    channel.register(stage.alice, 2, 3)
    channel.wait_until_settleable()
    hashes = (plain.state_hash(channel.id, 2, net, ()) for net in (4, 3))
    return lambda: channel.settle(stage.carol, 4), (channel.id, *hashes)


@raises("MSContract", "Insolvent")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    return lambda: channel.close(stage.carol, 13), (channel.id, -3, 23)


@raises("MSContract", "VersionZeroNotEmpty")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    nanos = [new_nano(stage.vpm, 1)]
    return lambda: channel.register(stage.alice, 0, -2, nanos), (-2, 1)


@raises("MSContract", "TooManyNanos")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    nanos = [new_nano(stage.vpm, number) for number in range(65)]
    return lambda: channel.register(stage.alice, 2, 0, nanos), (65,)


@raises("MSContract", "NanosNotAscending")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    nanos = [new_nano(stage.vpm, number) for number in (1, 2, 2)]
    return lambda: channel.register(stage.alice, 2, 0, nanos), (2,)


@raises("MSContract", "TooMuchEvidence")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    return lambda: channel.register(stage.alice, 0, evidence=(b"", b"")), (2, 0)


@raises("MSContract", "AlreadyDrawn")
def _(stage: Stage) -> Any:
    channel = new_channel(stage)
    open_both(stage, channel, 1, stage.now + 60)()
    return open_both(stage, channel, 1, stage.now + 60), (channel.id,)


@raises("MSContract", "WrongIndex")
def _(stage: Stage) -> Any:
    channel = funded(stage)
    return lambda: channel.withdraw(stage.carol, 4, 1, 1), (4, 0)


@raises("MSContract", "InsufficientCredit")
def _(stage: Stage) -> Any:
    claim = (ETH, 5, stage.alice.account)
    return lambda: stage.ms.send(stage.alice, "claim", *claim), (ETH, stage.alice.account, 0, 5)


@raises("MSContract", "ZeroAddress")
def _(stage: Stage) -> Any:
    return lambda: stage.ms.send(stage.alice, "claim", ETH, 0, bytes(20)), ()


@raises("MSContract", "ClaimFailed")
def _(stage: Stage) -> Any:
    payee = stage.deploy("RefusingPayee").address
    stage.ms.send(stage.alice, "fund", ETH, stage.alice.account, 5, value=5)
    return lambda: stage.ms.send(stage.alice, "claim", ETH, 5, payee), (payee,)


@raises("MSContract", "SafeERC20FailedOperation")
def _(stage: Stage) -> Any:
    token = stage.deploy_token("FalseToken")
    token.send(stage.carol, "setBroken", True)
    return lambda: new_channel(stage, asset=token).fund(5), (token.address,)


@raises("MSContract", "ReentrancyGuardReentrantCall")
def _(stage: Stage) -> Any:
    """Seen from inside: a wallet that lets the refusal of its second call fail its first one."""
    token = stage.deploy_token("BubblingToken", stage.alice)
    channel = new_channel(stage, asset=token)
    again = stage.ms.call_data("fund", ETH, stage.mallory.account, 0)
    token.send(stage.carol, "setHook", stage.ms.address, again)
    return lambda: deposit(stage, channel, 5, 0, FOREVER), ()


# ---------------------------------------------------------------------- VPM


@raises("VPM", "TooLate")
def _(stage: Stage) -> Any:
    machine = new_machine(stage)
    limit = machine.terms.validity
    stage.at(limit + 1)
    return lambda: machine.submit(stage.carol, 1), (limit, limit + 1)


@raises("VPM", "TotalTooLarge")
def _(stage: Stage) -> Any:
    return lambda: new_machine(stage).submit(stage.carol, 2**111), (2**111,)


@raises("VPM", "FinalTimeTooFar")
def _(stage: Stage) -> Any:
    machine = new_machine(stage, validity=2**34 - 1, challenge=1)
    return lambda: machine.submit(stage.carol, 1), (2**34,)


@raises("VPM", "WrongSigner")
def _(stage: Stage) -> Any:
    machine = new_machine(stage)
    wrong = stage.carol.sign(machine.digest(5))
    arguments = (machine.terms, 5, wrong, 0, b"")
    expected = (machine.alice.key.address, stage.carol.key.address)
    return lambda: stage.vpm.send(stage.carol, "submitStatements", *arguments), expected


@raises("VPM", "MalformedEvidence")
def _(stage: Stage) -> Any:
    return lambda: stage.vpm.send(stage.carol, "submit", bytes(351)), (351,)


# ---------------------------------------------------------------------- HashTimeLock


@raises("HashTimeLock", "TooLate")
def _(stage: Stage) -> Any:
    lock = new_lock(stage, 5, bytes(32))
    stage.at(lock.deadline + 1)
    expected = (lock.deadline, lock.deadline + 1)
    return lambda: stage.locks.send(stage.carol, "reveal", lock, bytes(32)), expected


@raises("HashTimeLock", "WrongPreimage")
def _(stage: Stage) -> Any:
    lock, wrong = new_lock(stage, 5, bytes(32)), b"\x01" * 32
    expected = (lock.hash, keccak(wrong))
    return lambda: stage.locks.send(stage.carol, "reveal", lock, wrong), expected


@raises("HashTimeLock", "AmountTooLarge")
def _(stage: Stage) -> Any:
    lock = (2**111, False, keccak(bytes(32)), FOREVER, new_salt())
    return lambda: stage.locks.send(stage.carol, "reveal", lock, bytes(32)), (2**111,)


# ---------------------------------------------------------------------- LibSignatures


@raises("LibSignatures", "InvalidSignature")
def _(stage: Stage) -> Any:
    return lambda: stage.signatures.ask("recover", bytes(32), bytes(63)), (63,)


# ----------------------------------------------------------------------


def abi_errors(stage: Stage) -> Iterator[tuple[str, str]]:
    for contract in (stage.ms, stage.vpm, stage.locks, stage.signatures):
        for entry in contract.interface.abi:
            if entry["type"] == "error":
                yield contract.interface.name, entry["name"]


def test_every_error_of_the_abis_has_a_scenario(stage: Stage) -> None:
    assert set(abi_errors(stage)) == set(SCENARIOS)


@pytest.mark.parametrize(("contract", "error"), SCENARIOS)
def test_error_is_raised_with_its_values(stage: Stage, contract: str, error: str) -> None:
    action, values = SCENARIOS[contract, error](stage)
    with reverts(error, *values):
        action()
