"""Columns: which types the lake keeps, how a table's columns grow, and batches made to fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pyarrow as pa

from potager.ground.lake.names import LOAD_COLUMN
from potager.kit.errors import FieldProblem, Invalid

_KEPT = {pa.bool_(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.date32(), pa.null()}
_WIDER: dict[pa.DataType, pa.DataType] = {
    pa.int8(): pa.int32(),
    pa.int16(): pa.int32(),
    pa.uint8(): pa.int32(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
}
_MOST_DIGITS = 38
_DIGITS = {pa.int32(): 10, pa.int64(): 19}


def storable(schema: pa.Schema, table: str) -> pa.Schema:
    """Return ``schema`` in the types the lake keeps, all optional; Invalid names each column it cannot keep.

    Small integers become int, nanoseconds microseconds, zoned times UTC, dictionaries their values. A column that is
    null throughout stays ``null``: the table it goes to decides its type (text, when it is new there).
    """
    problems: list[FieldProblem] = []
    fields: list[pa.Field[Any]] = []
    seen: set[str] = set()
    for field in schema:
        kept, folded = kept_type(field.type), field.name.lower()
        if not folded or folded == LOAD_COLUMN:
            says = f"A column may not be called '{field.name}'."
            problems.append(FieldProblem(field.name, says, "Rename it."))
        elif folded in seen:
            says = f"Two columns are called '{field.name}' (capitals make no difference)."
            problems.append(FieldProblem(field.name, says, "Rename one of them."))
        elif kept is None:
            says = f"The column '{field.name}' has the type {field.type}, which the lake does not keep."
            problems.append(FieldProblem(field.name, says, "Turn it into a number, a time or text first."))
        else:
            fields.append(pa.field(field.name, kept))
        seen.add(folded)
    if not len(schema):
        problems.append(FieldProblem("", "There are no columns.", "Give at least one."))
    _refuse(problems, table)
    return pa.schema(fields)


def kept_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type in which the lake keeps ``kind``, or None when it cannot."""
    types = pa.types
    if kind in _KEPT:
        return kind
    if kind in _WIDER:
        return _WIDER[kind]
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    if types.is_fixed_size_binary(kind):
        return kind
    if types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if types.is_time(kind):
        return pa.time64("us")
    if types.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale) if kind.precision <= _MOST_DIGITS else None
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return kept_type(kind.value_type)
    return _kept_nested(kind)


