"""Values as Coq writes them."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["boolean", "integer", "listed"]


def integer(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


def boolean(value: bool) -> str:
    return "true" if value else "false"


def listed(items: Iterable[str]) -> str:
    return "[" + "; ".join(items) + "]"
