"""How far a reader walks does not grow unseen: see `tests/tools/walk.py`."""

from __future__ import annotations

from tests.tools.walk import closing, paying, taking


def test_hub_answers_a_pair_in_a_short_way() -> None:
    """The step in which the second half comes, and both are countersigned; it was 67 stays once."""
    first, second, signed = closing()
    assert [first.what, second.what] == ["Received Propose"] * 2
    assert signed.what == "Signed State"
    assert len(first.stays) <= 30
    assert len(second.stays) <= 35
    assert second.rooms <= 17


def test_payment_is_read_in_a_few_places() -> None:
    assert all(len(walk.stays) <= 8 for walk in (*paying(), *taking()))
