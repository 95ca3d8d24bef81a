"""The page's bad day that costs most if it goes wrong; `make survive` has all of them."""

from __future__ import annotations

import shutil

import pytest

from perun.api.page import is_built
from tests.node.processes.page.survive import survive
from tests.node.processes.page.test_browser import DAPP, needs

pytestmark = [pytest.mark.slow, pytest.mark.chain]


def test_a_page_gets_its_own_from_a_hub_that_cheats() -> None:
    needs(shutil.which("chromium"), "chromium is not installed")
    needs((DAPP / "node_modules" / "playwright-core").exists(), "`make page` was not run")
    needs(is_built(), "the page is not built: make page")
    assert survive(["hubCheats"]) == 0
