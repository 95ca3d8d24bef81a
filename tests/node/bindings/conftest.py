"""The suite on the chain in memory, a token, and a channel of two funded accounts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_keys.datatypes import PrivateKey
from web3 import Web3

import perun
from perun import Address, Channel, ChannelId, Deployment
from perun.bindings import ERC20
from populus.chain import TesterChain

# Given, because estimating costs twice as much as sending.
GAS = 1_500_000
HOUR = 3600


@pytest.fixture(scope="session")
def suite(web3: Web3) -> Deployment:
    return perun.deploy(web3, gas=6_000_000)


@pytest.fixture(scope="session")
def token(chain: TesterChain, suite: Deployment) -> ERC20:
    """10,000 of it are the first account's, as many the second's."""
    contract, _ = chain.provider.deploy_contract("StandardToken")
    for account in chain.web3.eth.accounts[:2]:
        contract.functions.mint(account, 10_000).transact({"from": account, "gas": GAS})
    return ERC20(suite.ms_contract.web3, contract.address)


@dataclass(frozen=True)
class Pair:
    """Two accounts with session keys, and a channel of theirs."""

    suite: Deployment
    alice: Address
    bob: Address
    alice_key: PrivateKey
    bob_key: PrivateKey
    channel: Channel

    @property
    def id(self) -> ChannelId:
        return perun.channel_id(self.suite.ms_contract.domain, self.channel)

    @property
    def now(self) -> int:
        return perun.now(self.suite.ms_contract.web3)

    def open(self, alice: int = 100, bob: int = 100) -> Pair:
        """Both deposit; tokens are there and approved already."""
        ms = self.suite.ms_contract
        for account, amount in ((self.alice, alice), (self.bob, bob)):
            ms.open(self.channel, amount, self.now + HOUR, sender=account, gas=GAS)
        return self

    def signed(self, message: object) -> list[object]:
        """Both keys' signatures on a message of the channel."""
        domain = self.suite.ms_contract.domain
        return [perun.sign(message, key, domain) for key in (self.alice_key, self.bob_key)]

    def wait(self, seconds: int) -> None:
        """The next block is that much later."""
        self.suite.ms_contract.web3.provider.ethereum_tester.time_travel(self.now + seconds)


@pytest.fixture
def pair(suite: Deployment, web3: Web3) -> Pair:
    return make_pair(suite, web3, perun.ETH)


@pytest.fixture
def token_pair(suite: Deployment, web3: Web3, token: ERC20) -> Pair:
    made = make_pair(suite, web3, token.asset)
    for account in (made.alice, made.bob):
        token.approve(suite.ms_contract.address, 1000, sender=account, gas=GAS)
    return made


def make_pair(suite: Deployment, web3: Web3, asset: perun.Asset) -> Pair:
    alice, bob = (perun.address(account) for account in web3.eth.accounts[:2])
    a, b = perun.new_key(), perun.new_key()
    keys = perun.address(a), perun.address(b)
    channel = Channel(alice, bob, *keys, asset, perun.Seconds(HOUR), perun.new_nonce())
    return Pair(suite, alice, bob, a, b, channel)
