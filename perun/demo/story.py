"""The story, act by act. Everything is done by the nodes; the story gives the commands, cuts the
power, cheats, and keeps a tally of its own to compare the chain with at the end."""

from __future__ import annotations

from perun.demo.apart import cheat, leave_alone
from perun.demo.play import Play
from perun.demo.stage import Stage
from perun.demo.tally import Result
from perun.demo.telling import Tell
from perun.demo.together import (
    open_direct_channel,
    open_hub_channels,
    pay_directly,
    pay_virtually,
    swap,
)
from perun.types import Wei

__all__ = ["tell_story"]

_PLAIN_TRANSFER = 21_000


def tell_story(stage: Stage, payments: int, tell: Tell) -> Result:
    """From the first deposit to the last wei.

    Args:
        payments: how many in each of the two great series.

    Raises:
        StoryFailed: something that the protocol promises did not happen.
        ChainFault: the chain went away.
    """
    play = Play(stage, payments, tell)
    stage.begin()
    before = {party.name: stage.balance(party.address) for party in stage.cast}
    play.next("Deposits")
    open_hub_channels(play)
    open_direct_channel(play)
    play.next(f"{payments:,} payments in a channel of two")
    pay_directly(play)
    play.next(f"{payments:,} payments in a virtual channel over Ingrid")
    pay_virtually(play)
    play.next("A hash-locked swap")
    swap(play)
    play.next("Bob registers an old state")
    cheat(play)
    play.next("Ingrid goes silent")
    leave_alone(play)
    play.next("Everybody is out")
    return _count(play, before)


def _count(play: Play, before: dict[str, Wei]) -> Result:
    stage, tally = play.stage, play.tally
    stage.until(
        lambda: all(party.chain.submitter.idle for party in stage.cast),
        "the last transaction becoming final",
    )
    lines = tuple(
        tally.line(
            party.name,
            before[party.name],
            stage.balance(party.address),
            party.gas_used,
            party.gas_paid,
        )
        for party in stage.cast
    )
    gas, cost = sum(line.gas_used for line in lines), sum(line.gas_cost for line in lines)
    count = sum(tally.sent_count.values())
    on_chain = count * _PLAIN_TRANSFER
    return Result(
        chain="",
        seed=stage.seed,
        payments=count,
        lines=lines,
        left_in_contract=stage.balance(stage.deployment.contract.contract),
        hub_signatures_during_payments=play.hub_signed,
        gas_used=gas,
        gas_cost=Wei(cost),
        on_chain_gas=on_chain,
        on_chain_cost=Wei(on_chain * cost // max(gas, 1)),
    )
