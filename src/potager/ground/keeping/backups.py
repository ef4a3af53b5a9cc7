"""Everything in one file, and back again: records, lake, uploads, key. Taken while everything runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from potager import __version__
from potager.kit.clock import now
from potager.kit.environment import data_folder
from potager.kit.errors import Invalid, Unavailable

MANIFEST = "manifest.json"
DATABASE, DUMP = "potager.sqlite3", "potager.pgdump"
FOLDERS = ("lake", "uploads")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds, or a restore brought: files and bytes."""

    files: int
    size: int


def write_backup(path: Path) -> Made:
    """Write a backup to ``path``. The records come first: files of the lake that they name are never changed after."""
    folder = data_folder()
    sums: dict[str, str] = {}
    partial = path.with_name(f".{path.name}.part")
    with tempfile.TemporaryDirectory(prefix="potager-backup-") as scratch:
        database = _database(folder, Path(scratch))
        try:
            with tarfile.open(partial, "w") as archive:
                _add(archive, database, database.name, sums)
                key = folder / "secret-key"
                if key.exists():
                    _add(archive, key, key.name, sums)
                for name in FOLDERS:
                    for file in _files(folder / name):
                        _add(archive, file, f"{name}/{file.relative_to(folder / name)}", sums)
                said = {
                    "potager": __version__,
                    "at": now().isoformat(),
                    "folder": str(folder),
                    "sha256": sums,
                }
                content = json.dumps(said, indent=1).encode()
                entry = tarfile.TarInfo(MANIFEST)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            partial.rename(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            mend = "Free some space or name another place."
            raise Unavailable(f"The backup could not be written: {error.strerror}.", mend=mend) from error
    return Made(len(sums), path.stat().st_size)


def _database(folder: Path, scratch: Path) -> Path:
    url = os.environ.get("POTAGER_DATABASE_URL")
    if url:
        target = scratch / DUMP
        if shutil.which("pg_dump") is None:
            raise Unavailable("pg_dump is not installed here.", mend="Install PostgreSQL's client programs.")
        command = ["pg_dump", "--format=custom", f"--file={target}", url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if done.returncode:
            raise Unavailable(
                f"pg_dump failed: {done.stderr.strip()[:300]}", mend="Is the database reachable?"
            )
        return target
    target = scratch / DATABASE
    with closing(sqlite3.connect(folder / DATABASE)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith("."))


def _add(archive: tarfile.TarFile, file: Path, name: str, sums: dict[str, str]) -> None:
    try:
        archive.add(file, name, recursive=False)
    except FileNotFoundError:
        return  # swept meanwhile: no snapshot names it any more
    with file.open("rb") as stream:
        sums[name] = hashlib.file_digest(stream, "sha256").hexdigest()


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Write an archive's files below ``folder``. (tarfile's own ``filter`` is not in every Python 3.11.)"""
    inside = folder.resolve()
    for entry in archive:
        target = (inside / entry.name).resolve()
        source = archive.extractfile(entry) if entry.isreg() else None
        if source is None or not target.is_relative_to(inside):
            raise tarfile.ExtractError(f"{entry.name} is no file of a backup")
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
        target.chmod(entry.mode & 0o755)


def read_backup(path: Path, folder: Path) -> Made:
    """Bring a backup back into ``folder``: every checksum is compared before anything is put in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".potager-restore-", dir=folder.parent) as scratch:
        unpacked = Path(scratch) / "data"
        try:
            with tarfile.open(path) as archive:
                _unpack(archive, unpacked)
        except (tarfile.TarError, OSError) as error:
            raise Invalid(f"{path} cannot be read as a backup: {error}", mend="Is it whole?") from error
        said = _manifest(path, unpacked)
        wrong = [name for name, digest in said["sha256"].items() if _digest(unpacked / name) != digest]
        if wrong:
            raise Invalid(
                f"{path} is damaged: {wrong[0]} is not what was written.", mend="Use another backup."
            )
        (unpacked / MANIFEST).unlink()
        catalogue = f"sqlite:///{unpacked / DATABASE}"
        if (unpacked / DUMP).exists():
            _restore_postgres(unpacked / DUMP)
            catalogue = settings.POTAGER_LAKE["catalog_uri"]
        if Path(said["folder"]) != folder:
            _moved(unpacked, said["folder"], str(folder), catalogue)
        if (unpacked / "secret-key").exists():
            (unpacked / "secret-key").chmod(0o600)
        if folder.exists():
            folder.rmdir()
        unpacked.rename(folder)
        size = sum(file.stat().st_size for file in _files(folder))
    return Made(len(said["sha256"]), size)


def _manifest(path: Path, unpacked: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads((unpacked / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(
            f"{path} is not a backup of Potager.", mend="Name a file that 'potager backup' wrote."
        ) from error
    return said


def _digest(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _restore_postgres(dump: Path) -> None:
    url = os.environ.get("POTAGER_DATABASE_URL")
    if not url:
        raise Invalid("This backup is of PostgreSQL.", mend="Set POTAGER_DATABASE_URL to an empty database.")
    command = ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(dump)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise Unavailable(f"pg_restore failed: {done.stderr.strip()[:300]}", mend="Is the database empty?")
    dump.unlink()


def _moved(unpacked: Path, old: str, new: str, catalogue: str) -> None:
    """Write the lake's metadata anew for another folder: Iceberg names its files by their whole path."""
    from sqlalchemy import create_engine, inspect, text

    lake = unpacked / "lake"
    for file in lake.rglob("*.metadata.json"):
        file.write_text(file.read_text("utf-8").replace(f"{old}/lake", f"{new}/lake"), "utf-8")
    for file in lake.rglob("*.avro"):
        _rewrite(file, f"{old}/lake", f"{new}/lake")
    engine = create_engine(catalogue)
    with engine.begin() as connection:
        if inspect(connection).has_table("iceberg_tables"):
            for column in ("metadata_location", "previous_metadata_location"):
                statement = text(
                    f"UPDATE iceberg_tables SET {column} = replace({column}, :old, :new)"  # noqa: S608 - two known columns
                )
                connection.execute(statement, {"old": f"{old}/lake", "new": f"{new}/lake"})
    engine.dispose()


def _rewrite(file: Path, old: str, new: str) -> None:
    import fastavro

    with file.open("rb") as stream:
        reader = fastavro.reader(stream)
        schema, codec = reader.writer_schema, reader.codec
        metadata = {name: value for name, value in reader.metadata.items() if not name.startswith("avro.")}
        records = [_replaced(record, old, new) for record in reader]
    with file.open("wb") as stream:
        fastavro.writer(stream, schema, records, codec=codec, metadata=metadata)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {name: _replaced(part, old, new) for name, part in value.items()}
    return value
