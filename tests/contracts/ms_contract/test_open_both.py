"""`openBoth`: one transaction funds both sides, the other's out of its credit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.contracts import Receipt, normal
from tests.support.reverts import reverts
from tests.support.stage import HOUR, MOST, Stage

NOBODY = bytes(20)


@dataclass(frozen=True, slots=True)
class Offer:
    """An `Open` that one account has signed, for the other to use."""

    channel: BasicChannel
    opener: Owner
    drawn: Owner
    alice_amount: int
    bob_amount: int
    valid_until: int

    @property
    def share(self) -> int:
        """What the opener brings."""
        return self.alice_amount if self.opener is self.channel.alice else self.bob_amount

    @property
    def digest(self) -> bytes:
        return self.channel.open_digest(self.alice_amount, self.bob_amount, self.valid_until)

    def take(
        self, by: object = None, value: int | None = None, signature: bytes | None = None
    ) -> Receipt:
        """The opener sends it, unless told otherwise."""
        due = self.share if self.channel.asset == ETH else 0
        signed = self.drawn.sign_with_account(self.digest) if signature is None else signature
        return self.channel.stage.ms.send(
            by or self.opener, "openBoth", self.channel.terms, self.alice_amount, self.bob_amount,
            self.valid_until, signed, value=due if value is None else value,
        )  # fmt: skip


def new_offer(
    channel: BasicChannel,
    opener: str = "alice",
    alice_amount: int = 3,
    bob_amount: int = 8,
    credit: int = 10,
    valid_until: int | None = None,
) -> Offer:
    """Bob's, unless Bob opens; the drawn side has this credit."""
    stage = channel.stage
    by_alice = opener == "alice"
    drawn = channel.bob if by_alice else channel.alice
    value = credit if channel.asset == ETH else 0
    stage.ms.send(stage.treasury, "fund", channel.asset, drawn.account, credit, value=value)
    until = stage.now + 60 if valid_until is None else valid_until
    return Offer(
        channel, channel.alice if by_alice else channel.bob, drawn, alice_amount, bob_amount, until
    )


@pytest.mark.parametrize("opener", ["alice", "bob"])
def test_open_both_funds_both_sides(stage: Stage, asset: bytes, opener: str) -> None:
    offer = new_offer(new_channel(stage, asset=asset), opener)
    channel = offer.channel
    gained = stage.gains(asset, offer.opener, offer.drawn, stage.ms)

    receipt = offer.take()

    assert gained() == (-offer.share, 0, offer.share)
    assert stage.credit(asset, offer.drawn) == 10 - (11 - offer.share)
    assert channel.holdings() == Holdings(3, 8, drawn=True)
    names = {"alice": channel.alice.account, "bob": channel.bob.account}
    sides = {"aliceHoldings": 3, "bobHoldings": 8}
    assert receipt.events == (
        ("Opened", {"id": channel.id, **names, "channel": normal(channel.terms)}),
        ("Deposited", {"id": channel.id, "asset": asset, **sides}),
    )


def test_dust_deposited_before_does_not_stop_it(channel: BasicChannel) -> None:
    offer = new_offer(channel.fund(1, 1))
    offer.take()
    assert channel.holdings() == Holdings(4, 9, drawn=True)


def test_opener_may_bring_nothing(channel: BasicChannel) -> None:
    new_offer(channel, alice_amount=0).take()
    assert channel.holdings() == Holdings(0, 8, drawn=True)


def test_open_draws_once(channel: BasicChannel) -> None:
    offer = new_offer(channel, bob_amount=2)
    offer.take()
    with reverts("AlreadyDrawn", channel.id):
        offer.take()
    assert channel.stage.credit(ETH, channel.bob) == 8


def test_second_offer_draws_nothing_either(channel: BasicChannel) -> None:
    new_offer(channel, bob_amount=2).take()
    with reverts("AlreadyDrawn", channel.id):
        new_offer(channel, opener="bob", alice_amount=1).take()


def test_both_offers_of_one_channel_draw_once_whichever_comes_first(channel: BasicChannel) -> None:
    first, second = new_offer(channel), new_offer(channel, opener="bob")
    second.take()
    with reverts("AlreadyDrawn", channel.id):
        first.take()


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize("who", ["carol", "alice's key", "bob's key"])
def test_open_both_is_for_the_two_accounts(channel: BasicChannel, who: str) -> None:
    offer = new_offer(channel)
    senders = {
        "carol": channel.stage.carol.account,
        "alice's key": channel.alice.key.address,
        "bob's key": channel.bob.key.address,
    }
    with reverts("NotAParty", channel.id, senders[who]):
        offer.take(by=senders[who])


