"""What a daemon is told: one TOML file, any setting of which may come from the environment instead.

`PERUN_CHAIN_RPC=http://…` stands for `rpc` in `[chain]`; a list has commas between. Secrets are
never settings: they are in files, whose paths are. Paths are below the folder of the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, get_args, get_type_hints

import msgspec

from perun.errors import Misuse, PerunError
from perun.units import ETHER_UNITS, format_ether, parse_units

__all__ = [
    "Amount",
    "ApiSettings",
    "BackupSettings",
    "BadSettings",
    "ChainSettings",
    "HubSettings",
    "NoNode",
    "NodeSettings",
    "PolicySettings",
    "Settings",
    "TokenSettings",
    "TowerSettings",
    "USUAL_ADMIN",
    "USUAL_API",
    "WireSettings",
    "read_amount",
    "read_settings",
    "write_settings",
]

FILE_NAME: Final = "perun.toml"
USUAL_API: Final = "127.0.0.1:7071"
USUAL_ADMIN: Final = "127.0.0.1:7072"
_PREFIX: Final = "PERUN_"
_NOT_SETTINGS: Final = frozenset({"PERUN_HOME", "PERUN_PASSWORD", "PERUN_UP"})
_AMOUNT: Final = re.compile(r"\s*([0-9.]+)\s*([A-Za-z]+)\s*")

Port = Annotated[int, msgspec.Meta(ge=0, lt=65_536)]
TokenName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9.]{0,15}$")]
Millionths = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


@dataclass(eq=False)
class BadSettings(Misuse):
    """A setting is unknown or has a value that it cannot have."""

    where: str
    reason: str

    template: ClassVar[str] = "{where}: {reason}"
    hint: ClassVar[str] = "mend the file or the variable, and start again"


class NoNode(BadSettings):
    """There is no node in a folder."""

    template: ClassVar[str] = "{where}: {reason}"
    hint: ClassVar[str] = "make one by `perun init`, or name another folder: --home, PERUN_HOME"

    def __init__(self, home: str) -> None:
        super().__init__(home, "no node is here")


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of the file; a name that is not here is refused."""


class Amount(int):
    """Wei, which people write as `"0.5 ether"` or `"30 gwei"`."""

    def __str__(self) -> str:
        return f"{format_ether(int(self))} ether"


class ChainSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[chain]`: the chain and the contracts on it."""

    rpc: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=2)]
    """Addresses of Ethereum nodes, `http://…` or `ws://…`; two are compared."""
    contracts: str = "contracts.json"
    """File with the contracts' addresses (`perun.save`)."""
    since: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Block in which they were deployed: nothing before it is looked at."""
    games: tuple[str, ...] = ()
    """Rules of games besides those in that file, `Name=0x…`; you have read what they do …"""
    views: tuple[str, ...] = ()
    """… and files of Python that say how they look (`perun nano new`)."""
    finality_blocks: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    """Blocks after which one counts as final; not set: as the chain's limits say."""


class NodeSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[node]`: who we are, and where that is kept."""

    store: str = "store.sqlite"
    """A file, or `postgresql://user@host/name`: a database of its own for this node …"""
    witness: str = ""
    """… and then `postgresql://user@host/name` on another server (docs/guides/run-a-hub.md)."""
    keys: str = "keys.json"
    password_file: str = ""
    """Opens the keys; not set: PERUN_PASSWORD, or the terminal."""
    account_keyfile: str = ""
    """An account of its own, in place of the phrase's first one; same password."""


class WireSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[wire]`: how peers reach us."""

    listen: str = ""
    """`127.0.0.1:7070`; not set: we dial only, and are reached where we are attached."""
    hosts: tuple[str, ...] = ()
    """How others dial it, `host[:port]`."""
    hubs: tuple[str, ...] = ()
    """Addresses, `perun1…@host`, where we are attached for good, and can be reached."""
    strangers: bool = False
    """Whether nodes that we do not know may reach us; a hub is open to all."""
    tls_certificate: str = ""
    tls_key: str = ""
    proxy: bool = False
    """A proxy of yours stands in front, has TLS, and names who comes in `X-Forwarded-For`."""
    nats: str = ""
    """`nats://host:port,…`: gateways hold our peers' sockets, and reach us there …"""
    nats_user: str = ""
    nats_password_file: str = ""


class ApiSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[api]`: for command line, page and programs on this machine."""

    listen: str = ""
    """Not set: `USUAL_API`, or a free port if another program has that; `api.json` says which."""
    token_file: str = "token"  # noqa: S105  # a file's name
    pages: tuple[str, ...] = ()
    """Web pages that may call with a token of yours, such as `http://localhost:7080`."""


class PolicySettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[policy]`: what is agreed to without asking. Limits are in wei, or in ether if they say so;
    in a token they are what is worth as much, and in one without a price nothing."""

    greatest_deposit: Amount = Amount(0)
    """Most that we put into a channel that somebody offers."""
    greatest_deposits: Amount | None = None
    """… and into all of them together."""
    greatest_lock: Amount | None = None
    greatest_fee: Amount = Amount(10**15)
    """Most that a hub is paid for one virtual channel."""
    greatest_loss: Amount = Amount(0)
    """Most that others may take from us unasked, in one channel, by transfers and coin flips."""
    small_channels: bool = False
    """Also take part in channels that cost more to enforce than they hold."""


class BackupSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[backup]`: where our own go, and whether we keep those of others."""

    places: tuple[str, ...] = ()
    """`host[:port]` or `perun1…@host` of whoever keeps them, or the path of a folder."""
    keep: bool | None = None
    """Keep those of others; not set: if we are a hub."""
    folder: str = "backups"
    """… below this folder."""


class TowerSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[tower]`: who watches for us, and whether we watch for others."""

    addresses: tuple[str, ...] = ()
    """`host[:port]` or `perun1…@host` of towers that are told what we could lose by."""
    serve: bool = False
    """Watch for others; answers are paid by an account of its own, the phrase's second."""
    clients: tuple[str, ...] = ()
    """Node ids for whom; not set: whoever comes, on test networks only."""
    folder: str = "clients"


class TokenSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[tokens.USDC]`: a token that we deal in, by the name that people use here."""

    address: Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{40}$")]
    decimals: Annotated[int, msgspec.Meta(ge=0, le=36)]
    for_one_ether: str = ""
    """So many of it are worth one ETH, `"3000"`: what a dispute costs is weighed by it. Not set:
    it is taken in any amount, whatever a dispute costs, and nothing of it is put in, locked or paid
    unasked."""


class HubSettings(_Section, frozen=True, forbid_unknown_fields=True):
    """`[hub]`: prices and bounds; with this section we are one."""

    base_fee: Amount = Amount(0)
    amount_ppm: Millionths = 0
    """Parts of a million of what is locked."""
    amount_day_ppm: Millionths = 0
    """… and of that, for each day."""
    open_fee: Amount = Amount(0)
    """For every channel with a share of ours …"""
    share_day_ppm: Millionths = 0
    """… and parts of a million of the share, for each day …"""
    paid_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 30
    """… of so many, after which we close it if nobody uses it …"""
    exit_gas: bool = True
    """… and the gas of one exit alone."""
    greatest_share: Amount = Amount(0)
    """Most that we put into a channel out of our credit."""
    credit: Amount = Amount(0)
    """How much credit we keep in the contract; refilled from the account."""
    greatest_deposits: Amount | None = None
    """Most of ours in all channels together; not set: ten times `credit`."""
    greatest_lock: Amount | None = None
    peer_quota: Amount | None = None
    neighbours: tuple[str, ...] = ()
    """Addresses of hubs that payments may go on to, as soon as there is a channel with them."""
    admin: str = ""
    """For its operator, on this machine; not set: `USUAL_ADMIN`, or a free port."""
    faucet: Amount | None = None
    """What anybody may ask for once; on test networks only …"""
    faucet_each_address: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 3
    """… so often a day from one network address …"""
    faucet_each_day: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100
    """… and from all."""


class Settings(_Section, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    chain: ChainSettings
    node: NodeSettings = NodeSettings()
    wire: WireSettings = WireSettings()
    api: ApiSettings = ApiSettings()
    policy: PolicySettings = PolicySettings()
    backup: BackupSettings = BackupSettings()
    tower: TowerSettings = TowerSettings()
    hub: HubSettings | None = None
    tokens: dict[TokenName, TokenSettings] = {}


def read_settings(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file, with those of the environment in their place.

    Args:
        environment: this process's if not given.

    Raises:
        NoNode: there is no such file.
        BadSettings: it cannot be read; a name is unknown or a value wrong.
    """
    try:
        with file.open("rb") as opened:
            content = tomllib.load(opened)
    except FileNotFoundError:
        raise NoNode(str(file.parent)) from None
    except OSError as error:
        raise BadSettings(str(file), error.strerror or type(error).__name__) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSettings(str(file), str(error)) from None
    given = os.environ if environment is None else environment
    where = str(file)
    for name in sorted(given):
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS:
            _place(content, name, given[name])
            where = f"{file} and PERUN_…"
    try:
        return msgspec.convert(content, Settings, strict=False, dec_hook=_read_amount)
    except msgspec.ValidationError as error:
        raise BadSettings(where, str(error)) from None


def write_settings(file: Path, settings: Settings) -> None:
    """Writes what is not as it would be anyway.

    Raises:
        BadSettings: the file cannot be written.
    """
    lines = []
    for section in settings.__struct_fields__:
        value = getattr(settings, section)
        if isinstance(value, dict):
            for name, token in value.items():
                lines += [f'[{section}."{name}"]', *_rows(token), ""]
        elif value is not None:
            rows = _rows(value)
            if rows or section == "hub":
                lines += [f"[{section}]", *rows, ""]
    try:
        file.write_text("\n".join(lines), encoding="utf-8")
    except OSError as error:
        raise BadSettings(str(file), error.strerror or type(error).__name__) from None


def _rows(section: msgspec.Struct) -> list[str]:
    return [
        f"{name} = {_toml(getattr(section, name))}"
        for name in section.__struct_fields__
        if not _is_default(section, name)
    ]


def _is_default(section: msgspec.Struct, name: str) -> bool:
    for field in msgspec.structs.fields(section):
        if field.name == name:
            return bool(field.default == getattr(section, name))
    return False


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and not isinstance(value, Amount):
        return str(value)
    # JSON's strings are TOML's.
    return msgspec.json.encode(str(value)).decode()


def _place(content: dict[str, Any], name: str, value: str) -> None:
    """Puts a variable where the file would have it."""
    section, _, key = name.removeprefix(_PREFIX).lower().partition("_")
    kinds = get_type_hints(Settings)
    if section not in kinds or not key:
        raise BadSettings(name, "no such setting")
    if section == "tokens":
        raise BadSettings(name, "tokens are named in the file only")
    kind = next((k for k in (kinds[section], *get_args(kinds[section])) if hasattr(k, key)), None)
    if kind is None:
        raise BadSettings(name, f"[{section}] has no {key}")
    table = content.setdefault(section, {})
    if not isinstance(table, dict):
        raise BadSettings(name, f"[{section}] is no table in the file")
    many = get_type_hints(kind)[key] == tuple[str, ...]
    table[key] = [part.strip() for part in value.split(",") if part.strip()] if many else value


def read_amount(text: str) -> Amount:
    """An amount as people write it. Raises `BadSettings`."""
    try:
        found: Amount = _read_amount(Amount, text)
    except ValueError as error:
        raise BadSettings(text, str(error)) from None
    return found


def _read_amount(kind: type, value: Any) -> Any:
    if kind is not Amount:
        raise TypeError(kind)
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    decimals = ETHER_UNITS.get(match[2].lower()) if match else None
    if match is None or decimals is None:
        raise ValueError(f"{value!r} is no amount such as '0.5 ether'")
    try:
        return Amount(parse_units(match[1], decimals))
    except PerunError as error:
        raise ValueError(str(error)) from None
