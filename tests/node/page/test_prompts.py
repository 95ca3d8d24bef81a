"""A wallet is asked once for each thing, whatever happens to the page in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from perun import deployments
from perun.chain.service import ChainService
from perun.core.config import Deployment
from perun.core.effects import ClaimCredit, DepositMoney, OpenChannel, Settle, Submit
from perun.core.limits import limits_for
from perun.crypto import SecretKey
from perun.encoding.ids import (
    channel_id,
)
from perun.node.settings import deployment_of
from perun.page.endpoint import PageEndpoint
from perun.page.prompts import Prompts
from perun.page.rpc import Answer, Rpc
from perun.page.store import PageStore
from perun.town.embedded import CHAIN_ID, EmbeddedChain
from perun.town.rpc import Rpc as Served
from perun.types import ETH, Address, ChainId, Channel, Nonce, Seconds, UnixTime, Wei
from perun.wallet import KeyAccount
from tests.node.page.test_endpoint import mining
from tests.node.page.test_log import Disk, open_store

PURSE: Final = SecretKey(b"\x07" * 32)
PEER: Final = SecretKey(b"\x08" * 32)


class World:
    """A chain, a browser with a wallet in it, and somebody before it."""

    def __init__(self, folder: Path) -> None:
        self.chain = EmbeddedChain(folder)
        self.served = Served(self.chain)
        self.endpoint = PageEndpoint(Rpc(self.post))
        suite = deployments.deploy(mining(self.chain, self.served))
        names = ("MSContract", "VPM")
        contracts = {n: Address(bytes.fromhex(suite.addresses()[n][2:])) for n in names}
        self.deployment: Deployment = deployment_of(ChainId(CHAIN_ID), contracts)
        self.account = Address(self.chain.keys[3].public_key.address)
        self.disk = Disk()
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def post(self, body: str) -> Answer:
        return Answer(200, self.served.answer(body.encode()).decode())

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["kind"] == "over":
            self.answers.pop(question["key"]).set_result({"over": True})
            return {"over": True}
        self.asked.append(question)
        self.answers[question["key"]] = asyncio.get_running_loop().create_future()
        return await self.answers[question["key"]]

    def confirm(self, question: dict[str, Any]) -> str:
        """What the wallet does when its user agrees; the transaction's hash."""
        (call,) = question["calls"]
        sent = {"method": "eth_sendTransaction", "params": [{"from": question["from"], **call}]}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, **sent})
        found: str = json.loads(self.served.answer(body.encode()))["result"]
        return found

    def say(self, question: dict[str, Any], hash: str) -> None:
        self.answers.pop(question["key"]).set_result({"hash": hash})

    def channel(self, nonce: int = 1) -> Channel:
        return Channel(
            self.account,
            PEER.address,
            PURSE.address,
            PEER.address,
            ETH,
            Seconds(3_600),
            Nonce(nonce),
        )

    def open(self, nonce: int = 1, until: UnixTime | None = None) -> Submit:
        end = until or UnixTime(self.now + 600)
        return Submit(b"open", OpenChannel(self.channel(nonce), Wei(10), end), end)

    @property
    def now(self) -> int:
        head = self.endpoint.block()
        assert head is not None
        return head.time

    def holdings(self) -> Wei:
        return self.endpoint.balance(self.deployment.contract.contract)

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """From its loading to its closing."""
        page = Page(self)
        yield page
        for question in asyncio.all_tasks() - {asyncio.current_task()}:
            question.cancel()


class Page:
    def __init__(self, world: World) -> None:
        self.world = world
        self.store: PageStore = open_store(world.disk)
        self.chain = ChainService(
            world.endpoint,
            world.deployment,
            KeyAccount(PURSE),
            lambda _: None,
            limits=limits_for(ChainId(CHAIN_ID)),
            owner=world.account,
        )
        self.prompts = Prompts(
            self.chain,
            world.endpoint,
            world.deployment,
            world.account,
            PURSE.address,
            self.store,
            world.ask,
            lambda _: None,
        )

    async def round(self, *wanted: Submit, blocks: int = 1) -> None:
        """The chain goes on, the core asks again, everybody looks."""
        for _ in range(blocks):
            self.world.chain.mine()
            self.chain.poll()
            for submit in wanted:
                self.prompts.submit(submit)
            self.prompts.poll()
            for _ in range(5):
                await asyncio.sleep(0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.chain.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_what_is_asked_is_asked_once(world: World) -> None:
    async def story() -> None:
        async with world.page() as page:
            wish = world.open()
            await page.round(wish, blocks=3)
            (question,) = world.asked
            assert question["from"].lower() == "0x" + world.account.hex()
            assert question["calls"][0]["value"] == hex(10)
            world.say(question, world.confirm(question))
            await page.round(wish, blocks=6)
            assert len(world.asked) == 1
            assert world.holdings() == 10

    run(story())


def test_a_page_closed_while_the_wallet_asks_asks_again_if_nothing_was_sent(world: World) -> None:
    async def story() -> None:
        wish = world.open()
        async with world.page() as page:
            await page.round(wish)
        async with world.page() as page:
            await page.round(wish)
        first, second = world.asked
        assert first["calls"] == second["calls"]

    run(story())


def test_a_page_closed_before_it_heard_the_hash_does_not_pay_twice(world: World) -> None:
    async def story() -> None:
        wish = world.open()
        async with world.page() as page:
            await page.round(wish)
        world.confirm(world.asked[0])
        async with world.page() as page:
            await page.round(wish, blocks=5)
        assert len(world.asked) == 1
        assert world.holdings() == 10

    run(story())


def test_what_is_too_late_or_not_wanted_is_taken_off_the_screen(world: World) -> None:
    async def story() -> None:
        async with world.page() as page:
            await page.round(world.open())
            assert len(world.answers) == 1
            await page.round(blocks=7)
            assert not world.answers

    run(story())


def test_what_the_chain_would_refuse_is_not_asked_for(world: World) -> None:
    async def story() -> None:
        async with world.page() as page:
            nothing = ClaimCredit(ETH, Wei(5), world.account)
            await page.round(Submit(b"claim", nothing), blocks=2)
            assert not world.asked

    run(story())


def test_a_transaction_that_failed_is_asked_for_again(world: World) -> None:
    async def story() -> None:
        async with world.page() as page:
            wish = world.open()
            await page.round(wish)
            (question,) = world.asked
            (call,) = question["calls"]
            # Confirmed so late, or with so little gas, that it changes nothing.
            failing = {**question, "calls": [{**call, "gas": hex(45_000)}]}
            world.say(question, world.confirm(failing))
            await page.round(wish, blocks=6)
            assert len(world.asked) == 2
            assert world.holdings() == 0

    run(story())


def test_a_key_with_ether_defends_without_a_prompt(world: World) -> None:
    async def story() -> None:
        async with world.page() as page:
            channel = world.channel()
            id = channel_id(world.deployment.contract, channel)
            settle = Submit(b"s", Settle(channel, id, Wei(0), ()))
            await page.round(settle)
            assert not page.chain.submitter.knows(b"s")
            world.confirm(
                {
                    "from": "0x" + world.account.hex(),
                    "calls": [{"to": "0x" + PURSE.address.hex(), "value": hex(10**18)}],
                }
            )
            await page.round(settle, blocks=2)
            await page.round(settle)
            assert page.chain.submitter.knows(b"s")
            deposit = DepositMoney(ETH, id, False, Wei(5), UnixTime(world.now + 600))
            await page.round(Submit(b"d", deposit, deposit.valid_until))
            assert [question["title"] for question in world.asked] == ["DepositMoney"]

    run(story())
