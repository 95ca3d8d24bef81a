"""Calldata that no encoder makes: dirty words, arrays that lie, overlap or end nowhere; and logs
that every decoder must read."""

from __future__ import annotations

from typing import Any

import eth_abi
import pytest
from eth_hash.auto import keccak

from populus.exceptions import ContractReverted
from tests.support import plain
from tests.support.channels import BasicChannel, Holdings, new_channel, sorted_nanos
from tests.support.contracts import _types
from tests.support.instances import new_machine, new_nano
from tests.support.reverts import reverts_without_data
from tests.support.stage import FOREVER, HOUR, Stage

WORD = 32
CHANNEL_WORDS = 7


class Calldata:
    """Calldata as words behind a selector, to be bent."""

    def __init__(self, data: bytes) -> None:
        self.selector, self.body = data[:4], bytearray(data[4:])

    def __getitem__(self, index: int) -> int:
        return int.from_bytes(self.body[index * WORD : (index + 1) * WORD], "big")

    def __setitem__(self, index: int, value: int) -> None:
        self.body[index * WORD : (index + 1) * WORD] = (value % 2**256).to_bytes(WORD, "big")

    def __len__(self) -> int:
        return len(self.body) // WORD

    def with_word(self, index: int, value: int) -> bytes:
        """A copy with one word replaced."""
        bent = Calldata(bytes(self))
        bent[index] = value
        return bytes(bent)

    def __bytes__(self) -> bytes:
        return self.selector + bytes(self.body)


@pytest.fixture
def channel(stage: Stage) -> BasicChannel:
    return new_channel(stage).fund(50, 50)


@pytest.fixture
def disputed(stage: Stage, channel: BasicChannel) -> BasicChannel:
    """Anybody may answer here with a state that both have signed."""
    channel.register(stage.alice, 0)
    return channel


def nanos_of(stage: Stage, count: int) -> tuple[Any, ...]:
    return tuple(
        new_nano(stage.vpm, n, n % 3, n % 2, stage.now + HOUR * 9, n % 2 == 1) for n in range(count)
    )


def registration(stage: Stage, channel: BasicChannel, nanos: Any) -> Calldata:
    signed = channel.state(5, -20, nanos)
    arguments = (channel.terms, 5, -20, nanos, *signed, (b"evidence",))
    return Calldata(stage.ms.call_data("register", *arguments))


def fails(stage: Stage, data: bytes) -> bool:
    """Whether `MSContract` refuses it from Carol, who needs all signatures; nothing is changed."""
    try:
        stage.ms.ask_raw(data, by=stage.carol)
    except ContractReverted:
        return True
    return False


