"""Requests and receipts as other people's code hashes and signs them."""

from __future__ import annotations

from typing import Any

import pytest

import tests.vectors
from perun import crypto
from perun.core.signing import digest
from perun.encoding.requests import PaymentRequest, Receipt, memo_hash
from perun.errors import Misuse
from perun.testing.parties import DEPLOYMENT
from perun.types import ETH, Address, UnixTime, Wei
from tests.node import vectors

LOADED = tests.vectors.load("requests")
CASES = LOADED["requests"]
KEYS = [crypto.SecretKey(vectors.value(LOADED["keys"][name])) for name in ("aliceKey", "bobKey")]
KINDS = {"Request": PaymentRequest, "Receipt": Receipt}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["type"].partition("(")[0])
def test_requests_and_receipts(case: dict[str, Any]) -> None:
    kind = KINDS[case["type"].partition("(")[0]]
    fields = {name: vectors.value(text) for name, text in case["fields"].items()}
    message: Any = kind(**fields)
    deployment = type(DEPLOYMENT)(vectors.domain(case["domain"]), DEPLOYMENT.vpm)
    hashed = digest(deployment, message)
    assert hashed == vectors.value(case["digest"])
    for key, signed in zip(KEYS, case["signatures"], strict=True):
        assert crypto.sign(hashed, key) == vectors.value(signed["signature"])
    if kind is PaymentRequest:
        assert memo_hash(vectors.value(case["memo"]).decode()) == fields["memo"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"payee": b""},
        {"payee": bytes(32)},
        {"genesis": bytes(31)},
        {"contract": bytes(21)},
        {"amount": -1},
        {"amount": 2**111},
        {"amount": 0.5},
        {"id": b""},
        {"until": 2**40},
        {"memo": b""},
        {"relay": bytes(32)},
    ],
)
def test_requests_that_are_none(wrong: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "payee": bytes(33),
        "genesis": bytes(32),
        "contract": Address(bytes(20)),
        "asset": ETH,
        "amount": Wei(5),
        "id": bytes(32),
        "until": UnixTime(5),
        "memo": bytes(32),
        "relay": b"",
    }
    PaymentRequest(**fields)
    with pytest.raises(Misuse):
        PaymentRequest(**{**fields, **wrong})
