"""Sessions as a state machine: who may speak, in which order, how much, and how it ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from perun.wire.codes import Code
from perun.wire.packets import HEADER_BYTES, Kind, Packet
from perun.wire.session import BEAT_SECONDS, MOST_WAITING, SILENCE_SECONDS, WINDOW
from perun.wire.sessions import Limits
from tests.games.fuzz.garbage import Damage, damages
from tests.node.wire.ends import HELLO, ROUTE, End, Ether, joined


def pair() -> tuple[End, End, Ether]:
    alice, bob = End("alice"), End("bob")
    return alice, bob, joined(alice, bob)


def test_messages_arrive_in_order_and_once_whatever_their_number() -> None:
    alice, bob, ether = pair()
    sent = [number.to_bytes(4, "big") for number in range(5_000)]
    for message in sent:
        assert ether.send(alice, bob, message)
        ether.run()
    assert ether.send(bob, alice, *sent)
    ether.run()

    assert bob.frames == alice.frames == sent
    assert (alice.opened, bob.opened) == (1, 1)


def test_the_longest_message_fits_a_packet() -> None:
    alice, bob, ether = pair()
    ether.send(alice, bob, b"x" * 65_000, b"y" * 65_000, b"z")
    ether.run()
    assert list(map(len, bob.frames)) == [65_000, 65_000, 1]
    assert max(len(packet.rest) for packet in ether.seen) + HEADER_BYTES <= 65_535


def test_nothing_is_sent_before_both_have_said_hello() -> None:
    alice, bob = End("alice"), End("bob")
    ether = Ether(alice, bob)
    assert not ether.send(alice, bob, b"early")
    ether.dial(alice, bob)
    ether.deliver()  # act one
    ether.deliver()  # act two
    assert not ether.send(alice, bob, b"early")
    ether.run()
    assert bob.frames == []


def _with(name: str) -> tuple[tuple[str, bytes], ...]:
    """The contracts, one of them at another place."""
    return tuple({**dict(HELLO.contracts), name: b"\x09" * 20}.items())


OTHER = [
    (replace(HELLO, network="eip155:1"), Code.NETWORK, "eip155:31337.*eip155:1"),
    (replace(HELLO, genesis=b"\x08" * 32), Code.GENESIS, "0707.*0808"),
    (replace(HELLO, contracts=_with("MSContract")), Code.CONTRACTS, "MSContract.*01010101.*0909"),
    (replace(HELLO, contracts=_with("HashTimeLock")), Code.CONTRACTS, "TimeLock.*03030303.*0909"),
    (replace(HELLO, contracts=HELLO.contracts[:1]), Code.CONTRACTS, "VPM.*unknown"),
    (replace(HELLO, versions=(2, 3)), Code.VERSION, "ours are 1, yours 2, 3"),
    (replace(HELLO, features=(3, 6)), Code.FEATURE, "6 must be known"),
]


@pytest.mark.parametrize(("hello", "code", "said"), OTHER)
def test_a_mismatch_ends_the_session_and_names_both_values(
    hello: object, code: Code, said: str
) -> None:
    alice, bob = End("alice"), End("bob", hello)  # type: ignore[arg-type]
    ether = joined(alice, bob)
    assert alice.opened == 0
    assert code in alice.codes
    reasons = [it.reason for it in alice.news if hasattr(it, "reason")]
    assert any(__import__("re").search(said, reason) for reason in reasons), reasons
    assert not ether.send(alice, bob, b"pay")
    ether.run()
    assert not bob.sessions.is_busy(alice.id)


def test_contract_that_only_one_of_them_knows_keeps_nobody_apart() -> None:
    more = (*HELLO.contracts[:2], ("CoinFlip", b"\x04" * 20))
    alice, bob = End("alice"), End("bob", replace(HELLO, contracts=more))
    joined(alice, bob)
    assert (alice.opened, bob.opened) == (1, 1)


def test_odd_features_are_ignored_and_known_even_ones_taken() -> None:
    alice = End("alice", features=frozenset({6}))
    bob = End("bob", replace(HELLO, features=(3, 6), versions=(7, 1)))
    joined(alice, bob)
    assert (alice.opened, bob.opened) == (1, 1)


def test_of_two_crossing_dials_that_of_the_lower_id_goes_on() -> None:
    alice, bob = sorted((End("alice"), End("bob")), key=lambda end: end.id)
    ether = Ether(alice, bob)
    ether.dial(alice, bob)
    ether.dial(bob, alice)
    ether.run()
    assert (alice.opened, bob.opened) == (1, 1)
    assert alice.codes == bob.codes == []
    acts = [packet for packet in ether.seen if packet.kind == Kind.ACT_THREE]
    assert [packet.sender for packet in acts] == [alice.id]
    ether.send(bob, alice, b"hello")
    ether.run()
    assert alice.frames == [b"hello"]


def test_crossing_dials_on_two_routes_meet_on_the_one_that_works() -> None:
    """The lower id's way leads nowhere; the other's first act shows one that does not."""
    alice, bob = sorted((End("alice"), End("bob")), key=lambda end: end.id)
    ether = Ether(alice, bob)
    ether.dial(alice, bob, "nowhere")
    ether.under_way.clear()
    ether.dial(bob, alice, "good")
    ether.run()
    assert (alice.opened, bob.opened) == (1, 1)


def test_a_dial_that_was_lost_keeps_the_other_from_nothing() -> None:
    """The lower id waits for an answer to what never arrived; the other's first act shows it."""
    alice, bob = sorted((End("alice"), End("bob")), key=lambda end: end.id)
    ether = Ether(alice, bob)
    ether.dial(alice, bob)
    ether.under_way.clear()
    ether.dial(bob, alice)
    ether.run()
    assert (alice.opened, bob.opened) == (1, 1)


