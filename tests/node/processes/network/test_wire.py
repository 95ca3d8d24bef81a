"""Wires over real sockets: direct, relayed, refused, displaced, and after losses."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from msgspec.structs import replace

from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire import exchange
from perun.wire.codes import Code
from perun.wire.door import DoorLimits
from perun.wire.web import LinkDown, LinkUp, Listener, SessionDown
from tests.node.processes.network.proxy import Proxy
from tests.node.processes.network.wired import HELLO, Wired, eventually


def hub_of(stack: ExitStack, name: str = "ingrid", **limits: object) -> Wired:
    listener = Listener("127.0.0.1", 0, limits=DoorLimits(**limits))  # type: ignore[arg-type]
    return stack.enter_context(Wired(name, listener=listener))


def host_of(hub: Wired) -> str:
    assert hub.listener is not None
    return hub.listener.host


def test_two_nodes_speak_directly_in_order(stack: ExitStack) -> None:
    hub, alice = hub_of(stack), stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, host_of(hub))
    alice.wait_met(hub)
    hub.wait_met(alice)
    sent = [number.to_bytes(3, "big") + bytes(200) for number in range(3_000)]
    for frame in sent:
        alice.wire.send(hub.peer, (frame,))
    hub.wire.send(alice.peer, [b"back", *sent])
    hub.wait(lambda: len(hub.frames) == len(sent))
    alice.wait(lambda: len(alice.frames) == 1 + len(sent))
    assert hub.heard(alice) == sent
    assert alice.heard(hub) == [b"back", *sent]


def test_two_nodes_speak_over_a_relay_that_knows_neither(stack: ExitStack) -> None:
    hub = hub_of(stack)
    alice, bob = (stack.enter_context(Wired(name)) for name in ("alice", "bob"))
    alice.wire.reach(bob.peer, host_of(hub))
    bob.wire.reach(alice.peer, host_of(hub))
    alice.wait_met(bob)
    bob.wait_met(alice)
    alice.wire.send(bob.peer, (b"x" * 65_000, b"to bob"))
    bob.wait_heard(b"to bob")
    assert len(bob.frames) == 2
    assert hub.frames == []


def test_what_runs_over_a_hub_finds_the_other_end_there(stack: ExitStack) -> None:
    """Alice was told where the hub is, and nothing of Bob."""
    hub = hub_of(stack)
    alice, bob = (stack.enter_context(Wired(name)) for name in ("alice", "bob"))
    for end in (alice, bob):
        end.wire.reach(hub.peer, host_of(hub))
        end.wait_met(hub)
    alice.wire.send(bob.peer, (b"invite",), hub.peer)
    bob.wait_heard(b"invite")
    bob.wire.send(alice.peer, (b"invited",), hub.peer)
    alice.wait_heard(b"invited")


def test_whoever_comes_later_finds_who_was_there(stack: ExitStack) -> None:
    hub = hub_of(stack)
    alice = stack.enter_context(Wired("alice"))
    bob = Wired("bob")
    alice.wire.reach(bob.peer, host_of(hub))
    alice.wait(lambda: LinkUp(host_of(hub)) in alice.news)
    stack.enter_context(bob)
    bob.wire.reach(alice.peer, host_of(hub))
    bob.wait_met(alice)
    alice.wait_met(bob)


def test_a_stranger_is_told_that_nobody_is_there(stack: ExitStack) -> None:
    token = b"0123456789abcdef"
    hub = hub_of(stack)
    bob = stack.enter_context(Wired("bob", admits=lambda _, shown: shown == token))
    bob.wire.reach(hub.peer, host_of(hub))
    bob.wait_met(hub)
    mallory = stack.enter_context(Wired("mallory"))
    mallory.wire.reach(bob.peer, host_of(hub), stay=False)
    mallory.wait(lambda: LinkUp(host_of(hub)) in mallory.news)
    mallory.wire.reach(bob.peer, host_of(hub), token, stay=False)
    mallory.wait_met(bob)


def test_hosts_of_those_who_need_not_stay_are_so_many(stack: ExitStack) -> None:
    """Attack: each link that is paid names another host, and all of them are dialled for ever."""
    hub, other = hub_of(stack), hub_of(stack, "other")
    alice = stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, host_of(hub))
    alice.wait_met(hub)
    alice.wire.reach(other.peer, host_of(other), stay=False)
    alice.wait_met(other)
    for port in range(1, 100):
        payee = peer_id(key_of(f"payee {port % 40}").public_key)
        alice.wire.reach(payee, f"127.0.0.1:{port}", stay=False)
    links = alice.wire.links()
    assert len(links) <= 66
    # Who is there stays, and so does who is to stay.
    assert links[host_of(hub)]
    assert links[host_of(other)]
    assert "127.0.0.1:99" in links
    # Who was named so and is to stay after all, does.
    alice.wire.reach(other.peer, host_of(other))
    for port in range(100, 300):
        payee = peer_id(key_of(f"payee {port}").public_key)
        alice.wire.reach(payee, f"127.0.0.1:{port}", stay=False)
    assert alice.wire.links()[host_of(other)]
    assert len(alice.wire.links()) <= 66


def test_host_at_which_nobody_is_is_left(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_of(stack)
    alice = stack.enter_context(Wired("alice"))
    nobody = peer_id(key_of("nobody").public_key)
    alice.wire.reach(hub.peer, host_of(hub), stay=False)
    alice.wait_met(hub)
    monkeypatch.setattr(exchange, "_PASSING_SECONDS", 0.0)
    alice.wire.reach(nobody, "127.0.0.1:1", stay=False)
    eventually(lambda: list(alice.wire.links()) == [host_of(hub)])
    assert alice.wire.peers() == [hub.peer]


def test_another_network_is_refused_with_both_names(stack: ExitStack) -> None:
    hub = hub_of(stack)
    alice = stack.enter_context(Wired("alice", hello=replace(HELLO, network="eip155:1")))
    alice.wire.reach(hub.peer, host_of(hub))
    alice.wait(lambda: bool(alice.reasons()))
    assert "eip155:1" in alice.reasons()[0]
    assert "eip155:31337" in alice.reasons()[0]
    assert not alice.met
    assert isinstance(alice.news[-1], SessionDown)


def test_of_two_devices_with_one_id_the_newer_stays(stack: ExitStack) -> None:
    hub = hub_of(stack)
    first = stack.enter_context(Wired("alice"))
    first.wire.reach(hub.peer, host_of(hub))
    first.wait_met(hub)
    second = stack.enter_context(Wired("alice"))
    second.wire.reach(hub.peer, host_of(hub))
    second.wait_met(hub)

    down = LinkDown(host_of(hub), Code.DISPLACED, "the same id has come by a newer link", True)
    first.wait(lambda: down in first.news)
    hub.wire.send(first.peer, (b"for the newer",))
    second.wait_heard(b"for the newer")
    assert first.frames == []
    assert first.wire.links() == {host_of(hub): False}


def test_a_hub_that_is_gone_is_found_again(stack: ExitStack) -> None:
    hub = Wired("ingrid", listener=Listener("127.0.0.1", 0))
    host = host_of(hub)
    alice = stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, host)
    alice.wait_met(hub)
    hub.wire.stop()
    alice.wait(lambda: any(isinstance(it, LinkDown) for it in alice.news))
    again = Wired("ingrid", listener=Listener("127.0.0.1", int(host.rpartition(":")[2])))
    stack.enter_context(again)
    again.wait_met(alice)
    alice.wait_met(hub, times=2)
    alice.wire.send(again.peer, (b"still here",))
    again.wait_heard(b"still here")


def test_a_peer_is_met_once_in_five_seconds(stack: ExitStack) -> None:
    hub, alice = hub_of(stack), stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, host_of(hub))
    hub.wait_met(alice)
    for _ in range(3):
        ups = len(alice.news)
        alice.wire._ask(lambda it: it._do(it.sessions.end(Code.LEAVING, "test", 0.0, hub.peer)))
        alice.wait(lambda: any("SessionUp" in repr(it) for it in alice.news[ups:]))  # noqa: B023
    assert len(hub.met) <= 2
    hub.wait_met(alice, times=2)


def test_a_node_that_is_behind_makes_its_peers_wait(stack: ExitStack) -> None:
    hub, alice = hub_of(stack), stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, host_of(hub))
    alice.wait_met(hub)
    hub.waiting = 1_000
    sent = [number.to_bytes(3, "big") + bytes(1_000) for number in range(2_000)]
    alice.wire.send(hub.peer, sent)
    alice.wire.send(hub.peer, (b"last",))
    hub.wait(lambda: len(hub.frames) > 100)
    # Whoever has sent nothing yet is heard meanwhile.
    carol = stack.enter_context(Wired("carol"))
    carol.wire.reach(hub.peer, host_of(hub))
    carol.wait_met(hub)
    carol.wire.send(hub.peer, (b"and I",))
    hub.wait_heard(b"and I")
    assert len(hub.heard(alice)) < 200
    assert alice.wire.backlog(hub.peer) > 1_500_000
    hub.waiting = 0
    hub.wait_heard(b"last")
    assert hub.heard(alice) == [*sent, b"last"]


def test_the_address_that_is_taken_is_told(stack: ExitStack) -> None:
    hub = hub_of(stack)
    assert hub.listener is not None
    with pytest.raises(OSError, match="already in use"):
        Wired("bob", listener=Listener("127.0.0.1", hub.listener.port))


@pytest.mark.slow
def test_a_dead_link_is_noticed_within_45_seconds_at_both_ends(stack: ExitStack) -> None:
    proxy = stack.enter_context(Proxy(0))
    listener = Listener("127.0.0.1", 0, hosts={proxy.host})
    hub = stack.enter_context(Wired("ingrid", listener=listener))
    proxy.target = listener.port
    alice = stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, proxy.host)
    alice.wait_met(hub)
    hub.wait_met(alice)
    proxy.mute = True
    start = time.monotonic()
    for end in (alice, hub):
        end.wait(lambda: any(isinstance(it, SessionDown) for it in end.news))  # noqa: B023
        assert time.monotonic() - start <= 46
