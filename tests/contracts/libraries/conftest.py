"""The probe that shows the libraries' internal functions."""

from __future__ import annotations

import pytest

from tests.support.contracts import Deployed
from tests.support.stage import Stage


@pytest.fixture(scope="session")
def probe(stage: Stage) -> Deployed:
    return stage.deploy("LibraryProbe")
