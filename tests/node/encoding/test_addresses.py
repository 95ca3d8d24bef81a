"""Node ids and addresses as people type them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.encoding import bech32m
from perun.encoding.addresses import BadHost, BadNodeId, NodeAddress, node_id, parse_host
from perun.encoding.addresses import show_node_id as show
from perun.node.settings import peer_id
from perun.testing.parties import key_of

ALICE = peer_id(key_of("alice").public_key)
TEXT = show(ALICE)


# Source: BIP 350, valid and invalid strings whose prefix is plain lower case.
@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("a", "a1lqfn3a"),
        ("a", "A1LQFN3A"),
        ("abcdef", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"),
        ("split", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v"),
        ("?", "?1v759aa"),
    ],
)
def test_published_strings_are_read_and_written(prefix: str, text: str) -> None:
    assert bech32m.encode(prefix, bech32m.decode(prefix, text)) == text.lower()


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        *(("y", "y1b0jsk6g"), ("lt", "lt1igcx5c0"), ("in", "in1muywd"), ("mm", "mm1crxm3i")),
        *(("au", "au1s5cgom"), ("m", "M1VUXWEZ"), ("perun", "16plkw9"), ("perun", "1p2gdwpf")),
    ],
)
def test_published_mistakes_are_refused(prefix: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"begin with|never used|checksum"):
        bech32m.decode(prefix, text)


@given(st.binary(max_size=40))
def test_any_bytes_come_back(data: bytes) -> None:
    assert bech32m.decode("perun", bech32m.encode("perun", data)) == data


def test_a_node_id_comes_back() -> None:
    assert TEXT.startswith("perun1")
    assert len(TEXT) == 65
    assert node_id(TEXT) == node_id(TEXT.upper()) == node_id(f"  {TEXT}\n") == ALICE


@given(st.integers(6, 64), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_character_is_refused(place: int, letter: str) -> None:
    wrong = TEXT[:place] + letter + TEXT[place + 1 :]
    if wrong != TEXT:
        with pytest.raises(BadNodeId, match="checksum"):
            node_id(wrong)


@given(st.integers(6, 63))
def test_two_characters_exchanged_are_refused(place: int) -> None:
    wrong = TEXT[:place] + TEXT[place + 1] + TEXT[place] + TEXT[place + 2 :]
    if wrong != TEXT:
        with pytest.raises(BadNodeId, match="checksum"):
            node_id(wrong)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin with perun1"),
        ("lnbc1" + TEXT[6:], "does not begin with perun1"),
        (TEXT[:-1], "checksum"),
        (TEXT + "q", "checksum"),
        (TEXT[:9] + "b" + TEXT[10:], "'b' at place 10"),
        (TEXT[:9] + TEXT[9:].upper(), "mixed"),
        (TEXT * 2, "more than 90"),
        (bech32m.encode("perun", b"\x02" * 32), "32 bytes"),
        (bech32m.encode("perun", b"\x02" + b"\xff" * 32), "no public key"),
        (bech32m.encode("perun", b"\x04" + ALICE[1:]), "no public key"),
    ],
)
def test_a_wrong_node_id_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadNodeId, match=reason):
        node_id(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("hub.example.org", "hub.example.org"),
        ("Hub.Example.ORG:443", "hub.example.org"),
        ("localhost:8080", "localhost:8080"),
        ("127.0.0.1:8545", "127.0.0.1:8545"),
        ("[::1]:9000", "[::1]:9000"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
    ],
)
def test_an_address_has_one_form(text: str, host: str) -> None:
    address = NodeAddress.parse(f"{TEXT}@{text}")
    assert address == NodeAddress(ALICE, host)
    assert NodeAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "host",
    [
        *("", ":80", "hub:", "hub:0", "hub:65536", "hub:x", "hub:1:2", "-hub", "a..b", "a b"),
        *("[::1", "::1", "[1.2.3.4]", "1.2.3", "1.2.3.256", "hub/path", "user@hub", "x" * 64),
        *("http://hub", "hub?x", "hüb", "\x00", ".".join(["x" * 60] * 5)),
    ],
)
def test_a_wrong_host_is_refused(host: str) -> None:
    with pytest.raises(BadHost):
        parse_host(host)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_a_typed_error(text: str) -> None:
    for parse in (NodeAddress.parse, lambda text: NodeAddress.parse(f"{TEXT}@{text}")):
        with suppress(BadNodeId, BadHost):
            assert isinstance(parse(text), NodeAddress)