def test_drawn_account_cannot_use_its_own_offer(channel: BasicChannel) -> None:
    """For Bob as caller, it is Alice who would have to sign."""
    offer = new_offer(channel)
    with reverts("WrongSigner", channel.alice.account, channel.bob.account):
        offer.take(by=channel.bob, value=8)


def test_key_cannot_draw_on_its_account(channel: BasicChannel) -> None:
    offer = new_offer(channel)
    with reverts("WrongSigner", channel.bob.account, channel.bob.key.address):
        offer.take(signature=channel.bob.sign(offer.digest))


def test_offer_without_signature_is_refused(channel: BasicChannel) -> None:
    offer = new_offer(channel)
    with reverts("WrongSigner", channel.bob.account, NOBODY):
        offer.take(signature=b"")


def test_contract_account_cannot_be_drawn(stage: Stage) -> None:
    """Not even one that says yes to every signature (ERC-1271)."""
    wallet = stage.party_at(stage.deploy("YesWallet").address, stage.bob)
    offer = new_offer(new_channel(stage, bob=wallet))
    signature = stage.bob.sign(offer.digest)
    with reverts("WrongSigner", wallet.account, stage.bob.key.address):
        offer.take(signature=signature)


@pytest.mark.parametrize("early", [1, 0])
def test_offer_is_taken_until_its_last_second(channel: BasicChannel, early: int) -> None:
    offer = new_offer(channel)
    channel.stage.at(offer.valid_until - early)
    offer.take()
    assert channel.holdings().drawn


def test_offer_is_refused_one_second_late(channel: BasicChannel) -> None:
    offer = new_offer(channel)
    channel.stage.at(offer.valid_until + 1)
    with reverts("TooLate", offer.valid_until, offer.valid_until + 1):
        offer.take()


def test_offer_reaches_as_far_as_a_challenge(channel: BasicChannel) -> None:
    moment = channel.stage.now + 100
    offer = new_offer(channel, valid_until=moment + HOUR)
    channel.stage.at(moment)
    offer.take()
    assert channel.holdings().drawn


def test_offer_reaches_no_further_than_a_challenge(channel: BasicChannel) -> None:
    moment = channel.stage.now + 100
    offer = new_offer(channel, valid_until=moment + HOUR + 1)
    channel.stage.at(moment)
    with reverts("ValidUntilTooFar", moment + HOUR + 1, moment + HOUR):
        offer.take()


def test_credit_must_cover_what_is_drawn(channel: BasicChannel) -> None:
    offer = new_offer(channel, credit=7)
    with reverts("InsufficientCredit", ETH, channel.bob.account, 7, 8):
        offer.take()


def test_open_both_is_refused_during_a_dispute(funded: BasicChannel) -> None:
    offer = new_offer(funded)
    funded.register(funded.alice, 0)
    with reverts("InDispute", funded.id):
        offer.take()


@pytest.mark.parametrize("sent", [0, 2, 4, 11])
def test_open_both_in_eth_wants_exactly_the_share(channel: BasicChannel, sent: int) -> None:
    with reverts("WrongValue", 3, sent):
        new_offer(channel).take(value=sent)


def test_open_both_in_a_token_wants_no_eth(stage: Stage) -> None:
    with reverts("WrongValue", 0, 3):
        new_offer(new_channel(stage, asset=stage.token)).take(value=3)


def test_share_that_does_not_arrive_whole_is_refused(stage: Stage) -> None:
    """The drawn side has signed for both amounts."""
    token = stage.deploy_token("FeeToken", stage.alice)
    offer = new_offer(new_channel(stage, asset=token), alice_amount=100, credit=20)
    with reverts("ShareTooSmall", 90, 100):
        offer.take()


def test_amounts_above_the_greatest_are_refused(stage: Stage) -> None:
    stage.token.send(stage.treasury, "mint", stage.treasury.account, 2**112)
    offer = new_offer(new_channel(stage, asset=stage.token), bob_amount=MOST + 1, credit=MOST + 1)
    with reverts("AmountTooLarge", 0, MOST + 1):
        offer.take()
    stage.token.send(stage.alice, "mint", stage.alice.account, 2**112)
    offer = new_offer(new_channel(stage, asset=stage.token), alice_amount=MOST + 1)
    with reverts("AmountTooLarge", 0, MOST + 1):
        offer.take()
