"""`python -m proofs [coq] [traces] [orders] [slither] [halmos] [mutants] [lines]`: what is proved.

`coq` and `traces` need Coq 8.16 (Debian: `apt-get install coq`); see `proofs/model.py`.
`slither` and `halmos` need these tools, on PATH or named by the variables SLITHER and HALMOS; where
they are not there they are installed into an environment of their own, `build/prover`. forge comes
with the Node packages. A forge project is made below `build/proofs`; nothing else is written.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from populus.project import Project
from populus.solc import find_solc
from proofs import lines, model, mutants, orders
from proofs.rows import Row, show

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "proofs"
PROVER = ROOT / "build" / "prover"
TOOLS = ("halmos==0.3.3", "slither-analyzer==0.11.6")
ANSWERS = ROOT / "proofs" / "slither.toml"
REFUTED = "check_refuted_"
"""Functions of this name claim something false; halmos must find the counterexample."""


def tool(name: str) -> str:
    """The program of this name, installed if it is nowhere."""
    named = os.environ.get(name.upper())
    found = shutil.which(named or name)
    if named is not None or found is not None:
        return found or named or name
    own = PROVER / "bin" / name
    if not own.exists():
        print(f"installing {' and '.join(TOOLS)} into {PROVER.relative_to(ROOT)}", flush=True)
        venv.create(PROVER, with_pip=True, clear=True)
        install = [str(PROVER / "bin" / "python"), "-m", "pip", "install", "--quiet", *TOOLS]
        subprocess.run(install, check=True)
    return str(own)


def prepare() -> dict[str, str]:
    """The forge project; returns the environment to run tools in it."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    shutil.copytree(ROOT / "contracts", BUILD / "contracts")
    shutil.copytree(ROOT / "proofs" / "contracts", BUILD / "proofs" / "contracts")
    (BUILD / "node_modules").symlink_to(ROOT / "node_modules")
    project = Project(ROOT)
    settings = project.compiler_settings.settings
    config = {
        "src": "contracts",
        "test": "proofs/contracts",
        "solc": str(find_solc(ROOT, project.compiler_settings.version).binary),
        "offline": True,
        "ast": True,
        "build_info": True,
        "evm_version": settings["evmVersion"],
        "via_ir": settings["viaIR"],
        "optimizer": settings["optimizer"]["enabled"],
        "optimizer_runs": settings["optimizer"]["runs"],
        "allow_paths": ["node_modules", str(ROOT / "node_modules")],
        "remappings": settings["remappings"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in config.items()]
    (BUILD / "foundry.toml").write_text("[profile.default]\n" + "\n".join(lines) + "\n")
    binaries = ROOT / "node_modules" / ".bin"
    environment = os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    built = _run(["forge", "build"], environment)
    if built.returncode:
        raise SystemExit(built.stdout + built.stderr)
    return environment


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=BUILD, env=environment, capture_output=True, text=True)


def halmos(environment: dict[str, str]) -> list[Row]:
    """Every `check_*` must pass, every `check_refuted_*` must not."""
    command = [tool("halmos"), "--loop", "100"]
    command += ["--solver-timeout-assertion", "120000"]
    done = _run(command, environment)
    rows = []
    for line in re.sub(r"\x1b\[\d+m", "", done.stdout).splitlines():
        found = re.match(r"\[(PASS|FAIL|TIMEOUT|ERROR)\] (\w+)", line)
        if not found:
            continue
        verdict, name = found.groups()
        refuted = name.startswith(REFUTED)
        good = verdict == ("FAIL" if refuted else "PASS")
        kind = "counterexample, as wanted" if refuted else "bytecode, all inputs"
        taken = re.search(r"time: ([0-9.]+)s", line)
        rows.append(Row(name, kind, good, float(taken[1]) if taken else None))
        print(f"{'ok   ' if good else 'WRONG'} {line.split('(')[0]:60} {line.split('time: ')[-1]}")
    if not rows:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    return rows


def slither(environment: dict[str, str]) -> list[Row]:
    """Every remark must have an answer in `slither.toml`, every answer a remark."""
    answers: list[dict[str, Any]] = tomllib.loads(ANSWERS.read_text())["answer"]
    report = BUILD / "slither.json"
    command = [tool("slither"), ".", "--ignore-compile", "--json", str(report)]
    done = _run([*command, "--filter-paths", "node_modules|[.]t[.]sol"], environment)
    if not report.exists():
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    used: set[int] = set()
    unanswered = []
    for remark in json.loads(report.read_text())["results"].get("detectors", []):
        subject = remark["description"].split("(", 1)[0].strip()
        fitting = [n for n, a in enumerate(answers) if _fits(a, remark["check"], subject)]
        used.update(fitting)
        if not fitting:
            unanswered.append(f"{remark['check']} ({remark['impact']}): {remark['description']}")
    idle = [answer for number, answer in enumerate(answers) if number not in used]
    for text in unanswered:
        print("no answer:", text)
    for answer in idle:
        print("no such remark any more:", answer["check"], answer.get("about", ""))
    note = f"{len(unanswered)} remarks without an answer, {len(idle)} answers without one"
    return [Row("each remark has its answer", "static analysis", not unanswered + idle, None, note)]


def _fits(answer: dict[str, Any], check: str, subject: str) -> bool:
    return answer["check"] == check and re.search(answer.get("about", ""), subject) is not None


PARTS: Mapping[str, str] = {
    "coq": "theorems about a model of the contracts",
    "traces": "the model against perun.spec and the bytecode",
    "orders": "the core in every order of events, for small bounds",
    "slither": "static analysis of the contracts",
    "halmos": "lemmas about the bytecode, for all inputs",
    "mutants": "changed rules of the model (an hour)",
    "lines": "changed lines of the contracts",
}
ONLY_IF_NAMED = {"mutants", "lines"}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m proofs",
        description="; ".join(f"{name}: {about}" for name, about in PARTS.items()),
        epilog=f"All are run, but for {' and '.join(sorted(ONLY_IF_NAMED))}, if none is named.",
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--calls", type=int, default=model.CALLS, help="for traces")
    parser.add_argument("--points", type=int, default=2_000, help="for orders: most of a story")
    parser.add_argument("--seed", type=int, default=0, help="for traces: the first game")
    arguments = parser.parse_args()
    chosen = arguments.parts or [part for part in PARTS if part not in ONLY_IF_NAMED]
    environment = prepare() if {"slither", "halmos"} & set(chosen) else {}
    runs: Mapping[str, Callable[[], list[Row]]] = {
        "coq": model.coq,
        "traces": lambda: model.traces(arguments.calls, arguments.seed),
        "orders": lambda: orders.report(arguments.points),
        "slither": lambda: slither(environment),
        "halmos": lambda: halmos(environment),
        "mutants": mutants.mutants,
        "lines": lines.lines,
    }
    rows = [row for part in chosen for row in runs[part]()]
    show(rows, whole=not arguments.parts)
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
