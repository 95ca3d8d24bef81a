"""What a node is told, and what it does not tell."""

from __future__ import annotations

from .conftest import Pair


def test_seed_is_not_shown(pair: Pair) -> None:
    config = pair.alice.node.books.config
    assert len(config.seed) == 32
    for shown in (repr(config), str(config), f"{config}"):
        assert config.seed.hex() not in shown
        assert repr(config.seed)[2:-1] not in shown
        assert config.identity.key.hex() in shown
