"""Writes the files: `python -m tests.vectors`."""

from __future__ import annotations

from tests.vectors import FOLDER
from tests.vectors.generate import rendered

if __name__ == "__main__":
    for name, text in rendered().items():
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}.json")
