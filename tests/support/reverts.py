"""Expecting refusals, name and arguments both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from populus.exceptions import ContractReverted
from tests.support.contracts import normal


@contextmanager
def reverts(name: str, *args: Any) -> Iterator[None]:
    """The block's last transaction or call fails with exactly this error and these arguments.

    `unittest.mock.ANY` stands for an argument that does not matter (gas that was left, say).
    """
    with pytest.raises(ContractReverted) as caught:
        yield
    error = caught.value
    assert (error.name, normal(error.args)) == (name, normal(args)), str(error)


@contextmanager
def reverts_without_data() -> Iterator[None]:
    """The block's last transaction or call fails as ABI decoding does, or for want of gas."""
    with pytest.raises(ContractReverted) as caught:
        yield
    assert caught.value.name == "", str(caught.value)
