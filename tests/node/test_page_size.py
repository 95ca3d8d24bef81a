"""What a first visit transfers, to the byte: the budget of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from perun.api.page import DIST, is_built

MOST_INTERFACE: Final = 250_000
"""Bytes before anything is shown …"""
MOST_IN_ALL: Final = 6_000_000
"""… and until the node runs."""

pytestmark = pytest.mark.skipif(not is_built(), reason="the page is not built: make page")


def transferred(file: Path) -> int:
    """Bytes of a file as it is sent: compressed where that was put beside it."""
    compressed = file.with_name(f"{file.name}.br")
    return (compressed if compressed.exists() else file).stat().st_size


def files() -> list[Path]:
    return [path for path in DIST.rglob("*") if path.is_file() and path.suffix != ".br"]


def test_interface_is_small() -> None:
    page = (DIST / "index.html").read_text(encoding="utf-8")
    named = [path for path in files() if f'/{path.relative_to(DIST)}"' in page]
    assert len(named) > 2, "a script, a style and an icon at least"
    assert sum(map(transferred, [DIST / "index.html", *named])) <= MOST_INTERFACE


def test_first_visit_is_bounded() -> None:
    assert sum(map(transferred, files())) <= MOST_IN_ALL


def test_page_names_what_it_loads_by_hash() -> None:
    page = (DIST / "index.html").read_text(encoding="utf-8")
    assert page.count('integrity="sha384-') == page.count('="/assets/') > 0


def test_service_worker_knows_every_file() -> None:
    worker = (DIST / "offline.js").read_text(encoding="utf-8")
    for path in files():
        if path.name not in ("index.html", "offline.js"):
            assert f'"/{path.relative_to(DIST)}"' in worker
    assert "__" not in worker.replace("__vite-browser-external", "")
