"""What a file is, by its content first and its name second, and a sentence for what cannot be read."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from potager.connectors.files.shapes import Format, ReadOptions, invalid
from potager.kit.errors import FieldProblem, NotAllowed, NotFound, TooLarge, Unavailable

_UNPACK = "Unpack it and give the file inside; only gzip (.gz) is unpacked here."
_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls) or one protected by a password",
     "Save it as .xlsx without a password."),
    (b"%PDF-", "a PDF document", "Export the table as CSV or Excel."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"BZh91AY&SY", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\x00", "packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", _UNPACK),
    (b"SQLite format 3\x00", "an SQLite database", "Export the table as CSV or Parquet."),
    (b"ARROW1", "an Arrow (Feather) file", "Save it as Parquet."),
    (b"PARE", "an encrypted Parquet file", "Save it without encryption."),
    (b"Obj\x01", "an Avro file", "Save it as Parquet or JSON Lines."),
    (b"ORC", "an ORC file", "Save it as Parquet."),
    (b"\x89PNG", "a picture", "Give the table as CSV, Excel, JSON Lines or Parquet."),
    (b"\xff\xd8\xff", "a picture", "Give the table as CSV, Excel, JSON Lines or Parquet."),
    (b"{\\rtf", "a text document (RTF)", "Save the table as CSV or Excel."),
)  # fmt: skip
_TELLING = {
    b"%PDF-",
    b"{\\rtf",
    b"BZh91AY&SY",
    b"7z\xbc\xaf\x27\x1c",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
    b"\xff\xd8\xff",
    b"\x89PNG",
}
_EXTENSIONS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv", ".dat": "csv", ".psv": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".parquet": "parquet", ".pq": "parquet",
    ".xlsx": "xlsx", ".xlsm": "xlsx",
}  # fmt: skip
_NAMES = {
    "csv": "text in columns (CSV)",
    "jsonl": "JSON Lines",
    "json": "a JSON array",
    "parquet": "a Parquet file",
    "xlsx": "an Excel workbook",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """The format of a file, how it is packed, and what is strange about its name."""

    format: Format
    compression: str = ""
    problems: tuple[FieldProblem, ...] = ()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system says about ``path`` into a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", mend="Check the path.") from error
    except PermissionError as error:
        raise NotAllowed(
            f"Potager may not read {path}.", mend="Give the user that runs Potager the right to read it."
        ) from error
    except IsADirectoryError as error:
        raise invalid("path", f"{path} is a folder.", "Give the path of one file.") from error
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise invalid(
            "path", f"{path.name} is damaged: it cannot be unpacked to its end.", "Fetch it again."
        ) from error
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror or error}.", mend="Try again later."
        ) from error


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn what the operating system says about writing ``path`` (a full disk, most often) into a sentence."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise Unavailable(
            f"{path} cannot be written: {why}.", mend="Make room on the disk, then try again."
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, with sentences for what goes wrong while opening and reading."""
    with readable(path), path.open("rb") as file:
        yield file


def kind_of(path: Path, options: ReadOptions) -> Kind:
    """Return what ``path`` is; refuse what cannot be read with a sentence that says what it is instead."""
    with opened(path) as file:
        head = file.read(8192)
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 4))
        tail = file.read(4)
        compression = "gzip" if head.startswith(b"\x1f\x8b") else ""
        if compression:
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as packed:
                head = packed.read(8192)
    if not head.strip():
        raise invalid("path", f"{path.name} is empty.", "Give a file with a header and at least one row.")
    extension = _EXTENSIONS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    found = options.format or _by_content(path, head, tail, size, extension, options)
    if compression and found in {"parquet", "xlsx"}:
        raise invalid("path", f"{path.name} holds {_NAMES[found]} packed with gzip.", "Unpack it first.")
    problems: tuple[FieldProblem, ...] = ()
    if extension and extension != found and {extension, found} != {"json", "jsonl"}:
        shown = path.suffix or path.name
        problems = (
            FieldProblem(
                "path", f"The file is named {shown}, but it is {_NAMES[found]}; it is read as that."
            ),
        )
    return Kind(found, compression, problems)


def _by_content(
    path: Path, head: bytes, tail: bytes, size: int, extension: Format | None, options: ReadOptions
) -> Format:
    for magic, what, mend in _REFUSED:
        # A header may begin with the letters of a binary format (PARENT, ORCHARD): those have zero bytes.
        if head.startswith(magic) and (b"\0" in head or magic in _TELLING):
            raise invalid("path", f"{path.name} is {what}, which cannot be read.", mend)
    if head.startswith(b"PAR1") and (b"\0" in head or tail == b"PAR1"):
        if tail != b"PAR1":
            raise invalid("path", f"{path.name} is a Parquet file that was cut off.", "Fetch it again.")
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(path, options)
    text = (
        head.removeprefix(b"\xef\xbb\xbf")
        .replace(b"\x00", b"")
        .removeprefix(b"\xff\xfe")
        .removeprefix(b"\xfe\xff")
    )
    start = text.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<table", b"<script")):
        mend = "Open the address in a browser: it may be an error or a sign-in page. Fetch the data itself."
        raise invalid("path", f"{path.name} is a web page (HTML), not data.", mend)
    if start.startswith((b"<?xml", b"<feed", b"<rss")):
        raise invalid(
            "path", f"{path.name} is XML, which cannot be read.", "Export the table as CSV or Excel."
        )
    return _json(path, text.lstrip(), extension)


def _json(path: Path, text: bytes, extension: Format | None) -> Format:
    """Tell JSON Lines, a JSON array, a lone JSON object (refused) and text that only begins like JSON apart."""
    if text.startswith(b"[") and text[1:].lstrip()[:1] in {b"{", b"]"}:
        return "json"
    if text.startswith(b"{") and text[1:].lstrip()[:1] in {b'"', b"}"}:
        first = text.split(b"\n", 1)[0].strip()
        if first.endswith(b"}") or len(first) > 4096 or extension == "jsonl":
            return "jsonl"
        mend = "Give a JSON array of objects, or one object on each line (JSON Lines)."
        raise invalid(
            "path", f"{path.name} is one JSON object over several lines, not a list of records.", mend
        )
    return extension if extension in {"csv", "jsonl"} else "csv"


def _zip(path: Path, options: ReadOptions) -> Format:
    with readable(path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if "xl/workbook.xml" in names:
        if unpacked > options.most_unpacked:
            mend = "Save the sheet as CSV."
            raise TooLarge(f"{path.name} unpacks to {unpacked:,} bytes, more than is allowed.", mend=mend)
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise invalid("path", f"{path.name} is a binary Excel workbook (.xlsb).", "Save it as .xlsx.")
    if "content.xml" in names:
        raise invalid("path", f"{path.name} is an OpenDocument file.", "Save it as .xlsx or CSV.")
    raise invalid(
        "path", f"{path.name} is a zip archive of {len(names):,} files, which cannot be read.", _UNPACK
    )
