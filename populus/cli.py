"""The command line: `populus`, `python -m populus`."""

from __future__ import annotations

import code
import json
import logging
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from eth_account import Account
from requests.exceptions import RequestException
from web3 import Web3
from web3.exceptions import Web3Exception

from populus import __version__
from populus.arguments import parse_option
from populus.chain import AnvilChain, BaseChain, chain_class, chain_names
from populus.config import Config, modernized
from populus.deploy import Deployment
from populus.exceptions import ConfigError, DeploymentError, PopulusError
from populus.keys import account_of, write_keystore
from populus.locking import write_json
from populus.places import CONFIG_NAME, OLD_NAME, config_file
from populus.project import Project
from populus.reading import read_json
from populus.scaffold import create_project
from populus.schema import check, nearest
from populus.sending import Price
from populus.verification import verification

__all__ = ["main"]

_LEVELS = ["debug", "info", "warning", "error"]


class _Group(click.Group):
    """Shows what the user can put right as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (PopulusError, Web3Exception, RequestException, OSError) as error:
            logging.getLogger("populus").debug("details", exc_info=True)
            raise click.ClickException(str(error) or type(error).__name__) from None


class Gwei(click.ParamType):
    """A price per gas as people say it: gwei, fractions allowed."""

    name = "gwei"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Wei."""
        try:
            return int(Web3.to_wei(Decimal(value), "gwei"))
        except (ArithmeticError, ValueError):
            self.fail(f"{value!r} is no number of gwei", param, ctx)


@click.group(cls=_Group)
@click.option("-p", "--project", "folder", default=".", help="Folder of the project.")
@click.option(
    "-l",
    "--logging",
    "level",
    default="warning",
    type=click.Choice(_LEVELS, case_sensitive=False),
    help="What to log on stderr.",
)
@click.version_option(__version__, prog_name="populus")
@click.pass_context
def main(ctx: click.Context, folder: str, level: str) -> None:
    """Compile, test and deploy smart contracts."""
    logging.basicConfig(level=level.upper())
    ctx.obj = Path(folder)


@main.command()
@click.pass_obj
def init(folder: Path) -> None:
    """Make a project: configuration, an example contract and its test."""
    folder.mkdir(parents=True, exist_ok=True)
    written, kept = create_project(folder)
    for path in kept:
        click.echo(f"{path} exists and stays as it is")
    for path in written:
        click.echo(f"Created {path}")
    click.echo("Next: populus compile, then pytest tests")


@main.command()
@click.pass_obj
def compile(folder: Path) -> None:
    """Compile all contracts into build/contracts.json, and committed artifacts if configured."""
    project = Project(folder)
    contracts = project.compile()
    click.echo(f"> Found {len(project.sources.own)} contract source files")
    for name in sorted(project.sources.own):
        click.echo(f"  - {name}")
    click.echo(f"> Compiled {len(contracts)} contracts")
    for name, data in sorted(contracts.items()):
        click.echo(f"  - {data['source_path']}:{name}")
    written = Path(project.compiled_contracts_asset_path)
    click.echo(f"> Wrote compiled assets to: {_shown_path(project, written)}")


def _shown_path(project: Project, path: Path) -> str:
    return str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path)


