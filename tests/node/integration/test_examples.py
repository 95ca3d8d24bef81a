"""The examples are short, run as they stand, and say that they have succeeded."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
# What each prints when every assertion in it has held.
SAID = {
    "payments": "1,000 payments; Bob is paid",
    "virtual_channel": "keeps her fee of 10000000000000",
    "swap": "no transaction was sent",
    "power_cut": "after two cuts",
    "silent_hub": "to the wei",
}


@pytest.mark.parametrize("name", SAID)
def test_example_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert SAID[name] in capsys.readouterr().out


@pytest.mark.parametrize("name", SAID)
def test_example_is_short(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 55


def test_every_example_is_run_by_a_test() -> None:
    names = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    # Those that pay need a network: tests/node/processes/town runs them.
    paying = {"pay.py", "pay.mjs", "pay.sh"}
    assert names == {*(f"{name}.py" for name in SAID), "first_payment.py", *paying}
