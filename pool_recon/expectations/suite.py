"""The suite: statements in SQL files, and statements generated from what the package promises."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pool_recon.errors import CloseError
from pool_recon.expectations.results import Expectation, Kind
from pool_recon.reference import project_dir

HEADERS = "published_headers"
_HERE = Path(__file__).parent
_SQL = _HERE / "sql"

# Text is compared with text, so that no engine can round, pad or shift what is compared.
_PATTERNS = {
    "amount": r"-?(0|[1-9][0-9]*)(\.[0-9]+)?",
    "count": r"0|[1-9][0-9]*",
    "date": r"[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]",
    "timestamp": (
        r"[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
        r"(\.[0-9][0-9][0-9][0-9][0-9][0-9])?Z"
    ),
}
_TYPES = {
    "amount": "decimal(38, 18)",
    "count": "bigint",
    "date": "date",
    "timestamp": "timestamp",
}


@dataclass(frozen=True)
class PublishedColumn:
    """A column that a file of the package promises.

    `kind` says how its values are written (id, text, word, amount, count, date, timestamp),
    `vocabulary` which words it may hold, `asset_column` whose asset gives an amount its decimals,
    `mart_column` what it must be equal to; `is_kept` whether statements across files read it.
    """

    name: str
    kind: str
    vocabulary: str
    is_required: bool
    asset_column: str
    mart_column: str
    is_kept: bool


@dataclass(frozen=True)
class PublishedFile:
    """A CSV file of the package and the mart that it publishes."""

    name: str
    mart: str
    mart_filter: str
    keys: tuple[str, ...]
    are_columns_exact: bool
    columns: tuple[PublishedColumn, ...]

    @property
    def relation(self) -> str:
        """The relation that is the file, every column as text."""
        return f"published_{self.name}"

    @property
    def judged_relation(self) -> str:
        """The table of the rows of the file, or of its mart, that are not as promised."""
        return f"judged_{self.name}"

    @property
    def kept_columns(self) -> tuple[str, ...]:
        """The columns that statements across files read; none for a file that stands alone."""
        return tuple(column.name for column in self.columns if column.is_kept)


def published_files() -> tuple[PublishedFile, ...]:
    """Return every file that the package promises, with its columns in order."""
    columns: dict[str, list[PublishedColumn]] = {}
    for row in _rows(_HERE / "published_columns.csv"):
        columns.setdefault(row["file"], []).append(
            PublishedColumn(
                row["column_name"],
                row["kind"],
                row["vocabulary"],
                row["is_required"] == "true",
                row["asset_column"],
                row["mart_column"],
                row["is_kept"] == "true",
            )
        )
    return tuple(
        PublishedFile(
            row["file"],
            row["mart"],
            row["mart_filter"],
            tuple(row["key_columns"].split()),
            row["are_columns_exact"] == "true",
            tuple(columns[row["file"]]),
        )
        for row in _rows(_HERE / "published_files.csv")
    )


def rule_names() -> tuple[str, ...]:
    """Return the rules of the registry, the seed ref_checklist_rules, in order."""
    rows = _rows(project_dir() / "seeds" / "ref_checklist_rules.csv")
    return tuple(row["rule_name"] for row in rows)


def shared_queries() -> Iterator[tuple[str, str, str]]:
    """Yield name, form (view or table) and query of what statements share, in order of use."""
    for row in _rows(_SQL / "shared" / "_order.csv"):
        file = _SQL / "shared" / f"{row['name']}.sql"
        yield row["name"], row["form"], file.read_text(encoding="utf-8")


def expectations(*, with_files: bool = True) -> tuple[Expectation, ...]:
    """Return the suite: rules, marts and, unless left out, the files of the package.

    Raises:
        CloseError: a statement or a reference file cannot be read.
    """
    position = {rule: number for number, rule in enumerate(rule_names())}
    rules = _stated("rules", Kind.RULE)
    stated = sorted(rules, key=lambda e: (position.get(e.name, len(position)), e.name))
    stated += _stated("marts", Kind.MART)
    if with_files:
        for file in published_files():
            stated += _of_file(file)
        stated += _stated("files", Kind.FILE)
    return tuple(stated)


def _stated(folder: str, kind: Kind) -> Iterator[Expectation]:
    """The statements of a folder: the first line of a file says in words what the rest checks."""
    for file in sorted((_SQL / folder).glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        first, _, query = text.partition("\n")
        if not first.startswith("-- ") or not query.strip():
            raise CloseError(f"{folder}/{file.name}: the first line must say what is expected")
        subject = file.stem
        if kind is not Kind.RULE:
            subject = _subject(file.stem)
        yield Expectation(file.stem, kind, subject, first.removeprefix("-- "), query.strip())


def _subject(name: str) -> str:
    marts = {file.mart.partition(".")[2] for file in published_files()}
    files = {file.name for file in published_files()}
    for mart in sorted(marts, key=len, reverse=True):
        if name.startswith(mart):
            return mart
    for file in sorted(files, key=len, reverse=True):
        if name.startswith(file):
            return f"{file}.csv"
    return "every mart"


def _of_file(file: PublishedFile) -> list[Expectation]:
    name = f"{file.name}.csv"
    promised = "exactly the columns" if file.are_columns_exact else "at least the columns"
    listed = ", ".join(column.name for column in file.columns)
    keys = " + ".join(file.keys)
    return [
        Expectation(
            f"{file.name}_csv_columns",
            Kind.FILE,
            name,
            f"It has {promised} {listed}.",
            _columns_query(file),
        ),
        Expectation(
            f"{file.name}_csv_values",
            Kind.FILE,
            name,
            "Every value is written as promised: required ones are there, words are of their "
            "vocabulary, amounts are exact decimal texts in the scale of their asset, moments are "
            "in UTC.",
            _judged_query(file, "values_problem"),
        ),
        Expectation(
            f"{file.name}_csv_keys",
            Kind.FILE,
            name,
            f"{keys} is there once.",
            _keys_query(file),
        ),
        Expectation(
            f"{file.name}_csv_agrees",
            Kind.FILE,
            name,
            f"It has the rows of {file.mart.partition('.')[2]}, no more and no fewer, with the "
            "same values.",
            _judged_query(file, "difference"),
        ),
    ]


def _columns_query(file: PublishedFile) -> str:
    promised = "\n    union all ".join(
        f"select {position} as column_position, '{column.name}' as column_name"
        for position, column in enumerate(file.columns, start=1)
    )
    found = f"select column_position, column_name from {HEADERS} where file_name = '{file.name}'"
    where = "promised.column_name is null or found.column_name is null"
    on = "promised.column_name = found.column_name"
    join = "full outer join"
    if file.are_columns_exact:
        on += " and promised.column_position = found.column_position"
    else:
        join, where = "left join", "found.column_name is null"
    return f"""
