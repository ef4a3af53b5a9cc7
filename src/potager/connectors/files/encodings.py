"""Which encoding a file has, and reading it as UTF-8 whatever it has."""

from __future__ import annotations

import codecs
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from potager.connectors.files.formats import opened, readable
from potager.connectors.files.shapes import ReadOptions
from potager.kit.errors import FieldProblem, TooLarge

_BLOCK = 4 << 20
_SAMPLE = 128 << 10
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_OTHERS = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "koi8_r",
    "shift_jis", "cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp949", "mac_roman", "cp850",
)  # fmt: skip
_INVALID = "potager.invalid"


@dataclass(frozen=True, slots=True)
class Survey:
    """One pass over a file: its size and sha256, its line feeds, and its encoding as far as bytes can tell."""

    bytes: int
    fingerprint: str
    line_feeds: int
    encoding: str
    problems: tuple[FieldProblem, ...]


def survey(path: Path, *, compression: str, options: ReadOptions, text: bool) -> Survey:
    """Read the whole file once in bounded memory; ``text`` says whether encoding and lines matter."""
    digest, size = hashlib.sha256(), 0
    look = _Look()
    with opened(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if text and not compression:
                look.at(block)
        if text and compression:
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as packed:
                unpacked = 0
                while block := packed.read(_BLOCK):
                    look.at(block)
                    unpacked += len(block)
                    _check_unpacked(path, unpacked, options.most_unpacked)
    encoding, problems = look.verdict() if text else ("utf-8", ())
    if text and options.encoding:
        encoding, problems = options.encoding, ()
    return Survey(size, digest.hexdigest(), look.line_feeds, encoding, problems)


def _check_unpacked(path: Path, unpacked: int, most: int) -> None:
    if unpacked > most:
        raise TooLarge(
            f"{path.name} unpacks to more than {most:,} bytes.", mend="Unpack it and check what is inside."
        )


class _Look:
    """What the bytes of a text say about its encoding, block by block."""

    def __init__(self) -> None:
        self.head = b""
        self.line_feeds = 0
        self.zeros = [0, 0]
        self.spoiled = b""
        self._utf8 = codecs.getincrementaldecoder("utf-8")("strict")

    def at(self, block: bytes) -> None:
        first = not self.head
        self.head = self.head or block[:_SAMPLE]
        self.line_feeds += block.count(b"\n")
        if first and b"\0" in self.head:
            self.zeros = [self.head[0::2].count(0), self.head[1::2].count(0)]
        if not self.spoiled:
            try:
                self._utf8.decode(block)
            except UnicodeDecodeError as error:
                self.spoiled = block[max(0, error.start - _SAMPLE // 2) : error.start + _SAMPLE // 2]

    def verdict(self) -> tuple[str, tuple[FieldProblem, ...]]:
        for bom, name in _BOMS:
            if self.head.startswith(bom):
                return name, ()
        even, odd = self.zeros
        if max(even, odd) > len(self.head) // 5 and min(even, odd) <= max(even, odd) // 4:
            return ("utf-16-le" if odd > even else "utf-16-be"), ()
        if not self.spoiled:
            return "utf-8", ()
        text = self.spoiled.decode("utf-8", "replace")
        broken = text.count("\ufffd")
        whole = sum(1 for letter in text if ord(letter) > 127) - broken
        if whole >= 5 * broken:
            problem = "The file is UTF-8, but some lines hold bytes that are not; they will be set aside."
            return "utf-8", (FieldProblem("encoding", problem, "Save the file again as UTF-8."),)
        name = _guess(self.spoiled)
        problem = f"The file is not UTF-8; it is read as {name}, which is a guess."
        mend = "Look at letters like é or ü in the preview; choose another encoding if they are wrong."
        return name, (FieldProblem("encoding", problem, mend),)


def _guess(sample: bytes) -> str:
    """Guess a one-byte or East Asian encoding; cp1252 when it explains the text about as well as the best."""
    from charset_normalizer import from_bytes

    telling = b"\n".join(line for line in sample.splitlines() if not line.isascii())
    found = from_bytes(telling, cp_isolation=list(_OTHERS), enable_fallback=False)
    best = found.best()
    western = next((one for one in found if one.encoding == "cp1252"), None)
    if best is None or (
        western and western.chaos <= best.chaos + 0.02 and western.coherence >= best.coherence - 0.02
    ):
        return "cp1252"
    return best.encoding


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Let an undecodable byte through as one that is no UTF-8 either, so that its line is set aside."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


class TextStream:
    """A text file read as UTF-8 bytes without its byte-order mark; a context manager.

    ``position`` is how many bytes of the file itself have been read. Bytes that are not of the encoding come out as
    bytes that are not UTF-8.
    """

    def __init__(self, path: Path, *, encoding: str, compression: str, most_unpacked: int) -> None:
        self._path, self._most = path, most_unpacked
        with readable(path):
            self._raw: BinaryIO = path.open("rb")
        self._source = gzip.GzipFile(fileobj=self._raw) if compression else self._raw
        self._packed = bool(compression)
        name = codecs.lookup(encoding).name
        codecs.register_error(_INVALID, _marked)
        self._decoder = (
            None if name in {"utf-8", "utf-8-sig", "ascii"} else codecs.getincrementaldecoder(name)(_INVALID)
        )
        self._read = 0
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._source.close()
        self._raw.close()

    def position(self) -> int:
        """Return how many bytes of the file have been read."""
        return self._raw.tell()

    def skip_to(self, offset: int) -> None:
        """Go on reading at ``offset`` bytes of the file (not possible in packed files)."""
        self._source.seek(offset)
        self._begun = offset > 0

    def read(self, size: int) -> bytes:
        """Return about ``size`` bytes of UTF-8; nothing at the end of the file."""
        with readable(self._path):
            while True:
                block = self._source.read(size)
                self._read += len(block)
                if self._packed:
                    _check_unpacked(self._path, self._read, self._most)
                text = self._decoded(block)
                if text or not block:
                    return text

    def _decoded(self, block: bytes) -> bytes:
        if self._decoder is not None:
            text = self._decoder.decode(block, final=not block)
            block = text.encode("utf-8", "surrogateescape")
        if not self._begun and block:
            self._begun = True
            return block.removeprefix(codecs.BOM_UTF8)
        return block
