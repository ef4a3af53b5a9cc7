"""Finding out what a file is before anything is imported: format, encoding, layout, columns, and what is strange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from potager.connectors.files import sampling
from potager.connectors.files.casts import connection
from potager.connectors.files.dialects import Layout, has_header, layout_of
from potager.connectors.files.encodings import Survey, TextStream, survey
from potager.connectors.files.evidence import Evidence, Verdict, decide, gather
from potager.connectors.files.formats import Kind, kind_of
from potager.connectors.files.names import clean_names, labels_of
from potager.connectors.files.plans import ColumnPlan, ReadPlan
from potager.connectors.files.shapes import (
    EXCEL_ERRORS,
    Cast,
    ColumnShape,
    FileShape,
    ReadOptions,
    invalid,
    listed,
)
from potager.kit.errors import FieldProblem

_HEAD = 256 << 10


@dataclass
class _Draft:
    """A file while it is being found out: how to read all of it as text, and what to say."""

    plan: ReadPlan
    labels: list[str]
    problems: list[FieldProblem]
    strings: frozenset[str] = frozenset()
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    null_words: tuple[str, ...] = ("",)


def inspect(path: Path | str, *, options: ReadOptions | None = None) -> FileShape:
    """Return what a file is and how its columns would be read; nothing is imported.

    The whole file is read once for its fingerprint and encoding; types are decided by all rows of a file up to
    ``options.whole_up_to`` bytes and by rows from all over a larger one. Raises ``Invalid``, ``NotFound``,
    ``NotAllowed`` or ``TooLarge`` with a sentence when the file cannot be read; lesser things are in ``problems``.
    """
    path, options = Path(path), options or ReadOptions()
    kind = kind_of(path, options)
    text = kind.format in {"csv", "json", "jsonl"}
    found = survey(path, compression=kind.compression, options=options, text=text)
    if kind.format == "parquet":
        return _parquet(path, kind, found)
    with sampling.stand_in(path, kind, found.encoding, options) as stand:
        if kind.format == "csv":
            draft = _csv(path, kind, found, options)
        elif kind.format == "xlsx":
            draft = _xlsx(path, options)
        else:
            draft = _json(path, kind, found, stand, options)
        draft.problems[:0] = [*kind.problems, *found.problems]
        sample = sampling.rows_of(path, draft.plan, stand, options, found.line_feeds)
    return _finished(path, found, draft, sample, options)


def _columns_of_text(labels: Sequence[str]) -> tuple[ColumnPlan, ...]:
    names = clean_names(labels)
    return tuple(
        ColumnPlan(label, name, Cast("text", null_words=()))
        for label, name in zip(labels, names, strict=True)
    )


def _head_text(path: Path, kind: Kind, found: Survey, options: ReadOptions) -> str:
    """Return whole lines from the beginning of a text file; refuse what is not text."""
    with TextStream(
        path, encoding=found.encoding, compression=kind.compression, most_unpacked=options.most_unpacked
    ) as stream:
        data = b""
        while len(data) < _HEAD and (block := stream.read(_HEAD)):
            data += block
    whole = data if len(data) < _HEAD else data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1] or data
    text = whole.decode("utf-8", "replace")
    strange = sum(1 for letter in text if letter < " " and letter not in "\t\r\n\f\v")
    if strange > len(text) // 20:
        raise invalid(
            "path", f"{path.name} is not a text file.", "Give the table as CSV, Excel, JSON Lines or Parquet."
        )
    if not text.strip():
        raise invalid("path", f"{path.name} is empty.", "Give a file with a header and at least one row.")
    return text


def _csv(path: Path, kind: Kind, found: Survey, options: ReadOptions) -> _Draft:
    text = _head_text(path, kind, found, options)
    layout = layout_of(text, options, path.suffix.lower())
    problems: list[FieldProblem] = []
    if layout.skip_lines and options.skip_lines is None:
        problems.append(
            FieldProblem(
                "skip_lines", f"The first {layout.skip_lines} lines are no table; they are left out."
            )
        )
    plan = ReadPlan(
        "csv", (), encoding=found.encoding, compression=kind.compression, delimiter=layout.delimiter,
        quote=layout.quote, escape=layout.escape, header=layout.header, skip_lines=layout.skip_lines,
        longest_line=options.longest_line,
    )  # fmt: skip
    if not layout.header:
        labels = labels_of([None] * layout.width)
        problem = "The file has no header; its columns are called column 1, column 2 …"
        problems.append(FieldProblem("header", problem, "Name the columns in the mapping."))
    else:
        labels = _header_labels(path, plan, layout, options, problems)
    return _Draft(replace(plan, columns=_columns_of_text(labels)), labels, problems)


def _header_labels(
    path: Path, plan: ReadPlan, layout: Layout, options: ReadOptions, problems: list[FieldProblem]
) -> list[str]:
    """Return the labels of a header, with one more when the rows end in a delimiter and the header does not."""
    header = sampling.header_of(path, plan, most_unpacked=options.most_unpacked)
    labels = labels_of(header)
    _say_names(header, labels, problems)
    if layout.width == len(labels) + 1:
        labels.append(f"column {layout.width}")
        problems.append(FieldProblem("header", "The rows have one cell more than the header."))
    return labels


def _say_names(header: Sequence[str], labels: Sequence[str], problems: list[FieldProblem]) -> None:
    plain = [" ".join(cell.split()) for cell in header]
    twice = [label for label, cell in zip(labels, plain, strict=True) if cell and label != cell]
    if twice:
        problem = f"Several columns have the same name; they are told apart as {listed(twice)}."
        problems.append(FieldProblem("header", problem, "Give each its own name in the mapping."))
    empty = [label for label, cell in zip(labels, plain, strict=True) if not cell]
    if empty:
        problem = f"Columns without a name are called {listed(empty)}."
        problems.append(FieldProblem("header", problem, "Name them in the mapping, or leave them out."))


def _xlsx(path: Path, options: ReadOptions) -> _Draft:
    from potager.connectors.files.workbook import open_sheet, without_results

    sheet = open_sheet(path, options.sheet or "")
    rows = sheet.first(50)
    sheet.close()
    problems: list[FieldProblem] = []
    if len(sheet.names) > 1 and not options.sheet:
        problem = f"The workbook has {len(sheet.names)} sheets; “{sheet.name}” is read."
        problems.append(
            FieldProblem("sheet", problem, f"Choose another of {listed(sheet.names, 12)} if that is not it.")
        )
    width = max((sum(1 for cell in cells if cell) for _, cells in rows), default=0)
    table = rows
    if options.skip_lines is None:
        start = next(
            (at for at, (_, cells) in enumerate(rows) if sum(1 for cell in cells if cell) * 2 > width), 0
        )
        table = rows[start:]
    else:
        table = [row for row in rows if row[0] > options.skip_lines]
    if not table:
        raise invalid("skip_lines", f"The sheet “{sheet.name}” has no rows there.", "Skip fewer lines.")
    skip = table[0][0] - 1 if options.skip_lines is None else options.skip_lines
    if rows[0][0] <= skip and options.skip_lines is None:
        problems.append(FieldProblem("skip_lines", f"The first {skip} rows are no table; they are left out."))
    header = options.header if options.header is not None else has_header([cells for _, cells in table])
    first = table[0][1]
    labels = labels_of(first if header else [None] * max(len(cells) for _, cells in table))
    if header:
        _say_names(first, labels, problems)
        widest = max(len(cells) for _, cells in table)
        labels += [f"column {at + 1}" for at in range(len(labels), widest)]
    if empty := without_results(path, sheet.name):
        problem = f"{empty:,} of the first formulas have no stored result and are read as empty."
        problems.append(FieldProblem("sheet", problem, "Open the workbook in Excel and save it again."))
    plan = ReadPlan("xlsx", _columns_of_text(labels), header=header, skip_lines=skip, sheet=sheet.name)
    return _Draft(plan, labels, problems, frozenset(), sheet.names, sheet.name, ("", *EXCEL_ERRORS))


def _json(path: Path, kind: Kind, found: Survey, stand: sampling.StandIn, options: ReadOptions) -> _Draft:
    keys, strings = sampling.json_keys(stand, kind, options)
    if not keys:
        raise invalid(
            "path", f"{path.name} has no JSON objects with named values.", "Give one object on each line."
        )
    plan = ReadPlan(
        kind.format,
        _columns_of_text(keys),
        encoding=found.encoding,
        compression=kind.compression,
        longest_line=options.longest_line,
    )
    return _Draft(plan, keys, [], frozenset(strings))


def _finished(
    path: Path, found: Survey, draft: _Draft, sample: sampling.Sample, options: ReadOptions
) -> FileShape:
    """Decide the columns by their values."""
    plan, problems = draft.plan, list(draft.problems)
    columns: list[ColumnShape] = []
    decided = zip(draft.labels, plan.columns, _verdicts(draft, sample), strict=True)
    for at, (label, planned, (verdict, evidence)) in enumerate(decided):
        columns.append(_column(label, planned, verdict, evidence, sample, at))
        if verdict.ask:
            mend = "Choose: " + "; ".join(cast.label for cast in (verdict.cast, *verdict.alternatives)) + "."
            problems.append(FieldProblem(f"columns.{label}", f"{label}: {verdict.note}", mend))
    if sample.set_aside:
        first = sample.set_aside[0]
        count = f"{len(sample.set_aside):,} {'row' if len(sample.set_aside) == 1 else 'rows'}"
        problem = (
            f"{count} cannot be read and will be set aside; the first is line {first.line:,}: {first.reason}"
        )
        problems.append(
            FieldProblem(f"line {first.line}", problem, "Mend those lines, or import the file without them.")
        )
    if not sample.total:
        problems.append(
            FieldProblem(
                "path", "The file has a header, but no rows.", "Check that it was written to its end."
            )
        )
    return FileShape(
        path=path, format=plan.format, columns=tuple(columns), bytes=found.bytes, fingerprint=found.fingerprint,
        rows_estimate=sample.total, rows_exact=sample.whole, encoding=plan.encoding, compression=plan.compression,
        delimiter=plan.delimiter, quote=plan.quote, escape=plan.escape, header=plan.header, skip_lines=plan.skip_lines,
        sheet=draft.sheet, sheets=draft.sheets, longest_line=options.longest_line, problems=tuple(problems),
    )  # fmt: skip


def _verdicts(draft: _Draft, sample: sampling.Sample) -> list[tuple[Verdict, Evidence]]:
    """Decide the columns by the sample; where other rows at hand disagree, decide again with them."""
    import pyarrow as pa

    database = connection()
    strings = [column.source in draft.strings for column in draft.plan.columns]
    gathered = gather(database, sample.evidence, strings)
    names = [column.name for column in draft.plan.columns]

    def decided(at: int, evidence: Evidence) -> Verdict:
        verdict = decide(names[at], evidence, null_words=draft.null_words)
        if verdict.undecided:
            orders = sample.orders(database, at, verdict.undecided, evidence.words)
            verdict = decide(names[at], evidence, null_words=draft.null_words, orders=orders)
        return verdict

    verdicts = [decided(at, evidence) for at, evidence in enumerate(gathered)]
    unsure = set(range(len(verdicts)))
    for _ in range(3):
        misfits = sample.against(database, {at: verdicts[at].cast for at in unsure})
        unsure = set()
        for at, values in misfits.items():
            seen = pa.chunked_array([*sample.evidence.column(at).chunks, values])
            gathered[at] = gather(database, pa.Table.from_arrays([seen], names=["c"]), strings[at : at + 1])[
                0
            ]
            verdict = decided(at, gathered[at])
            if verdict.cast != verdicts[at].cast:
                verdicts[at] = verdict
                unsure.add(at)
    return list(zip(verdicts, gathered, strict=True))


def _column(
    label: str, planned: ColumnPlan, verdict: Verdict, evidence: Evidence, sample: sampling.Sample, at: int
) -> ColumnShape:
    """Return the shape of one column; a column without a name and without values is left out."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values = sample.evidence.column(at)
    words = pa.array({*verdict.cast.null_words, ""}, pa.string())
    nothing = int(np.asarray(pc.is_in(values, value_set=words)).sum()) + values.null_count
    share = nothing / len(values) if len(values) else 0.0
    nameless = sample.plan.header and label == f"column {at + 1}"
    include = not (nameless and not evidence.filled and len(values))
    note = (
        f"{verdict.note} {sample.failing.get(at, '')}".strip()
        if include
        else "Neither a name nor values: left out."
    )
    return ColumnShape(
        planned.name, label, verdict.cast, share, evidence.samples, verdict.alternatives, note, include
    )


def _parquet(path: Path, kind: Kind, found: Survey) -> FileShape:
    from potager.connectors.files.parquet import natural_type, open_parquet

    file = open_parquet(path)
    schema, rows = file.schema_arrow, file.metadata.num_rows
    head = next(file.iter_batches(1000), None) if rows else None
    file.close()
    labels = labels_of(schema.names)
    columns = []
    for at, (label, name) in enumerate(zip(labels, clean_names(labels), strict=True)):
        cast = Cast(natural_type(schema.field(at).type), null_words=())
        values = head.column(at) if head is not None else None
        share = values.null_count / len(values) if values is not None and len(values) else 0.0
        samples = (
            tuple(
                dict.fromkeys(
                    str(value)[:80] for value in values.slice(0, 50).to_pylist() if value is not None
                )
            )[:5]
            if values is not None
            else ()
        )
        note = "Nested values are kept as JSON text." if cast.type == "json" else ""
        columns.append(ColumnShape(name, label, cast, share, samples, (), note))
    problems = list(kind.problems)
    _say_names(schema.names, labels, problems)
    return FileShape(
        path, "parquet", tuple(columns), found.bytes, found.fingerprint, rows, True, problems=tuple(problems)
    )
