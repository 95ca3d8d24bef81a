"""`python -m benchmarks.perun_load`, as the command `benchmarks/perun-load` is."""

from __future__ import annotations

from benchmarks.perun_load.command import main

if __name__ == "__main__":
    main()
