"""Whatever becomes of one place in a node's answers, for good: an old registration is answered, or
our user is told. The long form changes every place in every way."""

from __future__ import annotations

import itertools
from contextlib import suppress
from functools import cache

import pytest

from perun.bindings import ms_contract_calls
from perun.chain.provider import over
from perun.chain.reports import Sent
from perun.chain.rpc import RpcEndpoint
from perun.core.chain_view import Dispute
from perun.core.inputs import ChainChannel
from perun.errors import ChainFault
from perun.testing.bent.node import ScriptedNode
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH
from tests.node.chain.conftest import ALICE, BOB, Site
from tests.node.chain.mutations import Case, Mutating, cases
from tests.node.chain.test_lies import BLOCKS, LOUD, MOST_SENT

STEP = 149
"""The short form takes one case in so many."""


class Drama:
    """Alice registers an old state; Bob looks at the chain through a node that is bent."""

    def __init__(self, case: Case | None, late: bool) -> None:
        self.site = site = Site()
        site.open(ALICE, 100)
        site.chain.mine()
        self.node = Mutating(ScriptedNode(site.chain))
        self.bob = bob = site.watcher(BOB)
        bob.endpoint = RpcEndpoint(over(self.node))  # type: ignore[assignment]  # asked alike
        bob.start()
        clock = itertools.count(0, 6)  # Seconds: two rounds a block.
        bob.port.sight._clock = lambda: float(next(clock))
        bob.port.watch(site.watch)
        self.seen: Dispute | None = None
        if not late:
            self.node.case = case
        for _ in range(3):
            self.look()
            site.chain.mine()
        self.node.case = case
        site.act(ALICE, site.call(site.register(1)))
        for _ in range(BLOCKS):
            self.look()
            if self.seen is not None and self.seen.version < 2:
                bob.port.submit(site.register(2))
                self.look()
            site.chain.mine()

    def look(self) -> None:
        with suppress(ChainFault):
            self.bob.poll()
        for it in self.bob.inputs:
            if isinstance(it, ChainChannel):
                self.seen = it.head.dispute

    @property
    def ends_well(self) -> bool:
        contract = self.site.deployment.contract.contract
        query = ms_contract_calls.dispute(contract, ETH, self.site.id)
        found = ScriptedEndpoint(self.site.chain).ask(query, self.site.chain.head.number)
        told = any(isinstance(report, LOUD) for report in self.bob.reports)
        return (found.version == 2 or told) and len(self.bob.of(Sent)) <= MOST_SENT


@cache
def every() -> list[tuple[Case, bool]]:
    found = cases(Drama(None, late=True).node.seen)
    return sorted(itertools.product(found, (False, True)), key=str)


def test_true_answers_end_well_and_each_kind_of_them_is_changed() -> None:
    drama = Drama(None, late=True)
    assert drama.ends_well
    assert {case.of for case, _ in every()} == set(drama.node.seen)
    assert len(every()) > 3_000


@pytest.mark.parametrize("first", [pytest.param(0, id="short")])
def test_old_registration_is_answered_or_told(first: int) -> None:
    assert [str(job) for job in every()[first::STEP] if not Drama(*job).ends_well] == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, STEP))
def test_old_registration_is_answered_or_told_in_each_case(first: int) -> None:
    test_old_registration_is_answered_or_told(first)
