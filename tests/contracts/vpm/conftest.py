"""Machines of Alice and Bob."""

from __future__ import annotations

import pytest

from tests.support.instances import PaymentMachine, new_machine
from tests.support.stage import Stage


@pytest.fixture
def machine(stage: Stage) -> PaymentMachine:
    """Locks 10 and 10, valid for a day, an hour's challenge."""
    return new_machine(stage)
