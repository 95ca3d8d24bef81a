"""`python -m proofs [halmos] [slither]`: check the contracts symbolically and statically.

Needs `halmos` 0.3.3 and `slither` 0.11.6 (`pip install halmos slither-analyzer`) on PATH, or named
by the variables HALMOS and SLITHER, and forge from the Node packages (`npm install`).
A forge project is made below `build/proofs`; nothing else is written.
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
from pathlib import Path
from typing import Any

from populus.project import Project
from populus.solc import find_solc

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "proofs"
ANSWERS = ROOT / "proofs" / "slither.toml"
REFUTED = "check_refuted_"
"""Functions of this name claim something false; halmos must find the counterexample."""


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


def halmos(environment: dict[str, str]) -> int:
    """Every `check_*` must pass, every `check_refuted_*` must not. Number of disappointments."""
    command = [os.environ.get("HALMOS", "halmos"), "--loop", "100"]
    command += ["--solver-timeout-assertion", "120000"]
    done = _run(command, environment)
    wrong = passed = 0
    for line in re.sub(r"\x1b\[\d+m", "", done.stdout).splitlines():
        found = re.match(r"\[(PASS|FAIL|TIMEOUT|ERROR)\] (\w+)", line)
        if not found:
            continue
        verdict, name = found.groups()
        wanted = "FAIL" if name.startswith(REFUTED) else "PASS"
        good = verdict == wanted
        passed += good
        wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} {line.split('(')[0]:60} {line.split('time: ')[-1]}")
    if not passed:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    print(f"halmos: {passed} as they should be, {wrong} not")
    return wrong


def slither(environment: dict[str, str]) -> int:
    """Every remark must have an answer in `slither.toml`, every answer a remark."""
    answers: list[dict[str, Any]] = tomllib.loads(ANSWERS.read_text())["answer"]
    report = BUILD / "slither.json"
    command = [os.environ.get("SLITHER", "slither"), ".", "--ignore-compile", "--json", str(report)]
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
    print(f"slither: {len(unanswered)} remarks without an answer, {len(idle)} answers without one")
    return len(unanswered) + len(idle)


def _fits(answer: dict[str, Any], check: str, subject: str) -> bool:
    return answer["check"] == check and re.search(answer.get("about", ""), subject) is not None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs")
    parser.add_argument("tools", nargs="*", choices=["halmos", "slither", []], default=[])
    chosen = parser.parse_args().tools or ["slither", "halmos"]
    environment = prepare()
    wrong = 0
    if "slither" in chosen:
        wrong += slither(environment)
    if "halmos" in chosen:
        wrong += halmos(environment)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
