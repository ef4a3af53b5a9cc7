"""Views of DuckDB that show a table at a snapshot."""

from __future__ import annotations

import pyarrow as pa

from potager.ground.lake.pinning import Pin

_TYPES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
    pa.timestamp("us"): "TIMESTAMP",
    pa.timestamp("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
}


def view(pin: Pin) -> str:
    """Return the statement that makes the view of a table at a snapshot: its columns in order, without ``_load``."""
    columns = ", ".join(quoted(name) for name in pin.schema.names)
    name = f"{quoted(pin.name.namespace)}.{quoted(pin.name.table)}"
    return f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {_rows(pin)}"  # noqa: S608 - all quoted


def _rows(pin: Pin) -> str:
    if not pin.files:
        nulls = ", ".join(f"NULL::{sql_type(field.type)} AS {quoted(field.name)}" for field in pin.schema)
        return f"(SELECT {nulls} WHERE false)"
    files = ", ".join(_text(path) for path in pin.files)
    # Where columns have changed they are found by Iceberg's field ids; else by name, which DuckDB does a bit faster.
    schema = f", schema = {_by_field_id(pin)}" if pin.grown else ""
    return f"read_parquet([{files}], hive_partitioning = false{schema})"


def _by_field_id(pin: Pin) -> str:
    entries = (
        f"{number}: {{name: {_text(field.name)}, type: {_text(sql_type(field.type))}, default_value: NULL}}"
        for number, field in zip(pin.ids, pin.schema, strict=True)
    )
    return f"MAP {{{', '.join(entries)}}}"


def sql_type(kind: pa.DataType) -> str:
    """Return DuckDB's name for a type that the lake keeps."""
    types = pa.types
    if kind in _TYPES:
        return _TYPES[kind]
    if types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if types.is_map(kind):
        return f"MAP({sql_type(kind.key_type)}, {sql_type(kind.item_type)})"
    if types.is_struct(kind):
        inner = (kind.field(at) for at in range(kind.num_fields))
        return f"STRUCT({', '.join(f'{quoted(field.name)} {sql_type(field.type)}' for field in inner)})"
    return "BLOB"


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
