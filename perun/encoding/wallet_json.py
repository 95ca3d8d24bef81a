"""Messages as JSON for wallets: `eth_signTypedData_v4` (EIP-712).

Written from the same type strings that the digests hash, so that the two cannot part.
"""

from __future__ import annotations

from typing import Any

from perun.encoding.domains import DOMAIN_TYPE, VERSION, Domain
from perun.encoding.ids import nanos_hash
from perun.encoding.kinds import SIGNED
from perun.encoding.price_bet import PRICE_DOMAIN_TYPE, PriceDomain
from perun.types import Record


def wallet_json(message: Record, domain: Domain) -> dict[str, Any]:
    """What `eth_signTypedData_v4` takes; amounts as text: JavaScript rounds great numbers."""
    name, fields = _fields(SIGNED[type(message)][1].type_string)
    domain_type = PRICE_DOMAIN_TYPE if isinstance(domain, PriceDomain) else DOMAIN_TYPE
    parts = {
        "name": f"Perun {domain.contract_name}",
        "version": VERSION,
        "chainId": domain.chain_id,
        "verifyingContract": "0x" + domain.contract.hex(),
    }
    domain_fields = _fields(domain_type)[1]
    values = (nanos_hash(v) if isinstance(v, tuple) else v for v in _values(message))
    return {
        "types": {
            "EIP712Domain": domain_fields,
            name: fields,
        },
        "primaryType": name,
        "domain": {field["name"]: parts[field["name"]] for field in domain_fields},
        "message": {
            field["name"]: "0x" + value.hex() if isinstance(value, bytes) else str(value)
            for field, value in zip(fields, values, strict=True)
        },
    }


def _values(message: Record) -> tuple[Any, ...]:
    """Field by field; the order of a record is that of its type string."""
    return tuple(getattr(message, name) for name in message.__struct_fields__)


def _fields(type_string: str) -> tuple[str, list[dict[str, str]]]:
    """`"Ready(bytes32 machine)"` to its name and its fields."""
    name, _, rest = type_string.removesuffix(")").partition("(")
    pairs = (field.split(" ") for field in rest.split(","))
    return name, [{"name": field, "type": kind} for kind, field in pairs]
