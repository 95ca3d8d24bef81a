"""The command line: `populus`, `python -m populus`."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from populus import __version__
from populus.exceptions import PopulusError
from populus.project import Project

__all__ = ["main"]


class _Group(click.Group):
    """Shows what the user can put right as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PopulusError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group)
@click.option("-p", "--project", "folder", default=".", help="Folder of the project.")
@click.option("-l", "--logging", "level", default="WARNING", help="Level of the log on stderr.")
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context, folder: str, level: str) -> None:
    """Compile, test and deploy smart contracts."""
    logging.basicConfig(level=level.upper())
    ctx.obj = Path(folder)


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
    click.echo("> Wrote compiled assets to: build/contracts.json")
