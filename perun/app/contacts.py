"""Names for nodes, and where they are found."""

from __future__ import annotations

from msgspec.structs import replace

from perun.app import values as v
from perun.app.errors import BadParams, NoSuch
from perun.app.methods import AddContact, GetContacts, RemoveContact
from perun.app.rows import Contact
from perun.app.texts import Who, show_account, show_node, who
from perun.app.work import Work
from perun.types import Address

__all__ = ["add", "listed", "reach_all", "remember", "remove"]


def listed(work: Work, params: GetContacts) -> tuple[v.Contact, ...]:  # noqa: ARG001
    """Everybody, by name."""
    rows = sorted(work.shelf.contacts.values(), key=lambda row: row.name)
    return tuple(_show(work, row) for row in rows)


def _show(work: Work, row: Contact) -> v.Contact:
    live = [
        view
        for view in work.books.channels.values()
        if view.peer == row.peer and not view.head.ended
    ]
    return v.Contact(
        node=show_node(row.peer),
        name=row.name,
        host=row.host,
        account=show_account(row.account) if row.account else None,
        channels=len(live),
    )


def add(work: Work, params: AddContact) -> v.Contact:
    """Gives a node a name."""
    name = params.name.strip()
    if not name or name.lower().startswith("perun"):
        raise BadParams("a name that is not empty, and does not look like an address")
    to = who(work.shelf, params.node)
    if to.peer == work.me:
        raise BadParams("this is your own node")
    before = work.shelf.names.get(to.peer)
    taken = work.shelf.contacts.get(name)
    if taken is not None and taken.peer != to.peer:
        raise BadParams(
            f"{name} is {show_node(taken.peer)}: remove that name first, or take another"
        )
    account = to.account
    if params.account is not None:
        account = Address(bytes.fromhex(params.account[2:]))
    if before is not None and before.name != name:
        work.drop(before)
    row = Contact(name, to.peer, to.host, account)
    work.put(row)
    _reach(work, row)
    return _show(work, row)


def remove(work: Work, params: RemoveContact) -> v.Done:
    """Forgets a name."""
    row = work.shelf.contacts.get(params.name)
    if row is None:
        raise NoSuch("contact", params.name)
    work.drop(row)
    return v.Done(id="0x", state="removed", text=f"{row.name} is forgotten")


def remember(work: Work, to: Who, invitation: bytes = b"") -> None:
    """Keeps where somebody is found whom we have business with, under the host's name or as a
    friend; and which account is theirs.

    Args:
        invitation: what the peer has given out, so that it talks to whoever shows it.
    """
    known = work.shelf.names.get(to.peer)
    if known is not None and to.account and known.account != to.account:
        work.put(replace(known, account=to.account))
    if known is not None and invitation:
        _reach(work, known, invitation)
    if not to.host or known is not None:
        return
    # Many are reached at one hub's host: a friend is told apart by the end of the id.
    wanted = f"friend {show_node(to.peer)[-6:]}" if invitation else to.host
    name, number = wanted, 1
    while name in work.shelf.contacts:
        number += 1
        name = f"{wanted} {number}"
    row = Contact(name, to.peer, to.host, to.account)
    work.put(row)
    _reach(work, row, invitation)


def reach_all(work: Work) -> None:
    """After a start: tells the wire where everybody is."""
    for row in work.shelf.contacts.values():
        _reach(work, row)


def _reach(work: Work, row: Contact, token: bytes = b"") -> None:
    if row.host:
        work.desk.before(lambda: work.reach(row.peer, row.host, token))
