"""A project: a folder with `populus.json`, contracts, tests, and what is built from them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from populus.artifacts import read_artifacts, write_artifacts
from populus.chain import BaseChain, chain_class
from populus.compiler import CompilerSettings, ContractData, compile_sources
from populus.config import Config, load_config
from populus.exceptions import CompilerError, ConfigError
from populus.locking import write_json
from populus.places import CONFIG_NAME, build_folder, config_file
from populus.settings import compiler_settings
from populus.sources import SourceSet, collect_sources

__all__ = ["Project"]


class Project:
    """The main entry: `Project().get_chain("tester")`, `Project(folder).compiled_contract_data`."""

    def __init__(self, project_dir: str | Path | None = None) -> None:
        self.root = Path(project_dir) if project_dir is not None else Path.cwd()
        if not self.root.is_dir():
            raise ConfigError(f"There is no project folder {str(self.root)!r}.")
        self._with_test_contracts = False

    # -- where things are ------------------------------------------------------------------

    @property
    def project_dir(self) -> str:
        """Path of the project as text, as Populus gave it."""
        return str(self.root)

    @property
    def config_file_path(self) -> str:
        return str(config_file(self.root) or self.root / CONFIG_NAME)

    @property
    def tests_dir(self) -> str:
        return str(self.root / "tests")

    @cached_property
    def build_dir(self) -> Path:
        """Where results go: `build`, or a folder of our own if the project is read-only."""
        return build_folder(self.root)

    @property
    def build_asset_dir(self) -> str:
        return str(self.build_dir)

    @property
    def compiled_contracts_asset_path(self) -> str:
        return str(self.build_dir / "contracts.json")

    @property
    def contracts_source_dirs(self) -> list[str]:
        """Folders with Solidity files, as written in the configuration."""
        for key in ("contracts_source_dirs", "contract_source_dirs", "contracts_source_dir"):
            value = self.config.get(f"compilation.{key}")
            if value is not None:
                return [value] if isinstance(value, str) else list(value)
        return ["./contracts"]

    # -- configuration ---------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """`populus.json`, checked."""
        return load_config(config_file(self.root))

    # -- contracts -------------------------------------------------------------------------

    @property
    def compiled_contract_data(self) -> dict[str, ContractData]:
        """Contract data by name: from committed artifacts, from the cache, or compiled now."""
        if self._with_test_contracts:
            return {**self._contracts, **self._test_contracts}
        return self._contracts

    @cached_property
    def sources(self) -> SourceSet:
        return collect_sources(self.root, self.contracts_source_dirs, self._remappings)

    @cached_property
    def test_sources(self) -> SourceSet:
        """Contracts for tests only (`compilation.test_source_dirs`), never deployed by name."""
        folders = self.config.get("compilation.test_source_dirs", [])
        found = collect_sources(self.root, folders, self._remappings)
        repeated = found.own.keys() & self.sources.own.keys()
        if repeated:
            raise ConfigError(
                f"{min(repeated)} is in compilation.test_source_dirs and in the source folders."
            )
        return found

    @property
    def _remappings(self) -> list[str]:
        return list(self.config.get("compilation.import_remappings", []))

    @cached_property
    def compiler_settings(self) -> CompilerSettings:
        return compiler_settings(self.config, self._remappings)

    @cached_property
    def _contracts(self) -> dict[str, ContractData]:
        return self._load(self.sources, "compilation.artifacts_dir")

    @cached_property
    def _test_contracts(self) -> dict[str, ContractData]:
        contracts = self._load(self.test_sources, "compilation.test_artifacts_dir")
        repeated = contracts.keys() & self._contracts.keys()
        if repeated:
            raise CompilerError(f"{min(repeated)} is both a contract and a test contract.")
        return contracts

    def use_test_contracts(self) -> None:
        """Offer the contracts of `compilation.test_source_dirs` too (the pytest plugin does)."""
        self._with_test_contracts = True

    def _load(self, sources: SourceSet, artifacts_key: str) -> dict[str, ContractData]:
        folder = self.config.get(artifacts_key)
        if folder is not None:
            committed = read_artifacts(self.root / folder, sources, self.compiler_settings)
            if committed is not None:
                return committed[0]
        return self._compile(sources)[0]

    def _compile(self, sources: SourceSet) -> tuple[dict[str, ContractData], str]:
        return compile_sources(self.root, self.build_dir, sources, self.compiler_settings)

    def compile(self) -> dict[str, ContractData]:
        """Compile everything with a compiler; write `build/contracts.json` and the artifacts.

        Contracts of `compilation.test_source_dirs` get artifacts of their own and stay out of
        `build/contracts.json`.
        """
        self.reload_sources()
        contracts, version = self._compile(self.sources)
        self._write_artifacts("compilation.artifacts_dir", contracts, self.sources, version)
        if self.test_sources.own:
            mocks, version = self._compile(self.test_sources)
            self._write_artifacts(
                "compilation.test_artifacts_dir", mocks, self.test_sources, version
            )
        write_json(Path(self.compiled_contracts_asset_path), contracts)
        return contracts

    def _write_artifacts(
        self, key: str, contracts: dict[str, ContractData], sources: SourceSet, version: str
    ) -> None:
        folder = self.config.get(key)
        if folder is not None:
            write_artifacts(self.root / folder, contracts, sources, self.compiler_settings, version)

    def reload_sources(self) -> None:
        """Forget what was read from disk, configuration included."""
        for name in ("config", "sources", "test_sources", "compiler_settings"):
            self.__dict__.pop(name, None)
        for name in ("_contracts", "_test_contracts"):
            self.__dict__.pop(name, None)

    # -- chains ----------------------------------------------------------------------------

    def get_chain(self, chain_name: str) -> BaseChain:
        """The chain of that name, not yet started: use it as a context manager."""
        return chain_class(self, chain_name)(self, chain_name)
