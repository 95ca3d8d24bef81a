"""How far a reader walks does not grow unseen: see `tests/tools/walk.py`."""

from __future__ import annotations

from tests.tools.walk import closing, opening, paying, taking


def test_hub_answers_a_pair_in_a_short_way() -> None:
    """The step in which the second half comes, and both are countersigned; it was 67 stays once."""
    first, second, signed = closing()
    assert [first.what, second.what] == ["Received Propose"] * 2
    assert signed.what == "Signed State"
    assert len(first.all) <= 30
    assert len(second.all) <= 35
    assert second.all.rooms <= 17


def test_nobody_whom_a_pair_goes_through_is_called_back() -> None:
    """But for questions, each room is gone through once: the judge says what it finds."""
    for half in closing()[:2]:
        assert len(half.way) <= 8
        assert half.way.returns == 0


def test_request_that_brings_a_pair_is_no_longer_way() -> None:
    """It was 138 stays while the limits asked anew of which kind the instance is."""
    request = opening()[0]
    assert request.what == "Received RequestInstance"
    assert len(request.all) <= 125
    assert len(request.way) <= 40


def test_payment_is_read_in_a_few_places() -> None:
    assert all(len(walk.all) <= 8 for walk in (*paying(), *taking()))
