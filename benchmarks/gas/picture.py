"""`docs/gas.svg`: our bars among those of others, on one linear scale for each question."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_WIDTH, _LEFT, _RIGHT = 760, 210, 90
_LINE, _GAP = 18, 34
_COLOURS = {"ours": "#1a7f5a", "floor": "#b0b0b0", "peer": "#7d93b2"}

Bar = tuple[str, str, int]
"""Kind, name, gas."""


def draw(questions: Iterable[tuple[str, list[Bar]]]) -> str:
    """An SVG of all questions, each with its bars in ascending order."""
    parts: list[str] = []
    y = 10
    for title, bars in questions:
        y += 20
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(title)}</text>')
        scale = (_WIDTH - _LEFT - _RIGHT) / max(gas for _, _, gas in bars)
        for kind, name, gas in sorted(bars, key=lambda bar: bar[2]):
            y += _LINE
            length = round(gas * scale, 1)
            weight = ' font-weight="bold"' if kind == "ours" else ""
            parts += [
                f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end"{weight}>{escape(name)}</text>',
                f'<rect x="{_LEFT}" y="{y - 11}" width="{length}" height="13" '
                f'fill="{_COLOURS[kind]}"/>',
                f'<text x="{_LEFT + length + 6:g}" y="{y}"{weight}>{gas:,}</text>',
            ]
        y += _GAP - _LINE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" '
        f'viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="12">'
    )
    background = f'<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>'
    return "\n".join((head, background, *parts, "</svg>")) + "\n"
