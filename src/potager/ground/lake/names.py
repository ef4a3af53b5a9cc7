"""Names of tables, and the types that a column may grow into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}\.[a-z][a-z0-9_]{0,59}")


def checked_name(name: str) -> tuple[str, str]:
    """Return namespace and table of ``name``, or say how names are written."""
    if not _NAME.fullmatch(name):
        problem = FieldProblem("table", f"'{name}' is not a table name.", "Write it as shop.order_lines.")
        mend = "Write it as namespace.table: lower-case letters, digits and underscores, a letter first."
        raise Invalid(f"'{name}' is not a table name.", mend=mend, errors=[problem])
    namespace, _, table = name.partition(".")
    return namespace, table


def stored_type(given: pa.DataType) -> pa.DataType:
    """Return the type a column is stored as: Iceberg's, with microseconds and without dictionaries."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(given):
        return stored_type(given.value_type)
    if types.is_timestamp(given):
        return pa.timestamp("us", tz="UTC" if given.tz else None)
    if types.is_large_string(given) or types.is_string_view(given) or types.is_null(given):
        return pa.string()
    if types.is_int8(given) or types.is_int16(given) or types.is_uint8(given) or types.is_uint16(given):
        return pa.int32()
    if types.is_uint32(given):
        return pa.int64()
    if types.is_uint64(given):
        return pa.decimal128(20, 0)
    if types.is_float16(given):
        return pa.float32()
    if types.is_date64(given):
        return pa.date32()
    if types.is_time32(given):
        return pa.time64("us")
    if types.is_decimal(given) and given.precision > 38:
        return pa.float64()
    if types.is_large_binary(given) or types.is_binary_view(given):
        return pa.binary()
    return given


def stored_schema(given: pa.Schema) -> pa.Schema:
    """Return the schema that a table of these columns has; every column may be null."""
    import pyarrow as pa

    doubled = sorted({name for name in given.names if given.names.count(name) > 1})
    if doubled or not given.names:
        said = f"The columns {', '.join(doubled)} occur twice." if doubled else "There are no columns."
        raise Invalid(said, mend="Give each column a name of its own.")
    return pa.schema([pa.field(field.name, stored_type(field.type)) for field in given])


def common_type(old: pa.DataType, new: pa.DataType) -> pa.DataType | None:
    """Return the type that holds both without loss, as Iceberg lets columns grow; None where there is none.

    A new column narrower than the stored one is read as the stored type.
    """
    import pyarrow as pa

    types = pa.types
    if old == new:
        return old
    if types.is_integer(old) and types.is_integer(new):
        return pa.int64()
    if types.is_floating(old) and (types.is_floating(new) or types.is_integer(new)):
        return pa.float64() if types.is_float64(old) or types.is_float64(new) else old
    if types.is_decimal(old) and types.is_decimal(new) and old.scale == new.scale:
        return old if old.precision >= new.precision else new
    if types.is_timestamp(old) and types.is_date(new):
        return old
    return None
