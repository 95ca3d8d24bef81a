"""Alice, Bob and a hub between them, asked by the methods that people and programs call."""

from __future__ import annotations

from perun.core.config import Policy
from perun.testing.people import Town
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel

__all__ = ["OverAHub"]


class OverAHub:
    """Alice and Bob, each with a channel of 1,000 to Ingrid; or Alice with one to Bob."""

    def __init__(self, hub: bool = True, policy: Policy = OPEN_HANDED) -> None:
        self.town = Town()
        self.alice = self.town.person("alice", policy)
        self.bob = self.town.person("bob", policy)
        self.people = [self.alice, self.bob]
        self.ingrid = self.town.person("ingrid", hub_policy()) if hub else None
        if self.ingrid is None:
            open_channel(self.town.world, self.alice.party, self.bob.party, 1_000, 1_000)
            return
        for person in self.people:
            open_channel(self.town.world, person.party, self.ingrid.party, 1_000, 1_000)
