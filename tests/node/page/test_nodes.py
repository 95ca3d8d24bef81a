"""A page asks one node of the chain, or two: what they say differently is not believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from perun.bindings.failures import NodeUnreachable
from perun.chain.endpoint import Inconsistent
from perun.page.endpoint import PageEndpoint
from perun.page.lent import Lent
from perun.page.nodes import ManyNodes, Nodes
from perun.page.rpc import Answer
from perun.town.embedded import EmbeddedChain
from perun.town.rpc import Rpc as Served

Says = Callable[[str], Answer]


class Lender:
    """Of what a page lends that which asks nodes, by their addresses."""

    def __init__(self, **nodes: Says) -> None:
        self.nodes = nodes
        self.asked: list[str] = []
        self.reported: list[str] = []
        self.report = self.reported.append

    def post(self, url: str, body: str, _seconds: float) -> Answer:
        self.asked.append(url)
        return self.nodes[url](body)


def nodes_of(lender: Lender, urls: str) -> Nodes:
    return Nodes(cast(Lent, lender), urls)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Says:
    chain = EmbeddedChain(tmp_path_factory.mktemp("chain"))
    for _ in range(3):
        chain.mine()
    served = Served(chain)
    return lambda body: Answer(200, served.answer(body.encode()).decode())


def gone(_body: str) -> Answer:
    return Answer(0, "nobody answers")


def lying(honest: Says) -> Says:
    """Another hash of each block."""

    def says(body: str) -> Answer:
        answer = honest(body)
        if "eth_getBlockByNumber" not in body:
            return answer
        said = json.loads(answer.text)
        said["result"]["hash"] = "0x" + "11" * 32
        return Answer(200, json.dumps(said))

    return says


def number(node: PageEndpoint) -> Any:
    return node.chain_now()


def test_two_that_agree_are_both_asked(honest: Says) -> None:
    lender = Lender(first=honest, second=honest)
    nodes = nodes_of(lender, " first  second ")
    assert nodes.proved(number) == nodes_of(Lender(first=honest), "first").proved(number)
    block = nodes.endpoint.block()
    assert block is not None
    assert block.number == 3
    assert {"first", "second"} == set(lender.asked)


def test_two_that_disagree_are_not_believed(honest: Says) -> None:
    nodes = nodes_of(Lender(first=honest, second=lying(honest)), "first second")
    with pytest.raises(Inconsistent):
        nodes.endpoint.block()


@pytest.mark.parametrize("urls", ["first second", "second first"])
def test_of_two_one_may_be_down(honest: Says, urls: str) -> None:
    lender = Lender(first=honest, second=gone)
    nodes = nodes_of(lender, urls)
    nodes.proved(number)
    block = nodes.endpoint.block()
    assert block is not None
    assert block.number == 3
    assert any("two nodes" in line for line in lender.reported)


def test_if_none_answers_that_is_said() -> None:
    nodes = nodes_of(Lender(first=gone, second=gone), "first second")
    with pytest.raises(NodeUnreachable):
        nodes.proved(number)


@pytest.mark.parametrize("urls", ["", "  ", "a b c"])
def test_there_are_one_or_two(urls: str) -> None:
    with pytest.raises(ManyNodes):
        nodes_of(Lender(), urls)
