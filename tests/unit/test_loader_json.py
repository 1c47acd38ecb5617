"""JSON: numbers keep their digits, and both readers land the same rows, whatever the file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool_recon.errors import CloseError
from pool_recon.loader.preparation import PlainLines
from pool_recon.loader.spool import Spool
from tests.unit.loader_support import EXAMPLES, both, malformed, values


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


def row(seen_at: str, **others: str) -> str:
    members = {"pool_id": '"p"', "seen_at": seen_at, **others}
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


NUMBERS = [
    *("0", "-0", "-0.0", "1.10", "100.00", "1e3", "1E+2", "1.5e-7", "0.1", "-12.340"),
    *("12345678901234567890.123456789012345678", "99999999999999999999999999", "1E400"),
    *("9007199254740993", "18446744073709551616", "0.30000000000000004", "1e-999"),
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_keep_their_digits(folder: Path, number: str) -> None:
    rows = [row(number), row(f"\t{number} ", entitled='"\\"seen_at\\": 5, 7.50"')]
    outcome, kind = both(folder, "\n".join(rows).encode(), "pools.jsonl")
    assert [found[:2] for found in values(outcome)] == [("p", number)] * 2
    assert kind is PlainLines
    outcome, _ = both(folder, f"[{','.join(rows)}]".encode(), "pools.json")
    assert [found[:2] for found in values(outcome)] == [("p", number)] * 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("null", None),
        ("true", "true"),
        ("false", "false"),
        ('""', None),
        ('" x "', " x "),
        ('"NULL"', "NULL"),
        ('"null"', "null"),
        ('"1.10"', "1.10"),
        ('"\\u00e9 \\ud83d\\ude00 \\\\ \\/ \\b\\f\\n\\r\\t \\""', 'é 😀 \\ / \b\f\n\r\t "'),
        ('"é😀\u2028\x7f"', "é😀\u2028\x7f"),
        (
            '{"b": 1.10, "a": [1e3, "x\\u00e9\\/", null, true]}',
            '{"b":1.10,"a":[1e3,"xé/",null,true]}',
        ),
        ('{"a" : 1, "a" : 2 }', '{"a":1,"a":2}'),
        ("[ ]", "[]"),
        ("{ }", "{}"),
    ],
)
def test_values_land_as_text(folder: Path, value: str, expected: str | None) -> None:
    for name, content in (("pools.jsonl", f"{row(value)}\n"), ("pools.json", f"[ {row(value)} ]")):
        outcome, _ = both(folder, content.encode(), name)
        assert [(found[0], found[1] or None) for found in values(outcome)] == [("p", expected)]
        assert not malformed(outcome)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.sampled_from('ab",:{}[]\\\n\r\t 1.5e\u00e9\u4e2d\U0001f600\x01\x7f\u2028'), max_size=8
    )
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=3), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def landed(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@EXAMPLES
def test_flat_rows_land_as_python_reads_them(shared: Path, examples: int) -> None:
    @settings(max_examples=examples)
    @given(
        rows=st.lists(
            st.fixed_dictionaries(
                {"pool_id": SCALARS, "seen at": SCALARS},
                optional={"entitled": SCALARS, 'a"b': SCALARS, "": SCALARS, "é": SCALARS},
            ),
            max_size=4,
        ),
        ascii_only=st.booleans(),
        line_end=st.sampled_from(["\n", "\r\n", "\n\n"]),
        bom=st.booleans(),
    )
    def check(rows: list[dict[str, Any]], ascii_only: bool, line_end: str, bom: bool) -> None:
        text = line_end.join(json.dumps(line, ensure_ascii=ascii_only) for line in rows)
        content = text.encode("utf-8-sig" if bom else "utf-8")
        for name, stored in (("pools.ndjson", content), ("pools.jsonl.gz", gzip.compress(content))):
            outcome, _ = both(shared, stored, name)
            assert [tuple(value or None for value in found) for found in values(outcome)] == [
                (landed(line["pool_id"]), landed(line["seen at"]), landed(line.get("entitled")))
                for line in rows
            ]

    check()


@EXAMPLES
def test_nested_rows_land_as_python_reads_them(shared: Path, examples: int) -> None:
    @settings(max_examples=examples)
    @given(
        rows=st.lists(
            st.fixed_dictionaries({"pool_id": NESTED, "seen_at": NESTED, "x": NESTED}), max_size=3
        ),
        indent=st.sampled_from([None, 1]),
    )
    def check(rows: list[dict[str, Any]], indent: int | None) -> None:
        expected = [(landed(line["pool_id"]), landed(line["seen_at"]), None) for line in rows]
        lines = "\n".join(json.dumps(line) for line in rows).encode()
        array = json.dumps(rows, indent=indent).encode()
        for name, content in (("pools.jsonl", lines), ("pools.json", array)):
            outcome, _ = both(shared, content, name)
            assert [tuple(v or None for v in found) for found in values(outcome)] == expected

    check()


@EXAMPLES
def test_any_file_lands_alike_by_both_readers(shared: Path, examples: int) -> None:
    @settings(max_examples=examples)
    @given(
        st.lists(
            st.sampled_from(
                [
                    *(
                        '{"pool_id":"p","seen_at":',
                        '"pool_id"',
                        '"seen_at"',
                        ":",
                        ",",
                        "{",
                        "}",
                        "[",
                        "]",
                    ),
                    *('"', "\\", "1.10", "-", "NaN", "true", "null", "\n", "\r", "\n", " ", "\x0b"),
                    *(
                        "01",
                        "1.",
                        ".5",
                        "+1",
                        "1e",
                        "0x1",
                        "\\u0000",
                        '"\\ud800"',
                        "\ufeff",
                        "//",
                        "'",
                    ),
                    "\x01",
                ]
            ),
            max_size=8,
        )
    )
    def check(pieces: list[str]) -> None:
        content = row("1") + "\n" + "".join(pieces)
        both(shared, content.encode(), "pools.jsonl")

    check()


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        '"text"',
        "1.10",
        "null",
        '{"pool_id":"p","seen_at":',
        '{"pool_id":"p","seen_at":1,}',
        '{"pool_id":"p","seen_at":NaN}',
        '{"pool_id":"p","seen_at":-Infinity}',
        '{"pool_id":"p","seen_at":01}',
        "{'pool_id':'p'}",
        '{"pool_id":"p","seen_at":"a\tb"}',
        '{"pool_id":"p","seen_at":"\\ud800"}',
        '{"pool_id":"p","seen_at":"\\u0000"}',
        '{"pool_id":"p","seen_at":"\\x41"}',
        '{"pool_id":"p","seen_at":1} x',
        '{"pool_id":"p","seen_at":1}{"pool_id":"p","seen_at":1}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_object_is_kept_with_its_text(folder: Path, line: str) -> None:
    content = f"{row('1')}\n\n{line}\n \n{row('2')}"
    outcome, _ = both(folder, content.encode(), "pools.jsonl")
    assert malformed(outcome) == {2: line}
    assert [found[1] for found in values(outcome)] == ["1", None, "2"]


# As deep as the decoder still reads, however deep the calls of a test are.
DEEP = "[" * 800 + "{}" + "]" * 800


@pytest.mark.parametrize(("name", "wrapped"), [("pools.jsonl", "{}\n"), ("pools.json", "[{}]")])
def test_a_deep_value_lands_as_text(folder: Path, name: str, wrapped: str) -> None:
    for value in (
        DEEP,
        DEEP.replace("{}", r'"\u0041whsec_12345678"'),
        '{"a":' * 800 + "1" + "}" * 800,
    ):
        for line in (row(value), row("1", x=value), row(value, x=r'"\u00e9"')):
            outcome, _ = both(folder, wrapped.replace("{}", line, 1).encode(), name)
            expected = "1" if '"seen_at":1' in line else value
            masked = expected.replace(r"\u0041whsec_12345678", "Awhsec_***")
            assert [found[1] for found in values(outcome)] == [masked]
            assert [found[5] for found in outcome[0]] == ["whsec_" in value]


@pytest.mark.parametrize(("name", "wrapped"), [("pools.jsonl", "{}\n"), ("pools.json", "[{}]")])
def test_a_deep_value_that_no_text_can_hold_is_malformed(
    folder: Path, name: str, wrapped: str
) -> None:
    line = row("1", x=DEEP.replace("{}", r'"\u0000"'))
    outcome, _ = both(folder, wrapped.replace("{}", line, 1).encode(), name)
    assert malformed(outcome) == {1: line}


def test_an_array_that_is_too_deep_to_be_read_says_so(folder: Path) -> None:
    deeper = "[" * 100_000 + "]" * 100_000
    outcome, kind = both(folder, f"[{row('1')}, {row(deeper)}]".encode(), "pools.json")
    assert kind is CloseError
    assert outcome == (
        "pools.json (export pools): row 2, which begins at character 31, is nested too deeply to be"
        " read; leave its deep value out of the export, or export that value as text"
    )
    outcome, _ = both(folder, f"{row('1')}\n{row(deeper)}".encode(), "pools.jsonl")
    assert malformed(outcome) == {2: row(deeper)}


@pytest.mark.parametrize(("name", "wrapped"), [("pools.jsonl", "{}\n"), ("pools.json", "[{}]")])
def test_the_names_of_a_row_that_no_text_can_hold_are_known(
    folder: Path, name: str, wrapped: str
) -> None:
    line = r'{"pool_id":"\u0000","pool_id":1,"seen_at":"2026-06-01T00:00:00Z","\ud800":1}'
    outcome, _ = both(folder, wrapped.replace("{}", line).encode(), name)
    assert malformed(outcome) == {1: line}
    assert [column[2] for column in outcome[1]] == ["pool_id", "seen_at"]


def test_a_torn_last_line_is_a_malformed_row(folder: Path) -> None:
    outcome, _ = both(folder, f'{row("1")}\n{{"pool_id":"p'.encode(), "pools.jsonl")
    assert malformed(outcome) == {2: '{"pool_id":"p'}


def test_an_element_that_is_no_object_is_kept_with_its_text(folder: Path) -> None:
    outcome, _ = both(folder, f"[{row('1')}, [1, 1.10 ] , null]".encode(), "pools.json")
    assert malformed(outcome) == {2: "[1, 1.10 ]", 3: "null"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "it does not begin with ["),
        ("{}", "it does not begin with ["),
        ("[", "no JSON value at character 2"),
        ("[1", "expected , or ] at character 3"),
        ("[1,]", "no JSON value at character 4"),
        ('[{"pool_id":1', "no JSON value at character 2"),
        ("[NaN]", "no JSON value at character 2"),
        ("[] []", "text follows the closing ]"),
    ],
)
def test_a_broken_array_stops_the_run(folder: Path, content: str, expected: str) -> None:
    outcome, kind = both(folder, content.encode(), "pools.json")
    assert kind is CloseError
    assert outcome.startswith("pools.json (export pools): no JSON array (")
    assert expected in outcome


@pytest.mark.parametrize("name", ["pools.jsonl", "pools.json"])
def test_a_file_without_rows_lacks_no_column(folder: Path, name: str) -> None:
    for text in (" [ ] ", "\ufeff[]") if name == "pools.json" else ("", "\n \n", "\ufeff"):
        outcome, _ = both(folder, text.encode(), name)
        assert outcome == ([], [])


def test_the_columns_are_the_keys_of_all_rows(folder: Path) -> None:
    lines = '{"x":1,"pool_id":"p"}\n{"seenAt":"s","pool_id":"q","é":2}\n'
    outcome, kind = both(folder, lines.encode(), "pools.jsonl")
    assert values(outcome) == [("p", None, None), ("q", "s", None)]
    assert [column[1:] for column in outcome[1]] == [
        (1, "x", None),
        (2, "pool_id", "pool_id"),
        (3, "seenAt", "seen_at"),
        (4, "é", None),
    ]
    assert kind is PlainLines


@pytest.mark.parametrize("name", ["pools.jsonl", "pools.json"])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (['{"pool_id":1}'], "required column is missing: expected seen_at; found 'pool_id'"),
        (["[1]"], "required column is missing: expected pool_id, seen_at; found none"),
        (["{}"], "required column is missing: expected pool_id, seen_at; found none"),
        ([row("1", x="1")[:-1] + ',"x":2}'], "row 1 has the same column name twice: 'x'"),
        ([row("1"), row("1", Pool_Id="2")], "same column name twice: 'pool_id' and 'Pool_Id'"),
    ],
)
def test_bad_columns_stop_the_run(folder: Path, name: str, rows: list[str], expected: str) -> None:
    content = "\n".join(rows) if name == "pools.jsonl" else f"[{','.join(rows)}]"
    outcome, kind = both(folder, content.encode(), name)
    assert kind is CloseError
    assert expected in outcome


def test_a_key_within_a_value_is_not_taken_for_the_column(folder: Path) -> None:
    line = '{"a\\"seen_at":5,"x":"{,\\"seen_at\\":7.50","seen_at":1.10,"pool_id":"{\\"seen_at"}'
    outcome, _ = both(folder, f"{line}\n".encode(), "pools.jsonl")
    assert values(outcome) == [('{"seen_at', "1.10", None)]


def test_many_lines_keep_their_order(folder: Path) -> None:
    numbers = range(10_000)
    lines = [row(f"{number}.10", entitled=f'"{"x" * (number % 1200)}"') for number in numbers]
    outcome, kind = both(folder, "\r\n".join(lines).encode(), "pools.jsonl")
    assert [found[1] for found in values(outcome)] == [f"{number}.10" for number in numbers]
    assert kind is PlainLines


def test_only_lines_that_end_alike_take_the_bulk_reader(folder: Path) -> None:
    for text in (f"{row('1')}\r{row('2')}\n", f"{row('1')}\r\n{row('2')}\n", f"{row('1')}\x01\n"):
        _, kind = both(folder, (row("0") + "\n" + text).encode(), "pools.jsonl")
        assert kind is Spool
