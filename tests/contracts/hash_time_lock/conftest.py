"""A lock and the secret that opens it."""

from __future__ import annotations

import pytest

from perun.types import Lock
from tests.support.instances import new_lock
from tests.support.stage import Stage

PREIMAGE = b"a secret of thirty-two bytes----"


@pytest.fixture
def preimage() -> bytes:
    return PREIMAGE


@pytest.fixture
def lock(stage: Stage) -> Lock:
    """Alice pays 5 to Bob if the secret is revealed within a day."""
    return new_lock(stage, 5, PREIMAGE)
