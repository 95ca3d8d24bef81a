"""The handshake against the published vectors of BOLT 8 (appendix A), and with our prologue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.crypto.agreement import public_key_of
from perun.wire.noise import BadHandshake, Handshake, Sealed, Transport

# Source: BOLT 8, appendix A.
LIGHTNING = b"lightning"
INITIATOR, INITIATOR_FRESH = b"\x11" * 32, b"\x12" * 32
RESPONDER, RESPONDER_FRESH = b"\x21" * 32, b"\x22" * 32
RESPONDER_ID = bytes.fromhex("028d7500dd4c12685d1f568b4c2b5048e8534b873319f3a8daa612b469132ec7f7")
ACT_ONE = bytes.fromhex(
    "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f7"
    "0df6086551151f58b8afe6c195782c6a"
)
ACT_TWO = bytes.fromhex(
    "0002466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27"
    "6e2470b93aac583c9ef6eafca3f730ae"
)
ACT_THREE = bytes.fromhex(
    "00b9e3a702e93e3a9948c2ed6e5fd7590a6e1c3a0344cfc9d5b57357049aa22355"
    "361aa02e55a8fc28fef5bd6d71ad0c38228dc68b1c466263b47fdf31e560e139ba"
)
CHAIN = bytes.fromhex("919219dbb2920afa8db80f9a51787a840bcf111ed8d588caf9ab4be716e42b01")
TO_RESPONDER = bytes.fromhex("969ab31b4d288cedf6218839b27a3e2140827047f2c0f01bf5c04435d43511a9")
TO_INITIATOR = bytes.fromhex("bb9020b8965f4df047e07f955f3c4b88418984aadc5cdb35096b9ea8fa5c3442")


def initiator(prologue: bytes = LIGHTNING) -> Handshake:
    return Handshake(INITIATOR, INITIATOR_FRESH, RESPONDER_ID, prologue)


def responder(prologue: bytes = LIGHTNING) -> Handshake:
    return Handshake(RESPONDER, RESPONDER_FRESH, None, prologue)


def agreed(payload: bytes = b"") -> tuple[Transport, Transport]:
    """Both ends of a session of ours."""
    begins = Handshake(INITIATOR, INITIATOR_FRESH, RESPONDER_ID)
    answers = Handshake(RESPONDER, RESPONDER_FRESH)
    assert answers.read_act_one(begins.act_one(payload)) == payload
    third, ours = begins.act_three(answers.act_two())
    return ours, answers.finish(third)


def test_published_handshake() -> None:
    begins, answers = initiator(), responder()

    assert begins.act_one() == ACT_ONE
    assert answers.read_act_one(ACT_ONE) == b""
    assert answers.act_two() == ACT_TWO
    third, ours = begins.act_three(ACT_TWO)
    assert third == ACT_THREE
    theirs = answers.finish(ACT_THREE)

    assert ours.peer == RESPONDER_ID
    assert theirs.peer == public_key_of(INITIATOR)
    for transport, outward, inward in (
        (ours, TO_RESPONDER, TO_INITIATOR),
        (theirs, TO_INITIATOR, TO_RESPONDER),
    ):
        assert transport.outward.seal(b"x") == Sealed(CHAIN, outward).seal(b"x")
        assert transport.inward.open(Sealed(CHAIN, inward).seal(b"y")) == b"y"


# Source: BOLT 8, appendix A: "transport-message test". Lightning seals a length, then the message.
MESSAGES = {
    0: "cf2b30ddf0cf3f80e7c35a6e6730b59fe802473180f396d88a8fb0db8cbcf25d2f214cf9ea1d95",
    1: "72887022101f0b6753e0c7de21657d35a4cb2a1f5cde2650528bbc8f837d0f0d7ad833b1a256a1",
    500: "178cb9d7387190fa34db9c2d50027d21793c9bc2d40b1e14dcf30ebeeeb220f48364f7a4c68bf8",
    501: "1b186c57d44eb6de4c057c49940d79bb838a145cb528d6e8fd26dbe50a60ca2c104b56b60e45bd",
    1000: "4a2f3cc3b5e78ddb83dcb426d9863d9d9a723b0337c89dd0b005d89f8d3c05c52b76b29b740f09",
    1001: "2ecd8c8a5629d0d02ab457a0fdd0f7b90a192cd46be5ecb6ca570bfc5e268338b1a16cf4ef2d36",
}


def test_published_messages_and_two_changes_of_keys() -> None:
    outward, inward = Sealed(CHAIN, TO_RESPONDER), Sealed(CHAIN, TO_RESPONDER)
    for number in range(1_002):
        length, message = outward.seal(b"\x00\x05"), outward.seal(b"hello")
        if number in MESSAGES:
            assert (length + message).hex() == MESSAGES[number]
        assert inward.open(length) == b"\x00\x05"
        assert inward.open(message) == b"hello"


# Source: BOLT 8, appendix A: each "short read", "bad version", "bad key serialization", "bad MAC".
@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (ACT_TWO[:-1], "49 bytes"),
        (b"\x01" + ACT_TWO[1:], "version 1"),
        (b"\x00\x04" + ACT_TWO[2:], "no public key"),
        (ACT_TWO[:-1] + b"\xaf", "does not open"),
        (ACT_TWO + b"\x00", "51 bytes"),
    ],
)
def test_published_refusals_of_the_second_act(act: bytes, reason: str) -> None:
    begins = initiator()
    begins.act_one()
    with pytest.raises(BadHandshake, match=reason):
        begins.act_three(act)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (ACT_ONE[:-1], "49 bytes"),
        (b"\x01" + ACT_ONE[1:], "version 1"),
        (b"\x00\x04" + ACT_ONE[2:], "no public key"),
        (ACT_ONE[:-1] + b"\x6b", "does not open"),
    ],
)
def test_published_refusals_of_the_first_act(act: bytes, reason: str) -> None:
    with pytest.raises(BadHandshake, match=reason):
        responder().read_act_one(act)


BAD_KEY = bytes.fromhex(
    "00bfe3a702e93e3a9948c2ed6e5fd7590a6e1c3a0344cfc9d5b57357049aa2235536ad09a8ee351870c2bb7f"
    "78b754a26c6cef79a98d25139c856d7efd252c2ae73c"
)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (b"\x01" + ACT_THREE[1:], "version 1"),
        (ACT_THREE[:-1], "65 bytes"),
        (b"\x00\xc9" + ACT_THREE[2:], "does not open"),
        (BAD_KEY, "no public key"),
        (ACT_THREE[:-1] + b"\xbb", "does not open"),
    ],
)
def test_published_refusals_of_the_third_act(act: bytes, reason: str) -> None:
    answers = responder()
    answers.read_act_one(ACT_ONE)
    answers.act_two()
    with pytest.raises(BadHandshake, match=reason):
        answers.finish(act)


def test_our_prologue_keeps_lightning_out() -> None:
    with pytest.raises(BadHandshake, match="does not open"):
        Handshake(RESPONDER, RESPONDER_FRESH).read_act_one(ACT_ONE)


def test_the_first_act_carries_what_only_the_one_meant_reads() -> None:
    ours, theirs = agreed(b"a token")
    assert theirs.inward.open(ours.outward.seal(b"pay")) == b"pay"
    assert ours.inward.open(theirs.outward.seal(b"paid")) == b"paid"
    act = Handshake(INITIATOR, INITIATOR_FRESH, RESPONDER_ID).act_one(b"a token")
    with pytest.raises(BadHandshake, match="does not open"):
        Handshake(b"\x31" * 32, RESPONDER_FRESH).read_act_one(act)


def test_boxes_open_in_order_and_once() -> None:
    ours, theirs = agreed()
    first, second = ours.outward.seal(b"1"), ours.outward.seal(b"2")
    assert theirs.inward.open(second) is None
    assert theirs.inward.open(first) == b"1"
    assert theirs.inward.open(first) is None
    assert theirs.inward.open(second) == b"2"


@given(st.integers(0, 2), st.integers(0, 65), st.integers(1, 255))
def test_one_wrong_byte_anywhere_ends_the_handshake(act: int, place: int, bits: int) -> None:
    def harm(number: int, data: bytes) -> bytes:
        if number != act:
            return data
        broken = bytearray(data)
        broken[place % len(broken)] ^= bits
        return bytes(broken)

    begins = Handshake(INITIATOR, INITIATOR_FRESH, RESPONDER_ID)
    answers = Handshake(RESPONDER, RESPONDER_FRESH)

    def shake() -> None:
        answers.read_act_one(harm(0, begins.act_one()))
        third, _ = begins.act_three(harm(1, answers.act_two()))
        answers.finish(harm(2, third))

    with pytest.raises(BadHandshake):
        shake()


@given(st.binary(max_size=200))
def test_garbage_is_a_typed_error(data: bytes) -> None:
    with pytest.raises(BadHandshake):
        responder().read_act_one(data)
    begins, answers = initiator(), responder()
    begins.act_one()
    with pytest.raises(BadHandshake):
        begins.act_three(data)
    answers.read_act_one(ACT_ONE)
    answers.act_two()
    with pytest.raises(BadHandshake):
        answers.finish(data)