@main.command()
@click.option("-c", "--chain", "chain_name", help="Name of the chain; asked for on a terminal.")
@click.option(
    "--wait-for-sync/--no-wait-for-sync", default=True, help="Wait until the node has caught up."
)
@click.option(
    "--args",
    "options",
    multiple=True,
    metavar="NAME=JSON",
    help="Constructor arguments of a contract; beats deployment.arguments.",
)
@click.option("--max-fee", type=Gwei(), metavar="GWEI", help="Most to pay per gas, tip included.")
@click.option("--tip", type=Gwei(), metavar="GWEI", help="Of it to the block's builder.")
@click.option(
    "--timeout", default=600.0, show_default=True, help="Seconds to wait for each transaction."
)
@click.option(
    "--replace", is_flag=True, help="Outbid what an earlier run has sent and no block holds."
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent and what it may cost.")
@click.argument("contracts", nargs=-1)
@click.pass_obj
def deploy(
    folder: Path,
    chain_name: str | None,
    wait_for_sync: bool,
    options: Sequence[str],
    max_fee: int | None,
    tip: int | None,
    timeout: float,
    replace: bool,
    dry_run: bool,
    contracts: Sequence[str],
) -> None:
    """Deploy CONTRACTS, or those of deployment.contracts, and all they need."""
    project = Project(folder)
    arguments = dict(project.config.filled("deployment.arguments", {}))
    arguments |= dict(parse_option(text) for text in options)
    names = list(contracts) or list(project.config.get("deployment.contracts", []))
    if chain_name is None:
        chain_name = _ask("chain", chain_names(project), "Name one: --chain tester")
    chain_class(project, chain_name)  # an unknown chain is told before anything is compiled
    if not names:
        deployable = [
            name
            for name, data in project.compiled_contract_data.items()
            if data["bytecode"] != "0x"
        ]
        hint = "Name contracts, or list them in deployment.contracts of populus.json."
        names = [_ask("contract to deploy", sorted(deployable), hint)]
    with project.get_chain(chain_name) as chain:
        if wait_for_sync:
            _wait_for_sync(chain)
        price = Price(max_fee, tip)
        deployment = Deployment(chain, arguments, click.echo, timeout, price=price, replace=replace)
        if dry_run:
            click.echo("\n".join(deployment.plan(names)))
            return
        done = deployment.run(names)
    sent = [item for item in done if item.transaction is not None]
    if sent:
        click.echo("Deployment Successful.")
    else:
        click.echo("Nothing to deploy: everything stands already.")


def _ask(what: str, choices: Sequence[str], hint: str) -> str:
    if not _on_terminal():
        raise DeploymentError(f"No {what} was named.", hint)
    if not choices:
        raise DeploymentError(f"There is no {what}.")
    for index, choice in enumerate(choices):
        click.echo(f"{index}: {choice}")
    known = [*map(str, range(len(choices))), *choices]
    answer: str = click.prompt(f"Which {what}?", type=click.Choice(known), show_choices=False)
    return answer if answer in choices else choices[int(answer)]


def _on_terminal() -> bool:
    return sys.stdin.isatty()


def _wait_for_sync(chain: BaseChain) -> None:
    told = False
    while chain.web3.eth.syncing:
        if not told:
            click.echo("Waiting for the node to catch up; --no-wait-for-sync does not wait.")
            told = True
        time.sleep(1)


@main.group()
def chain() -> None:
    """List and run chains."""


@chain.command("list")
@click.pass_obj
def chain_list(folder: Path) -> None:
    """Show the chains this project can use."""
    project = Project(folder)
    for name in chain_names(project):
        try:
            kind = chain_class(project, name)
            place = "populus.chain" if kind.__module__.startswith("populus.") else kind.__module__
            shown = f"{place}.{kind.__name__}"
        except ConfigError as error:
            shown = error.message  # of an old project, say: the others are still of use
        click.echo(f"{name:<12} {shown}")


@chain.command("run")
@click.argument("name")
@click.pass_obj
def chain_run(folder: Path, name: str) -> None:
    """Run a chain of the project until Ctrl-C."""
    project = Project(folder)
    kind = chain_class(project, name)
    if not issubclass(kind, AnvilChain):
        raise ConfigError(
            f"The chain {name!r} is not a program that could be run.",
            "tester lives in the memory of each process, external chains run elsewhere; "
            "`populus chain run anvil` runs a node.",
        )
    # End the node on either signal, also where whoever started us in the background ignores one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    started = project.get_chain(name)
    assert isinstance(started, AnvilChain)
    started.say = click.echo
    try:
        with started:
            assert started.process is not None
            started.process.wait()
    except KeyboardInterrupt:
        click.echo("Stopped.")


@main.command()
@click.option("-c", "--chain", "chain_name", default="tester", show_default=True, help="Its name.")
@click.pass_obj
def console(folder: Path, chain_name: str) -> None:
    """Python with a running chain: project, chain, web3, provider, and every contract by name."""
    project = Project(folder)
    with project.get_chain(chain_name) as running:
        names = {
            **running.base_contract_factories,
            "project": project,
            "chain": running,
            "web3": running.web3,
            "provider": running.provider,
        }
        code.interact(f"{chain_name}: {', '.join(names)}", local=names, exitmsg="")


@main.command("standard-json")
@click.option("-c", "--chain", "chain_name", help="Chain whose addresses of libraries are linked.")
@click.argument("contract")
@click.pass_obj
def standard_json(folder: Path, chain_name: str | None, contract: str) -> None:
    """Write what an explorer asks for to verify CONTRACT."""
    project = Project(folder)
    addresses = None
    if chain_name is not None:
        with project.get_chain(chain_name) as running:
            libraries = running.provider.get_contract_data(contract)["direct_dependencies"]
            addresses = {name: running.provider.get_contract_address(name) for name in libraries}
    found = verification(project, contract, addresses)
    target = project.build_dir / "standard-json" / f"{contract}.json"
    write_json(target, found.standard_json)
    click.echo(f"Contract: {found.contract}")
    click.echo(f"Compiler: {found.compiler}")
    click.echo(f"Wrote standard JSON input to: {_shown_path(project, target)}")


@main.group()
def key() -> None:
    """Make key files, which keep a private key under a password."""


@key.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.password_option(help="Asked for if it is not given.")
def key_new(file: Path, password: str) -> None:
    """Write a key that nobody has had before to FILE."""
    _write_key(file, Account.create(), password)


@key.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--private-key", prompt=True, hide_input=True, help="Asked for if it is not given.")
@click.password_option(help="Asked for if it is not given.")
def key_import(file: Path, private_key: str, password: str) -> None:
    """Write a private key that you have to FILE."""
    _write_key(file, account_of(private_key.strip(), "What was given"), password)


def _write_key(file: Path, account: Any, password: str) -> None:
    write_keystore(file, account, password)
    click.echo(f"Wrote {file}: {account.address}")
    click.echo("Name it in chains.NAME.web3.eth.keystore; without its password it is lost.")


@main.group()
def config() -> None:
    """Show the configuration of the project."""


@config.command("list")
@click.pass_obj
def config_list(folder: Path) -> None:
    """Show every setting; references are followed, variables are not filled."""
    for key, value in _flat(Project(folder).config.to_dict()):
        click.echo(f"{key}: {_shown(value)}")


@config.command("get")
@click.argument("key")
@click.pass_obj
def config_get(folder: Path, key: str) -> None:
    """Show one setting: compilation.backend.class, say."""
    settings = Project(folder).config
    if key not in settings:
        known = [name for name, _ in _flat(settings.to_dict())]
        raise ConfigError(f"populus.json has no setting {key!r}.", nearest(key, known))
    value = settings[key]
    click.echo(_shown(value.to_dict() if isinstance(value, Config) else value))


@config.command("convert")
@click.pass_obj
def config_convert(folder: Path) -> None:
    """Write populus.json from a project.json of Populus 2.2, which stays as it is."""
    target, old = folder / CONFIG_NAME, config_file(folder)
    if old is None or old == target:
        raise ConfigError(f"There is no {OLD_NAME} to convert{' any more' if old else ''}.")
    values, left_out = modernized(read_json(old.read_bytes()))
    check(values, old.name)
    write_json(target, values)
    click.echo(f"Wrote {target.name}")
    for key in left_out:
        click.echo(f"  left out: {key}")


def _flat(values: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{at}.{key}" if at else key
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
