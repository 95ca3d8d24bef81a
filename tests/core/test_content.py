"""The next state's content, and a proposal said again: each condition by itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import BadProposal, InstanceRejected
from perun.core.state import ChannelView, Intent, LegStatus, OwnProposal, Purpose, SignedState
from perun.core.states.content import build, difference
from perun.core.states.proposing import resend
from perun.encoding.messages import Propose
from perun.testing.stories import add_machine
from perun.types import (
    InstanceId,
    MachineRecord,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair
from .crafted import at, put, said

FAR = UnixTime(2_000_000_000)
SIGNED = Signature(b"\x01" * 65)


def listing_one_of_two(pair: Pair) -> tuple[ChannelView, InstanceId]:
    """Alice's channel with the first of two machines in its list, and the other."""
    for _ in range(2):
        add_machine(pair.world, pair.alice, pair.channel, 30, 20)
    view = pair.alice.channel(pair.bob)
    assert view.agreed is not None
    first, second = view.agreed.state.nanos
    state = replace(view.agreed.state, nanos=(first,))
    return replace(view, agreed=SignedState(state, SIGNED, SIGNED)), second.id


@pytest.mark.parametrize(
    ("most", "submitted", "reason"),
    [(2, False, None), (1, False, "the list is full"), (2, True, "it was submitted before")],
)
def test_instance_is_added_to_a_list_with_room_and_untouched(
    pair: Pair, most: int, submitted: bool, reason: str | None
) -> None:
    view, id = listing_one_of_two(pair)
    draft = at(pair.alice)
    limits = replace(draft.config.limits, greatest_nanos=most)
    draft.config = replace(draft.config, limits=limits)
    known = draft.instance(id)
    head = MachineRecord(Wei(1), Wei(0), FAR) if submitted else None
    draft.put(replace(known, head=head, legs=(replace(known.legs[0], status=LegStatus.NEW),)))
    adding = Intent(Purpose.ADD, adds=id)
    if reason is None:
        assert [nano.id for nano in build(draft, view, adding).nanos].count(id) == 1
    else:
        with pytest.raises(InstanceRejected, match=reason):
            build(draft, view, adding)


def test_nano_is_removed_or_added_and_never_changed(pair: Pair) -> None:
    view, _ = listing_one_of_two(pair)
    assert view.agreed is not None
    state = view.agreed.state
    (nano,) = state.nanos
    for changed in (
        replace(nano, alice_lock=Wei(nano.alice_lock + 1)),
        replace(nano, expiry=UnixTime(nano.expiry + 1)),
        replace(nano, swapped=not nano.swapped),
    ):
        with pytest.raises(BadProposal, match="changed"):
            difference(view, replace(state, nanos=(changed,)))
    assert difference(view, replace(state, nanos=())) == ((nano,), (), 0)


def test_proposal_is_said_again_once_it_is_signed_and_waits_anew(pair: Pair) -> None:
    what = State(pair.channel, Version(2), Wei(5))
    proposal = OwnProposal(what, Intent(Purpose.TRANSFER, Wei(5)))
    for signature, again in ((Signature(b""), False), (SIGNED, True)):
        draft = at(pair.alice, clock=FAR)
        open = replace(proposal, signature=signature)
        resend(draft, put(draft, pair.alice.channel(pair.bob), proposals=(open,)))
        assert [type(message) for message in said(draft)] == ([Propose] if again else [])
        assert draft.channel(pair.channel).proposals[0].sent_at == FAR
