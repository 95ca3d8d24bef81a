"""Cards: signed, read, and refused with the reason."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from perun.encoding.addresses import show_node_id
from perun.encoding.cards import (
    LONGEST_LIFE,
    Card,
    CardAsset,
    CardExpired,
    CardForged,
    CardFromAnother,
    CardMalformed,
    CardStale,
    CardTerms,
    NotOurs,
    canonical_json,
    read_card,
    signed_card,
)
from perun.errors import PeerFault
from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.types import UnixTime

KEY = key_of("ingrid")
PEER = peer_id(KEY.public_key)
NOW = UnixTime(1_800_000_000)
CARD = Card(
    "eip155:31337",
    "0x" + "07" * 32,
    {"msContract": "0x" + "01" * 20, "vpm": "0x" + "02" * 20, "hashTimeLock": "0x" + "03" * 20},
    show_node_id(PEER),
    "hub.example.org:7070",
    5,
    NOW + 3_600,
    ("channels", "relay"),
    "0x" + "04" * 20,
    (CardAsset("0x" + "00" * 20, "ETH", 18, "1000", str(2**111 - 1), base_fee="7"),),
    CardTerms(3_600, 86_400, 604_800),
    "perun 0.1.0 – tést",
    neighbours=(show_node_id(PEER) + "@next.example.org",),
)
TEXT = signed_card(CARD, KEY)


def test_a_card_comes_back() -> None:
    assert read_card(TEXT, NOW, peer=PEER, least_serial=5) == CARD
    assert read_card(TEXT.encode(), NOW).peer == PEER


def test_its_form_does_not_matter_its_content_does() -> None:
    whole = json.loads(TEXT)
    assert read_card(json.dumps(whole, indent=3, sort_keys=False), NOW) == CARD
    whole["card"]["extra"] = {"later": [1, "two", None, True]}
    with pytest.raises(CardForged):
        read_card(json.dumps(whole), NOW)


def changed(**fields: Any) -> str:
    return signed_card(replace(CARD, **fields), KEY)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (changed(serial=4), CardStale, "serial 4, below 5"),
        (changed(until=NOW - 1), CardExpired, "ends at 1799999999"),
        (changed(until=NOW + LONGEST_LIFE + 1), CardExpired, "a day at most"),
        (changed(version=2), CardMalformed, "version 2"),
        (changed(host="nowhere at all"), CardMalformed, "no host"),
        (TEXT.replace("eip155:31337", "eip155:1"), CardForged, "not signed"),
        (TEXT.replace('"serial":5', '"serial":6'), CardForged, "not signed"),
        (TEXT.replace('"serial":5', '"serial":5.5'), CardMalformed, "serial"),
        (TEXT.replace('"serial":5', '"serial":5,"serial":6'), CardMalformed, "twice"),
        (TEXT.replace('"serial":5', f'"serial":5,"x":{2**60}'), CardMalformed, "beyond"),
        ("", CardMalformed, "JSON"),
        ("[]", CardMalformed, "no card"),
        ("null", CardMalformed, "no card"),
        ('{"card":1,"signature":"0x"}', CardMalformed, "no object"),
        ("[" * 60_000, CardMalformed, "no card"),
        ("x" * 100_000, CardMalformed, "longer"),
    ],
)
def test_a_card_is_refused_and_says_why(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read_card(text, NOW, peer=PEER, least_serial=5)


def test_a_card_by_another_node_is_refused() -> None:
    other = peer_id(key_of("mallory").public_key)
    with pytest.raises(CardFromAnother, match=show_node_id(other)):
        read_card(TEXT, NOW, peer=other)


def test_a_key_signs_only_its_own_card() -> None:
    with pytest.raises(NotOurs):
        signed_card(CARD, key_of("mallory"))


# Source: RFC 8785, sections 3.2.2 and 3.2.3, without numbers.
def test_published_canonical_form() -> None:
    value = {"b": '\u20ac$\u000f\nA\'B"\\\\"/', "a": [None, True, False], "aa": 1}
    expected = '{"a":[null,true,false],"aa":1,"b":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical_json(value).decode() == expected


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_one_wrong_character_never_passes(place: int, letter: str) -> None:
    wrong = TEXT[:place] + letter + TEXT[place + 1 :]
    with suppress(PeerFault):
        # A signature has two forms, and hex two cases: the content is the same.
        assert read_card(wrong, NOW) == CARD
