"""Rows as CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse

from potager.kit.files import formula_safe


class _Echo:
    def write(self, text: str) -> str:
        return text


def as_csv(heads: Iterable[str], rows: Iterable[Iterable[Any]], name: str) -> StreamingHttpResponse:
    """Return a download, written row by row."""
    writer = csv.writer(_Echo())

    def lines() -> Iterable[str]:
        yield writer.writerow(list(heads))
        for row in rows:
            yield writer.writerow(
                [
                    formula_safe(cell) if isinstance(cell, str) else "" if cell is None else cell
                    for cell in row
                ]
            )

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
