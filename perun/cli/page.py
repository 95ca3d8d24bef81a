"""`perun page`: serves the page in which a browser is a node of its own."""

from __future__ import annotations

from typing import Final

import click

from perun.api.page import serve_page
from perun.cli.render import console, say
from perun.daemon.places import place_of
from perun.encoding.addresses import NodeAddress

__all__ = ["COMMANDS", "page"]


@click.command()
@click.option("--rpc", required=True, help="URL of a chain's node, which browsers ask.")
@click.option("--hub", required=True, help="The hub that is proposed: perun1…@host.")
@click.option("--tower", default="", help="Who watches while pages are closed: host[:port].")
@click.option("--name", default="", help="What the network is called.")
@click.option("--listen", default="127.0.0.1:7080", show_default=True, help="Where it is served.")
def page(rpc: str, hub: str, tower: str, name: str, listen: str) -> None:
    """Serve the page: a wallet in a browser, which is a node of its own.

    Whoever serves it could take everything: serve it from your own machine, or from a host that
    runs no hub. On other machines than this one browsers need HTTPS for it.
    """
    NodeAddress.parse(hub)
    host, port = place_of(listen)
    shown = console()
    # Extensions of browsers do not look at pages of 127.0.0.1.
    called = "localhost" if host == "127.0.0.1" else host
    network = {"rpc": rpc, "hub": hub, "tower": tower, "name": name}
    serve_page(host, port, network, lambda: say(shown, f"The page: http://{called}:{port}/"))


COMMANDS: Final = (page,)
