"""Imports and tables over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import Field, File, Form, Router, Schema, Status
from ninja.files import UploadedFile

from potager.ground.connecting import actions, queries
from potager.ground.connecting.models import Import
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.kit.errors import NotFound

router = Router(tags=["data"])


class ImportOut(RecordOut):
    """One file into one table, with what came of it. ``shape`` is what was found in the file."""

    connector: str
    file_name: str
    bytes: int
    table: str
    state: str
    shape: dict[str, Any]
    plan: dict[str, Any]
    job_id: UUID | None
    snapshot: str
    rows: int
    rejected: int
    reasons: dict[str, Any]
    note: str


class PlanIn(Schema):
    """Which columns become what, in which table. The plan has the shape that the upload proposed."""

    model_config = {"extra": "forbid"}
    table: str = Field(max_length=120, description="namespace.table")
    plan: dict[str, Any]


class StartIn(Schema):
    """How to start."""

    model_config = {"extra": "forbid"}
    dry_run: bool = Field(False, description="Only read the file and count; import nothing.")


class PreviewOut(Schema):
    """The first rows as they would be imported, and rows that would be set aside."""

    columns: list[str]
    rows: list[list[Any]]
    rejected: list[dict[str, Any]]


class ColumnOut(Schema):
    """A column of a table."""

    name: str
    type: str


class TableOut(Schema):
    """A table of the lake."""

    name: str
    rows: int | None
    snapshot_id: str
    loaded_at: datetime | None
    columns: list[ColumnOut]


def _found(request: HttpRequest, key: UUID) -> Import:
    return found_in(queries.imports(actor(request)), pk=key)


@router.get(
    "/data/imports", response=PageOut[ImportOut], operation_id="data_import_list", summary="List imports."
)
def list_imports(request: HttpRequest, paging: PagingIn) -> Any:
    """List imports, newest first."""
    return page(queries.imports(actor(request)), paging)


@router.post(
    "/data/imports",
    response={201: ImportOut},
    operation_id="data_import_create",
    summary="Upload a file to import.",
)
def create_import(
    request: HttpRequest,
    response: HttpResponse,
    file: File[UploadedFile],
    table: Form[str] = "",
    reader: Form[str] = "files",
) -> Any:
    """Upload a file; the answer proposes a table and a plan. Nothing is imported until it is started.

    ``reader`` is files (CSV, JSON Lines, Parquet, Excel as a table) or stripe (subscriptions, currency rates).
    """

    def chunks() -> Iterator[bytes]:
        yield from file.chunks()

    made = actions.upload(
        actor=actor(request), file_name=file.name or "file", chunks=chunks(), table=table, reader=reader
    )
    return Status(201, tagged(response, made))


@router.get(
    "/data/imports/{uuid:key}", response=ImportOut, operation_id="data_import_get", summary="Read one import."
)
def get_import(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one import."""
    return tagged(response, _found(request, key))


@router.put(
    "/data/imports/{uuid:key}/plan",
    response=ImportOut,
    operation_id="data_import_plan",
    summary="Say which columns become what.",
)
def plan_import(request: HttpRequest, key: UUID, payload: PlanIn) -> Any:
    """Say which columns become what, in which table."""
    return actions.plan(actor=actor(request), imported=_found(request, key), **payload.dict())


@router.get(
    "/data/imports/{uuid:key}/preview",
    response=PreviewOut,
    operation_id="data_import_preview",
    summary="Show the first rows as they would be imported.",
)
def preview_import(request: HttpRequest, key: UUID) -> Any:
    """Show the first rows as they would be imported, and those that would be set aside."""
    seen = queries.preview(actor(request), _found(request, key))
    columns = seen.rows.schema.names
    return {
        "columns": columns,
        "rows": [[_plain(row[name]) for name in columns] for row in seen.rows.to_pylist()],
        "rejected": [
            {
                "line": row.line,
                "problems": [{"column": p[0], "value": p[1], "problem": p[2]} for p in row.problems],
            }
            for row in seen.rejected
        ],
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


@router.post(
    "/data/imports/{uuid:key}/start",
    response=ImportOut,
    operation_id="data_import_start",
    summary="Start an import.",
)
def start_import(request: HttpRequest, key: UUID, payload: StartIn) -> Any:
    """Import the file in the background; the same file twice adds nothing."""
    return actions.start(actor=actor(request), imported=_found(request, key), dry_run=payload.dry_run)


@router.post(
    "/data/imports/{uuid:key}/undo",
    response=ImportOut,
    operation_id="data_import_undo",
    summary="Undo an import.",
)
def undo_import(request: HttpRequest, key: UUID) -> Any:
    """Take away exactly what an import brought."""
    return actions.undo(actor=actor(request), imported=_found(request, key))


@router.delete(
    "/data/imports/{uuid:key}",
    response=ImportOut,
    operation_id="data_import_discard",
    summary="Forget an upload.",
)
def discard_import(request: HttpRequest, key: UUID) -> Any:
    """Forget an upload that was not imported, and remove its file."""
    return actions.discard(actor=actor(request), imported=_found(request, key))


@router.get(
    "/data/imports/{uuid:key}/rejects",
    operation_id="data_import_rejects",
    summary="Download the rows that were set aside.",
    openapi_extra={
        "responses": {200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}
    },
)
def get_rejects(request: HttpRequest, key: UUID) -> Any:
    """Download the rows that were set aside, each with its line, column and reason."""
    imported = _found(request, key)
    if not imported.rejects_path.exists():
        raise NotFound("No rows were set aside.", mend="There is nothing to download.")
    name = f"rejected-{imported.pk}.csv"
    return FileResponse(
        imported.rejects_path.open("rb"), as_attachment=True, filename=name, content_type="text/csv"
    )


@router.get(
    "/data/tables", response=list[TableOut], operation_id="data_table_list", summary="List the lake's tables."
)
def list_tables(request: HttpRequest) -> Any:
    """List the lake's tables with their columns."""
    return [_table(found) for found in queries.tables(actor(request)).values()]


@router.get(
    "/data/tables/{name}",
    response=TableOut,
    operation_id="data_table_get",
    summary="Read one table's columns.",
)
def get_table(request: HttpRequest, name: str) -> Any:
    """Read one table's columns, rows and snapshot."""
    return _table(queries.table(actor(request), name))


def _table(found: Any) -> dict[str, Any]:
    columns = [{"name": field.name, "type": str(field.type)} for field in found.schema]
    return {
        "name": found.name,
        "rows": found.rows,
        "snapshot_id": found.snapshot_id,
        "loaded_at": found.loaded_at,
        "columns": columns,
    }
