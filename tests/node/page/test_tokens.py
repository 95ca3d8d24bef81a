"""What a token says of itself is text of strangers; its contract says how many digits there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from perun.app.settings import KnownToken
from perun.bindings import abi
from perun.core.config import Policy
from perun.page.endpoint import PageEndpoint
from perun.page.rpc import Answer, Rpc
from perun.page.tokens import NoToken, Tokens, dealing_in, name_of
from perun.town.embedded import EmbeddedChain
from perun.town.rpc import Rpc as Served
from perun.types import ETH, Address, Asset
from tests.node.page.test_log import Disk, open_store

ARTIFACT: Final = Path(__file__).parents[2] / "contracts" / "artifacts" / "NamedToken.json"
A, B = (Asset(Address(bytes((at,)) * 20)) for at in (1, 2))


class World:
    """A chain with tokens, and a page's store."""

    def __init__(self, folder: Path) -> None:
        self.chain = EmbeddedChain(folder)
        self.served = Served(self.chain)
        self.disk = Disk()
        self.endpoint = PageEndpoint(Rpc(self.post))

    def post(self, body: str) -> Answer:
        return Answer(200, self.served.answer(body.encode()).decode())

    def ask(self, method: str, *params: object) -> object:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return json.loads(self.served.answer(body.encode()))["result"]

    def deployed(self, symbol: bytes, decimals: int) -> Asset:
        code = json.loads(ARTIFACT.read_text())["bytecode"]
        # Encoded as a string is.
        data = code + abi.encode_values(("bytes", "uint8"), (symbol, decimals)).hex()
        owner = "0x" + self.chain.keys[0].public_key.address.hex()
        hash = self.ask("eth_sendTransaction", {"from": owner, "data": data})
        self.chain.mine()
        receipt = self.ask("eth_getTransactionReceipt", hash)
        assert isinstance(receipt, dict)
        return Asset(Address(bytes.fromhex(receipt["contractAddress"][2:])))

    def tokens(self) -> Tokens:
        return Tokens(open_store(self.disk), self.endpoint)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.chain.close()


def test_a_token_is_looked_at_once_and_kept(world: World) -> None:
    asset = world.deployed(b"USDX", 6)
    token = world.tokens().add(asset)
    assert token == KnownToken(asset, "USDX", 6)
    world.chain.close()
    assert world.tokens().known == (token,)
    assert world.tokens().add(asset) == token


def test_what_is_no_token_is_refused(world: World) -> None:
    for asset in (ETH, A, world.deployed(b"HUGE", 37)):
        with pytest.raises(NoToken):
            world.tokens().add(asset)
    assert world.tokens().known == ()


def test_a_symbol_that_is_no_text_is_none(world: World) -> None:
    token = world.tokens().add(world.deployed(b"\xff\xfe", 6))
    assert token.symbol.startswith("0x")
    assert token.decimals == 6


def test_an_account_has_tokens(world: World) -> None:
    asset = world.deployed(b"USDX", 6)
    owner = Address(world.chain.keys[0].public_key.address)
    data = "0x" + abi.encode_call("mint(address,uint256)", owner, 5).hex()
    world.ask(
        "eth_sendTransaction",
        {"from": "0x" + owner.hex(), "to": "0x" + asset.hex(), "data": data},
    )
    world.chain.mine()
    assert world.tokens().held(asset, owner) == 5


@pytest.mark.parametrize(
    "symbol",
    ["", "ETH", "wei", "usdx", "A" * 13, "US DX", "USD\u202eX", "\u0415TH", "a\nb"],
    ids=["none", "ETH", "wei", "taken", "long", "space", "turned", "cyrillic", "lines"],
)
def test_a_symbol_that_misleads_gives_way_to_the_address(symbol: str) -> None:
    assert name_of(symbol, A, (KnownToken(B, "USDX", 6),)) == "0x0101…0101"


def test_a_plain_symbol_is_a_name_whatever_it_means_elsewhere() -> None:
    assert name_of("<b>x</b>", A, ()) == "<b>x</b>"


def test_what_has_no_price_is_taken_and_never_put_in_unasked() -> None:
    policy = dealing_in(Policy(), (KnownToken(A, "USDX", 6),))
    assert policy.assets == (ETH, A)
    assert policy.unpriced == (A,)
