"""What becomes of transactions, as lines for people."""

from __future__ import annotations

from perun.chain.reports import (
    Blind,
    Disagreement,
    Dropped,
    LeftLying,
    NonceTaken,
    NotTaken,
    Paid,
    Refused,
    Report,
    SeesAgain,
    Sent,
    TooDear,
    TooPoor,
    Unanswered,
)
from perun.cli.render import clock, ether, short

__all__ = ["line"]


def line(report: Report, what: str = "transaction") -> tuple[str, str]:
    """A report's text, and its style: red for what needs a person.

    Args:
        what: is sent here.
    """
    match report:
        case Sent():
            return f"{what} sent: {short(report.hash)}, nonce {report.nonce}", ""
        case Paid():
            did = "is final" if report.succeeded else "reverted"
            cost = f"{report.gas_used:,} gas, {ether(report.paid)} ETH"
            return f"{report.kind} {did}: {cost}", "" if report.succeeded else "red"
        case TooDear():
            prices = f"{ether(report.base_fee)} ETH, by what it saves worth {ether(report.worth)}"
            return f"The {what} waits for cheaper gas: a unit costs {prices}", "yellow"
        case TooPoor():
            needed = f"{ether(report.needed)} are needed"
            return f"The account has {ether(report.balance)} ETH, {needed}.", "red"
        case Refused() | Dropped():
            return report.reason, "yellow"
        case NotTaken():
            return f"The node does not take {short(report.hash)}: {report.reason}", "red"
        case Blind():
            return f"BLIND since {clock(report.since)} UTC: {report.reason}", "bold red"
        case SeesAgain():
            return "Sees again.", "green"
        case Unanswered():
            return f"The node does not tell {report.what}: {report.reason}", "yellow"
        case LeftLying():
            waited = f"no block has taken {short(report.hash)} for {report.blocks} blocks"
            return f"{waited}: give another node", "bold red"
        case Disagreement():
            where = f"{short(report.id)} in block {report.block}"
            return f"The node contradicts itself about {where}: {report.reason}", "yellow"
        case NonceTaken():
            return "Another program sends from this account.", "yellow"
        case _:
            return str(report), "yellow"
