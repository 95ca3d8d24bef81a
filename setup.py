"""Metadata of the distribution `perun-channels` (import names `perun` and `populus`)."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="perun-channels",
    version="0.1.0",
    description="Trustless payment and state channels on Ethereum",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["perun", "perun.*", "populus", "populus.*"]),
    package_data={
        "perun": ["py.typed", "artifacts/*.json", "page/dist/**/*", "nano/assets/*.txt"],
        "populus": ["py.typed", "assets/*.txt"],
    },
    install_requires=[
        "web3==8.0.0",
        "eth-tester[py-evm]==0.14.0b1",
        "eth-keys==0.8.0",
        "eth-account==0.14.0",
        "py-solc-x==2.0.5",
        "coincurve==21.0.0",
        "safe-pysha3==1.0.7",
        "msgspec==0.22.0",
        "cryptography==50.0.2",
        "rich==15.0.0",
        "segno==1.6.6",
        "click==8.3.3",
        "filelock==4.3.1",
        "py-evm==0.12.1b1",
        # what these bring along and is imported here by name
        "aiohttp==3.14.5",
        "eth-abi==6.0.0",
        "eth-hash==0.8.0",
        "eth-typing==6.0.0",
        "eth-utils==6.0.0",
        "hexbytes==2.0.0",
        "pycryptodome==3.24.1",
        "requests==2.34.2",
        "rlp==5.0.0",
        "semantic-version==2.10.0",
        "websockets==17.4",
    ],
    extras_require={
        # A hub on several machines.
        "scale": ["psycopg[binary]==3.3.9", "nats-py==2.16.0"],
        "test": [
            "pytest==9.2.0",
            "pytest-xdist==3.8.0",
            "hypothesis==6.170.15",
            "nats-py==2.16.0",
            "psycopg[binary]==3.3.9",
            "pyrevm==0.3.7",
            "chess==1.11.2",  # what the rules of chess are compared with
            "ruff==0.17.6",
            "mypy==2.4.1",
            "setuptools==80.9.0",  # a test builds the wheel
        ],
    },
    entry_points={
        "console_scripts": ["populus = populus.cli:main", "perun = perun.cli.main:main"],
        "pytest11": ["populus = populus.pytest_plugin"],
    },
)
