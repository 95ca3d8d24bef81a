"""What a tower takes from a client: what it can prove, what it may answer for, within bounds.

An export comes from a stranger. What is in it will be shown to the chain at the tower's cost, so
every signature is checked here, and whose it is. What the client says of the chain is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from perun.core.books import Row
from perun.core.chain_view import EMPTY
from perun.core.config import Deployment
from perun.core.nanocontracts.instances import instance_id
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.keys import own_key
from perun.core.state import ChannelView, InstanceView, PeerId, Role, Totals
from perun.crypto import PublicKey, verify
from perun.encoding.ids import (
    channel_id,
)
from perun.encoding.machine import (
    statement_digest,
)
from perun.encoding.typed_data import (
    state_digest,
)
from perun.errors import PeerFault
from perun.node.export import Export
from perun.types import MachineId, Statement

__all__ = ["Admission", "NotWatched"]


@dataclass(eq=False)
class NotWatched(PeerFault):
    """A tower does not take an export; it goes on watching what it has."""

    why: str

    template: ClassVar[str] = "not watched: {why}"


@dataclass(frozen=True, slots=True)
class Admission:
    """What a tower goes by."""

    deployment: Deployment
    own: PeerId = b""
    """The tower's own node, if it has one: nobody watches against himself."""
    channels: int = 64
    """Of one client …"""
    instances: int = 512
    """… and in all of them."""

    def admit(self, client: PeerId, export: Export) -> tuple[Row, ...]:
        """The rows to watch: without channels in which we are the other side, and those of which
        there is no state to answer with: the contract itself has one of version 0.

        Raises:
            NotWatched: something in it is not as an honest client's.
        """
        profile = export.profile
        if not set(profile.deployment.domains) <= set(self.deployment.domains):
            raise NotWatched("it is about other contracts, or another chain")
        if PublicKey(profile.key) != PublicKey(client):
            raise NotWatched("it is of another node")
        rows = [row for row in export.rows if isinstance(row, ChannelView)]
        if len(rows) > self.channels:
            raise NotWatched(f"{len(rows)} channels; the most is {self.channels}")
        count = sum(isinstance(row, InstanceView) for row in export.rows)
        if count > self.instances:
            raise NotWatched(f"{count} instances; the most is {self.instances}")
        for view in rows:
            self._check_channel(client, view)
        ours = {view.id for view in rows if view.peer == self.own and self.own}
        taken: list[Row] = [
            replace(view, head=EMPTY, final=EMPTY, watched=False, told=0)
            for view in rows
            if view.id not in ours and view.agreed is not None and view.agreed.state.version
        ]
        instances = {}
        for row in export.rows:
            if isinstance(row, InstanceView):
                if instance_id(self.deployment, row.terms) != row.id:
                    raise NotWatched("an instance's id is not the hash of its terms")
                why = kind_of(row.terms).why_unwatched(self.deployment, row)
                if why is not None:
                    # What would be submitted is what the chain takes: it costs gas.
                    raise NotWatched(why)
                if not any(leg.channel in ours for leg in row.legs):
                    instances[row.id] = replace(row, head=None, final=None, watched=False, told=0)
        taken += instances.values()
        for row in export.rows:
            if isinstance(row, Totals) and row.machine in instances:
                self._check_totals(instances[row.machine], row)
                taken.append(row)
        return tuple(taken)

    def _check_channel(self, client: PeerId, view: ChannelView) -> None:
        domain, terms = self.deployment.contract, view.channel
        if channel_id(domain, terms) != view.id:
            raise NotWatched("a channel's id is not the hash of its terms")
        if own_key(view) != PublicKey(client).address:
            raise NotWatched("a channel is not the client's")
        if view.agreed is None:
            return
        state = view.agreed.state
        digest = state_digest(domain, state)
        own, peer = view.agreed.own, view.agreed.peer
        alice, bob = (own, peer) if view.role is Role.ALICE else (peer, own)
        if state.channel != view.id or not (
            verify(digest, alice, terms.alice_key) and verify(digest, bob, terms.bob_key)
        ):
            raise NotWatched("a state is not signed by both")

    def _check_totals(self, instance: InstanceView, totals: Totals) -> None:
        signers = kind_of(instance.terms).signers(instance.terms)
        if instance.role is None or signers is None or not totals.received_signature:
            raise NotWatched("a total that nobody can have signed")
        payer = signers[instance.role.other]
        if payer is None:
            raise NotWatched("a total that nobody can have signed")
        statement = Statement(MachineId(totals.machine), totals.received)
        digest = statement_digest(self.deployment.vpm, statement)
        if not verify(digest, totals.received_signature, payer):
            raise NotWatched("a total is not signed by its payer")
