"""What commands say that ask a node: what will happen, by names that people gave, and to whom."""

from __future__ import annotations

import json

from click.testing import CliRunner

from perun.cli.main import cli
from tests.node.api.conftest import Desk


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
