"""Which column is what: proposed from the names and types of a table's columns, for people to correct."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

# In the order of preference; names are compared without case and without what joins their words.
_NAMES: Mapping[str, Sequence[str]] = {
    "event_id": (
        "eventid", "messageid", "uuid", "insertid", "$insertid", "eventuuid",
    ),
    "time": (
        "occurredat", "timestamp", "time", "eventtime", "derivedtstamp", "collectortstamp", "originaltimestamp",
        "receivedat", "sentat", "createdat", "date", "datetime", "invoicedate", "ts",
    ),
    "person": (
        "person", "personid", "userid", "distinctid", "domainuserid", "networkuserid", "customerid", "anonymousid",
        "memberid", "visitorid", "user", "customer", "email",
    ),
    "account": (
        "account", "accountid", "groupid", "$group0", "companyid", "organizationid", "organisationid", "orgid",
        "workspaceid", "tenantid", "teamid", "company",
    ),
    "event": ("event", "eventname", "eventtype", "name", "action", "type"),
    "json_column": ("properties", "attributes", "context", "payload"),
}  # fmt: skip
_KEYS = ("account", "accountid", "customer", "customerid", "companyid", "organizationid", "key", "id")
_SEATS = ("seats", "seatcount", "paidseats", "licenses", "licences", "quantity")
MOST_PROPERTIES = 24


def folded(name: str) -> str:
    """Return a column's name without case and joints, so that ``User ID`` and ``user_id`` are one."""
    return re.sub(r"[^a-z0-9$]", "", name.lower())


def guess(schema: pa.Schema) -> dict[str, Any]:
    """Return the columns of a stream as far as the names and types of a table's columns tell them."""
    free = {folded(field.name): field for field in schema if field.name != "_load"}
    found: dict[str, Any] = {}
    for what, names in _NAMES.items():
        for name in names:
            if name in free and _fits(what, free[name].type):
                found[what] = free.pop(name).name
                break
    if "time" not in found:
        moments = [field for field in free.values() if pa.types.is_timestamp(field.type)]
        if len(moments) == 1:
            found["time"] = moments[0].name
            free.pop(folded(moments[0].name))
    found["properties"] = [field.name for field in free.values() if _splits(field.type)][:MOST_PROPERTIES]
    return found


def guess_accounts(schema: pa.Schema) -> dict[str, str]:
    """Return the key and the seats of a table of accounts."""
    names = {folded(field.name): field.name for field in schema}
    found = {}
    for what, wanted in (("accounts_key", _KEYS), ("seats", _SEATS)):
        name = next((names[one] for one in wanted if one in names), "")
        if name:
            found[what] = name
    return found


def _fits(what: str, kind: pa.DataType) -> bool:
    if what == "time":
        return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
    if what == "event":
        return _texts(kind)
    if what == "json_column":
        return _texts(kind) or bool(pa.types.is_struct(kind))
    return _texts(kind) or bool(pa.types.is_integer(kind))


def _texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _splits(kind: pa.DataType) -> bool:
    return _texts(kind) or bool(pa.types.is_boolean(kind)) or bool(pa.types.is_integer(kind))
