"""Addresses to listen at, as settings have them."""

from __future__ import annotations

import ipaddress

from perun.daemon.settings import BadSettings

__all__ = ["is_here", "place_of"]


def is_here(bind: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def place_of(text: str) -> tuple[str, int]:
    """`host:port` of a setting.

    Raises:
        BadSettings: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadSettings(text, "is no address to listen at, such as 127.0.0.1:7070")
    return host.strip("[]"), int(port)
