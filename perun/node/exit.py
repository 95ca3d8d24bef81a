"""Getting everything out, alone: needs a store (or a backup) and a way to the chain, nothing else.

Channels are registered at the newest state that the store holds, with its evidence; after the
deadlines they are settled, and credit is claimed. It can be stopped and run again at any time: what
is done is seen on the chain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perun.chain import costs
from perun.chain.endpoint import Block
from perun.core.books import Books
from perun.core.effects import (
    ClaimCredit,
    CloseChannel,
    Register,
    Settle,
    Submit,
    SubmitEvidence,
    WithdrawMoney,
)
from perun.core.inputs import CommandClaim, CommandDispute, Input
from perun.core.rules.phases import Phase
from perun.errors import ChainFault
from perun.node.owed import Owed, owed_by
from perun.node.solitary import Solitary
from perun.types import ETH, Address, Asset, Wei

__all__ = ["Exit", "Plan", "only_leaving"]

_LEAVING = (
    Register,
    Settle,
    SubmitEvidence,
    ClaimCredit,
    CloseChannel,
    WithdrawMoney,
)


def only_leaving(submit: Submit) -> bool:
    """Whether a transaction takes money out; nothing is ever put in by an exit."""
    return isinstance(submit.transaction, _LEAVING)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the chain owes, and what it costs to get."""

    owed: tuple[Owed, ...]
    credits: tuple[tuple[Asset, Wei], ...]
    """Credit of our account in the contract, in final blocks."""
    gas_price: Wei
    """Wei per gas, as the submitter would bid now."""
    sure: bool = True
    """Whether the chain has told of every channel, and of credit in a final block: what it has not
    told may be owed too."""
    trouble: ChainFault | None = None
    """What the node did not answer, though it has named a block: what can be done is done."""

    @property
    def empty(self) -> bool:
        """Whether nothing is owed, as far as it is known."""
        return not self.owed and not self.credits

    @property
    def only_ether(self) -> bool:
        """Whether what is owed can be compared with what gas costs."""
        assets = [one.asset for one in self.owed] + [asset for asset, _ in self.credits]
        return all(asset == ETH for asset in assets)

    @property
    def brings(self) -> Wei:
        """All ETH that is owed, in wei."""
        owed = [(one.asset, one.amount) for one in self.owed] + list(self.credits)
        return Wei(sum(amount for asset, amount in owed if asset == ETH))

    @property
    def gas(self) -> int:
        """All transactions together."""
        return sum(one.gas for one in self.owed) + costs.CLAIM_GAS * len(self.credits)

    @property
    def cost(self) -> Wei:
        """In wei, at most, at today's price."""
        return Wei(self.gas * self.gas_price)


class Exit:
    """An exit under way."""

    def __init__(self, solitary: Solitary, account: Address) -> None:
        self._solitary = solitary
        self._account = account
        self.plan: Plan | None = None
        """Of the last round."""

    @property
    def _books(self) -> Books:
        return self._solitary.books

    def look(self) -> Plan:
        """One round: what is owed now, after whatever has happened so far.

        Raises:
            ChainFault: the node has never named a block; look again.
        """
        trouble = self._round()
        credits = tuple(
            (Asset(credit.asset), credit.amount)
            for credit in self._books.credits.values()
            if credit.account == self._account and credit.amount
        )
        told = all(view.watched or view.final.ended for view in self._books.channels.values())
        sure = trouble is None and told and self._solitary.credit_told
        plan = Plan(owed_by(self._books), credits, self._solitary.gas_price, sure, trouble)
        self.plan = plan
        return plan

    def _round(self) -> ChainFault | None:
        """One question that goes unanswered must not keep what can be done from being done."""
        try:
            self._solitary.round()
        except ChainFault as fault:
            if self.seen is None:
                raise
            return fault
        return None

    def go(self) -> Plan:
        """One round, and the next step wherever one can be taken; the plan before it.

        Raises:
            ChainFault: the node has never named a block; go on.
        """
        plan = self.look()
        wanted: list[Input] = [
            CommandDispute(one.channel)
            for one in plan.owed
            if one.phase
            not in (Phase.LEAVING, Phase.DISPUTED, Phase.DECIDED, Phase.SETTLING, Phase.ENDED)
        ]
        wanted += [
            CommandClaim(asset, amount, self._account)
            for asset, amount in plan.credits
            if not self.refused(asset)
        ]
        if wanted:
            self._solitary.do(*wanted)
            trouble = self._round() or plan.trouble
            plan = replace(plan, sure=plan.sure and trouble is None, trouble=trouble)
        return plan

    def refused(self, asset: Asset) -> str | None:
        """Why its token does not pay our credit out, if it has refused for good; else None."""
        return self._solitary.given_up(ClaimCredit(asset, Wei(0), self._account).key)

    def stuck(self, plan: Plan) -> bool:
        """Whether nothing is left but credit that its token refuses to pay out."""
        return (
            not plan.owed
            and bool(plan.credits)
            and all(self.refused(asset) for asset, _ in plan.credits)
            and all(
                view.final.ended or not view.head.ended for view in self._books.channels.values()
            )
        )

    @property
    def seen(self) -> Block | None:
        """The newest block of the last round: what a plan is true of."""
        return self._solitary.chain.follower.head

    @property
    def waiting(self) -> bool:
        """Whether transactions are under way, or not final yet."""
        return not self._solitary.chain.submitter.idle
