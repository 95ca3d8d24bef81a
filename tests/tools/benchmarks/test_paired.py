"""The paired benchmark names what became slower, and only that."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import paired


def run(monkeypatch: pytest.MonkeyPatch, here: float, there: float) -> tuple[int, str]:
    """The command's exit code and words, where every figure is `here` and that commit's `there`."""

    def measured(tree: Path, names: list[str], seconds: float, found: Path) -> paired.Figures:
        value = here if tree == paired.HERE else there
        return {(name, figure): value for name in names for figure in paired.COMPARED[name]}

    monkeypatch.setattr(paired, "measured", measured)
    monkeypatch.setattr(paired, "checked_out", lambda _, folder: nullcontext(folder))
    result = CliRunner().invoke(paired.main, ["HEAD", "--rounds", "1", "--only", "updates"])
    return result.exit_code, result.output


def test_what_lost_more_than_is_allowed_fails_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    code, words = run(monkeypatch, here=0.96, there=1.0)
    assert code == 1
    assert "slower by more than 3%: updates ratio 4.0%, updates cpu ratio 4.0%" in words


@pytest.mark.parametrize("here", [0.98, 1.0, 1.5])
def test_what_lost_less_or_gained_passes(monkeypatch: pytest.MonkeyPatch, here: float) -> None:
    code, words = run(monkeypatch, here=here, there=1.0)
    assert code == 0
    assert f"{here - 1:+.1%}" in words


def test_the_medians_are_compared() -> None:
    assert paired.slower([9.0, 10.0, 0.1], [10.0, 12.0, 9.9]) == pytest.approx(0.1)