def test_a_newer_session_takes_the_place_of_an_older() -> None:
    alice, bob, ether = pair()
    again = End("alice")  # Restarted, or a second device.
    again._drawn = 1_000
    ether.ends[again.id] = again
    ether.dial(again, bob)
    ether.run()
    assert bob.opened == 2
    assert bob.codes == [Code.DISPLACED]
    ether.send(again, bob, b"new")
    ether.send(alice, bob, b"old")
    ether.run()
    assert bob.frames == [b"new"]


def test_whoever_has_forgotten_a_session_says_so_and_it_begins_anew() -> None:
    alice, _, ether = pair()
    bob = End("bob")
    bob._drawn = 1_000
    ether.ends[bob.id] = bob
    ether.send(alice, bob, b"lost")
    ether.run()
    assert alice.codes == [Code.LOST]
    ether.dial(alice, bob)
    ether.run()
    ether.send(alice, bob, b"heard")
    ether.run()
    assert bob.frames == [b"heard"]


def test_a_beat_keeps_a_quiet_session_and_silence_ends_it() -> None:
    alice, bob, ether = pair()
    ether.wait(10 * SILENCE_SECONDS)
    assert alice.codes == bob.codes == []
    beats = len(ether.seen)
    assert beats <= 6 + 2 * 10 * SILENCE_SECONDS / BEAT_SECONDS

    ether.rule = lambda _: []
    ether.wait(SILENCE_SECONDS)
    assert alice.codes == bob.codes == [Code.SILENT]
    assert not alice.sessions.is_busy(bob.id)


def test_a_dial_that_nobody_answers_ends() -> None:
    alice, bob = End("alice"), End("bob")
    ether = Ether(alice, bob)
    ether.rule = lambda _: []
    ether.dial(alice, bob)
    ether.wait(10)
    assert alice.codes == [Code.UNANSWERED]
    assert not alice.sessions.is_busy(bob.id)


def test_a_stranger_hears_the_same_as_of_somebody_who_is_not_there() -> None:
    token = b"0123456789abcdef"
    bob = End("bob", admits=lambda _, shown: shown == token)
    for shown, opened in ((b"", 0), (b"another token 16", 0), (token, 1)):
        mallory = End("mallory")
        ether = Ether(mallory, bob)
        ether.dial(mallory, bob, token=shown)
        ether.run()
        assert mallory.opened == opened
        if not opened:
            answer = ether.seen[-1]
            assert answer == Packet(bob.id, mallory.id, Kind.UNDELIVERED, ether.seen[0].tag)
            assert mallory.codes == [Code.OFFLINE]


def test_nobody_speaks_in_anothers_name() -> None:
    """A relay that vouches for a false sender: the third act shows it."""
    alice, mallory, bob = End("alice"), End("mallory"), End("bob")
    ether = Ether(mallory, bob)
    ether.rule = lambda packet: (
        [packet._replace(sender=alice.id)] if packet.sender == mallory.id else [packet]
    )
    ether.ends[alice.id] = mallory
    ether.dial(mallory, bob)
    while ether.under_way:
        ether.deliver()
    assert bob.opened == 0
    assert mallory.opened == 0


def test_a_full_node_stops_its_peers_and_no_more_is_kept_than_a_window() -> None:
    alice, bob, ether = pair()
    bob.sessions.full()
    frames = [bytes(1_000)] * 1_000
    assert ether.send(alice, bob, *frames)
    ether.run()
    assert WINDOW - 2_000 < sum(map(len, bob.frames)) <= WINDOW
    assert alice.sessions.waiting(bob.id) == 1_000_000 - sum(map(len, bob.frames))

    ether.do(bob, bob.sessions.room(ether.now))
    ether.run()
    assert bob.frames == frames
    assert alice.sessions.waiting(bob.id) == 0


