"""What commands say that ask a node: what will happen, by names that people gave, and to whom."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from perun.app.methods import ShowSecret
from perun.cli.main import cli
from perun.crypto import keccak
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import recover
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.types import Price, Signature, UnixTime, Wei
from perun.wallet import write_keyfile
from tests.node.api.conftest import Desk
from tests.node.processes.network.wired import eventually

REPORTER = SecretKey(b"\x5a" * 32)


def said(desk: Desk, *words: str, typed: str = "", code: int = 0) -> str:
    """At a terminal of 80 columns."""
    environment = {"PERUN_HOME": str(desk.home), "COLUMNS": "80"}
    ran = CliRunner(env=environment).invoke(cli, words, input=typed)
    assert ran.exit_code == code, ran.output
    assert "Traceback" not in ran.output
    return ran.output


def test_a_link_says_what_it_asks_for_before_it_is_paid(desk: Desk) -> None:
    link = desk.node.request("0.001 ether", memo="two breads").uri
    asked = said(desk, "pay", link, typed="n\n", code=1)
    assert f'Pay 0.001000 ETH to {desk.alice.id[:14]}…, for "two breads" (it asks until' in asked
    assert not desk.node.payments()
    anything = desk.node.request("0").uri
    assert "say how much" in said(desk, "pay", anything, "--yes", code=2)
    forged = link.replace("until=", "until=9999999999")
    assert "its until is no number" in said(desk, "pay", forged, "--yes", code=2)
    assert "no node id" in said(desk, "pay", "perun:xyz", "5", "--yes", code=1)


def test_whom_to_pay_is_looked_at_before_anybody_is_asked(desk: Desk) -> None:
    for nobody in ("nonsense", desk.bob.id[:-1] + "q", f"{desk.bob.id}@host:x", "perun:nonsense"):
        refused = said(desk, "pay", nobody, "1ether", code=1)
        assert "Go on?" not in refused
        assert "address" in refused or "copy it again" in refused or "host:8443" in refused


def test_an_id_that_is_none_says_where_they_are_listed(desk: Desk) -> None:
    assert "`perun channels` lists them" in said(desk, "close", "zz", code=1)
    assert "`perun offers` lists them" in said(desk, "answer", "0x12", "yes", code=1)


def test_names_are_shown_instead_of_ids(desk: Desk) -> None:
    said(desk, "contacts", "add", "bob", desk.bob.id, "--account", "0x" + 20 * "ab")
    assert desk.node.contacts()[0].account is not None
    assert "done: 0.100000 ETH to bob" in said(desk, "pay", "bob", "0.1ether", "--yes")
    for command in ("payments", "exposure"):
        assert " bob " in said(desk, command)


def test_what_is_too_small_for_six_decimals_is_shown_whole(desk: Desk) -> None:
    asked = said(desk, "pay", desk.bob.id, "1", typed="n\n", code=1)
    assert "Pay 0.000000000000000001 ETH" in asked
    assert "0.1 has no unit" in said(desk, "pay", desk.bob.id, "0.1", "--yes", code=1)


def test_a_word_alone_shows_how_things_stand(desk: Desk) -> None:
    assert f"node     {desk.alice.id}" in said(desk, "status")
    assert "Nobody watches" in said(desk, "towers")
    assert "Nowhere" in said(desk, "backup")
    assert "Nobody yet" in said(desk, "contacts")
    for command in ("status", "towers", "backup", "contacts"):
        json.loads(said(desk, command, "--json"))


def test_a_stream_is_opened_paid_and_stopped(desk: Desk) -> None:
    assert "No streams" in said(desk, "streams")
    whole = ("stream", "open", desk.bob.id, "0.1ether", "--tick", "0.001ether")
    asked = said(desk, *whole, "--every", "0.1s", typed="n\n", code=1)
    assert "in ticks of 0.001ether, 10 x 0.001ether every 1 s by itself." in asked
    assert "whole seconds" in said(desk, *whole, "--every", "1.5s", code=2)
    assert "is no time" in said(desk, *whole, "--every", "often", code=2)
    assert "open: 0.000000 ETH paid, 0.100000 ETH left" in said(desk, *whole, "--yes")
    (one,) = desk.node.streams()
    assert "open: 0.001000 ETH paid, 0.099000 ETH left" in said(desk, "stream", "pay", "0x")
    assert "0.006000 ETH paid" in said(desk, "stream", "pay", one.id[:9], "5")
    refused = said(desk, "stream", "pay", "0x", "95", code=1)
    assert "ticks: 0.095 ETH wanted, 0.094 available" in refused
    assert "3 every 60 s" in said(desk, "stream", "run", "0x", "--every", "1m", "--ticks", "3")
    assert "every" not in said(desk, "stream", "pause", "0x")
    assert "over: 0.006000 ETH paid" in said(desk, "stream", "stop", "0x")
    assert "over" in said(desk, "stream", "list")
    assert json.loads(said(desk, "stream", "show", "0x", "--json"))["gain"] == "-6000000000000000"


def test_a_payment_is_locked_under_a_secret_and_taken_by_it(desk: Desk) -> None:
    made = json.loads(said(desk, "lock", "secret"))
    assert "0x" + keccak(bytes.fromhex(made["secret"][2:])).hex() == made["hash"]
    whole = ("lock", "pay", desk.bob.id, "0.1ether", made["hash"], "--until")
    until = str(desk.alice.party.node.books.chain.head_time + 7_200)
    asked = " ".join(said(desk, *whole, until, typed="n\n", code=1).split())
    assert "it is theirs once they show the secret" in asked
    assert "is no time" in said(desk, *whole, "soon", "--yes", code=2)
    assert "open: 0.100000 ETH to" in said(desk, *whole, until, "--yes")
    assert "the other side is paid by it" in said(
        desk, "lock", "take", "0x", made["secret"], code=1
    )
    (one,) = desk.node.locks()
    desk.bob.begin("showSecret", ShowSecret(idempotency_key="s", id=one.id, secret=made["secret"]))
    eventually(lambda: desk.node.locks()[0].state == "over")
    assert json.loads(said(desk, "lock", "list", "--json"))[0]["gain"] == str(-(10**17))
    assert "over" in said(desk, "locks")


def test_a_bet_is_offered_on_a_price_that_somebody_signs(desk: Desk, tmp_path: Path) -> None:
    keyfile = tmp_path / "reporter"
    write_keyfile(keyfile, REPORTER, "open", work=2)
    reporter = "0x" + REPORTER.address.hex()
    at = str(desk.alice.party.node.books.chain.head_time + 100)
    about = ("--reporter", reporter, "--feed", "ETH/USD", "--at", at)
    whole = ("bet", "offer", desk.bob.id, "0.1ether", *about)
    for wrong in ("", "--above 1 --below 2", "--from 1", "--above 1 --gain 1"):
        said(desk, *whole, *wrong.split(), code=2)
    asked = said(desk, *whole, "--above", "3000", typed="n\n", code=1)
    assert "you win if it is above 3000" in " ".join(asked.split())
    linear = ("--from", "3000", "--gain", "0.001ether", "--theirs", "0.05ether")
    assert "invited: bet 0x" in said(desk, *whole, *linear, "--yes")
    shown = " ".join(said(desk, "bet", "show", "0x").split())
    assert "a price higher than 3000 brings you 0.001000 ETH for each 1" in shown
    assert "ETH/USD" in said(desk, "bets")
    said(desk, "bet", "price", "0x", code=2)
    environment = {"PERUN_PASSWORD": "open"}
    words = ("bet", "sign", "ETH/USD", "2026-12-31T12:00", "3001", "--keyfile", str(keyfile))
    ran = CliRunner(env=environment).invoke(cli, words)
    signed = json.loads(ran.stdout)
    price = Price(b"ETH/USD".ljust(32, b"\0"), UnixTime(1798718400), Wei(3_001))
    assert (signed["time"], signed["price"]) == (price.time, "3001")
    signature = Signature(bytes.fromhex(signed["signature"][2:]))
    assert recover(price_digest(PRICE_DOMAIN, price), signature) == REPORTER.address
