"""`perun wallet`: the page, over the node that runs on this machine."""

from __future__ import annotations

import contextlib
import webbrowser
from pathlib import Path
from typing import Final

import click

from perun.api.client import connect
from perun.api.page import serve_app
from perun.api.place import read_place, tokens_folder
from perun.api.tokens import make_token
from perun.api.wallet_page import Code, wallet_app, write_link
from perun.app.methods import Scope
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.render import console, say
from perun.daemon.places import place_of
from perun.daemon.settings import FILE_NAME, read_settings

__all__ = ["COMMANDS", "wallet"]

TOKEN: Final = "page"  # noqa: S105  # a token's name
_LINK: Final = "wallet.html"


@click.command()
@HOME_OPTION
@click.option("--listen", default="127.0.0.1:7081", show_default=True, help="Where it is served.")
@click.option("--no-browser", is_flag=True, help="Print the link, and open nothing.")
def wallet(home: Path, listen: str, no_browser: bool) -> None:
    """Open the page over your own node, which goes on when the page is closed.

    The link is good once. Whoever follows it may do everything with the node.
    """
    home = home_of(home)
    host, port = place_of(listen)
    shown = console()
    with connect(home=home) as node:
        status = node.status()
    hubs = read_settings(home / FILE_NAME).wire.hubs
    network = {"name": status.network.name, "hub": hubs[0] if hubs else ""}
    token = make_token(tokens_folder(home), TOKEN, Scope.ALL)
    called = "localhost" if host == "127.0.0.1" else host
    link = home / _LINK
    current = [Code()]

    def url() -> str:
        return f"http://{called}:{port}/#code={current[0].text}"

    def take(offered: str) -> bool:
        if not current[0].take(offered):
            return False
        current[0] = Code()
        write_link(link, url())
        say(shown, f"A browser is in. For another one: {url()}")
        return True

    def ready() -> None:
        write_link(link, url())
        say(shown, f"Your wallet: {url()}")
        if not no_browser:
            webbrowser.open(link.as_uri())

    app = wallet_app(lambda: read_place(home).url, network, take, token)
    try:
        serve_app(host, port, app, ready)
    finally:
        with contextlib.suppress(FileNotFoundError):
            link.unlink()


COMMANDS: Final = (wallet,)
