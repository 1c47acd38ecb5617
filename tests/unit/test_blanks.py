"""White space between the words of a name is the same to Python, models and second reading."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from pool_recon.blanks import with_single_blanks
from tests.unit.test_exact_arithmetic import rendered

SHARED = Path(__file__).resolve().parents[2] / "pool_recon" / "expectations" / "sql" / "shared"
# White space is among the first; no file that is read has a NUL.
LETTERS = [chr(number) for number in range(1, 0x10000) if not 0xD800 <= number <= 0xDFFF]


def of_the_models(column: str) -> str:
    files = ("engine/single_blanks.sql", "engine/matches_within.sql")
    return rendered(f"single_blanks('{column}')", *files)


def of_the_second_reading(column: str) -> str:
    sql = (SHARED / "close_findings_approved.sql").read_text(encoding="utf-8")
    (expression,) = re.findall(
        r"lower\((trim\(regexp_replace\(register\.approved_by.*?'g'\)\))\)", sql
    )
    return str(expression).replace("register.approved_by", column)


def test_every_letter_is_white_space_to_all_or_to_none() -> None:
    texts = [f"{letter}a{letter} {letter}b{letter}" for letter in LETTERS]
    folded = [with_single_blanks(text) for text in texts]
    assert folded.count("a b") == sum(letter.isspace() for letter in LETTERS) == 29
    with duckdb.connect() as connection:
        for sql in (of_the_models("text"), of_the_second_reading("text")):
            query = f"select text, {sql} from (select unnest($texts) as text)"
            found = dict(connection.execute(query, {"texts": texts}).fetchall())
            assert [found[text] for text in texts] == folded


def test_of_white_space_alone_nothing_remains() -> None:
    with duckdb.connect() as connection:
        query = f"select {of_the_models('text')} from (values (?), (?), ('x')) as texts(text)"
        assert connection.execute(query, [" \xa0\t", ""]).fetchall() == [(None,), (None,), ("x",)]
