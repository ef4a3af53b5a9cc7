"""Finding out what a file is: by its content first, its name second, and a sentence for each thing that is strange."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from pathlib import Path

import pytest

from potager.connectors.files import inspect, plan_from
from potager.connectors.files.names import clean_name, clean_names, labels_of
from potager.kit.errors import Invalid

from .helpers import said, shape_of, whole, write


def test_an_ordinary_file_has_nothing_to_say(tmp_path: Path) -> None:
    data = b"Name,Amount\r\nA,1\r\nB,2\r\n"
    shape = shape_of(tmp_path, data)
    assert (shape.format, shape.encoding, shape.delimiter, shape.quote, shape.header) == (
        "csv",
        "utf-8",
        ",",
        '"',
        True,
    )
    assert (shape.rows_estimate, shape.rows_exact, shape.bytes) == (2, True, len(data))
    assert shape.fingerprint == hashlib.sha256(data).hexdigest()
    assert [(one.name, one.source_name, one.samples) for one in shape.columns] == [
        ("name", "Name", ("A", "B")),
        ("amount", "Amount", ("1", "2")),
    ]
    assert shape.problems == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = f'a{delimiter}b\n1{delimiter}"x, y; z | w"\n2{delimiter}"p"\n'
    shape = shape_of(tmp_path, text)
    assert shape.delimiter == delimiter
    assert [row["a"] for row in whole(shape.path)[0]] == [1, 2]


def test_a_delimiter_is_found_beside_decimal_commas_and_in_one_column(tmp_path: Path) -> None:
    assert shape_of(tmp_path, "a;b\n1,5;2\n3,25;4\n").delimiter == ";"
    one = shape_of(tmp_path, "name\nA\nB\n")
    assert (one.delimiter, len(one.columns)) == (",", 1)
    assert shape_of(tmp_path, "a,b\tc\n1,5\t2\n", "t.tsv").delimiter == "\t"
    assert shape_of(tmp_path, "a:b\n1:2\n", delimiter=":").columns[1].name == "b"


def test_single_quotes_are_found(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "a,b\n'x, y',1\n'z',2\n")
    assert shape.quote == "'"
    assert whole(shape.path)[0][0]["a"] == "x, y"
    assert shape_of(tmp_path, "a,b\nx,'y\n", quote="'").quote == "'"


@pytest.mark.parametrize(
    ("encoding", "bom", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "utf-32-le"),
    ],
)
def test_unicode_encodings_are_found(tmp_path: Path, encoding: str, bom: bytes, found: str) -> None:
    path = write(tmp_path, bom + "name,città\nZoë,Zürich\nŁukasz,Łódź\n".encode(encoding))
    shape = inspect(path)
    assert shape.encoding == found
    rows, rejects = whole(path, plan_from(shape))
    assert rows == [{"name": "Zoë", "citta": "Zürich"}, {"name": "Łukasz", "citta": "Łódź"}]
    assert rejects.count == 0


def test_western_text_that_is_not_utf8_is_read_as_cp1252_and_said_to_be_a_guess(tmp_path: Path) -> None:
    text = "name,price\nCafé Müller,€5\nÀ la carte – “Spécial”,€7\n" * 3
    shape = shape_of(tmp_path, text.encode("cp1252"))
    assert shape.encoding == "cp1252"
    assert "The file is not UTF-8; it is read as cp1252, which is a guess." in said(shape)
    assert whole(shape.path)[0][0]["name"] == "Café Müller"
    assert shape_of(tmp_path, text.encode("cp1252"), encoding="latin-1").encoding == "latin-1"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Łukasz Żółć jest w domu;Łódź\nGrażyna pojechała do Gdańska;Kraków\n", "cp1250"),
        ("Съешь же ещё этих мягких французских булок;да выпей чаю\n", "cp1251"),
    ],
)
def test_central_european_and_cyrillic_text_is_found(tmp_path: Path, text: str, encoding: str) -> None:
    assert shape_of(tmp_path, ("a;b\n" + text * 20).encode(encoding)).encoding == encoding


def test_japanese_text_is_found(tmp_path: Path) -> None:
    text = "名前,都市\n" + "山田太郎さんは学校に行きます,東京都\n鈴木花子さんは本を読みます,大阪府\n" * 20
    shape = shape_of(tmp_path, text.encode("shift_jis"))
    assert shape.encoding in {"shift_jis", "cp932"}
    assert shape.columns[0].name == "column_1"
    assert whole(shape.path)[0][0]["column_1"] == "山田太郎さんは学校に行きます"


def test_few_broken_bytes_in_utf8_are_set_aside_not_guessed_away(tmp_path: Path) -> None:
    text = "name\n" + "Zoë\n" * 50
    shape = shape_of(tmp_path, text.encode() + b"bad \xff\nend\n")
    assert shape.encoding == "utf-8"
    assert "some lines hold bytes that are not; they will be set aside" in said(shape)
    rows, rejects = whole(shape.path)
    assert (len(rows), rejects.first[0].line) == (51, 52)


def test_bytes_that_an_encoding_does_not_have_are_set_aside(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, b"a,b\nok,1\nbad\x81,2\n", encoding="cp1252")
    rows, rejects = whole(shape.path, plan_from(shape))
    assert [row["a"] for row in rows] == ["ok"]
    assert rejects.first[0].reason == "The line holds bytes that are not text in the encoding of the file."


def test_an_empty_file_and_a_header_without_rows(tmp_path: Path) -> None:
    for data in (b"", b"\n  \n", b"\xef\xbb\xbf", b"\xff\xfe\n\0\n\0"):
        with pytest.raises(Invalid, match=r"t.csv is empty"):
            inspect(write(tmp_path, data))
    shape = shape_of(tmp_path, "a,b\n")
    assert "The file has a header, but no rows." in said(shape)
    assert whole(shape.path) is not None
    assert [one.name for one in shape.columns] == ["a", "b"]
    assert whole(shape.path, plan_from(shape))[0] == []


def test_a_file_without_a_header_is_recognized(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "1,2024-01-01,A\n2,2024-01-02,B\n")
    assert not shape.header
    assert [one.name for one in shape.columns] == ["column_1", "column_2", "column_3"]
    assert "The file has no header; its columns are called column 1, column 2 …" in said(shape)
    assert len(whole(shape.path)[0]) == 2
    assert not shape_of(tmp_path, "A,B\nA,C\nD,B\n").header
    assert shape_of(tmp_path, "A,B\nA,C\nD,B\n", header=True).header
    assert shape_of(tmp_path, "name,2023,2024\nA,1,2\n").header
    assert not shape_of(tmp_path, ",,\n1,2,3\n").header


def test_lines_above_the_table_are_left_out(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "Sales report\nmade on Monday\n\na,b,c\n1,2,x\n3,4,\n")
    assert shape.skip_lines == 3
    assert "The first 3 lines are no table; they are left out." in said(shape)
    rows, rejects = whole(shape.path)
    assert [row["a"] for row in rows] == [1, 3]
    shape = shape_of(tmp_path, "junk\na,b\n1,x\n3\n", skip_lines=1)
    rows, rejects = whole(shape.path, plan_from(shape))
    assert (len(rows), rejects.first[0].line) == (1, 4)


def test_rows_that_cannot_be_read_are_announced(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, 'a,b\n1,2\n3\n5,"6\n')
    assert said(shape) == (
        "2 rows cannot be read and will be set aside; the first is line 3: The row has 1 cell instead of 2."
    )


def test_a_lone_value_in_every_row_beyond_the_header_is_a_column_too(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "a,b\n1,2,x\n3,4,y\n")
    assert "The rows have one cell more than the header." in said(shape)
    assert [(one.name, one.include) for one in shape.columns] == [
        ("a", True),
        ("b", True),
        ("column_3", True),
    ]
    assert whole(shape.path)[0][0] == {"a": 1, "b": 2, "column_3": "x"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page \\(HTML\\), not data"),
        (b"  \n<html><head></head></html>", "is a web page \\(HTML\\), not data"),
        (b'<?xml version="1.0"?><rows/>', "is XML"),
        (b"%PDF-1.7 ...", "is a PDF document"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50,
            "an old Excel workbook \\(.xls\\) or one protected by a password",
        ),
        (b"SQLite format 3\x00" + b"\0" * 50, "is an SQLite database"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 50, "is a 7-Zip archive"),
        (b"BZh91AY&SY....", "packed with bzip2"),
        (b"PAR1\0\0\0", "a Parquet file that was cut off"),
        (b'{"data": [\n  {"a": 1}\n]}', "is one JSON object over several lines, not a list of records"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08" * 500, "is not a text file"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        inspect(write(tmp_path, data))
    assert caught.value.mend


def _zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "a,b\n1,2\n")
    return path


def test_archives_are_to_be_unpacked_first(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is a zip archive of 2 files, which cannot be read") as caught:
        inspect(_zip(tmp_path / "t.csv", "a.csv", "b.csv"))
    assert "Unpack it" in caught.value.mend
    with pytest.raises(Invalid, match="a binary Excel workbook"):
        inspect(_zip(tmp_path / "t.xlsx", "xl/workbook.bin"))
    with pytest.raises(Invalid, match="an OpenDocument file"):
        inspect(_zip(tmp_path / "t.ods", "content.xml"))
    with pytest.raises(Invalid, match="is damaged"):
        inspect(write(tmp_path, b"PK\x03\x04 broken", "t.xlsx"))
    with pytest.raises(Invalid, match="holds a Parquet file packed with gzip"):
        shape_of(tmp_path, gzip.compress(b"PAR1\0"), "t.parquet.gz", format="parquet")


def test_a_name_that_contradicts_the_content_is_noted(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, '{"a": 1}\n{"a": 2}\n', "t.csv")
    assert shape.format == "jsonl"
    assert "The file is named .csv, but it is JSON Lines; it is read as that." in said(shape)
    assert shape_of(tmp_path, "a,b\n1,2\n", "t.json").format == "csv"
    assert shape_of(tmp_path, "a,b\n1,2\n", "noname").problems == ()


def test_headers_that_begin_like_binary_formats_are_still_text(tmp_path: Path) -> None:
    for header in ("PARENT", "ORCHARD", "Rar!", "Obj"):
        assert shape_of(tmp_path, f"{header},b\n1,2\n").format == "csv"


def test_labels_and_names() -> None:
    assert labels_of(["a", "", " a ", None, "b\nc"]) == ["a", "column 2", "a (2)", "column 4", "b c"]
    assert labels_of(["a", "a (2)", "a"]) == ["a", "a (2)", "a (3)"]
    assert [
        clean_name(one, 7)
        for one in ("InvoiceNo", "unit price (£)", "Größe", "2024", "売上", "a__b", "HTTPServer")
    ] == [
        "invoice_no",
        "unit_price",
        "grosse",
        "column_2024",
        "column_7",
        "a_b",
        "http_server",
    ]
    assert clean_name("% of total #", 1) == "percent_of_total_number"
    assert clean_names(["Amount", "amount", "AMOUNT (2)", "a-mount"]) == [
        "amount",
        "amount_2",
        "amount_3",
        "a_mount",
    ]
    assert len(clean_names(["x" * 90, "x" * 90])[1]) == 63


def test_names_that_collide_after_cleaning_are_told_apart(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "Net Amount,net_amount,net-amount\n1,2,3\n")
    assert [one.name for one in shape.columns] == ["net_amount", "net_amount_2", "net_amount_3"]
    assert whole(shape.path)[0] == [{"net_amount": 1, "net_amount_2": 2, "net_amount_3": 3}]


def test_columns_without_a_name_are_said(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "a,,c\n1,2,3\n")
    assert "Columns without a name are called “column 2”." in said(shape)
    assert [one.name for one in shape.columns] == ["a", "column_2", "c"]


def test_a_large_packed_file_is_sampled_from_its_beginning(tmp_path: Path) -> None:
    data = gzip.compress("\n".join(["n", *(str(at) for at in range(100_000))]).encode())
    shape = shape_of(tmp_path, data, "t.csv.gz", whole_up_to=100_000)
    assert (shape.compression, shape.rows_exact) == ("gzip", False)
    assert shape.rows_estimate == pytest.approx(100_000, rel=0.01)
    assert len(whole(shape.path, plan_from(shape))[0]) == 100_000
