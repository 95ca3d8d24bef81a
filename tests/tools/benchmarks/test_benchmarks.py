"""Every benchmark in a tiny form: its shape, and that it counts what really happened.

No test looks at a clock: how fast anything is does not matter here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import reference
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.apart import afar, apart
from benchmarks.crowd import crowd
from benchmarks.hubs import hubs
from benchmarks.keeping import disk, memory, restart
from benchmarks.network import network
from benchmarks.payments import latency, payments, scaling
from benchmarks.report import Figure, Result, as_json, percentile
from benchmarks.states import updates, virtual
from benchmarks.stream import stream
from benchmarks.syncs import syncs
from benchmarks.where import where

SHORT = 0.05


def test_reference_takes_time() -> None:
    found = reference.measure(20)
    assert found.wall > 0
    assert found.cpu > 0


def test_payments_are_signed_stored_and_received_one_by_one(tmp_path: Path) -> None:
    found = payments(tmp_path, SHORT, channels=3, each=2, pairs=20)
    paid = found.value("payments")
    assert paid > 0
    everything = ("signed", "rows of payer", "rows of payee", "on disk of payer", "received")
    assert {name: found.value(name) for name in everything} == dict.fromkeys(everything, paid)
    assert found.value("on disk of payee") == paid
    assert found.value("group of payer") == paid / found.value("commits of payer")
    assert found.value("group of payer") <= 6, "no more can be under way"


def test_ticks_are_checked_stored_and_received(tmp_path: Path) -> None:
    found = stream(tmp_path, 4 * SHORT, streams=2, each=4, under_way=2, pairs=20)
    for name in ("memory, 4 a wish", "memory, one a wish", "disk, 4 a wish", "disk, one a wish"):
        ticks = found.value(f"{name}: ticks")
        assert ticks > 0
        # Wishes of a moment leave as one; where a chain of hashes ends they are two.
        assert found.value(f"{name}: ticks a message") > (6 if "4" in name else 3)
        assert found.value(f"{name}: rate") > 0
    assert found.value("disk, one a wish: missing on disk") == 0
    assert found.value("disk, 4 a wish: missing on disk") == 0


def test_scaling_has_a_cost_for_each_size(tmp_path: Path) -> None:
    found = scaling(tmp_path, SHORT, sizes=(1, 2), under_way=2, pairs=20)
    assert [figure.name for figure in found.figures[::2]] == ["1 channels", "2 channels"]
    assert all(figure.value > 0 for figure in found.figures)


def test_idle_payments_are_committed_one_by_one(tmp_path: Path) -> None:
    found = latency(tmp_path, SHORT)
    assert found.value("commits of payer") == found.value("payments") > 0


def test_updates_are_signed_by_both(tmp_path: Path) -> None:
    found = updates(tmp_path, SHORT, channels=2, pairs=20)
    done = found.value("updates")
    assert done > 0
    names = ("signed by payer", "signed by payee", "moved in states of payee")
    assert {name: found.value(name) for name in names} == dict.fromkeys(names, done)


def test_virtual_channels_are_opened_and_closed(tmp_path: Path) -> None:
    found = virtual(tmp_path, SHORT, channels=2, pairs=20)
    assert found.value("virtual") > 0
    assert found.value("still listed by the hub") == 0
    # Four states with two each, and a Ready of each end; a hub that takes no fee signs no quote.
    assert found.value("signatures each") == 8 + 2


def test_nodes_in_processes_of_their_own_do_the_same(tmp_path: Path) -> None:
    found = apart(tmp_path, SHORT, channels=2, pairs=20)
    assert found.value("virtual") == found.value("closed by the other end") > 0
    assert found.value("still listed by the hub") == 0
    assert found.value("signatures each") == 8 + 2


def test_processes_pay_over_sockets_and_over_a_relay(tmp_path: Path) -> None:
    found = network(tmp_path, SHORT, under_way=4, pairs=20, clients=4)
    assert found.value("direct: payments") > 0
    assert found.value("relayed: payments") > 0
    assert found.value("relay: 2 pairs, one each") > 0


def test_nodes_open_virtual_channels_over_sockets_and_a_relay(tmp_path: Path) -> None:
    found = afar(tmp_path, SHORT, channels=2, pairs=20)
    assert found.value("virtual") == found.value("closed by the other end") > 0
    assert found.value("still listed by the hub") == 0
    assert found.value("signatures each") == 8 + 2


def test_a_crowd_pays_over_a_hub_that_is_killed_and_adds_up(tmp_path: Path) -> None:
    found = crowd(tmp_path, SHORT, wallets=8)
    assert found.value("audited") > 8, "a first payment of each pair, and those before the kill"
    assert found.value("hub: a relayed payment") > 0


def test_payments_over_several_hubs_need_none_of_them_once_they_are_open(tmp_path: Path) -> None:
    found = hubs(tmp_path, SHORT, pairs=2)
    for name in ("1 hub", "2 hubs", "3 hubs"):
        assert found.value(f"{name}: an opening") > 0
        assert found.value(f"{name}: a payment") == 0
        assert found.value(f"{name}: audited") == 2 * (1 + 5)


def test_restart_brings_everything_back(tmp_path: Path) -> None:
    found = restart(tmp_path, channels=3, machines=2)
    assert (found.value("channels"), found.value("machines")) == (3, 6)


def test_memory_of_a_machine_is_above_that_of_none(tmp_path: Path) -> None:
    found = memory(tmp_path, channels=10)
    assert found.value("an idle channel") > found.value("an idle channel, row bodies on disk")
    assert found.value("an idle channel with one machine") > found.value("an idle channel")


def test_payments_leave_nothing_behind_on_disk(tmp_path: Path) -> None:
    found = disk(tmp_path, SHORT, channels=3)
    assert found.value("growth per million payments") == 0
    paid = found.value("payments")
    assert found.value("payments between") > 0
    assert found.value("on disk of payer") == found.value("on disk of payee") == paid


def test_strace_counts_what_the_stores_count(tmp_path: Path) -> None:
    found = syncs(tmp_path, SHORT, channels=2, pairs=20)
    if not found.figures:
        pytest.skip("strace is not installed: apt-get install strace")
    missed = [figure.name for figure in found.figures if figure.met is False]
    assert not missed


def test_parts_of_a_payment_sum_up_to_it(tmp_path: Path) -> None:
    found = where(tmp_path, SHORT, times=10)
    *parts, whole = found.figures
    assert sum(figure.value for figure in parts) == pytest.approx(whole.value)


def test_json_has_every_figure_and_says_which_target_is_met() -> None:
    result = Result(
        "speed", "Speed", (Figure("ratio", 0.4, "of 1 + 1", at_least=0.5), Figure("count", 3))
    )
    written = json.loads(json.dumps(as_json([result])))
    assert written["results"]["speed"]["figures"] == {
        "ratio": {"value": 0.4, "unit": "of 1 + 1", "at_least": 0.5, "met": False},
        "count": {"value": 3},
    }
    assert written["machine"]["cores"] > 0


def test_command_writes_json_and_fails_for_a_missed_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(folder: Path, seconds: float = 1.0) -> Result:
        assert folder.is_dir()
        return Result("payments", "", (Figure("seconds", seconds, at_most=2),))

    monkeypatch.setitem(BENCHMARKS, "payments", slow)
    file = tmp_path / "found.json"
    done = CliRunner().invoke(main, ["payments", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert json.loads(file.read_text())["results"]["payments"]["figures"]["seconds"]["met"] is True
    assert CliRunner().invoke(main, ["payments", "--seconds", "3"]).exit_code == 1


def test_percentile_is_one_of_the_values() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 3
    assert percentile([1], 0.99) == 1