def test_every_word_of_a_registration_counts(stage: Stage, disputed: BasicChannel) -> None:
    """A bit at the top or at the foot of each word: refused, but for what nobody has signed."""
    data = registration(stage, disputed, nanos_of(stage, 2))
    assert not fails(stage, bytes(data))
    signatures = [data[CHANNEL_WORDS + head] // WORD for head in (3, 4)]
    # 64 bytes are a form of their own; behind `v`, the first byte of its word, comes padding
    free = {start + extra for start in signatures for extra in (0, 3)}
    for index in range(data[CHANNEL_WORDS + 5] // WORD):  # anybody may change the evidence
        assert fails(stage, data.with_word(index, data[index] ^ 1 << 255)), index
        assert index in free or fails(stage, data.with_word(index, data[index] ^ 1)), index


@pytest.mark.parametrize("length", [3, 4, 2**32, 2**64 - 1, 2**64, 2**64 // 192 + 1, 2**255,
                                    2**256 - 1, (2**256 - 1) // 192 + 1])  # fmt: skip
def test_lengths_that_lie(stage: Stage, disputed: BasicChannel, length: int) -> None:
    data = registration(stage, disputed, nanos_of(stage, 2))
    for head in range(CHANNEL_WORDS + 2, CHANNEL_WORDS + 6):  # nanos, signatures, evidence
        assert fails(stage, data.with_word(data[head] // WORD, length)), head


@pytest.mark.parametrize("offset", [-32, -4, 1, 2**64 - 1, 2**64, 2**255, -(2**255), 2**256 - 192])
def test_offsets_that_point_elsewhere(stage: Stage, disputed: BasicChannel, offset: int) -> None:
    data = registration(stage, disputed, nanos_of(stage, 2))
    for head in range(CHANNEL_WORDS + 2, CHANNEL_WORDS + 6):
        assert fails(stage, data.with_word(head, offset)), head


@pytest.mark.parametrize(
    ("field", "bits"), [(0, 160), (2, 112), (3, 112), (4, 40), (5, 1)]
)  # app, locks, expiry, swapped
def test_words_beyond_their_type_are_refused_though_signed(
    stage: Stage, disputed: BasicChannel, field: int, bits: int
) -> None:
    """Two who sign garbage together must not get it into a dispute that nobody can settle."""
    nanos = nanos_of(stage, 2)
    plainly = registration(stage, disputed, nanos)
    start = plainly[CHANNEL_WORDS + 2] // WORD
    for nano in range(2):
        bent = Calldata(bytes(plainly))
        bent[start + 1 + nano * 6 + field] |= 1 << bits
        listed = bytes(bent.body[start * WORD : (start + 1 + 12) * WORD])
        hashed = keccak(plain.word(WORD) + listed)
        signed = disputed.both(
            plain.typed(stage.ms_separator, plain.STATE, disputed.id, 5, -20, hashed)
        )
        for head, signature in zip((3, 4), signed, strict=True):
            place = bent[CHANNEL_WORDS + head] + WORD
            bent.body[place : place + 65] = signature
        with reverts_without_data():
            stage.ms.send_raw(stage.carol, bytes(bent))
    assert disputed.dispute().version == 0


def test_evidence_from_outside_the_calldata_is_empty(stage: Stage, disputed: BasicChannel) -> None:
    """Solidity lets the place of an inner array lie before the calldata; there it reads zeros."""
    app = stage.deploy("LiarNanocontract")
    data = registration(stage, disputed, (new_nano(app, 1, 1, 1, FOREVER),))
    inner = data[CHANNEL_WORDS + 5] // WORD + 1
    for offset in (-(2**64), -(2**200), -(2**255)):
        with stage.chain.isolated():
            receipt = stage.ms.send_raw(stage.carol, data.with_word(inner, offset))
            assert (receipt.count("Registered"), receipt.count("Heard")) == (1, 0)
    for offset in (2**64, 2**200, 2**255 - 1):
        assert fails(stage, data.with_word(inner, offset))


def test_truncated_calldata(stage: Stage, disputed: BasicChannel) -> None:
    data = bytes(registration(stage, disputed, nanos_of(stage, 2)))
    assert not fails(stage, data[:-24])  # padding behind the 8 bytes of evidence
    for cut in range(25, len(data) - 4, 37):
        assert fails(stage, data[:-cut]), cut


def test_evidence_may_overlap_the_list(stage: Stage, channel: BasicChannel) -> None:
    """The list is registered as it is signed, whatever else its bytes are used for."""
    app = stage.deploy("LiarNanocontract")
    nanos = sorted_nanos(*(new_nano(app, n, 1, 1, FOREVER) for n in (1, 2)))
    data = registration(stage, channel, nanos)
    start, list_ = data[CHANNEL_WORDS + 5] // WORD, data[CHANNEL_WORDS + 2] // WORD
    data[start + 1] = (list_ - start - 1) * WORD  # backwards: length 2, then two bytes of the app
    receipt = stage.ms.send_raw(stage.alice, bytes(data))
    assert receipt.only("Heard")["evidence"] == bytes(2)
    assert receipt.only("Registered")["nanos"] == plain.to_abi(nanos)
    assert channel.dispute().state_hash == plain.state_hash(channel.id, 5, -20, nanos)


def test_batch_of_items_that_point_anywhere(stage: Stage, channel: BasicChannel) -> None:
    """Items twice the same, in front of the calldata, or behind it: skipped or refused."""
    channel.register(stage.alice, 0)
    channel.wait_until_settleable()
    item = (channel.terms, 0, ())
    data = Calldata(stage.ms.call_data("settleMany", (item, item)))
    data[3] = data[2]  # both are the first
    twice = bytes(data)
    for offset in (-(2**255), -(2**200), -2000, 2**64, 2**255 - 1, len(data) * WORD):
        bent = Calldata(twice)
        bent[2] = bent[3] = offset
        with stage.chain.isolated():
            try:
                receipt = stage.ms.send_raw(stage.carol, bytes(bent))
            except ContractReverted:
                continue
            assert receipt.count("Settled") == 0
            assert channel.holdings() == Holdings(50, 50, disputed=True)
    gained = stage.gains(channel.asset, stage.alice, stage.bob)
    receipt = stage.ms.send_raw(stage.carol, twice)
    assert (receipt.count("Settled"), receipt.count("SettleSkipped")) == (1, 1)
    assert gained() == (50, 50)


def test_stale_garbage_changes_nothing(stage: Stage, channel: BasicChannel) -> None:
    """A version that is not higher is not looked at, dirty words included, and stores nothing."""
    nanos = nanos_of(stage, 2)
    channel.register(stage.alice, 9, -20, nanos)
    before = channel.dispute(), channel.holdings()
    data = registration(stage, channel, nanos)
    first = data[CHANNEL_WORDS + 2] // WORD + 1
    for field in range(2, 6):
        data[first + field] = 2**256 - 1
    data[data[CHANNEL_WORDS + 5] // WORD] = 0  # no evidence
    receipt = stage.ms.send_raw(stage.carol, bytes(data))
    assert receipt.events == ()
    assert (channel.dispute(), channel.holdings()) == before
    channel.wait_until_settleable()
    with pytest.raises(ContractReverted, match="StateMismatch"):
        stage.ms.send(stage.carol, "settle", channel.terms, -20, nanos[:1])


@pytest.mark.parametrize("word", range(11))
def test_dirty_evidence_for_a_machine(stage: Stage, word: int) -> None:
    """VPM reads evidence by hand: a word beyond its type is refused, not cut."""
    machine = new_machine(stage)
    evidence = bytearray(machine.evidence(3, 4))
    evidence[word * WORD] ^= 0x80
    with pytest.raises(ContractReverted):
        stage.vpm.send(stage.carol, "submit", bytes(evidence))
    assert machine.totals() == (0, 0, 0)


@pytest.mark.parametrize("count", [0, 1, 3, 64])
def test_logs_are_what_plain_encoding_gives(
    stage: Stage, channel: BasicChannel, count: int
) -> None:
    """Assembly writes them; byte for byte `abi.encode`, so that any indexer can rebuild a state."""
    nanos = nanos_of(stage, count)
    channel.fund(100, 100)
    channel.register(stage.alice, 5, -20, nanos)
    deadline = channel.dispute().deadline
    assert_log(stage, "Registered", (5, -20, plain.to_abi(nanos), deadline))
    for nano in nanos[:1]:  # one is gone, and with it the first place of the list
        assert nano.alice_lock == nano.bob_lock == 0
    channel.wait_until_settleable()
    channel.settle(stage.carol, -20, nanos, gas=10_000_000)
    locks = sum(n.alice_lock for n in nanos), sum(n.bob_lock for n in nanos)
    assert_log(stage, "Settled", (170 - locks[0], 130 - locks[1], plain.to_abi(nanos)))
    if nanos:
        stage.at(nanos[0].expiry + 1)
        channel.settle(stage.carol, 0, nanos, gas=10_000_000)
        assert_log(stage, "Settled", (*locks, ()))
    opened = new_channel(stage)
    stage.ms.send(stage.alice, "open", opened.terms, 1, FOREVER, value=1)
    assert_log(stage, "Opened", (plain.to_abi(opened.terms),))


def assert_log(stage: Stage, name: str, values: tuple[Any, ...]) -> None:
    """The newest block has this log of MSContract, with exactly these data bytes."""
    topic, entry = next(
        (topic, entry)
        for topic, entry in stage.ms.interface.events.items()
        if entry["name"] == name
    )
    logs = stage.web3.eth.get_logs({"fromBlock": "latest", "toBlock": "latest"})
    (log,) = [log for log in logs if bytes(log["topics"][0]) == topic]
    others = [item for item in entry["inputs"] if not item["indexed"]]
    assert bytes(log["data"]) == eth_abi.encode(_types(others), values)
