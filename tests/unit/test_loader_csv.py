"""CSV: the bulk reader and the careful reader must land the same rows, whatever the file."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool_recon.errors import CloseError
from pool_recon.loader.csv_records import UnclosedQuoteError, read_records
from pool_recon.loader.landing import ReaderDisagreesError
from pool_recon.loader.preparation import CleanCsv
from pool_recon.loader.spool import Spool
from tests.unit.loader_support import EXAMPLES, both, malformed, values

HEADER = "pool_id,seen_at,entitled"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


def written(row: tuple[str, ...], quotes_all: bool) -> str:
    def field(value: str) -> str:
        if quotes_all or any(character in value for character in ',"\r\n'):
            return '"' + value.replace('"', '""') + '"'
        return value

    return ",".join(map(field, row))


FIELDS = st.text(
    st.sampled_from('ab,"\n\r\t \ufeff\u00e9\u4e2d\U0001f600#\\;|\x1a\x7f\u2028\u0085\u001cN'),
    max_size=6,
) | st.sampled_from(["NULL", "null", "\\N", "NaN", "-", '"', '""', "0100.10", "1e3", "true"])


@EXAMPLES
def test_well_formed_files_land_as_python_reads_them(shared: Path, examples: int) -> None:
    @settings(max_examples=examples)
    @given(
        rows=st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=6),
        line_end=st.sampled_from(["\n", "\r\n"]),
        quotes_all=st.booleans(),
        is_last_ended=st.booleans(),
        bom=st.booleans(),
    )
    def check(
        rows: list[tuple[str, str, str]],
        line_end: str,
        quotes_all: bool,
        is_last_ended: bool,
        bom: bool,
    ) -> None:
        text = line_end.join([HEADER, *(written(row, quotes_all) for row in rows), ""])
        if not is_last_ended:
            text = text.removesuffix(line_end)
        content = text.encode("utf-8-sig" if bom else "utf-8")
        outcome, kind = both(shared, content)
        assert kind is CleanCsv
        expected = [tuple(value or None for value in row) for row in rows]
        assert values(outcome) == expected
        assert not malformed(outcome)

    check()


@EXAMPLES
def test_any_file_lands_alike_by_both_readers(shared: Path, examples: int) -> None:
    @settings(max_examples=examples)
    @given(text=st.text(st.sampled_from('aaaa,,,,""\n\n\r '), max_size=24))
    def check(text: str) -> None:
        both(shared, f"{HEADER}\n1,2,3\n{text}".encode())

    check()


@EXAMPLES
def test_ragged_files_lose_no_row(shared: Path, examples: int) -> None:
    @settings(max_examples=examples)
    @given(
        lines=st.lists(
            st.sampled_from(
                [
                    *(
                        "1,2,3",
                        "1,2",
                        "1,2,3,4",
                        "1,2,3,",
                        "1,2,3,,",
                        '1,"a\nb",3',
                        '1,"a""b",3',
                        ",,",
                    ),
                    *("", " ", "\t", '"",2,3', '1,"2"x,3', '1, "2",3', '1,"2" ,3', '1,x"y,3'),
                    '1,2,3,""',
                ]
            ),
            max_size=8,
        ),
        line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    )
    def check(lines: list[str], line_end: str) -> None:
        content = line_end.join([HEADER, *lines]).encode()
        outcome, _ = both(shared, content)
        assert len(outcome[0]) == sum(1 for line in lines if line.strip())

    check()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1,2", "1,2"),
        ("1", "1"),
        ("1,2,3,4", "1,2,3,4"),
        ("1,2,3,", "1,2,3,"),
        ("1,2,3,,", "1,2,3,,"),
        ('1,2,3,""', '1,2,3,""'),
        ('1,"2"x,3', '1,"2"x,3'),
        ('1,"2" ,3', '1,"2" ,3'),
        ('1,"a\nb"', '1,"a\nb"'),
        ('"1,2,3"', '"1,2,3"'),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_malformed_row_is_kept_with_its_text(
    folder: Path, line: str, text: str, place: int
) -> None:
    lines = ["1,2,3", "4,5,6"]
    lines.insert(place, line)
    outcome, _ = both(folder, "\n".join([HEADER, *lines, ""]).encode())
    assert malformed(outcome) == {place + 1: text}
    assert [row for row in values(outcome) if any(row)] == [("1", "2", "3"), ("4", "5", "6")]


def test_rows_that_are_too_short_and_too_long_do_not_balance(folder: Path) -> None:
    outcome, kind = both(folder, f"{HEADER}\n1,2\n1,2,3,4\n7,8,9\n".encode())
    assert malformed(outcome) == {1: "1,2", 2: "1,2,3,4"}
    assert kind is ReaderDisagreesError
    outcome, _ = both(folder, f"{HEADER}\n1,2,3,,\n\n\n7,8,9\n".encode())
    assert malformed(outcome) == {1: "1,2,3,,"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1,x"y,3\n', [("1", 'x"y', "3")]),
        ('1, "2",3\n', [("1", ' "2"', "3")]),
        ("\n\n1,2,3\n\n \n\t\n4,5,6\n\n\n", [("1", "2", "3"), ("4", "5", "6")]),
        ("1,2,3\r4,5,6\r", [("1", "2", "3"), ("4", "5", "6")]),
        ("1,2,3\r\n4,5,6\n7,8,9\r\n", [("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9")]),
        (' 1 ,\t2,"3 "\n', [(" 1 ", "\t2", "3 ")]),
        (",,\n", [(None, None, None)]),
        ('"",2,3\n', [(None, "2", "3")]),
        ('"a\r\nb","c\rd","e\nf"\n', [("a\r\nb", "c\rd", "e\nf")]),
        ("#1,2,3\n", [("#1", "2", "3")]),
    ],
)
def test_text_is_kept_as_written(
    folder: Path, text: str, expected: list[tuple[str | None, ...]]
) -> None:
    outcome, _ = both(folder, f"{HEADER}\n{text}".encode())
    assert values(outcome) == expected
    assert not malformed(outcome)


def test_blank_lines_at_the_end_do_not_need_the_careful_reader(folder: Path) -> None:
    for end in ("\n", "\r\n"):
        _, kind = both(folder, end.join([HEADER, "1,2,3", "", "", ""]).encode())
        assert kind is CleanCsv
        _, kind = both(folder, end.join([HEADER, "1,2,3", " ", ""]).encode())
        assert kind is Spool


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty; expected a header"),
        (b"\xef\xbb\xbf", "empty; expected a header"),
        (b"\n \n", "empty; expected a header"),
        (b"pool_id,seen_at\n1,\xff\n", "is not UTF-8"),
        (b"pool_id,seen_at\n1,\xc3", "is not UTF-8"),
        (HEADER.encode("utf-16"), "is not UTF-8"),
        (b"pool_id,seen_at\n1,\0\n", "a NUL byte at byte 19"),
        (b'pool_id,seen_at\n1,"2\n3,4\n', "opened on line 2 is never closed"),
        (b'pool_id,"seen_at\n1,2\n', "opened on line 1 is never closed"),
        (b'"pool_id"x,seen_at\n1,2\n', "text after a closing quote"),
        (b"pool_id;seen_at\n1;2\n", "required column is missing: expected pool_id, seen_at"),
        (b"pool_id;seen_at\n1;2\n", "write the file with commas, not with ';'"),
        (b"pool_id\tseen_at\n1\t2\n", "write the file with commas, not with '\\t'"),
        (b"sep=;\npool_id;seen_at\n", "not with ';', and without the line sep="),
        (b"sep=,\npool_id,seen_at\n", "take out the line sep=, which only Excel understands"),
        (b"separator=x,seen_at\n", "a name of your own goes into seeds"),
        (b"pool_id\n1\n", "required column is missing: expected seen_at"),
        (b"pool_id,seen;at\n1,2\n", "a name of your own goes into seeds/ref_column_aliases.csv"),
        (b"pool_id,seen_at,Pool-Id\n", "same column name twice: 'pool_id' and 'Pool-Id'"),
        (b"pool_id,seen_at,x,X\n", "same column name twice: 'x' and 'X'"),
    ],
)
def test_unreadable_files_stop_the_run(folder: Path, content: bytes, expected: str) -> None:
    for name in ("pools.csv", "pools.csv.gz"):
        stored = gzip.compress(content) if name.endswith(".gz") else content
        outcome, kind = both(folder, stored, name)
        assert kind is CloseError
        assert expected in outcome
        assert outcome.startswith(f"{name} (export pools): ")


@pytest.mark.parametrize(
    "content",
    [
        b"pool_id,seen_at",
        b"pool_id,seen_at\n",
        b"\xef\xbb\xbfpool_id,seen_at\r\n",
        b"\npool_id,seen_at\n",
    ],
)
def test_a_header_alone_has_no_rows(folder: Path, content: bytes) -> None:
    outcome, _ = both(folder, content)
    assert outcome[0] == []
    assert [column[2] for column in outcome[1]] == ["pool_id", "seen_at"]


def test_headers_may_be_quoted_and_have_line_ends(folder: Path) -> None:
    content = '\ufeff"Pool\nId","seen,at","SEEN AT","say ""hi""",,\n1,2,3,4,5,6\n'.encode()
    outcome, _ = both(folder, content)
    assert values(outcome) == [("1", "3", None)]
    assert [column[2] for column in outcome[1]] == [
        "Pool\nId",
        "seen,at",
        "SEEN AT",
        'say "hi"',
        "",
        "",
    ]


