"""What a game that goes wrong raises."""

from __future__ import annotations

__all__ = ["Violated"]


class Violated(AssertionError):
    """An honest party's node did what no rule allows, or lost what was promised."""

    def __init__(self, rule: str, **values: object) -> None:
        shown = ", ".join(f"{name}={value!r:.400}" for name, value in values.items())
        super().__init__(f"{rule}: {shown}")
        self.rule = rule