def test_a_peer_that_never_takes_ends_its_session_only() -> None:
    alice, bob, carol = End("alice"), End("bob"), End("carol")
    ether = joined(alice, bob, carol)
    bob.sessions.full()
    for _ in range(MOST_WAITING // 60_000 + 3):
        ether.send(alice, bob, b"x" * 60_000)
        ether.run()
    assert alice.codes == [Code.SLOW]
    assert alice.sessions.waiting() == 0
    ether.send(alice, carol, b"hello")
    ether.run()
    assert carol.frames == [b"hello"]


def test_whoever_makes_all_of_us_wait_most_goes_first() -> None:
    limits = Limits(waiting=500_000)
    alice, bob, carol = End("alice", limits=limits), End("bob"), End("carol")
    ether = joined(alice, bob, carol)
    bob.sessions.full()
    carol.sessions.full()
    ether.send(alice, carol, *[bytes(1_000)] * 200)
    for _ in range(600):
        ether.send(alice, bob, bytes(1_000))
    ether.run()
    assert [it.peer for it in alice.news if hasattr(it, "code")] == [bob.id]
    assert alice.sessions.is_open(carol.id)


def test_whoever_sends_more_than_there_is_room_for_is_ended() -> None:
    alice, bob, ether = pair()
    bob.sessions.full()
    session = alice.sessions._sessions[bob.id]
    for _ in range(400):
        session._taken_by_peer = session.sent
        ether.send(alice, bob, bytes(1_000))
        ether.run()
    assert bob.codes[0] == Code.FLOOD
    assert sum(map(len, bob.frames)) <= 2 * WINDOW


def test_a_lost_route_ends_what_was_on_it_and_nothing_else() -> None:
    alice, bob, carol = End("alice"), End("bob"), End("carol")
    ether = Ether(alice, bob, carol)
    ether.dial(alice, bob, "one")
    ether.dial(alice, carol, "two")
    ether.run()
    ether.do(alice, alice.sessions.lost("one"))
    assert alice.codes == [Code.LOST]
    assert alice.sessions.peers() == [carol.id]


def test_a_farewell_is_heard() -> None:
    alice, bob, ether = pair()
    ether.do(alice, alice.sessions.end(Code.LEAVING, "restarting", ether.now))
    ether.run()
    assert bob.codes == [Code.LEAVING]
    assert "restarting" in bob.news[-1].reason  # type: ignore[union-attr]


def test_half_finished_handshakes_are_bounded() -> None:
    bob = End("bob", limits=Limits(half_open=50, strangers_each_second=10_000))
    for number in range(200):
        stranger = End(f"stranger {number}")
        ether = Ether(stranger, bob)
        ether.dial(stranger, bob)
        ether.deliver()  # The first act; the third never comes.
    assert len(bob.sessions._answered) == 50
    ether = Ether(End("alice"), bob)
    ether.dial(next(iter(ether.ends.values())), bob)
    ether.run()
    assert bob.opened == 1
    ether.wait(11)
    assert len(bob.sessions._answered) == 0


def test_strangers_in_a_hurry_keep_no_known_peer_out() -> None:
    alice = End("alice")
    bob = End("bob", known=lambda peer: peer == alice.id, limits=Limits(strangers_each_second=5))
    refused = 0
    for number in range(50):
        stranger = End(f"stranger {number}")
        ether = Ether(stranger, bob)
        ether.dial(stranger, bob)
        ether.run()
        refused += stranger.codes == [Code.OFFLINE]
    assert refused == 45
    joined(alice, bob)
    assert alice.opened == 1


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 11), st.integers(0, 6), st.binary(min_size=8, max_size=8), damages())
def test_a_damaged_packet_harms_one_session_and_it_begins_anew(
    which: int, kind: int, tag: bytes, damage: Damage
) -> None:
    alice, bob = End("alice"), End("bob")
    ether = Ether(alice, bob)
    count = 0

    def harm(packet: Packet) -> list[Packet]:
        nonlocal count
        count += 1
        if count - 1 != which:
            return [packet]
        return [packet._replace(kind=kind, tag=tag), packet._replace(rest=damage(packet.rest))]

    ether.rule = harm
    ether.dial(alice, bob)
    ether.run()
    for number in range(4):
        ether.send(alice, bob, bytes((number,)))
        ether.send(bob, alice, bytes((number,)))
        ether.run()
    assert bob.frames == [bytes((number,)) for number in range(4)][: len(bob.frames)]
    ether.rule = lambda packet: [packet]
    ether.wait(12)
    for _ in range(2):  # Whoever still believes in a dead session learns it at its first word.
        ether.dial(alice, bob)
        ether.send(alice, bob, b"?")
        ether.run()
    ether.dial(alice, bob)
    ether.run()
    assert alice.sessions.is_open(bob.id)
    assert bob.sessions.is_open(alice.id)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 255), st.binary(min_size=8, max_size=8), st.binary(max_size=200))
def test_any_packet_is_taken_without_harm(kind: int, tag: bytes, rest: bytes) -> None:
    alice, bob, ether = pair()
    sessions = bob.sessions
    for sender in (alice.id, End("mallory").id, bob.id, bytes(33)):
        sessions.packet(ROUTE, Packet(sender, bob.id, kind, tag, rest), ether.now)
    assert sessions.is_open(alice.id)