def test_gzip_of_several_members_is_one_file(folder: Path) -> None:
    content = gzip.compress(f"{HEADER}\n1,2,3\n".encode()) + gzip.compress(b"4,5,6\n")
    outcome, _ = both(folder, content, "pools.csv.gz")
    assert values(outcome) == [("1", "2", "3"), ("4", "5", "6")]


@pytest.mark.parametrize("cut", [0, 5, 20, -1])
def test_a_torn_gzip_stops_the_run(folder: Path, cut: int) -> None:
    whole = gzip.compress(f"{HEADER}\n1,2,3\n".encode())
    outcome, kind = both(folder, whole[:cut], "pools.csv.gz")
    assert kind is CloseError
    assert "broken gzip" in outcome


def test_garbage_after_a_gzip_stops_the_run(folder: Path) -> None:
    outcome, _ = both(folder, gzip.compress(HEADER.encode()) + b"garbage", "pools.csv.gz")
    assert "broken gzip" in outcome


# Of so many characters each that the bulk reader could work on several parts of a file at once.
ROWS = 4_000


@pytest.mark.parametrize(
    ("line_end", "ragged"),
    [
        *(("\n", ragged) for ragged in (None, "1,2", "1,2,3,4", "1,2,3,", "1,2\n1,2,3,4")),
        *(("\r\n", ragged) for ragged in (None, "1,2\n1,2,3,4")),
        *(
            pytest.param("\r\n", ragged, marks=pytest.mark.exhaustive)
            for ragged in ("1,2", "1,2,3,4", "1,2,3,")
        ),
    ],
)
def test_large_files_keep_every_row_in_order(
    folder: Path, ragged: str | None, line_end: str
) -> None:
    random_text = random.Random(7)
    lines = []
    for number in range(ROWS):
        filler = "x" * random_text.randint(1000, 4000)
        value = f'"{filler}{line_end},""{line_end}"' if number % 3 == 0 else filler
        lines.append(f"p{number},{value},{number}")
    if ragged:
        lines.insert(ROWS // 2, ragged.replace("\n", line_end))
    content = line_end.join([HEADER, *lines, ""]).encode()
    assert len(content) > 8_000_000
    outcome, kind = both(folder, content)
    well_formed = [row for row in values(outcome) if row[0]]
    assert [row[0] for row in well_formed] == [f"p{number}" for number in range(ROWS)]
    assert all(row[1].count(line_end) == 2 for row in well_formed[::3])
    assert len(malformed(outcome)) == (0 if ragged is None else ragged.count("\n") + 1)
    if ragged is None:
        assert kind is CleanCsv


def test_quoted_text_that_looks_like_rows_is_not_read_as_rows(folder: Path) -> None:
    # DuckDB refuses this very file where it reads parts of it at once: one begins within quotes.
    rows = 8_000
    chance = random.Random(1)
    lines = []
    for number in range(rows):
        kind_of = chance.random()
        looks = "\n".join(f"q{number},x,{number}" for _ in range(60 * chance.randint(1, 4)))
        if kind_of < 0.4:
            value = f'"{looks},""\n"'
        elif kind_of < 0.5:
            value = '"' + "\n\r\n\r"[chance.randint(0, 3) :] + f'""{looks}"'
        else:
            value = "y" * chance.randint(0, 600)
        lines.append(f"p{number},{value},{number}")
    outcome, kind = both(folder, "\n".join([HEADER, *lines]).encode())
    assert [row[0] for row in values(outcome)] == [f"p{number}" for number in range(rows)]
    assert kind is CleanCsv


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1, 5 << 19])
def test_long_values_land_whole(folder: Path, size: int) -> None:
    for value in ("x" * size, "\u4e2d" * (size // 3), '"' + "a\n" * (size // 2) + '"'):
        outcome, _ = both(folder, f"{HEADER}\n1,{value},3\n".encode())
        assert values(outcome) == [("1", value.strip('"'), "3")]


def test_scan_blocks_may_end_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = f'{HEADER}\r\n1,"a\r\n""b\r\n",3\r\n"4",5,"\r\n"\r\n\r\n'.encode()
    for size in [*range(1, 12), len(content) - 1, len(content)]:
        monkeypatch.setattr("pool_recon.loader.scan._CHUNK", size)
        outcome, kind = both(folder, content)
        assert values(outcome) == [("1", 'a\r\n"b\r\n', "3"), ("4", "5", "\r\n")]
        assert kind is CleanCsv


def test_records_name_the_line_of_a_quote_that_is_never_closed() -> None:
    with pytest.raises(UnclosedQuoteError) as caught:
        list(read_records(['a,"b\n', 'c"\n', 'd,"e\n', "f\n"]))
    assert caught.value.line == 3


@EXAMPLES
def test_records_are_those_of_the_csv_module(examples: int) -> None:
    @settings(max_examples=5 * examples)
    @given(rows=st.lists(st.lists(FIELDS, min_size=2, max_size=4), max_size=4))
    def check(rows: list[list[str]]) -> None:
        stream = io.StringIO()
        csv.writer(stream).writerows(rows)
        lines = io.StringIO(stream.getvalue(), newline="").readlines()
        expected = [row for row in rows if any(value.strip(" \t\n\r\v\f") for value in row)]
        found = [record.fields for record in read_records(lines)]
        assert [
            row for row in found if row and any(v.strip(" \t\n\r\v\f") for v in row)
        ] == expected

    check()
