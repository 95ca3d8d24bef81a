"""Many tasks on two threads: each is done once, and the results keep their order."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from perun.crypto import SecretKey, keccak, sign
from perun.crypto.backend import each
from perun.crypto.jobs import Job
from perun.crypto.signatures import sign_each, verify_job, verify_loosely_job
from perun.types import Digest, Signature


@pytest.mark.parametrize("count", [0, 1, 7, 8, 200])
def test_each_task_is_done_once_and_in_its_place(count: int) -> None:
    done: list[int] = []

    def task(number: int) -> int:
        done.append(number)
        return number * number

    jobs = [Job(partial(task, n), str) for n in range(count)]
    assert each(jobs) == [str(n * n) for n in range(count)]
    assert sorted(done) == list(range(count))


def test_signatures_are_those_of_one_thread() -> None:
    key = SecretKey(b"\x07" * 32)
    digests = [Digest(keccak(bytes([n]))) for n in range(40)]
    made = sign_each([(digest, key) for digest in digests])
    assert made == [sign(digest, key) for digest in digests]
    pairs = list(zip(digests, made, strict=True))
    pairs[5] = (digests[6], made[5])
    pairs[7] = (digests[7], Signature(b"no signature"))
    for job in (verify_job, verify_loosely_job):
        found = each([job(digest, one, key.public_key) for digest, one in pairs])
        assert [place for place, good in enumerate(found) if not good] == [5, 7]


def test_several_callers_do_not_wait_for_each_other_for_ever() -> None:
    results: dict[int, list[int]] = {}

    def call(caller: int) -> None:
        results[caller] = each([Job(partial(pow, n, 2), int) for n in range(100)])

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == {key: [n * n for n in range(100)] for key in range(4)}