select
    coalesce(promised.column_name, found.column_name) as column_name,
    case
        when found.column_name is null then 'is missing'
            {"|| ', or not column ' || promised.column_position" if file.are_columns_exact else ""}
        else 'is not promised here'
    end as problem
from (
    {promised}
) as promised
{join} ({found}) as found
    on {on}
where {where}
""".strip()


def judging_query(file: PublishedFile, source: str) -> str:
    """Return a query that reads `source`, all of a file as text, once, beside its mart.

    It gives a row for each that is not as promised: `row_key`, what is wrong with the way its
    values are written, and what differs from the mart.
    """
    joins, written = _problems_of_values(file)
    return f"""
select
    judged.*
from (
    select
        {_joined_keys(file)} as row_key,
        published.is_published is not null as is_published,
        concat_ws(', ', {written}) as values_problem,
        case
            when published.is_published is null then 'is not in the file'
            when mart.is_in_mart is null then 'is not in the mart'
            else concat_ws(', ', {_differences(file)})
        end as difference
    from (select true as is_published, * from {source}) as published
    full outer join (
        select true as is_in_mart, * from {file.mart} where {file.mart_filter or "true"}
    ) as mart
        on {_same_keys(file)}
    {" ".join(joins)}
) as judged
where (judged.is_published and judged.values_problem <> '') or judged.difference <> ''
""".strip()


def _problems_of_values(file: PublishedFile) -> tuple[list[str], str]:
    words = vocabularies()
    problems: list[str] = []
    joins: dict[str, str] = {}
    for column in file.columns:
        value = f"published.{column.name}"
        if column.is_required:
            problems.append(f"case when {value} is null then '{column.name} is empty' end")
        tests = []
        if column.kind in _PATTERNS:
            tests.append(f"not regexp_full_match({value}, '{_PATTERNS[column.kind]}')")
        if column.kind in {"date", "timestamp"}:
            tests.append(f"try_cast({value} as {_TYPES[column.kind]}) is null")
        if column.vocabulary:
            listed = ", ".join(f"'{word}'" for word in words[column.vocabulary])
            tests.append(f"{value} not in ({listed})")
        if column.asset_column:
            alias = f"{column.asset_column}_unit"
            joins[alias] = (
                f"left join reference.ref_assets as {alias}"
                f" on published.{column.asset_column} = {alias}.asset"
            )
            decimals = f"length(split_part({value}, '.', 2))"
            scale = f"coalesce({alias}.minor_unit, 0)"
            tests.append(f"{decimals} < {scale}")
            tests.append(f"({decimals} > {scale} and {value} like '%0')")
        if tests:
            problems.append(
                f"case when {value} is not null and ({' or '.join(tests)})"
                f" then '{column.name} is ' || {value} end"
            )
    return list(joins.values()), ", ".join(problems)


def _differences(file: PublishedFile) -> str:
    problems = []
    for column in file.columns:
        if not column.mart_column or column.name in file.keys:
            continue
        published, mart = f"published.{column.name}", f"mart.{column.mart_column}"
        if column.kind in _TYPES:
            published = f"try_cast({published} as {_TYPES[column.kind]})"
        else:
            mart = f"nullif(cast({mart} as varchar), '')"
        problems.append(
            f"case when {published} is distinct from {mart} then '{column.name} is '"
            f" || coalesce(published.{column.name}, 'empty') || ', not '"
            f" || coalesce(cast({mart} as varchar), 'empty') end"
        )
    return ", ".join(problems) or "''"


def _mart_keys(file: PublishedFile) -> list[tuple[str, str]]:
    mart_columns = {column.name: column.mart_column for column in file.columns}
    return [(f"published.{key}", f"mart.{mart_columns[key]}") for key in file.keys]


def _same_keys(file: PublishedFile) -> str:
    # The first key is always there; a movement may lack the others.
    (first, first_of_mart), *others = _mart_keys(file)
    same = [f"{first} = {first_of_mart}"]
    same += [f"coalesce({key}, '') = coalesce({of_mart}, '')" for key, of_mart in others]
    return " and ".join(same)


def _joined_keys(file: PublishedFile) -> str:
    return " || ' ' || ".join(
        f"coalesce({key}, {of_mart}, '')" for key, of_mart in _mart_keys(file)
    )


def _keys_query(file: PublishedFile) -> str:
    keys = ", ".join(file.keys)
    row_key = " || ' ' || ".join(f"coalesce({key}, '')" for key in file.keys)
    return f"""
