"""Holes in bytecode."""

from __future__ import annotations

import pytest

from populus.contracts.exceptions import BytecodeMismatch
from populus.linking import code_matches, link, verify_code, without_placeholders

ADDRESS = "0x" + "ab" * 20
REFERENCES = [{"name": "Lib", "start": 1, "length": 20}]


def test_placeholders_become_zeros_and_then_addresses() -> None:
    compiled = "73" + "__$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$__" + "00"
    bare = without_placeholders(compiled, REFERENCES)
    assert bare == "0x73" + 40 * "0" + "00"
    assert link(bare, REFERENCES, {"Lib": ADDRESS}) == "0x73" + 20 * "ab" + "00"


@pytest.mark.parametrize(
    ("deployed", "expected", "immutables", "same"),
    [
        ("60016002", "60016002", [], True),
        ("60016003", "60016002", [], False),
        ("6001600200", "60016002", [], False),
        ("", "60016002", [], False),
        ("60ff6002", "60006002", [{"start": 1, "length": 1}], True),
        ("60ff6003", "60006002", [{"start": 1, "length": 1}], False),
        ("73" + 20 * "cd" + "3014", "73" + 40 * "0" + "3014", [], True),  # a library's own address
        ("73" + 20 * "cd" + "3014", "73" + 20 * "ce" + "3014", [], False),
    ],
)
def test_only_what_the_chain_alone_knows_may_differ(
    deployed: str, expected: str, immutables: list[dict[str, int]], same: bool
) -> None:
    assert code_matches(bytes.fromhex(deployed), "0x" + expected, immutables) is same


def test_a_mismatch_names_contract_and_address() -> None:
    with pytest.raises(BytecodeMismatch, match=f"Math at {ADDRESS}: there is no code"):
        verify_code("Math", ADDRESS, b"", "0x6001", [])
