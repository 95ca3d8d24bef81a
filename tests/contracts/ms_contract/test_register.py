"""`register`: opens a dispute, answers it with a newer state, passes evidence on."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support import plain
from tests.support.channels import (
    NO_DISPUTE,
    NO_SIGNATURES,
    BasicChannel,
    Dispute,
    Holdings,
    new_channel,
    sorted_nanos,
)
from tests.support.contracts import Deployed, normal
from tests.support.instances import new_machine, new_nano
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import FOREVER, HOUR, MOST, Stage

NOBODY = bytes(20)

# ---------------------------------------------------------------------- opening


@pytest.mark.parametrize("sender", ["account", "key"])
@pytest.mark.parametrize("side", ["alice", "bob"])
def test_party_or_key_opens_a_dispute(
    funded: BasicChannel, liar: Deployed, side: str, sender: str
) -> None:
    stage = funded.stage
    nanos = (new_nano(liar, 1, 2, 3, expiry=9), new_nano(liar, 2, 4, 5, swapped=True))

    receipt = funded.register(getattr(getattr(funded, side), sender), 6, -1, nanos)

    deadline = receipt.timestamp + HOUR
    assert funded.holdings() == Holdings(10, 10, disputed=True)
    state_hash = plain.state_hash(funded.id, 6, -1, nanos)
    assert funded.dispute() == Dispute(6, deadline, False, state_hash)
    content = {"version": 6, "net": -1, "nanos": normal(nanos), "deadline": deadline}
    assert receipt.events == (("Registered", {"id": funded.id, **content}),)
    assert stage.balance(ETH, stage.ms) == 20


def test_stranger_cannot_open_a_dispute(funded: BasicChannel, carol: Owner) -> None:
    with reverts("NotAParty", funded.id, carol.account):
        funded.register(carol, 2)


def test_dispute_of_an_empty_channel_is_refused(channel: BasicChannel) -> None:
    with reverts("EmptyChannel", channel.id):
        channel.register(channel.alice, 0)


def test_dispute_of_a_channel_emptied_by_withdrawals_is_refused(funded: BasicChannel) -> None:
    funded.withdraw(funded.stage.carol, 0, 10, 10)
    with reverts("EmptyChannel", funded.id):
        funded.register(funded.alice, 2)


def test_dispute_of_a_closed_channel_is_refused(funded: BasicChannel) -> None:
    funded.close(funded.stage.carol)
    with reverts("EmptyChannel", funded.id):
        funded.register(funded.alice, 2)


def test_one_deposit_is_enough_for_a_dispute(channel: BasicChannel) -> None:
    channel.fund(0, 5).register(channel.bob, 0)
    assert channel.holdings() == Holdings(0, 5, disputed=True)


def test_opener_needs_no_signature_of_its_own(funded: BasicChannel) -> None:
    by_bob = funded.bob.sign(funded.state_digest(2, 1))
    funded.register(funded.alice.key, 2, 1, signatures=(b"", by_bob))
    assert funded.dispute().version == 2


def test_opener_cannot_leave_out_the_other_signature(funded: BasicChannel) -> None:
    by_alice = funded.alice.sign(funded.state_digest(2, 1))
    with reverts("WrongSigner", funded.bob.key.address, NOBODY):
        funded.register(funded.alice, 2, 1, signatures=(by_alice, b""))


def test_signature_of_the_account_is_not_one_of_the_key(funded: BasicChannel) -> None:
    digest = funded.state_digest(2)
    signatures = (b"", funded.bob.sign_with_account(digest))
    with reverts("WrongSigner", funded.bob.key.address, funded.bob.account):
        funded.register(funded.alice, 2, signatures=signatures)


def test_deadline_beyond_its_34_bits_is_refused(stage: Stage) -> None:
    channel = new_channel(stage, challenge=2**32 - 1).fund(1)
    stage.at(2**34 - 2**32 + 1)
    with reverts("DeadlineTooFar", 2**34):
        channel.register(channel.alice, 0)


def test_greatest_deadline_is_kept(stage: Stage) -> None:
    channel = new_channel(stage, challenge=2**32 - 1).fund(1)
    stage.at(2**34 - 2**32)
    channel.register(channel.alice, 0)
    assert channel.dispute().deadline == 2**34 - 1


# ---------------------------------------------------------------------- version 0


def test_version_0_needs_no_signatures(funded: BasicChannel) -> None:
    receipt = funded.register(funded.bob, 0)
    assert funded.dispute().version == 0
    assert receipt.only("Registered")["version"] == 0


def test_version_0_with_a_net_is_refused(funded: BasicChannel) -> None:
    with reverts("VersionZeroNotEmpty", 1, 0):
        funded.register(funded.alice, 0, 1)


def test_version_0_with_nanos_is_refused(funded: BasicChannel, liar: Deployed) -> None:
    with reverts("VersionZeroNotEmpty", 0, 1):
        funded.register(funded.alice, 0, 0, (new_nano(liar, 1),))


def test_version_0_is_refused_once_a_side_is_below_zero(funded: BasicChannel) -> None:
    funded.withdraw(funded.stage.carol, 0, 0, 12)
    with reverts("Insolvent", funded.id, 10, -2):
        funded.register(funded.alice, 0)


def test_signed_state_of_a_channel_with_a_side_below_zero_is_taken(funded: BasicChannel) -> None:
    funded.withdraw(funded.stage.carol, 0, 0, 12)
    funded.register(funded.alice, 2, 2)
    assert funded.dispute().version == 2


# ---------------------------------------------------------------------- answering


def test_anybody_answers_with_a_newer_state(funded: BasicChannel, carol: Owner) -> None:
    opened = funded.register(funded.alice, 2, -5)
    deadline = opened.timestamp + HOUR

    receipt = funded.register(carol, 3, 4)

    content = {"version": 3, "net": 4, "nanos": (), "deadline": deadline}
    assert receipt.events == (("Registered", {"id": funded.id, **content}),)
    state_hash = plain.state_hash(funded.id, 3, 4, ())
    assert funded.dispute() == Dispute(3, deadline, False, state_hash)


def test_answers_never_move_the_deadline(funded: BasicChannel) -> None:
    deadline = funded.register(funded.alice, 0).timestamp + HOUR
    for version in (1, 5, 2**48 - 1):
        funded.stage.at(funded.stage.now + 1000)
        funded.register(funded.stage.carol, version)
        assert funded.dispute()[:2] == (version, deadline)


@pytest.mark.parametrize("early", [1, 0])
def test_newer_state_is_taken_until_the_deadline(funded: BasicChannel, early: int) -> None:
    funded.register(funded.alice, 2)
    funded.stage.at(funded.dispute().deadline - early)
    funded.register(funded.stage.carol, 3)
    assert funded.dispute().version == 3


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_no_state_is_taken_after_the_deadline(funded: BasicChannel, version: int) -> None:
    funded.register(funded.alice, 2)
    deadline = funded.dispute().deadline
    funded.stage.at(deadline + 1)
    with reverts("TooLate", deadline, deadline + 1):
        funded.register(funded.alice, version)


def test_no_state_is_taken_while_settling(funded: BasicChannel, liar: Deployed) -> None:
    nanos = (new_nano(liar, 1, 5, 5, expiry=FOREVER),)
    funded.register(funded.alice, 2, 0, nanos)
    deadline = funded.dispute().deadline
    funded.wait_until_settleable()
    funded.settle(funded.alice, 0, nanos)
    with reverts("TooLate", deadline, deadline + 2):
        funded.register(funded.alice, 4)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_state_that_is_not_newer_changes_nothing(
    funded: BasicChannel, carol: Owner, version: int
) -> None:
    funded.register(funded.alice, 2, 3)
    before = funded.dispute()
    receipt = funded.register(carol, version, -7)
    assert receipt.events == ()
    assert funded.dispute() == before


def test_state_that_is_not_newer_is_not_even_checked(
    funded: BasicChannel, liar: Deployed, carol: Owner
) -> None:
    funded.register(funded.alice, 2, 3)
    before = funded.dispute()
    unordered = (new_nano(liar, 9, 2**110), new_nano(liar, 1, 2**110))
    receipt = funded.register(carol, 1, 2**100, unordered, signatures=(b"no", b"signatures"))
    assert receipt.events == ()
    assert funded.dispute() == before


def test_answer_by_a_party_needs_the_other_signature_only(funded: BasicChannel) -> None:
    funded.register(funded.alice, 2)
    by_alice = funded.alice.sign(funded.state_digest(3))
    funded.register(funded.bob, 3, signatures=(by_alice, b""))
    assert funded.dispute().version == 3


def test_answer_by_a_stranger_needs_both_signatures(funded: BasicChannel, carol: Owner) -> None:
    funded.register(funded.alice, 2)
    with reverts("WrongSigner", funded.alice.key.address, NOBODY):
        funded.register(carol, 3, signatures=NO_SIGNATURES)


# ---------------------------------------------------------------------- what a state may say


@pytest.mark.parametrize(
    ("net", "alice_lock", "bob_lock", "free"),
    [
        (11, 0, 0, (-1, 21)),
        (-11, 0, 0, (21, -1)),
        (0, 11, 0, (-1, 10)),
        (0, 0, 11, (10, -1)),
        (4, 7, 0, (-1, 14)),
        (-4, 0, 7, (14, -1)),
    ],
)
def test_insolvent_state_is_refused(
    funded: BasicChannel,
    liar: Deployed,
    net: int,
    alice_lock: int,
    bob_lock: int,
    free: tuple[int, int],
) -> None:
    nanos = (new_nano(liar, 1, alice_lock, bob_lock),)
    with reverts("Insolvent", funded.id, *free):
        funded.register(funded.alice, 2, net, nanos)


def test_insolvent_answer_is_refused(funded: BasicChannel) -> None:
    funded.register(funded.alice, 2)
    with reverts("Insolvent", funded.id, -1, 21):
        funded.register(funded.bob, 3, 11)


def test_state_that_locks_everything_is_taken(funded: BasicChannel, liar: Deployed) -> None:
    funded.register(funded.alice, 2, 4, (new_nano(liar, 1, 6, 0), new_nano(liar, 2, 0, 14)))
    assert funded.dispute().version == 2


def test_state_lists_64_nanos(funded: BasicChannel, liar: Deployed) -> None:
    nanos = tuple(new_nano(liar, number) for number in range(64))
    receipt = funded.register(funded.alice, 2, 0, nanos)
    assert receipt.only("Registered")["nanos"] == normal(nanos)


def test_state_with_65_nanos_is_refused(funded: BasicChannel, liar: Deployed) -> None:
    with reverts("TooManyNanos", 65):
        funded.register(funded.alice, 2, 0, [new_nano(liar, number) for number in range(65)])


def test_order_is_by_id_then_by_app(funded: BasicChannel) -> None:
    apps = [bytes([number]) * 20 for number in (3, 1, 2)]
    nanos = sorted_nanos(*(new_nano(app, id) for app in apps for id in (2, 1)))
    assert [(nano.id[-1], nano.app[0]) for nano in nanos] == [
        (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3),
    ]  # fmt: skip
    funded.register(funded.alice, 2, 0, nanos)
    assert funded.dispute().version == 2


@pytest.mark.parametrize(
    ("ids_and_apps", "index"),
    [
        ([(1, 1), (1, 1)], 1),
        ([(2, 1), (1, 1)], 1),
        ([(1, 2), (1, 1)], 1),
        ([(1, 1), (2, 1), (2, 1)], 2),
        ([(0, 0), (0, 0)], 1),
        ([(1, 9), (2, 1), (1, 9)], 2),
    ],
)
def test_list_that_does_not_ascend_is_refused(
    funded: BasicChannel, ids_and_apps: list[tuple[int, int]], index: int
) -> None:
    nanos = [new_nano(bytes([app]) * 20, id) for id, app in ids_and_apps]
    with reverts("NanosNotAscending", index):
        funded.register(funded.alice, 2, 0, nanos)


def test_first_nano_may_have_id_and_app_zero(funded: BasicChannel) -> None:
    funded.register(funded.alice, 2, 0, (new_nano(bytes(20), 0),))
    assert funded.dispute().version == 2


@pytest.mark.parametrize("side", ["alice", "bob"])
def test_locks_above_the_greatest_amount_are_refused_in_sum(
    stage: Stage, liar: Deployed, side: str
) -> None:
    """What stays locked becomes the holdings, so it has to fit them."""
    channel = new_channel(stage)
    nanos = [new_nano(liar, number, **{f"{side}_lock": 2**110}) for number in (1, 2)]
    channel.fund(10, 10)
    with reverts("AmountTooLarge", 0, 2**111):
        channel.register(channel.alice, 2, 0, nanos)


def test_greatest_locks_on_both_sides_are_settled(stage: Stage, liar: Deployed) -> None:
    channel = new_channel(stage, asset=stage.token)
    for party in (channel.alice, channel.bob):
        stage.token.send(party, "mint", party.account, MOST)
        to_bob = party is channel.bob
        stage.ms.send(party, "deposit", channel.asset, channel.id, to_bob, MOST, FOREVER)
    nanos = (new_nano(liar, 1, MOST, MOST, expiry=FOREVER),)
    channel.register(channel.alice, 2, 0, nanos)
    channel.wait_until_settleable()
    channel.settle(stage.carol, 0, nanos)
    liar.send(stage.carol, "set", nanos[0].id, True, MOST)
    gained = stage.gains(channel.asset, channel.alice, channel.bob)
    channel.settle(stage.carol, 0, nanos)
    assert gained() == (0, 2 * MOST)


@pytest.mark.parametrize(
    ("field", "value"),
    [(0, 2**160), (2, 2**112), (3, 2**112), (4, 2**40), (5, 2)],
    ids=["app", "aliceLock", "bobLock", "expiry", "swapped"],
)
def test_nano_with_a_value_out_of_its_type_is_refused(
    funded: BasicChannel, field: int, value: int
) -> None:
    """Even signed by both: the list would hash to what no decoder can read."""
    stage = funded.stage
    honest = (bytes(20), bytes(32), 0, 0, 0, False)
    dirty = (*honest[:field], value, *honest[field + 1 :])
    signed = funded.state(2, 0, (dirty,))
    data = stage.ms.call_data("register", funded.terms, 2, 0, (honest,), *signed, ())
    start = data.index(plain.words((1, *honest))) + 32 * (1 + field)
    data = data[:start] + plain.word(value) + data[start + 32 :]
    with reverts_without_data():
        stage.ms.send_raw(funded.alice, data)


# ---------------------------------------------------------------------- evidence


def test_evidence_goes_to_the_nanocontract(funded: BasicChannel, liar: Deployed) -> None:
    nanos = (new_nano(liar, 1), new_nano(liar, 2), new_nano(liar, 3))
    receipt = funded.register(funded.alice, 2, 0, nanos, evidence=(b"one", b"", b"three"))
    sender = funded.stage.ms.address
    assert receipt.events[1:] == (
        ("Heard", {"evidence": b"one", "sender": sender}),
        ("Heard", {"evidence": b"three", "sender": sender}),
    )


def test_state_and_statements_travel_together(funded: BasicChannel) -> None:
    machine = new_machine(funded.stage)
    receipt = funded.register(
        funded.alice, 2, 0, (machine.nano(),), evidence=(machine.evidence(7, 3),)
    )
    deadline = receipt.timestamp + HOUR
    assert machine.totals() == (7, 3, deadline)
    totals = {"paidByAlice": 7, "paidByBob": 3, "deadline": deadline}
    assert receipt.events[1:] == (("Submitted", {"id": machine.id, **totals}),)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_evidence_is_passed_on_though_the_state_is_not_newer(
    funded: BasicChannel, carol: Owner, version: int
) -> None:
    machine = new_machine(funded.stage)
    nanos = (machine.nano(),)
    funded.register(funded.alice, 2, 0, nanos)
    receipt = funded.register(
        carol, version, 0, nanos, signatures=NO_SIGNATURES, evidence=(machine.evidence(7, 3),)
    )
    assert [event.name for event in receipt.events] == ["Submitted"]
    assert machine.totals()[:2] == (7, 3)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_rejected_evidence_is_skipped_with_an_event(
    funded: BasicChannel, liar: Deployed, index: int
) -> None:
    nanos = [new_nano(liar, number) for number in range(3)]
    nanos[index] = new_nano(funded.stage.vpm, index)
    receipt = funded.register(funded.alice, 2, 0, nanos, evidence=(b"a", b"b", b"c"))
    assert funded.dispute().version == 2
    assert receipt.count("Heard") == 2
    assert receipt.only("EvidenceFailed") == {"id": funded.id, "index": index}


@pytest.mark.parametrize("name", ["GasBurningNanocontract", "MSContract"])
def test_evidence_for_what_cannot_take_it_is_skipped(funded: BasicChannel, name: str) -> None:
    stage = funded.stage
    app = stage.ms if name == "MSContract" else stage.deploy(name)
    receipt = funded.register(
        funded.alice, 2, 0, (new_nano(app, 1),), evidence=(b"x",), gas=2_000_000
    )
    assert receipt.only("EvidenceFailed") == {"id": funded.id, "index": 0}


def test_evidence_for_an_address_without_code_is_skipped(funded: BasicChannel) -> None:
    nanos = (new_nano(b"\x77" * 20, 1),)
    receipt = funded.register(funded.alice, 2, 0, nanos, evidence=(b"x",))
    assert [event.name for event in receipt.events] == ["Registered", "EvidenceFailed"]


def test_more_evidence_than_nanos_is_refused(funded: BasicChannel, liar: Deployed) -> None:
    with reverts("TooMuchEvidence", 2, 1):
        funded.register(funded.alice, 2, 0, (new_nano(liar, 1),), evidence=(b"a", b"b"))
    with reverts("TooMuchEvidence", 1, 0):
        funded.register(funded.alice, 0, evidence=(b"a",))


def test_failing_evidence_that_had_too_little_gas_is_not_skipped(funded: BasicChannel) -> None:
    app = funded.stage.deploy("GasBurningNanocontract")
    with reverts("NotEnoughGas", ANY, 300_000):
        funded.register(funded.alice, 2, 0, (new_nano(app, 1),), evidence=(b"x",), gas=400_000)
    assert funded.dispute() == NO_DISPUTE
