"""The columns of an Iceberg table, made and changed inside the transaction that brings the rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pyarrow as pa
from pyiceberg import types as iceberg
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform

from potager.ground.lake.catalogue import Catalogue
from potager.ground.lake.columns import common, grown, plain
from potager.ground.lake.names import LOAD_COLUMN, TableName
from potager.ground.lake.writing import file_schema

PROPERTIES = {
    "format-version": "2",
    # The lake tries again itself: a second try must look whether the same load has landed meanwhile.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}
_FIRST_PARTITION_ID = 1000
_PRIMITIVES: dict[pa.DataType, Callable[[], Any]] = {
    pa.bool_(): iceberg.BooleanType,
    pa.int32(): iceberg.IntegerType,
    pa.int64(): iceberg.LongType,
    pa.float32(): iceberg.FloatType,
    pa.float64(): iceberg.DoubleType,
    pa.date32(): iceberg.DateType,
    pa.time64("us"): iceberg.TimeType,
    pa.timestamp("us"): iceberg.TimestampType,
    pa.timestamp("us", "UTC"): iceberg.TimestamptzType,
    pa.string(): iceberg.StringType,
    pa.binary(): iceberg.BinaryType,
}


def creation(catalogue: Catalogue, name: TableName, incoming: pa.Schema) -> Any:
    """Return the transaction that makes table ``name`` with the columns of its first load."""
    ids = count(1)
    marked = [pa.field(LOAD_COLUMN, pa.string()), *grown(None, incoming, str(name))]
    fields = [(next(ids), field) for field in marked]
    schema = Schema(
        *(
            iceberg.NestedField(number, field.name, _iceberg(field.type, ids), False)
            for number, field in fields
        )
    )
    by_load = PartitionField(fields[0][0], _FIRST_PARTITION_ID, IdentityTransform(), LOAD_COLUMN)
    return catalogue.creation(
        name, schema, partition_spec=PartitionSpec(by_load), properties=dict(PROPERTIES)
    )


def evolve(transaction: Any, name: TableName, incoming: pa.Schema, *, replacing: bool) -> None:
    """Stage what must change in the columns so that ``incoming`` fits.

    When everything is replaced, the columns become those of ``incoming``, whatever they were; else they only grow.
    """
    existing = visible_columns(transaction.table_metadata.schema())
    wanted = grown(None if replacing else existing, incoming, str(name))
    known = {field.name: field.type for field in existing}
    if dict(zip(wanted.names, wanted.types, strict=True)) == known:
        return
    with transaction.update_schema() as update:
        for field in wanted:
            old = known.pop(field.name, None)
            if old == field.type:
                continue
            if old is not None and common(old, field.type) == field.type:
                update.update_column((field.name,), field_type=_iceberg(field.type, count(1)))
                continue
            if old is not None:
                update.delete_column((field.name,))
            update.add_column((field.name,), _iceberg(field.type, count(1)))
        for gone in known if replacing else ():
            update.delete_column((gone,))


def visible_columns(schema: Any) -> pa.Schema:
    """Return the columns of an Iceberg schema that people see, in the types that the lake keeps."""
    fields = [field for field in file_schema(schema) if field.name != LOAD_COLUMN]
    return pa.schema([pa.field(field.name, plain(field.type)) for field in fields])


def _iceberg(kind: pa.DataType, ids: Any) -> Any:
    """Return a kept Arrow type as Iceberg's; nested fields take the next ``ids``."""
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]()
    types = pa.types
    if types.is_decimal(kind):
        return iceberg.DecimalType(kind.precision, kind.scale)
    if types.is_fixed_size_binary(kind):
        return iceberg.FixedType(kind.byte_width)
    if types.is_list(kind):
        return iceberg.ListType(next(ids), _iceberg(kind.value_type, ids), False)
    if types.is_map(kind):
        key, value = next(ids), next(ids)
        return iceberg.MapType(key, _iceberg(kind.key_type, ids), value, _iceberg(kind.item_type, ids), False)
    inner = [kind.field(at) for at in range(kind.num_fields)]
    return iceberg.StructType(
        *(iceberg.NestedField(next(ids), field.name, _iceberg(field.type, ids), False) for field in inner)
    )
