"""`make scale` in a small form: gateways, writer, standby and an outsider; the audit adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scale import scale
from tests.support.nats import nats_program
from tests.support.postgres import programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(programs() is None, reason="PostgreSQL: apt-get install postgresql"),
    pytest.mark.skipif(nats_program() is None, reason="NATS: apt-get install nats-server"),
]


def test_hub_on_several_machines_adds_up_whatever_is_ended(tmp_path: Path) -> None:
    # Long enough for one of each of the outsider's acts.
    found = scale(tmp_path, 90.0, wallets=6)

    assert found.value("audited") > 0
    for how in ("killed", "stopped", "cut off", "database unheard", "witness unheard"):
        assert found.value(f"writer {how}: none for, longest") > 0
