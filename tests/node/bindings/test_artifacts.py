"""Reading what the wheel ships; is it what the sources make: `tests/tools/test_artifacts.py`."""

from __future__ import annotations

import pytest

from perun.bindings.artifacts import Artifact, artifact


@pytest.fixture
def two_bytes() -> Artifact:
    """Code of four bytes, of which the middle two are an immutable."""
    return Artifact("Two", b"", b"\x01\0\0\x04", ((1, 2),))


@pytest.mark.parametrize("code", [b"\x01\0\0\x04", b"\x01\x02\x03\x04", b"\x01\xff\xff\x04"])
def test_immutables_are_not_compared(two_bytes: Artifact, code: bytes) -> None:
    assert two_bytes.matches(code)


@pytest.mark.parametrize("code", [b"", b"\x01\0\0\x05", b"\x02\0\0\x04", b"\x01\0\0", b"\x01" * 5])
def test_all_else_is(two_bytes: Artifact, code: bytes) -> None:
    assert not two_bytes.matches(code)


def test_contracts_with_a_domain_keep_it_as_an_immutable() -> None:
    assert artifact("LibSignatures").immutables == ()
    for name in ("MSContract", "VPM", "HashTimeLock"):
        assert {length for _, length in artifact(name).immutables} == {32}
