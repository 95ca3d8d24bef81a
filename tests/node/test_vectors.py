"""The committed vectors are what eth_account says, and what this package says."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import tests.vectors
from perun import crypto, encoding, signing
from perun.types import Digest, Position, Preimage, Signature
from tests.node import vectors
from tests.vectors.generate import rendered

IDS = tests.vectors.load("ids")
MESSAGES = tests.vectors.load("messages")["messages"]
GAMES = tests.vectors.load("messages")["games"]
SIGNATURES = tests.vectors.load("signatures")
EVIDENCE = tests.vectors.load("evidence")
KEYS = [
    crypto.SecretKey(vectors.value(tests.vectors.load("messages")["keys"][name]))
    for name in ("aliceKey", "bobKey")
]


def test_files_are_what_eth_account_and_eth_abi_compute() -> None:
    for name, text in rendered().items():
        assert (tests.vectors.FOLDER / f"{name}.json").read_text() == text, f"{name}: make vectors"


def test_generator_uses_nothing_of_perun() -> None:
    lines = "import sys, tests.vectors.generate; print([m for m in sys.modules if 'perun' in m])"
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True, cwd=root
    )
    imported = [name for name in eval(ran.stdout) if not name.startswith("__editable__")]
    assert imported == []


@pytest.mark.parametrize("case", IDS["domains"], ids=lambda case: case["name"])
def test_domain_separators(case: dict[str, Any]) -> None:
    assert vectors.domain(case).separator == vectors.value(case["separator"])


def test_channel_ids() -> None:
    for case in IDS["channels"]:
        id = encoding.channel_id(vectors.domain(case["domain"]), vectors.channel(case["channel"]))
        assert id == vectors.value(case["id"])


def test_machine_ids() -> None:
    for case in IDS["machines"]:
        id = encoding.machine_id(vectors.domain(case["domain"]), vectors.machine(case["machine"]))
        assert id == vectors.value(case["id"])


def test_lock_ids() -> None:
    for case in IDS["locks"]:
        id = encoding.lock_id(vectors.domain(case["domain"]), vectors.lock(case["lock"]))
        assert id == vectors.value(case["id"])


def test_flip_ids() -> None:
    for case in IDS["flips"]:
        id = encoding.flip_id(vectors.domain(case["domain"]), vectors.flip(case["flip"]))
        assert id == vectors.value(case["id"])


def test_hands_ids() -> None:
    for case in IDS["hands"]:
        id = encoding.hands_id(vectors.domain(case["domain"]), vectors.hands(case["hands"]))
        assert id == vectors.value(case["id"])


def test_game_ids() -> None:
    for case in IDS["games"]:
        id = encoding.game_id(vectors.domain(case["domain"]), vectors.game(case["game"]))
        assert id == vectors.value(case["id"])


def test_deal_ids() -> None:
    for case in IDS["deals"]:
        id = encoding.deal_id(vectors.domain(case["domain"]), vectors.deal(case["deal"]))
        assert id == vectors.value(case["id"])


def test_stream_ids_and_ticks() -> None:
    for case in IDS["streams"]:
        id = encoding.stream_id(vectors.domain(case["domain"]), vectors.stream(case["stream"]))
        assert id == vectors.value(case["id"])
    for case, chain in zip(IDS["streams"], IDS["ticks"], strict=True):
        id, values = vectors.value(case["id"]), [vectors.value(it) for it in chain["values"]]
        for before, value in pairwise(values):
            assert encoding.tick_hash(id, value) == before


def test_path_ids() -> None:
    for case in IDS["paths"]:
        id = encoding.path_id(vectors.domain(case["domain"]), vectors.path(case["path"]))
        assert id == vectors.value(case["id"])


def test_bet_ids() -> None:
    for case in IDS["bets"]:
        id = encoding.bet_id(vectors.domain(case["domain"]), vectors.bet(case["bet"]))
        assert id == vectors.value(case["id"])


def test_hashes_of_lists() -> None:
    for case in IDS["nanos"]:
        assert encoding.nanos_hash(vectors.nanos(case["nanos"])) == vectors.value(case["hash"])


def test_state_hashes() -> None:
    for case in IDS["stateHashes"]:
        channel, version, net = (vectors.value(case[key]) for key in ("channel", "version", "net"))
        hashed = encoding.state_hash(channel, version, net, vectors.nanos(case["nanos"]))
        assert hashed == vectors.value(case["low173Bits"])


def test_every_message_has_vectors() -> None:
    assert {case["type"].partition("(")[0] for case in MESSAGES} == {
        "State",
        "Close",
        "Withdraw",
        "Open",
        "Statement",
        "Ready",
    }


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case["type"].partition("(")[0])
def test_messages(case: dict[str, Any]) -> None:
    message, domain = vectors.message(case)
    digest = signing.digest(message, domain)
    assert digest == vectors.value(case["digest"])
    for key, signed in zip(KEYS, case["signatures"], strict=True):
        assert key.address == vectors.value(signed["signer"])
        assert crypto.sign(digest, key) == vectors.value(signed["signature"])
        for form in (signed["signature"], signed["compact"]):
            assert crypto.verify(digest, vectors.value(form), key.address)


@pytest.mark.parametrize("case", GAMES, ids=lambda case: case["type"].partition("(")[0])
def test_messages_of_games(case: dict[str, Any]) -> None:
    message, domain = vectors.game_message(case)
    if isinstance(message, Position):
        digest = encoding.position_digest(domain, message)
    else:
        digest = encoding.move_digest(domain, message)
    assert digest == vectors.value(case["digest"])


@pytest.mark.parametrize("case", SIGNATURES, ids=lambda case: case["case"])
def test_signatures_in_every_form(case: dict[str, Any]) -> None:
    digest, signature = Digest(vectors.value(case["digest"])), vectors.value(case["signature"])
    expected = None if case["signer"] is None else vectors.value(case["signer"])
    assert crypto.recover(digest, Signature(signature)) == expected


def test_evidence_of_statements() -> None:
    for case in EVIDENCE["statements"]:
        made = encoding.statements_evidence(
            vectors.machine(case["machine"]),
            vectors.value(case["paidByAlice"]),
            vectors.value(case["signatureAlice"]),
            vectors.value(case["paidByBob"]),
            vectors.value(case["signatureBob"]),
        )
        assert made == vectors.value(case["evidence"])


def test_evidence_of_reveals() -> None:
    for case in EVIDENCE["reveals"]:
        preimage = Preimage(vectors.value(case["preimage"]))
        made = encoding.reveal_evidence(vectors.lock(case["lock"]), preimage)
        assert made == vectors.value(case["evidence"])


def test_evidence_of_hands() -> None:
    for case in EVIDENCE["hands"]:
        hands, secret = vectors.hands(case["hands"]), vectors.value(case["secret"])
        made = encoding.hands_evidence(hands, case["bob"], secret)
        assert made == vectors.value(case["evidence"])


def test_evidence_of_flips() -> None:
    for case in EVIDENCE["flips"]:
        flip, secret = vectors.flip(case["flip"]), vectors.value(case["secret"])
        commits = (flip.alice_commit, flip.bob_commit)
        assert encoding.flip_commit(case["bob"], secret) == commits[case["bob"]]
        made = encoding.flip_evidence(flip, case["bob"], secret)
        assert made == vectors.value(case["evidence"])


def test_evidence_of_positions() -> None:
    for case in EVIDENCE["positions"]:
        made = encoding.position_evidence(
            vectors.game(case["game"]),
            Position(**vectors.fields(case["position"])),
            vectors.value(case["signatureAlice"]),
            vectors.value(case["signatureBob"]),
        )
        assert made == vectors.value(case["evidence"])


def test_evidence_of_moves() -> None:
    for case in EVIDENCE["moves"]:
        words = (vectors.value(case[name]) for name in ("position", "move", "signature"))
        made = encoding.move_evidence(vectors.game(case["game"]), *words)
        assert made == vectors.value(case["evidence"])


def test_evidence_of_deals() -> None:
    for case in EVIDENCE["awards"]:
        deal, shift = vectors.deal(case["deal"]), vectors.value(case["shift"])
        made = encoding.award_evidence(deal, shift, vectors.value(case["signature"]))
        assert made == vectors.value(case["evidence"])
    for case in EVIDENCE["agreements"]:
        deal, shift = vectors.deal(case["deal"]), vectors.value(case["shift"])
        both = (vectors.value(case[name]) for name in ("signatureAlice", "signatureBob"))
        made = encoding.agreement_evidence(deal, shift, *both)
        assert made == vectors.value(case["evidence"])
    for case in EVIDENCE["lates"]:
        made = encoding.late_evidence(vectors.deal(case["deal"]))
        assert made == vectors.value(case["evidence"])


def test_evidence_of_ticks() -> None:
    for case in EVIDENCE["ticks"]:
        names = ("base", "root", "ticks", "value", "signature")
        shown = (vectors.value(case[name]) for name in names)
        made = encoding.ticks_evidence(vectors.stream(case["stream"]), *shown)
        assert made == vectors.value(case["evidence"])


def test_evidence_of_prices() -> None:
    for case in EVIDENCE["prices"]:
        shown = (vectors.value(case[name]) for name in ("price", "signature"))
        made = encoding.price_evidence(vectors.bet(case["bet"]), *shown)
        assert made == vectors.value(case["evidence"])


def test_evidence_of_paths() -> None:
    for case in EVIDENCE["paths"]:
        path, signatures = vectors.path(case["path"]), [*map(vectors.value, case["signatures"])]
        made = (
            encoding.fix_evidence(path, vectors.value(case["shift"]), signatures)
            if "shift" in case
            else encoding.open_evidence(path, signatures)
        )
        assert made == vectors.value(case["evidence"])


SCRIPTED = [
    case
    for name in ("awards", "chains", "prices", "paths")
    for case in tests.vectors.load("messages")[name]
]


@pytest.mark.parametrize("case", SCRIPTED, ids=lambda case: case["type"].partition("(")[0])
def test_messages_of_deals_streams_bets_and_paths(case: dict[str, Any]) -> None:
    test_messages(case)
