"""Two threads for many signatures: libsecp256k1 works without the interpreter's lock.

One thread more than the caller's is of use on two cores. A job is cut in two, so that the threads
do nothing side by side but the library's long call: what needs the interpreter is done before and
after, or they would wait for each other's Python and gain little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

from perun.crypto.jobs import Job

T = TypeVar("T")


__all__ = ["each"]

_LEAST = 8
"""Jobs for which waking another thread, some 50 µs, is worth it."""

# One thread for the whole process; it starts with the first jobs.
_helper = ThreadPoolExecutor(1, "perun-signatures")


def each(jobs: Sequence[Job[T]]) -> list[T]:
    """The results of all jobs, in their order."""
    if len(jobs) < _LEAST:
        return [job.done() for job in jobs]
    left = count()
    codes = [0] * len(jobs)
    help = _helper.submit(_work, left, jobs, codes)
    _work(left, jobs, codes)
    # If the helper was busy for somebody else it has not begun, and nothing is left to do.
    if not help.cancel():
        help.result()
    return [job.finish(code) for job, code in zip(jobs, codes, strict=True)]


def _work(left: Iterator[int], jobs: Sequence[Job[T]], codes: list[int]) -> None:
    """Makes calls until there are none; several threads may do so at once, each takes the next."""
    for index in left:
        if index >= len(jobs):
            return
        codes[index] = jobs[index].call()
