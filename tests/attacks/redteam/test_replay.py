"""Signatures where they were not meant: other messages, contracts, channels, lives."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from perun.types import ETH
from populus.exceptions import ContractReverted
from tests.support import plain
from tests.support.channels import BasicChannel, Holdings, new_channel
from tests.support.instances import new_machine
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, HOUR, MOST, Stage

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def channel(stage: Stage) -> BasicChannel:
    return new_channel(stage).fund(10, 10)


def test_no_message_is_taken_for_another(stage: Stage, channel: BasicChannel) -> None:
    """All messages over the same words, each offered to every function but its own."""
    number = stage.now + 50  # fits every field
    machine = new_machine(stage).id
    digests = {
        "State": channel.state_digest(number, 0, ()),
        "Close": channel.close_digest(0, number, 0),
        "Withdraw": channel.withdraw_digest(0, 1, 1, number),
        "Open": channel.open_digest(0, 0, number),
        "Statement": plain.typed(stage.vpm_separator, plain.STATEMENT, channel.id, number),
        "State for VPM": plain.typed(
            stage.vpm_separator, plain.STATE, channel.id, number, 0, bytes(32)
        ),
        "Statement for a machine": plain.typed(stage.ms_separator, plain.STATEMENT, machine, 1),
        "id": channel.id,
    }
    sends = {
        "State": lambda s: channel.register(stage.alice, number, signatures=(b"", s[1])),
        "Close": lambda s: channel.close(stage.carol, 0, number, signatures=s),
        "Withdraw": lambda s: channel.withdraw(stage.carol, 0, 1, 1, number, signatures=s),
    }
    for (taker, send), (name, digest) in itertools.product(sends.items(), digests.items()):
        if name != taker:
            with pytest.raises(ContractReverted, match="WrongSigner"):
                send(channel.both(digest))
    for name, digest in digests.items():
        if name != "Open":
            arguments = (channel.terms, 0, 0, number, stage.bob.sign_with_account(digest))
            with pytest.raises(ContractReverted, match="WrongSigner"):
                stage.ms.send(stage.alice, "openBoth", *arguments)
    assert channel.holdings() == Holdings(10, 10)


@pytest.mark.parametrize("field", ["asset", "nonce", "challenge", "bob", "bob_key"])
def test_state_counts_for_its_channel_only(stage: Stage, channel: BasicChannel, field: str) -> None:
    """A twin that differs in one field, funded alike, is another channel."""
    old = getattr(channel.terms, field)
    other: object = old + 1 if isinstance(old, int) else stage.mallory.account
    if field == "asset":
        other = stage.token.address
    if field == "bob_key":
        other = stage.mallory.key.address
    terms = msgspec.structs.replace(channel.terms, **{field: other})
    twin = BasicChannel(stage, stage.alice, stage.bob, terms).fund(10, 10)
    with pytest.raises(ContractReverted, match="WrongSigner"):
        stage.ms.send(stage.alice, "register", terms, 3, 10, (), *channel.state(3, net=10), ())
    assert twin.holdings() == Holdings(10, 10)


def test_other_deployment_takes_nothing(stage: Stage, channel: BasicChannel) -> None:
    second = stage.deploy("MSContract")
    identity = second.ask("channelId", channel.terms)
    assert identity != channel.id
    second.send(stage.carol, "deposit", ETH, identity, False, 10, FOREVER, value=10)
    signed = channel.both(channel.close_digest(5))
    with pytest.raises(ContractReverted, match="WrongSigner"):
        second.send(stage.carol, "close", channel.terms, 5, FOREVER, 0, *signed)


def test_signature_forms_that_are_refused(stage: Stage, channel: BasicChannel) -> None:
    digest = channel.close_digest(5)
    good, of_bob = channel.both(digest)
    r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
    high = r + (ORDER - s).to_bytes(32, "big")
    bad = {
        "high s": high + bytes([55 - v]),
        "high s, v 0/1": high + bytes([28 - v]),
        "v 2": good[:64] + b"\2",
        "v 26": good[:64] + b"\x1a",
        "v 29": good[:64] + b"\x1d",
        "66 bytes": good + b"\0",
        "63 bytes": good[:63],
        "zeros": bytes(65),
        "compact zeros": bytes(64),
        "empty": b"",
        "r of the order": ORDER.to_bytes(32, "big") + good[32:],
        "the other one's": of_bob,
    }
    for name, signature in bad.items():
        with pytest.raises(ContractReverted, match="WrongSigner"):
            channel.close(stage.carol, 5, signatures=(signature, of_bob))
        assert not stage.signatures.ask("verify", stage.alice.key.address, digest, signature), name
        assert not stage.signatures.ask("verify", bytes(20), digest, signature), name
    compact = r + (s | (v - 27) << 255).to_bytes(32, "big")
    channel.close(stage.carol, 5, signatures=(compact, of_bob[:64] + bytes([of_bob[64] - 27])))


def test_verify_never_lies_for_want_of_gas(stage: Stage) -> None:
    """With too little gas for the precompile the whole call must fail, not answer false."""
    digest = plain.state_hash(bytes(32), 1, 1, ()).to_bytes(32, "big")
    arguments = (stage.alice.key.address, digest, stage.alice.sign(digest))
    answers = set()
    for gas in range(24_000, 28_500, 45):
        try:
            answers.add(stage.signatures.ask("verify", *arguments, gas=gas))
        except ContractReverted:
            answers.add("failed")
    assert answers == {True, "failed"}


def test_zero_keys_sign_nothing(stage: Stage) -> None:
    """The zero address is what a malformed signature recovers to."""
    own = new_channel(stage)
    terms = msgspec.structs.replace(own.terms, bob_key=bytes(20), bob=bytes(20))
    channel = BasicChannel(stage, stage.alice, stage.bob, terms).fund(1, 10)
    for forged in (b"", bytes(64), bytes(65), bytes(32) + b"\1" * 33):
        with pytest.raises(ContractReverted, match="WrongSigner"):
            channel.close(stage.alice, -10, signatures=(b"", forged))
        with pytest.raises(ContractReverted, match="WrongSigner"):
            stage.ms.send(
                stage.alice, "openBoth", terms, 0, 0, stage.now + 9, forged,
            )  # fmt: skip


def test_contract_that_says_yes_signs_nothing(stage: Stage) -> None:
    wallet = stage.deploy("YesWallet")
    own = new_channel(stage)
    terms = msgspec.structs.replace(own.terms, bob_key=wallet.address, bob=wallet.address)
    channel = BasicChannel(stage, stage.alice, stage.bob, terms).fund(1, 10)
    with pytest.raises(ContractReverted, match="WrongSigner"):
        channel.close(stage.alice, -10, signatures=(b"", b"\1" * 65))


def test_withdraw_is_paid_once(stage: Stage, channel: BasicChannel) -> None:
    signed = channel.both(channel.withdraw_digest(0, 3, 0))
    channel.withdraw(stage.carol, 0, 3, 0, signatures=signed)
    for index in (0, 1):
        with pytest.raises(ContractReverted, match=r"WrongIndex|WrongSigner"):
            channel.withdraw(stage.carol, index, 3, 0, signatures=signed)
    channel.withdraw(stage.carol, 1, 7, 10)  # to nothing: the count is still there
    assert channel.holdings() == Holdings(0, 0, 2)
    channel.fund(10, 10)
    with reverts("WrongIndex", 0, 2):
        channel.withdraw(stage.carol, 0, 3, 0, signatures=signed)


def test_open_draws_once_by_whatever_way_the_money_leaves(stage: Stage) -> None:
    """Three roads to an empty channel without a Close; the same Open finds each of them shut."""
    stage.ms.send(stage.carol, "fund", ETH, stage.bob.account, 1000, value=1000)
    for way in ("again", "withdraw", "settle"):
        channel = new_channel(stage, challenge=HOUR)
        offer = (0, 100, stage.now + HOUR)
        signature = stage.bob.sign_with_account(channel.open_digest(*offer))

        def draw(
            channel: BasicChannel = channel,
            offer: tuple[int, int, int] = offer,
            signature: bytes = signature,
        ) -> None:
            stage.ms.send(stage.alice, "openBoth", channel.terms, *offer, signature)

        draw()
        if way == "withdraw":
            channel.withdraw(stage.carol, 0, alice=100)
        if way == "settle":
            channel.register(stage.alice, 0)
            assert channel.dispute().deadline >= offer[2]
            channel.wait_until_settleable()
            channel.settle(stage.carol)
        with pytest.raises(
            ContractReverted, match="TooLate" if way == "settle" else "AlreadyDrawn"
        ):
            draw()
    assert stage.credit(ETH, stage.bob) == 1000 - 300


def test_open_is_no_permission_to_draw_on_its_holder(stage: Stage, channel: BasicChannel) -> None:
    """Alice's own Open does not let her draw on Bob, nor a stranger on either."""
    for party in (stage.alice, stage.bob):
        stage.ms.send(stage.carol, "fund", ETH, party.account, 100, value=100)
    offer = (40, 40, stage.now + 60)
    by_alice = stage.alice.sign_with_account(channel.open_digest(*offer))
    for caller, signature, error in (
        (stage.alice, by_alice, "WrongSigner"),
        (stage.carol, by_alice, "NotAParty"),
        (stage.alice.key, by_alice, "NotAParty"),
        (stage.bob, stage.alice.sign(channel.open_digest(*offer)), "WrongSigner"),
        (stage.bob, b"", "WrongSigner"),
    ):
        with pytest.raises(ContractReverted, match=error):
            stage.ms.send(caller, "openBoth", channel.terms, *offer, signature, value=40)
    assert channel.credits() == (100, 100)


def test_statement_counts_for_its_payer_and_its_machine_only(stage: Stage) -> None:
    machine = new_machine(stage)
    twin = machine.changed(salt=bytes(32))
    paid, signed, _, _ = machine.statements(by_alice=6)
    for target, arguments in (
        (machine, (0, b"", paid, signed)),
        (machine, (7, signed, 0, b"")),
        (twin, (paid, signed, 0, b"")),
    ):
        with pytest.raises(ContractReverted, match="WrongSigner"):
            stage.vpm.send(stage.carol, "submitStatements", target.terms, *arguments)
    with reverts("TotalTooLarge", MOST + 1):
        stage.vpm.send(stage.alice, "submitStatements", machine.terms, MOST + 1, signed, 0, b"")
    assert machine.totals() == (0, 0, 0)
