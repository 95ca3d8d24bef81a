"""Which core test notices a changed condition: `python -m tests.games.planted.edits [NAME …]`.

What `effects` plants is a wrong effect; here conditions, seconds and amounts are off by a little,
in the source itself. Each edit meets the tests of the core that are near it, then all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.games.planted.edited import EDITS, ROOT, Edit

__all__ = ["noticed"]


def noticed(edit: Edit, *, all_tests: bool = True) -> str | None:
    """The first test of the core that fails with the edit; None: it lives."""
    near = [f"tests/core/{name}.py" for name in edit.near]
    words = ["-x", "-q", "-n0", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    words += ["-p", "tests.games.planted.edited", *near]
    if all_tests:
        words.append("tests/core")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env=os.environ | {"PERUN_EDIT": edit.name},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return None
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode != 1 or not failed:
        raise RuntimeError(done.stdout[-2_000:] + done.stderr[-2_000:])
    return failed[0].split(" ", 1)[1]


def main() -> int:
    wrong = 0
    for edit in EDITS.values():
        if sys.argv[1:] and edit.name not in sys.argv[1:]:
            continue
        if not edit.applies:
            print(f"{edit.name}: DOES NOT APPLY any more: follow the source", flush=True)
            wrong += 1
            continue
        found = noticed(edit)
        wrong += (found is None) is not bool(edit.equivalent)
        print(f"{edit.name}: {found or edit.equivalent or 'LIVES'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
