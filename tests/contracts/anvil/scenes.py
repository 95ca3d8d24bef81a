"""What is played on both chains; each scene returns the receipts of its transactions."""

from __future__ import annotations

from collections.abc import Callable

from perun.types import ETH
from tests.support.channels import new_channel
from tests.support.contracts import Receipt
from tests.support.instances import new_machine, new_nano
from tests.support.stage import FOREVER, HOUR, Stage

Scene = Callable[[Stage], list[Receipt]]


def life(stage: Stage) -> list[Receipt]:
    """Open, deposit, withdraw, close."""
    channel = new_channel(stage)
    return [
        stage.ms.send(stage.alice, "open", channel.terms, 10, FOREVER, value=10),
        stage.ms.send(stage.bob, "deposit", ETH, channel.id, True, 10, FOREVER, value=10),
        channel.withdraw(stage.carol, 0, 1, 2),
        channel.close(stage.alice, 3, to_credit=2),
        stage.ms.send(stage.bob, "claim", ETH, 11, stage.carol.account),
    ]


def token(stage: Stage) -> list[Receipt]:
    """The same with a token."""
    channel = new_channel(stage, asset=stage.token)
    arguments = (channel.asset, channel.id, True, 10, FOREVER)
    return [
        stage.ms.send(stage.alice, "open", channel.terms, 10, FOREVER),
        stage.ms.send(stage.bob, "deposit", *arguments),
        channel.close(stage.carol, 3),
    ]


def drawn(stage: Stage) -> list[Receipt]:
    """A hub's half out of its credit."""
    channel = new_channel(stage, stage.alice, stage.ingrid)
    until = stage.now + 60
    signature = stage.ingrid.sign_with_account(channel.open_digest(5, 7, until))
    return [
        stage.ms.send(stage.ingrid, "fund", ETH, stage.ingrid.account, 7, value=7),
        stage.ms.send(stage.alice, "openBoth", channel.terms, 5, 7, until, signature, value=5),
    ]


def countered_dispute(stage: Stage) -> list[Receipt]:
    channel = new_channel(stage).fund(10, 10)
    receipts = [channel.register(stage.alice, 0), channel.register(stage.carol, 7, 4)]
    channel.wait_until_settleable()
    return [*receipts, channel.settle(stage.bob, 4)]


def payments_settled_in_parts(stage: Stage) -> list[Receipt]:
    channel = new_channel(stage).fund(100, 100)
    paid = new_machine(stage, challenge=60)
    silent = new_machine(stage, validity=stage.now + 10 * HOUR)
    nanos = tuple(sorted((paid.nano(), silent.nano()), key=lambda nano: nano.id))
    evidence = [paid.evidence(7, 3) if nano.id == paid.id else b"" for nano in nanos]
    receipts = [channel.register(stage.alice, 2, 1, nanos, evidence=evidence)]
    receipts.append(paid.submit(stage.bob, 9, 0))
    channel.wait_until_settleable()
    receipts.append(channel.settle(stage.carol, 1, nanos))
    stage.at(silent.final_time + 1)
    return [*receipts, channel.settle(stage.carol, 0, (silent.nano(),))]


def hostile(stage: Stage) -> list[Receipt]:
    """A payee and a nanocontract that burn all they are given."""
    bob = stage.party_at(stage.deploy("GasBurningPayee").address, stage.bob)
    burner = stage.deploy("GasBurningNanocontract")
    channel = new_channel(stage, bob=bob).fund(10, 10)
    nanos = [new_nano(burner, number) for number in range(1, 4)]
    receipts = [channel.register(stage.alice, 2, 0, nanos, evidence=(b"x",))]
    channel.wait_until_settleable()
    return [*receipts, channel.settle(stage.carol, 0, nanos)]


def batch(stage: Stage) -> list[Receipt]:
    channels = [new_channel(stage).fund(3, 4) for _ in range(4)]
    for channel in channels[1:]:
        channel.register(stage.bob, 3, 2)
    channels[-1].wait_until_settleable()
    items = tuple((channel.terms, 2, ()) for channel in channels)
    return [stage.ms.send(stage.carol, "settleMany", items)]


SCENES: tuple[Scene, ...] = (
    life, token, drawn, countered_dispute, payments_settled_in_parts, hostile, batch,
)  # fmt: skip
