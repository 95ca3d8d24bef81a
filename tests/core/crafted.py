"""Moments made by hand: the books of a node, but for what a test says the chain shows."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import Notify, Send, Sign, Submit, Transaction
from perun.core.inputs import Signed
from perun.core.notices import Notice
from perun.core.state import ChannelView
from perun.encoding.messages import Message
from perun.testing.parties import Party

__all__ = ["at", "carry_out", "put", "said", "sent", "told"]


def at(party: Party, time: int | None = None, **chain: Any) -> Draft:
    """A step of this party, in which the newest block, final too, is of that time."""
    draft = Draft(party.node.books)
    if time is not None:
        changed = {"head_time": time, "final_time": time, "earlier_final": time, "wall": time}
        draft.chain = replace(draft.chain, **changed)
    draft.chain = replace(draft.chain, **chain)
    return draft


def put(draft: Draft, view: ChannelView, **fields: Any) -> ChannelView:
    """The channel with other fields, in this step."""
    view = replace(view, **fields)
    draft.put(view)
    return view


def sent(draft: Draft) -> list[Transaction]:
    """Transactions of the step."""
    return [made.transaction for made in draft.step().effects if isinstance(made, Submit)]


def said(draft: Draft) -> list[Message]:
    """Messages of the step."""
    return [made.message for made in draft.step().effects if isinstance(made, Send)]


def told(draft: Draft) -> list[Notice]:
    """Notices of the step."""
    return [made.notice for made in draft.step().effects if isinstance(made, Notify)]


def carry_out(party: Party, draft: Draft) -> None:
    """What a test has made by hand becomes a step of the node: stored, and signed."""
    step = draft.step()
    party.node.books.apply(step)
    party.store.write(step.writes, step.drops)
    asked = [effect for effect in step.effects if isinstance(effect, Sign)]
    party.node.post([Signed(sign, party.signer.sign_now(sign)) for sign in asked])
