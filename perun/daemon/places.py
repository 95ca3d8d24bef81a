"""Addresses to listen at, as settings have them, and when they need TLS."""

from __future__ import annotations

import importlib.util
import ipaddress
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from perun.daemon.settings import BadSettings, NodeSettings
from perun.node.keeping import Place
from perun.store.postgres.place import PostgresPlace, is_postgres
from perun.wire.mesh import Server

__all__ = ["is_here", "nats_of", "place_of", "require_tls", "store_of", "tls_of"]


def store_of(home: Path, node: NodeSettings) -> Place:
    """Where the store of a node is.

    Raises:
        BadSettings, BadPlace: its setting names nothing that could be one.
    """
    if not is_postgres(node.store):
        if node.witness:
            raise BadSettings("[node] witness", "only a store on PostgreSQL has one")
        return home / node.store
    try:
        return PostgresPlace(node.store, node.witness)
    except ImportError:
        raise BadSettings(
            "[node] store", "PostgreSQL needs `pip install perun-channels[scale]`"
        ) from None


def nats_of(url: str, user: str, password_file: Path | None) -> Server:
    """NATS servers of a setting.

    Raises:
        BadSettings: the address is none or has a password in it, or the file cannot be read.
    """
    for one in url.split(","):
        parts = urlsplit(one.strip())
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise BadSettings(one, "is no address of NATS, such as nats://127.0.0.1:4222")
        if parts.username or parts.password:
            raise BadSettings("nats", "has a user in its address: name that, and a password's file")
        if parts.scheme == "nats" and not is_here(parts.hostname):
            raise BadSettings(one, "is on another machine, so it needs TLS: tls://…")
    if importlib.util.find_spec("nats") is None:
        raise BadSettings("nats", "needs `pip install perun-channels[scale]`")
    password = ""
    if password_file is not None:
        try:
            password = password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "cannot be read"
            raise BadSettings(str(password_file), why) from None
    return Server(url, user, password)


def is_here(bind: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def require_tls(listen: str, secured: bool) -> None:
    """Raises `BadSettings` for an address that others can reach, unless TLS is in front of it."""
    bind, _ = place_of(listen)
    if not secured and not is_here(bind):
        raise BadSettings(
            f"[wire] listen = {listen!r}",
            "others can reach that, so it needs TLS: name a tls_certificate, or say "
            "proxy = true if a proxy of yours in front has it",
        )


def place_of(text: str) -> tuple[str, int]:
    """`host:port` of a setting.

    Raises:
        BadSettings: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadSettings(text, "is no address to listen at, such as 127.0.0.1:7070")
    return host.strip("[]"), int(port)


def tls_of(
    listen: str, certificate: Path | None, key: Path | None, *, proxied: bool
) -> ssl.SSLContext | None:
    """What to serve with at `listen`; None: in clear, on this machine or behind a proxy.

    Raises:
        BadSettings: others could reach it in clear, or the files are none.
    """
    require_tls(listen, certificate is not None or proxied)
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise BadSettings(str(certificate), str(error)) from None
    return context
