"""The network's bytes as the committed vectors have them, made by other code than ours."""

from __future__ import annotations

from typing import Any

import pytest

import tests.vectors
from perun.crypto import SecretKey, sign
from perun.encoding import messages
from perun.encoding.addresses import node_id, show_node_id
from perun.encoding.cards import canonical_json, read_card, signed_card
from perun.encoding.wire_data import attach_digest, card_digest
from perun.types import UnixTime
from perun.wire import packets, parcels
from perun.wire.noise import Handshake
from perun.wire.packets import Attach, Kind, Packet
from perun.wire.parcels import Bye, Hello, Messages, Taken
from perun.wire.sessions import Opened, Out, Sessions


def raw(value: Any) -> Any:
    """Hex as bytes, all the way down."""
    if isinstance(value, dict):
        return {key: raw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [raw(item) for item in value]
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    return value


VECTORS = raw(tests.vectors.load("wire"))
SHAKE, PACKETS = VECTORS["handshake"], VECTORS["packets"]
TAG = bytes(range(1, 9))
ALICE, BOB = (name["id"] for name in VECTORS["names"][:2])


@pytest.mark.parametrize("name", VECTORS["names"], ids=lambda name: name["text"][-6:])
def test_names(name: dict[str, Any]) -> None:
    assert show_node_id(name["id"]) == name["text"]
    assert node_id(name["text"]) == name["id"]


def test_attaching() -> None:
    it = VECTORS["attach"]
    challenge = packets.read_challenge(it["challenge"])
    digest = attach_digest(it["host"], challenge)
    signature = sign(digest, SecretKey(it["secret"]))
    assert (digest, signature) == (it["digest"], it["signature"])
    assert Attach(ALICE, signature, it["host"]).encode() == it["attach"]
    assert packets.read_attach(it["attach"]) == Attach(ALICE, signature, it["host"])
    assert packets.challenge(challenge) == it["challenge"]
    assert packets.attached(ALICE) == it["attached"]
    assert packets.read_attached(it["attached"]) == ALICE


def test_cards() -> None:
    it = VECTORS["card"]
    card = read_card(it["served"], UnixTime(1_800_000_000), peer=ALICE, least_serial=7)
    assert card_digest(it["canonical"].encode()) == it["digest"]
    assert canonical_json(tests.vectors.json.loads(it["canonical"])).decode() == it["canonical"]
    again = read_card(signed_card(card, SecretKey(it["secret"])), UnixTime(1_800_000_000))
    assert again == card


def test_packets() -> None:
    kinds = {
        "actOne": Kind.ACT_ONE,
        "actTwo": Kind.ACT_TWO,
        "actThree": Kind.ACT_THREE,
        "box": Kind.BOX,
        "undelivered": Kind.UNDELIVERED,
    }
    for name, kind in kinds.items():
        packet = packets.read_packet(PACKETS[name])
        assert (packet.kind, packet.tag) == (kind, TAG)
        assert {packet.sender, packet.receiver} == {ALICE, BOB}
        assert Packet(*packet).encode() == PACKETS[name]


def test_handshake_and_boxes() -> None:
    begins = Handshake(SHAKE["initiator"], SHAKE["initiatorEphemeral"], BOB, SHAKE["prologue"])
    answers = Handshake(SHAKE["responder"], SHAKE["responderEphemeral"])
    assert begins.act_one(SHAKE["token"]) == SHAKE["actOne"]
    assert answers.read_act_one(SHAKE["actOne"]) == SHAKE["token"]
    assert answers.act_two() == SHAKE["actTwo"]
    third, ours = begins.act_three(SHAKE["actTwo"])
    assert third == SHAKE["actThree"]
    theirs = answers.finish(third)

    boxes, hello = VECTORS["boxes"], VECTORS["parcels"]["hello"]
    assert theirs.outward.seal(hello) == boxes["helloToInitiator"]
    assert ours.outward.seal(hello) == boxes["helloToResponder"]
    for number in range(1, 1_001):
        box = ours.outward.seal(parcels.BEAT)
        expected = {
            1: "beatToResponder",
            999: "beat999ToResponder",
            1_000: "beat1000ToResponder",
        }.get(number)
        assert expected is None or box == boxes[expected]


def test_parcels() -> None:
    it = VECTORS["parcels"]
    hello = Hello(
        (1,),
        "eip155:31337",
        b"\x07" * 32,
        (("MSContract", b"\x01" * 20), ("VPM", b"\x02" * 20), ("HashTimeLock", b"\x03" * 20)),
        (3,),
        "somebody's node 0.1",
    )
    assert parcels.read(it["hello"]) == hello
    assert parcels.hello(hello) == it["hello"]
    assert parcels.read(it["messages"]) == Messages([b"hello", b"you"])
    assert parcels.join([b"hello", b"you"]) == it["messages"]
    bye = Bye(4101, "network: ours is a, yours b")
    assert parcels.read(it["bye"]) == bye
    assert bye.encode() == it["bye"]
    assert it["beat"] == parcels.BEAT
    assert Taken(32_768).encode() == it["taken"]
    assert parcels.read(it["taken"]) == Taken(32_768)


def test_a_session_from_the_first_packet_to_hello() -> None:
    """Our side of it says exactly what the vectors say, with the same randomness."""
    drawn = [SHAKE["initiatorEphemeral"], TAG]
    hello = parcels.read(VECTORS["parcels"]["hello"])
    assert isinstance(hello, Hello)
    ours = Sessions(SHAKE["initiator"], hello, lambda *_: True, lambda _: drawn.pop(0))
    assert ours.dial(BOB, "route", 0.0, SHAKE["token"]) == [Out("route", PACKETS["actOne"])]
    said = ours.packet("route", packets.read_packet(PACKETS["actTwo"]), 0.0)
    boxed = Packet(ALICE, BOB, Kind.BOX, TAG, VECTORS["boxes"]["helloToResponder"]).encode()
    assert said == [Out("route", PACKETS["actThree"]), Out("route", boxed)]
    answer = Packet(BOB, ALICE, Kind.BOX, TAG, VECTORS["boxes"]["helloToInitiator"])
    assert ours.packet("route", answer, 0.0) == [Opened(BOB, hello)]


@pytest.mark.parametrize("it", VECTORS["messages"], ids=lambda it: it["name"])
def test_messages_of_the_core(it: dict[str, Any]) -> None:
    message = messages.decode(it["bytes"])
    assert type(message).__name__ == it["name"]
    assert messages.encode(message) == it["bytes"]