def _kept_nested(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_struct(kind):
        inner = [_kept_field(kind.field(at)) for at in range(kind.num_fields)]
        kept = [field for field in inner if field is not None]
        return pa.struct(kept) if inner and len(kept) == len(inner) else None
    if types.is_map(kind):
        key, item = _kept_field(kind.key_field), _kept_field(kind.item_field)
        return (
            None
            if key is None or item is None
            else pa.map_(cast(Any, key.with_nullable(False)), cast(Any, item))
        )
    if (
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    ):
        value = _kept_field(kind.value_field)
        return None if value is None else pa.list_(value)
    return kept_type(kind.storage_type) if isinstance(kind, pa.BaseExtensionType) else None


def _kept_field(field: pa.Field[Any]) -> pa.Field[Any] | None:
    """Return a field inside a nested type as the lake keeps it, with its metadata (that holds Iceberg's field id)."""
    kept = kept_type(field.type)
    if kept is None or pa.types.is_null(kept):  # a nested null has nothing to take a type from
        kept = pa.string() if kept is not None else None
    return None if kept is None else pa.field(field.name, kept, field.nullable, field.metadata)


def plain(kind: pa.DataType) -> pa.DataType:
    """Return a nested type without its fields' metadata and optionality, so that two can be compared."""
    types = pa.types
    if types.is_struct(kind):
        return pa.struct([(kind.field(at).name, plain(kind.field(at).type)) for at in range(kind.num_fields)])
    if types.is_map(kind):
        return pa.map_(plain(kind.key_type), plain(kind.item_type))
    return pa.list_(plain(kind.value_type)) if types.is_list(kind) else kind


def grown(existing: pa.Schema | None, incoming: pa.Schema, table: str) -> pa.Schema:
    """Return the columns that ``table`` has once ``incoming`` (storable) is added to ``existing``.

    New columns come last, narrower values fit into wider columns, a column widens int → long, float → double and by
    digits of a decimal. Invalid names each column whose type would change in another way: its old and its new type.
    """
    if existing is None:
        return pa.schema([_typed(field) for field in incoming])
    problems: list[FieldProblem] = []
    folded = {name.lower(): name for name in existing.names}
    types = {field.name: field.type for field in existing}
    for field in incoming:
        known = folded.get(field.name.lower(), field.name)
        if known != field.name:
            says = f"The column '{field.name}' is called '{known}' in {table}."
            problems.append(FieldProblem(field.name, says, f"Rename it to '{known}'."))
        elif known not in types:
            types[known] = _typed(field).type
        elif (wide := common(types[known], field.type)) is not None:
            types[known] = wide
        else:
            says = f"The column '{known}' is {types[known]} in {table} and {field.type} in this load."
            mend = f"Read the column as {types[known]}, or give it another name."
            problems.append(FieldProblem(known, says, mend))
    _refuse(problems, table)
    return pa.schema(list(types.items()))


def common(old: pa.DataType, new: pa.DataType) -> pa.DataType | None:
    """Return the type of a column of type ``old`` that must also take ``new``, or None when it may not change so."""
    types = pa.types
    if plain(old) == plain(new) or types.is_null(new):
        return old
    if widens(old, new):
        return new
    number = types.is_integer(new) or types.is_floating(new)
    if widens(new, old) or (types.is_floating(old) and types.is_integer(new)):
        return old
    if types.is_decimal(old) and number and new in _DIGITS and old.precision - old.scale >= _DIGITS[new]:
        return old
    return old if types.is_timestamp(old) and old.tz is None and types.is_date(new) else None


def widens(old: pa.DataType, new: pa.DataType) -> bool:
    """Return whether Iceberg lets a column's type change from ``old`` to ``new`` without touching its files."""
    if pa.types.is_decimal(old) and pa.types.is_decimal(new):
        return bool(new.scale == old.scale and new.precision >= old.precision)
    return (old, new) in {(pa.int32(), pa.int64()), (pa.float32(), pa.float64())}


def fitted(batch: pa.RecordBatch, schema: pa.Schema, table: str) -> pa.RecordBatch:
    """Return ``batch`` with exactly the columns of ``schema``: cast where narrower, null where missing."""
    columns: list[pa.Array[Any]] = []
    for field in schema:
        at = batch.schema.get_field_index(field.name)
        if at < 0:
            columns.append(pa.nulls(batch.num_rows, field.type))
            continue
        column = batch.column(at)
        columns.append(column if column.type == field.type else _cast(column, field, table))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: pa.Array[Any], field: pa.Field[Any], table: str) -> pa.Array[Any]:
    # Times are cut to the microseconds that Iceberg keeps; every other loss of a value is an error.
    cut = pa.types.is_temporal(field.type) and pa.types.is_temporal(column.type)
    try:
        return column.cast(field.type, safe=not cut)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Invalid(
            f"The column '{field.name}' has values that do not fit {field.type} in {table}: {error}.",
            mend="Read the column as another type, or give it another name.",
        ) from error


def _typed(field: pa.Field[Any]) -> pa.Field[Any]:
    return pa.field(field.name, pa.string() if pa.types.is_null(field.type) else field.type)


def _refuse(problems: Sequence[FieldProblem], table: str) -> None:
    if problems:
        raise Invalid(
            f"The load does not fit {table}: {' '.join(found.problem for found in problems)}",
            mend=problems[0].mend,
            errors=problems,
        )
