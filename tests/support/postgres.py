"""PostgreSQL for tests: servers of our own, on 127.0.0.1, in folders of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

import psycopg

from perun.store.postgres.place import PostgresPlace

__all__ = ["Cluster", "Servers", "by_way_of", "programs", "servers"]

_NOT_ROOT = ("postgres", "nobody")


@cache
def programs() -> Path | None:
    """Where PostgreSQL's programs are, if it is installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3])
    )
    return versions[-1].parent if versions else None


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as: it refuses root."""
    if os.getuid() != 0:
        return None
    for name in _NOT_ROOT:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("nobody is there to run a server as")


class Cluster:
    """One server, from construction to `stop`."""

    def __init__(self, *, durable: bool = False) -> None:
        """Args:
        durable: waits for the disk at each commit, as in earnest.
        """
        self._bin = programs()
        assert self._bin is not None
        self._user = _user()
        self.folder = Path(mkdtemp(prefix="perun-pg-", dir="/tmp"))  # sockets: short
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self.port = 0
        self._run("initdb", "-D", "data", "-U", "perun", "-A", "trust", "-N", "-E", "UTF8")
        settings = {
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": f"'{self.folder}'",
            "shared_buffers": "'16MB'",
            "max_connections": 60,
            "fsync": "on" if durable else "off",
            "autovacuum": "off",
        }
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self._made = 0
        for left in (2, 1, 0):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            # Somebody else may take it before we do.
            if self.start(check=not left):
                break

    def start(self, *, check: bool = True) -> bool:
        """Starts it, and waits until it answers; whether it does."""
        options = ("-w", "-D", "data", "-l", "log", "-o", f"-p {self.port}")
        return self._run("pg_ctl", "start", *options, check=check)

    @property
    def pid(self) -> int:
        """Of its first process; 0: it does not run."""
        try:
            pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError, IndexError):
            return 0
        return 0 if state == "Z" else pid

    def kill(self) -> None:
        """`kill -9` of its first process; the others end when they notice."""
        with suppress(ProcessLookupError):
            os.kill(self.pid or 2**22, signal.SIGKILL)

    def stop(self, mode: str = "immediate") -> None:
        """Stops it; `immediate` is what a power cut is, but for the disk."""
        self._run("pg_ctl", "stop", "-m", mode, "-D", "data", check=False)

    def close(self) -> None:
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str = "postgres") -> str:
        """A database of it."""
        return f"postgresql://perun@127.0.0.1:{self.port}/{name}"

    def new(self) -> str:
        """An empty database."""
        self._made += 1
        name = f"perun{self._made}"
        self.ask(f"CREATE DATABASE {name}")
        return self.url(name)

    def ask(self, sql: str, url: str | None = None) -> list[tuple[object, ...]]:
        """What one statement says, as an outsider."""
        with psycopg.connect(url or self.url(), autocommit=True) as db:
            found = db.execute(sql.encode())
            return found.fetchall() if found.description else []

    def copy(self, url: str) -> str:
        """A database as it stands, under another name: what a backup or replica has."""
        self._made += 1
        name = f"perun{self._made}"
        self.ask(f"CREATE DATABASE {name} TEMPLATE {url.rsplit('/', 1)[1]}")
        return self.url(name)

    def _run(self, program: str, *arguments: str, check: bool = True) -> bool:
        assert self._bin is not None
        # The server would hold a pipe open, so what it says goes into a file.
        said = self.folder / f"{program}.log"
        with said.open("w") as output:
            done = subprocess.run(
                [str(self._bin / program), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **(
                    {}
                    if self._user is None
                    else {
                        "user": self._user.pw_uid,
                        "group": self._user.pw_gid,
                        "extra_groups": [],
                    }
                ),
            )
        assert not check or done.returncode == 0, said.read_text()
        return done.returncode == 0


def by_way_of(place: PostgresPlace, database: str, witness: str) -> PostgresPlace:
    """The same, where its servers are reached at other hosts with ports: proxies."""
    ways = (place.database, database), (place.witness, witness)
    return PostgresPlace(
        *(urlsplit(url)._replace(netloc=f"perun@{host}").geturl() for url, host in ways)
    )


class Servers:
    """A database's server and a witness's."""

    def __init__(self, database: Cluster, witness: Cluster) -> None:
        self.database, self.witness = database, witness
        self._witness = witness.new()

    def place(self) -> PostgresPlace:
        """Of a new store; many have one witness."""
        return PostgresPlace(self.database.new(), self._witness)

    def place_of(self, _: str) -> PostgresPlace:
        """… whosever it is."""
        return self.place()

    def cut(self, process: int) -> None:
        """Ends whatever sessions a process of this machine has with either."""
        for server in (self.database, self.witness):
            server.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name LIKE '%:{process}'"
            )


@contextmanager
def servers(*, durable: bool = False) -> Iterator[Servers]:
    """Two, while it lasts."""
    database = Cluster(durable=durable)
    try:
        witness = Cluster(durable=durable)
        try:
            yield Servers(database, witness)
        finally:
            witness.close()
    finally:
        database.close()