select
    {row_key} as row_key,
    'stands ' || count(*) || ' times' as problem
from {file.relation}
group by {keys}
having count(*) > 1
""".strip()


def _judged_query(file: PublishedFile, problem: str) -> str:
    only = "is_published and " if problem == "values_problem" else ""
    return f"""
select
    row_key,
    {problem} as problem
from {file.judged_relation}
where {only}{problem} <> ''
""".strip()


def vocabularies() -> dict[str, tuple[str, ...]]:
    """Return the words of every vocabulary, from the seeds and from what is published."""
    seeds = project_dir() / "seeds"
    found: dict[str, list[str]] = {}
    for file in (seeds / "ref_vocabularies.csv", _HERE / "published_words.csv"):
        for row in _rows(file):
            found.setdefault(row["vocabulary"], []).append(row["word"])
    found["code"] = [row["code"] for row in _rows(seeds / "ref_findings.csv")]
    found["subject_type"] = [row["subject_type"] for row in _rows(seeds / "ref_subject_types.csv")]
    found["export"] = [row["export_name"] for row in _rows(seeds / "ref_exports.csv")]
    return {name: tuple(words) for name, words in found.items()}


def _rows(file: Path) -> Sequence[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CloseError(f"{file.name} cannot be read: {type(error).__name__}") from error
