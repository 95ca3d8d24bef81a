"""Where a store on PostgreSQL is: its database and its witness, as libpq names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from perun.errors import Misuse

__all__ = ["BadPlace", "PostgresPlace", "is_postgres"]

_PREFIXES: Final = ("postgresql://", "postgres://")


@dataclass(eq=False)
class BadPlace(Misuse):
    """A database is named in a way that we do not take."""

    place: str
    reason: str

    template: ClassVar[str] = "{place}: {reason}"
    hint: ClassVar[str] = "name it as postgresql://user@host/name; the password is in a passfile"


def is_postgres(text: str) -> bool:
    """Whether a setting names a database rather than a file."""
    return text.startswith(_PREFIXES)


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A database and its witness.

    Raises:
        BadPlace: one of them is no such name, or has a password in it, or both are the same.
    """

    database: str
    witness: str

    def __post_init__(self) -> None:
        if not self.witness:
            raise BadPlace(shown(self.database), "has no witness, without which nothing is signed")
        for url in (self.database, self.witness):
            if "password" in _parts(url):
                raise BadPlace(shown(url), "has a password in it, and settings hold no secrets")

    def __str__(self) -> str:
        return shown(self.database)


def _parts(url: str) -> dict[str, Any]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not is_postgres(url):
        raise BadPlace(url, f"does not begin with {_PREFIXES[0]}")
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise BadPlace("a name of a database", str(error).strip()) from None


def shown(url: str) -> str:
    """A database's name for people, without what may be secret."""
    try:
        parts = _parts(url)
    except BadPlace:
        return _PREFIXES[0] + "…"
    host = parts.get("host", "localhost")
    port = f":{parts['port']}" if "port" in parts else ""
    return f"{_PREFIXES[0]}{host}{port}/{parts.get('dbname', '')}"
