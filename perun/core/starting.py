"""A node begins with what its store has: what it follows, and what goes on to the chain at once."""

from __future__ import annotations

from collections.abc import Iterator

from perun.core.books import Books, Draft
from perun.core.channel import funding, joining
from perun.core.effects import Watch
from perun.core.inputs import Outdated, Restarted
from perun.core.nanocontracts.instances import app_of
from perun.core.state import Stage, StoreMark

__all__ = ["on_outdated", "on_restart", "watches"]


def watches(books: Books) -> Iterator[Watch]:
    """Everything that is to be followed, of whatever the chain has not told the end yet."""
    for view in books.channels.values():
        if not view.final.ended:
            yield Watch(channel=view.id, asset=view.channel.asset, terms=view.channel)
    for instance in books.instances.values():
        yield Watch(app=app_of(books.config.deployment, instance.terms), instance=instance.id)


# Rule store-3.
def on_outdated(draft: Draft, input: Outdated) -> None:
    """From now on this store is exit only (protocol, section 5, Store)."""
    draft.put(StoreMark(reason=input.reason))


def on_restart(draft: Draft, input: Restarted) -> None:  # noqa: ARG001
    """Watches everything again, and takes up what is under way to the chain.

    What was asked of our signer and not signed waits until the peer has been met (`meeting`), but
    for an offer of ours, of which it may know nothing.
    """
    for watch in watches(draft.books):
        draft.watch(watch)
    if draft.books.exit_only:
        return
    for view in draft.books.channels.values():
        if view.final.ended:
            continue
        if view.stage is Stage.OFFERED:
            joining.sign_again(draft, view)
        funding.submit_open_both(draft, view)
        funding.submit_deposits(draft, view)
