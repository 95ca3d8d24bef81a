"""Public names are listed once, documented, and shown by `help(perun)`."""

from __future__ import annotations

import inspect
import pkgutil
import pydoc
import re
import subprocess
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import perun
from perun.errors import PerunError
from perun.types import Record

HELP = pydoc.render_doc(perun, renderer=pydoc.plaintext)
# Parts whose every file says in `__all__` or by its names alone what is public.
LISTING = ("perun.types", "perun.errors", "perun.units", "perun.signing", "perun.randomness")


def test_all_names_exist_and_are_listed_once() -> None:
    assert len(perun.__all__) == len(set(perun.__all__))
    for name in perun.__all__:
        assert getattr(perun, name) is not None


def test_what_the_face_imports_is_public() -> None:
    api = import_module("perun.names")
    # pytest rewrites what is installed beside its plugin and leaves names no program can write.
    imported = {name for name in vars(api) if name.isidentifier() and not name.startswith("_")}
    assert imported == set(perun.__all__)


def test_star_import_gives_the_same() -> None:
    names: dict[str, Any] = {}
    exec("from perun import *", names)
    assert names.keys() - {"__builtins__"} == set(perun.__all__)


@pytest.mark.parametrize("name", perun.__all__)
def test_help_says_what_a_name_is(name: str) -> None:
    """By the table at its top, and by the documentation of the name itself."""
    table = HELP[: HELP.index("CLASSES")]
    value = getattr(perun, name)
    is_error = inspect.isclass(value) and issubclass(value, PerunError)
    if not is_error:
        assert re.search(rf"\b{name}\b", table), f"{name} is missing in perun.__doc__"
    if inspect.isclass(value) or inspect.isfunction(value):
        doc = inspect.getdoc(value)
        assert doc, name
        assert re.search(rf"^    (class )?{name}\b", HELP, re.MULTILINE), name


@pytest.mark.parametrize("module", LISTING)
def test_each_listing_is_complete(module: str) -> None:
    found = import_module(module)
    own = {
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", None) == module
    }
    assert own - {"ChannelMessage", "MachineMessage", "AnyDomain"} <= set(found.__all__)


def public_functions() -> list[Any]:
    return [value for name in perun.__all__ if inspect.isfunction(value := getattr(perun, name))]


@pytest.mark.parametrize("function", public_functions(), ids=lambda function: function.__name__)
def test_functions_name_every_error_they_raise(function: Any) -> None:
    """Whatever the documentation says a function raises is a class that exists."""
    raised = re.findall(r"^ +((?:[A-Z]\w+(?:, )?)+):", _section(function, "Raises"), re.MULTILINE)
    for name in (part for line in raised for part in line.split(", ")):
        assert issubclass(getattr(perun, name), PerunError), name


def _section(function: Any, title: str) -> str:
    doc = inspect.getdoc(function) or ""
    return doc.partition(f"{title}:\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize(
    "record",
    [
        value
        for name in perun.__all__
        if isinstance(value := getattr(perun, name), type) and issubclass(value, Record)
    ],
    ids=lambda record: record.__name__,
)
def test_records_name_their_source(record: type[Record]) -> None:
    assert re.search(r"section \d|section, \d|EIP-\d", record.__doc__ or ""), record.__doc__


def test_every_error_is_below_one_of_the_five() -> None:
    for module in pkgutil.walk_packages(perun.__path__, "perun."):
        # The last two are for browsers.
        if not any(
            part in module.name for part in (".cli", ".testing", ".backend.page", ".page.worker")
        ):
            import_module(module.name)
    five = {"Misuse", "PeerFault", "ChainFault", "StoreFault", "BrokenInvariant"}
    assert {kind.__name__ for kind in PerunError.__subclasses__()} == five


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = import_module("perun.errors").__doc__ or ""
    for name in import_module("perun.errors").__all__:
        assert name == "show" or re.search(rf"\b{name}\b", drawn), name


def test_the_face_costs_nothing_until_it_is_used() -> None:
    loaded = "print('web3' in sys.modules)"
    code = f"import perun, sys; {loaded}; perun.deploy; {loaded}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = perun.nothing_such
